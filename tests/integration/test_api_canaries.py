"""What is private is said to the API in every place where something private can be said, and comes out nowhere else."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from running_server import RunningServer

CANARIES = {
    "name": "Kanariefågel Fågelholm",
    "phone": "+46709918273",
    "email": "kanarie@fagelholm.example",
    "host_pin": "83649172",
    "guest_pin": "59281736",
    "title": "Samtal om kanariesjukan",
    "token": "kanarie-token-0f3b",
    "key": "kanarie-key-77c1",
}
MEETINGS = "/api/v1/meetings"
BODY = {
    "title": CANARIES["title"],
    "organizer": {"name": CANARIES["name"], "email": CANARIES["email"]},
    "participants": [{"name": CANARIES["name"], "phone": CANARIES["phone"], "email": CANARIES["email"]}],
    "access": {"host_pin": CANARIES["host_pin"], "guest_pin": CANARIES["guest_pin"]},
    "metadata": {"note": CANARIES["name"]},
}
PROBLEMS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", MEETINGS, {**BODY, CANARIES["guest_pin"]: 1}, {}),
    ("POST", MEETINGS, {**BODY, CANARIES["name"]: 1}, {}),
    ("POST", MEETINGS, {**BODY, "language": CANARIES["name"]}, {}),
    ("POST", MEETINGS, {**BODY, "start": CANARIES["phone"], "time_zone": CANARIES["name"]}, {}),
    ("POST", MEETINGS, {**BODY, "access": {"host_pin": CANARIES["email"], "lobby": CANARIES["name"]}}, {}),
    ("POST", MEETINGS, {**BODY, "metadata": {CANARIES["name"]: "x"}}, {}),
    ("POST", MEETINGS, {**BODY, "participants": [CANARIES["name"], {"name": CANARIES["name"] + "\n"}]}, {}),
    ("POST", MEETINGS, CANARIES["name"], {}),
    ("POST", MEETINGS, BODY, {"Authorization": f"Bearer {CANARIES['token']}"}),
    ("POST", MEETINGS, BODY, {"Authorization": CANARIES["token"]}),
    ("POST", MEETINGS, BODY, {"Content-Type": f"text/{CANARIES['key']}"}),
    ("GET", f"{MEETINGS}?page_token={CANARIES['token']}&from={CANARIES['host_pin']}", None, {}),
    ("GET", f"{MEETINGS}?{CANARIES['token']}=1", None, {}),
    ("GET", f"{MEETINGS}/{CANARIES['token']}?t={CANARIES['token']}", None, {}),
    ("GET", f"/j/{CANARIES['token']}?t={CANARIES['token']}", None, {}),
    ("POST", "/api/v1/join/123456789", {"name": CANARIES["name"], "pin": CANARIES["host_pin"]}, {}),
    ("POST", "/api/v1/join/123456789", {"name": CANARIES["name"], "pin": CANARIES["name"]}, {}),
    ("POST", "/api/v1/join/123456789", {"name": CANARIES["name"], "token": CANARIES["token"]}, {}),
    ("POST", "/api/v1/legs", CANARIES["token"], {"Content-Type": "application/sdp"}),
    (CANARIES["token"].upper(), MEETINGS, None, {}),
]


async def sent(server: RunningServer, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, str]:
    asked = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.base_url + path, data=data, headers=asked) as answer,
    ):
        return answer.status, await answer.text()


def canaries_in(text: str) -> list[str]:
    """Also as JSON and URLs write them."""
    forms = {
        name: {value, json.dumps(value)[1:-1], value.replace("+", "%2B"), value.split()[0]}
        for name, value in CANARIES.items()
    }
    return [name for name, written in forms.items() if any(form.lower() in text.lower() for form in written)]


@pytest.mark.timeout(180)
async def test_nothing_private_is_in_problems_logs_or_metrics(server: RunningServer) -> None:
    keyed = {"Idempotency-Key": CANARIES["key"]}
    status, booked = await sent(server, "POST", MEETINGS, BODY, keyed)
    assert status == 201
    assert set(canaries_in(booked)) >= {"name", "phone", "email", "host_pin", "guest_pin", "title"}
    meeting = json.loads(booked)
    for method, path, body, headers in PROBLEMS:
        status, text = await sent(server, method, path, body, headers)
        assert status >= 400, (method, path)
        assert canaries_in(text) == [], (method, path.partition("?")[0])
    await sent(server, "POST", MEETINGS, {"title": "annat"}, keyed)
    link = meeting["participants"][0]["join_url"].partition("#t=")[2]
    number = meeting["join"]["meeting_number"]
    status, joined = await sent(server, "POST", f"/api/v1/join/{number}", {"name": CANARIES["name"], "token": link}, {})
    assert status == 200, joined
    session = json.loads(joined)["session_token"]
    await sent(server, "POST", "/api/v1/legs", "v=0 " + CANARIES["name"], {"Authorization": f"Bearer {session}"})
    metrics = server.metrics()
    server.stop()
    log = server.log_path.read_text("utf-8")
    assert "req_" in log
    assert canaries_in(log) == []
    assert canaries_in(metrics) == []
    for secret in (server.token, link, session):
        assert secret.rpartition(".")[2] not in log + metrics


@pytest.mark.timeout(180)
async def test_pins_are_nowhere_on_disk(server: RunningServer) -> None:
    for i, headers in enumerate(({}, {"Idempotency-Key": "k"})):
        status, _ = await sent(server, "POST", MEETINGS, {**BODY, "title": f"{i}"}, headers)
        assert status == 201
    server.stop()
    disk = b"".join(one.read_bytes() for one in everything_in(server.data_directory))
    assert CANARIES["name"].encode() in disk or json.dumps(CANARIES["name"]).encode() in disk
    assert CANARIES["host_pin"].encode() not in disk
    assert CANARIES["guest_pin"].encode() not in disk


def everything_in(directory: Path) -> list[Path]:
    return [one for one in directory.rglob("*") if one.is_file()]
