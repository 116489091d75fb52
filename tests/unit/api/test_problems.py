"""Whatever goes wrong is one shape, says no value back, and changes nothing."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from booking_server import ROUTES, Answer, Running, running

from mcu.api.server import MAX_BODY_BYTES
from mcu.auth.bearer import Scope
from mcu.errors import McuError, TooMany, Unavailable

MEETINGS = "/api/v1/meetings"
NOBODY = f"{MEETINGS}/mtg_{'0' * 32}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/mcu.db") as one:
        yield one


def is_problem(answer: Answer, status: int, code: str) -> None:
    assert answer.response.content_type == "application/problem+json", answer.body
    assert (answer.status, answer.body["status"], answer.body["code"]) == (status, status, code)
    assert answer.body["type"].endswith(f":{code}")
    assert answer.body["title"]
    assert answer.body["request_id"] == answer.response.headers["X-Request-Id"]


async def test_every_way_to_be_wrong_is_a_problem(server: Running) -> None:
    ask = server.ask
    is_problem(await ask("GET", "/api/v1/nothing"), 404, "not-found")
    is_problem(await ask("GET", "/"), 404, "not-found")
    is_problem(await ask("GET", NOBODY), 404, "not-found")
    is_problem(await ask("GET", f"{MEETINGS}/mtg_1"), 404, "not-found")
    wrong_method = await ask("PUT", MEETINGS, {})
    is_problem(wrong_method, 405, "method-not-allowed")
    assert wrong_method.response.headers["Allow"] == "GET,POST"
    too_large = json.dumps({"title": "x" * MAX_BODY_BYTES}).encode()
    is_problem(await ask("POST", MEETINGS, too_large, Content_Type="application/json"), 413, _TOO_LARGE)
    is_problem(await ask("POST", MEETINGS, b"title=x", Content_Type="text/plain"), 415, "unsupported-media-type")
    is_problem(await ask("PATCH", NOBODY, b"{}", Content_Type="text/plain"), 415, "unsupported-media-type")
    is_problem(await ask("POST", MEETINGS, {"title": ""}), 422, "invalid")


_TOO_LARGE = "request-entity-too-large"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"title":"a","title":"b"}', b'{"title":NaN}', b"\xff", b'"x"' + b"[" * 100_000],
    ids=["nothing", "cut", "a name twice", "NaN", "not UTF-8", "deep"],
)  # fmt: skip
async def test_what_is_not_json_is_malformed(server: Running, body: bytes) -> None:
    is_problem(await server.ask("POST", MEETINGS, body, Content_Type="application/json"), 400, "malformed")


async def test_who_calls_is_settled_before_anything_is_said_of_the_rest(server: Running) -> None:
    for header in ("", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c"):
        answer = await server.ask("POST", NOBODY + "/participants", {"no": 1}, Authorization=header)
        is_problem(answer, 401, "unauthenticated")
        assert answer.response.headers["WWW-Authenticate"] == "Bearer"
    reader = f"Bearer {server.token(Scope.MEETINGS_READ)}"
    is_problem(await server.ask("POST", MEETINGS, {"no": 1}, Authorization=reader), 403, "scope-missing")
    assert (await server.ask("GET", MEETINGS, Authorization=reader)).status == 200


async def test_a_caller_with_only_rooms_control_sees_no_bookings(server: Running) -> None:
    answer = await server.ask("GET", MEETINGS, Authorization=f"Bearer {server.token(Scope.ROOMS_CONTROL)}")
    is_problem(answer, 403, "scope-missing")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x", "guest_pinn": "839201"}, "/guest_pinn"),
        ({"title": "x", "access": {"guest_pin": "83-9201"}}, "/access/guest_pin"),
        ({"title": "x", "access": {"guest_pin": 839201}}, "/access/guest_pin"),
        ({"title": "x", "839201": 1}, ""),
        ({"title": "x", "metadata": {"839201 is the PIN": "y"}}, "/metadata"),
        ({"title": "x", "language": "839201"}, "/language"),
        ({"title": "x", "start": "839201"}, "/start"),
        ({"title": "x", "time_zone": "839201"}, "/time_zone"),
        ({"title": "x", "participants": [{"name": "Åsa 839201\x00"}]}, "/participants/0/name"),
        ({"title": "x", "participants": [{"name": "Åsa", "phone": "0708839201"}]}, "/participants/0/phone"),
        ({"title": "x", "open_before_minutes": "839201"}, "/open_before_minutes"),
    ],
)
async def test_what_is_wrong_is_pointed_at_and_never_said_back(
    server: Running, body: dict[str, Any], pointer: str
) -> None:
    answer = await server.ask("POST", MEETINGS, body)
    is_problem(answer, 422, "invalid")
    assert [one["pointer"] for one in answer.body["errors"]] == [pointer]
    text = json.dumps(answer.body | {"request_id": ""}, ensure_ascii=False)
    assert "839201" not in text
    assert "Åsa" not in text
    assert (await server.ask("GET", MEETINGS)).body["items"] == []


async def test_an_error_of_ours_says_only_under_which_name_it_was_logged(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret 839201")

    monkeypatch.setattr("mcu.api.meetings.new_number", fail)
    answer = await server.ask("POST", MEETINGS, {"title": "x"})
    is_problem(answer, 500, "internal")
    assert "839201" not in json.dumps(answer.body | {"request_id": ""})
    assert (await server.ask("GET", MEETINGS)).body["items"] == []


@pytest.mark.parametrize(
    "sent",
    [b"839201 / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: 839201\x00\r\n\r\n", b"GET 839201\r\n\r\n",
     b"\x16\x03\x01839201\r\n\r\n"],
    ids=["method", "header", "request line", "TLS"],
)  # fmt: skip
async def test_what_is_not_even_http_is_a_problem_and_not_said_back(server: Running, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"application/problem+json" in answer
    assert b"839201" not in answer


async def test_too_many_says_when_to_come_back() -> None:
    from mcu.api.problems import answer

    assert answer(TooMany(retry_after=7), "req_1").headers["Retry-After"] == "7"


async def test_a_database_that_fails_makes_the_service_unavailable(server: Running, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mcu.db")) as database:
        database.execute("DROP TABLE participants")
        database.execute("DROP TABLE replies")
    answer = await server.ask("POST", MEETINGS, {"title": "x", "participants": [{"name": "A"}]})
    is_problem(answer, 503, "unavailable")
    assert "table" not in json.dumps(answer.body)
    assert (await server.ask("POST", MEETINGS, {"title": "x"}, Idempotency_Key="k")).status == 503
    assert (await server.ask("GET", MEETINGS)).body["items"] == []


async def test_every_answer_has_the_headers_that_keep_browsers_out_of_trouble(server: Running) -> None:
    for path in (MEETINGS, "/api/v1/nothing", "/openapi.json", "/docs"):
        headers = (await server.ask("GET", path)).response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Request-Id"].startswith("req_")
        assert headers["Server"] == "mcu"
    assert (await server.ask("GET", MEETINGS)).response.headers["Cache-Control"] == "no-store"


def test_every_problem_that_a_route_names_has_a_code_of_its_own() -> None:
    kinds = {kind for route in ROUTES for kind in route.problems} | {McuError, Unavailable}
    assert len({kind.code for kind in kinds}) == len(kinds)
