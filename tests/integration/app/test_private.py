"""Nothing private leaves a real server: a meeting full of canaries is booked, guessed at, joined and broken."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from running_server import RunningServer, running_server

pytestmark = pytest.mark.timeout(300)  # it starts a server, also on a busy machine

NAME, TITLE, PHONE, EMAIL = "Kanariya Fågelsson", "Hjärtkanarie", "+46709998877", "kanarie@example.org"
HOST_PIN, GUEST_PIN, GUESS = "907135246", "264153709", "777888999"


async def book(http: aiohttp.ClientSession) -> dict[str, Any]:
    now = datetime.now(UTC)
    meeting = {
        "title": TITLE,
        "start": now.isoformat(timespec="seconds"),
        "end": (now + timedelta(hours=1)).isoformat(timespec="seconds"),
        "access": {"host_pin": HOST_PIN, "guest_pin": GUEST_PIN},
        "participants": [{"name": NAME, "phone": PHONE, "email": EMAIL, "role": "host"}],
        "metadata": {"note": NAME},
    }
    async with http.post("/api/v1/meetings", json=meeting) as answer:
        assert answer.status == 201, await answer.text()
        booked: dict[str, Any] = await answer.json()
        return booked


async def break_things(http: aiohttp.ClientSession, meeting: dict[str, Any]) -> None:
    """Every wrong request that holds something private."""
    number = meeting["join"]["meeting_number"]
    for path, body in (
        (f"/api/v1/join/{number}", {"name": NAME, "pin": GUESS}),
        (f"/api/v1/join/{number}", {"name": NAME, "guest_pin": GUESS}),
        (f"/api/v1/join/{number}", {"name": f"\x00{NAME}", "pin": GUEST_PIN}),
        ("/api/v1/meetings", {"title": TITLE, "access": {"host_pin": f"{GUESS}x"}}),
        (f"/api/v1/meetings?pin={GUESS}&name={NAME}", {"titel": NAME}),
        (f"/no/such/{NAME}/{PHONE}", {"name": NAME}),
    ):
        async with http.post(path, json=body) as answer:
            assert 400 <= answer.status < 500
            assert not [canary for canary in (NAME, GUESS, GUEST_PIN, PHONE) if canary in await answer.text()]


async def join(http: aiohttp.ClientSession, meeting: dict[str, Any]) -> list[str]:
    """Join by PIN and by link, and fail at the offer and in the WebSocket. Returns the tokens that were in it."""
    number = meeting["join"]["meeting_number"]
    link = meeting["participants"][0]["join_url"].partition("#t=")[2]
    tokens = [link]
    for right in ({"pin": GUEST_PIN}, {"token": link}):
        async with http.post(f"/api/v1/join/{number}", json={"name": NAME, **right}) as answer:
            assert answer.status == 200, await answer.text()
            session = (await answer.json())["session_token"]
        tokens.append(session)
        bearer = {"Authorization": f"Bearer {session}", "Content-Type": "application/sdp"}
        async with http.post("/api/v1/legs", data=f"v=0\r\ns={NAME}\r\n", headers=bearer) as answer:
            assert answer.status == 422
        async with http.ws_connect("/api/v1/ws") as ws:
            await ws.send_json({"type": "hello", "token": session, "name": NAME})
            await ws.send_json({"type": "chat", "text": f"{NAME} {PHONE}"})
            await ws.send_str(f"not json {NAME}")
            await ws.receive(timeout=10)
    return tokens


def found_in(text: str, canaries: list[str]) -> list[str]:
    return [canary for canary in canaries if canary in text]


async def test_no_pin_token_name_title_or_number_is_in_log_or_metrics(tmp_path: Path) -> None:
    with running_server(tmp_path, logging__level="debug") as server:
        await visit(server)
        own = [NAME, *NAME.split(), TITLE, PHONE, EMAIL, HOST_PIN, GUEST_PIN, GUESS, server.token]
        log, metrics = server.log_path.read_text("utf-8"), server.metrics()
        assert found_in(log, own) == []
        assert found_in(metrics, own) == []
        assert re.findall(r"eyJ[\w-]+\.[\w-]+", log + metrics) == []
        assert len(server.logged("request")) >= 10


async def visit(server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.base_url, headers=headers) as http:
        meeting = await book(http)
        await break_things(http, meeting)
        tokens = await join(http, meeting)
        assert found_in(server.log_path.read_text("utf-8"), [*tokens, meeting["join"]["meeting_number"]]) == []
