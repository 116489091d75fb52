"""Calls on loopback that leave nothing behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import aioice.ice
import pytest
from calls import Call, MakeCall, Server
from rtc import Relay, until

from mcu.demo.client import MeetingClient
from mcu.media.seams import Samples


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """Closing leaves no task, socket or thread."""
    tasks = asyncio.all_tasks()
    yield
    await until(lambda: asyncio.all_tasks() <= tasks | {asyncio.current_task()}, 2)
    assert [thread.name for thread in threading.enumerate() if "decoder" in thread.name] == []


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server("127.0.0.1")
    yield made
    await made.close()


@pytest.fixture
async def call(server: Server) -> AsyncIterator[MakeCall]:
    calls: list[Call] = []

    def make(client: MeetingClient, relay: Relay | None = None, sound: Iterator[Samples] | None = None) -> Call:
        calls.append(Call(server, client, relay, sound))
        return calls[-1]

    yield make
    for made in calls:
        await made.end()
