"""The same request sent again is done once and answered the same."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from booking_server import Running, running
from set_clock import SetClock

from mcu.auth.bearer import Scope

MEETINGS = "/api/v1/meetings"
BODY = {"title": "Möte"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/mcu.db", SetClock()) as one:
        yield one


async def booked(server: Running) -> int:
    return len((await server.ask("GET", MEETINGS)).body["items"])


async def test_sent_again_it_is_answered_the_same_pins_and_all_and_booked_once(server: Running) -> None:
    first = await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")
    again = await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")
    assert (again.status, again.body) == (201, first.body)
    for header in ("ETag", "Location", "Content-Type"):
        assert again.response.headers[header] == first.response.headers[header]
    assert await booked(server) == 1


async def test_it_is_remembered_over_a_restart(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/mcu.db"
    async with running(tmp_path, url) as server:
        first = await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")
    async with running(tmp_path, url) as server:
        assert (await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")).body == first.body


async def test_the_same_key_with_another_request_is_refused(server: Running) -> None:
    first = await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")
    others: list[tuple[str, Any]] = [
        (MEETINGS, {"title": "Annat"}),
        (f"{MEETINGS}/{first.body['id']}/participants", {"name": "A"}),
    ]
    for path, body in others:
        answer = await server.ask("POST", path, body, Idempotency_Key="k")
        assert (answer.status, answer.body["code"]) == (422, "idempotency-key-reused")
    assert await booked(server) == 1


async def test_two_at_the_same_time_are_done_once(server: Running) -> None:
    answers = await asyncio.gather(*(server.ask("POST", MEETINGS, BODY, Idempotency_Key="k") for _ in range(8)))
    statuses = {one.status for one in answers}
    assert statuses <= {201, 409}
    assert 201 in statuses
    assert {one.body["code"] for one in answers if one.status == 409} <= {"idempotency-key-in-flight"}
    assert await booked(server) == 1


async def test_a_key_belongs_to_who_sent_it(server: Running) -> None:
    for subject in ("client:a", "client:b"):
        token = server.token(Scope.MEETINGS_WRITE, subject=subject)
        answer = await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k", Authorization=f"Bearer {token}")
        assert answer.status == 201
    assert await booked(server) == 2


async def test_after_a_day_a_key_is_new_again(server: Running) -> None:
    await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")
    assert isinstance(server.api.clock, SetClock)
    server.api.clock.at += timedelta(hours=24, seconds=1)
    assert (await server.ask("POST", MEETINGS, {"title": "Annat"}, Idempotency_Key="k")).status == 201
    assert await booked(server) == 2


async def test_a_request_that_was_refused_may_be_mended_and_sent_under_its_key(server: Running) -> None:
    assert (await server.ask("POST", MEETINGS, {"title": ""}, Idempotency_Key="k")).status == 422
    assert (await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")).status == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_malformed(server: Running, key: str) -> None:
    assert (await server.ask("POST", MEETINGS, BODY, Idempotency_Key=key)).status == 400


async def test_if_the_reply_cannot_be_kept_nothing_is_done(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr("mcu.api.idempotency.Replies.keep", fail)
    assert (await server.ask("POST", MEETINGS, BODY, Idempotency_Key="k")).status == 500
    assert await booked(server) == 0
