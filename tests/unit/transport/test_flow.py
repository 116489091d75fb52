"""Whether slides come: by what has been counted at each look."""

import asyncio

import pytest

from mcu.media.transport import flow
from mcu.media.transport.flow import STOPPED_AFTER, Flow


async def told(counts: list[int], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What is told when so many packets have come in all: when it begins, and at each look."""
    monkeypatch.setattr(flow, "EVERY_S", 0.001)
    heard, looks, done = list[bool](), iter(counts), asyncio.Event()

    def packets() -> int:
        count = next(looks, None)
        if count is None:
            done.set()
        return counts[-1] if count is None else count

    watched = Flow(packets, heard.append)
    async with asyncio.timeout(5):
        await done.wait()
    watched.end()
    return heard


async def test_it_is_told_when_packets_come_and_once_when_they_have_not_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await told([0, 10, 20, *[20] * STOPPED_AFTER, 20, 30], monkeypatch) == [True, False, True]


async def test_a_pause_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told([0, 10, *[10] * (STOPPED_AFTER - 1), 20], monkeypatch) == [True]


async def test_what_keeps_a_hole_open_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told([0, 1, 2, 3, 4, 5], monkeypatch) == []
