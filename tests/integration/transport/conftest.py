"""Calls on loopback that leave nothing behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import aioice.ice
import pytest
from calls import Call
from rtc import Relay, until

from mcu.demo.client import MeetingClient
from mcu.media.transport.webrtc import WebRtcTransports


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
async def server() -> AsyncIterator[WebRtcTransports]:
    transports = WebRtcTransports(["127.0.0.1"])
    yield transports
    await transports.close()


@pytest.fixture
async def call(server: WebRtcTransports) -> AsyncIterator[Callable[..., Call]]:
    calls: list[Call] = []

    def make(client: MeetingClient, relay: Relay | None = None) -> Call:
        calls.append(Call(server, client, relay))
        return calls[-1]

    yield make
    for made in calls:
        await made.end()
