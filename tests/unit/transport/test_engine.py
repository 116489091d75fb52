"""The loop's side of the plane: the tick first, everybody in turn, nobody's defect another's.

The plane is scripted here: it is a fault and a flood. The real one is in `tests/integration/transport`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from mcu.clock import SystemClock
from mcu.media._native import COLLECTED, KEY_WANTED, PICTURE, UNSENT, Event
from mcu.media.transport import engine as engine_module
from mcu.media.transport.engine import WAITING_MAX, Engine
from mcu.media.transport.options import MediaOptions


class ScriptedPlane:
    """Says what it is told to say."""

    port = tcp_port = 1

    def __init__(self) -> None:
        self.script: list[Event] = []
        self.removed: list[int] = []
        self.taken = 0
        self._fd = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._fd

    def keep(self, *events: Event) -> None:
        """They wait for others to be told of."""
        self.script += events

    def say(self, *events: Event) -> None:
        self.keep(*events)
        os.eventfd_write(self._fd, 1)

    def events(self) -> list[Event]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fd)
        said, self.script = self.script, []
        self.taken += len(said)
        return said

    def remove(self, handle: int) -> None:
        self.removed.append(handle)

    def close(self) -> None:
        os.close(self._fd)


def event(kind: int, leg: int = 1, a: int = 0) -> Event:
    return Event(kind, leg, a, 0, 0, 0, 0, False, b"")


class Hearing:
    def __init__(self, order: list[tuple[int, int]] | None = None, work_s: float = 0) -> None:
        self.heard: list[Event] = []
        self.failed = 0
        self._order, self._work_s = order if order is not None else [], work_s

    def on_event(self, event: Event) -> None:
        until = asyncio.get_running_loop().time() + self._work_s
        while asyncio.get_running_loop().time() < until:
            pass
        if event.a < 0:
            raise ValueError("no such")
        self.heard.append(event)
        self._order.append((event.kind, event.a))

    def on_failure(self) -> None:
        self.failed += 1


@pytest.fixture
def plane() -> ScriptedPlane:
    return ScriptedPlane()


@pytest.fixture
async def engine(plane: ScriptedPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setattr(engine_module, "Plane", lambda *_addresses, **_ports: plane)
    made = Engine(MediaOptions(addresses=("127.0.0.1",)), SystemClock())
    yield made
    made.close()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0.005)


async def test_the_tick_goes_before_pictures_and_what_was_not_sent_before_the_next_tick(
    engine: Engine, plane: ScriptedPlane
) -> None:
    order = list[tuple[int, int]]()
    engine.listen(1, Hearing(order))
    engine.on_collected = lambda tick, _since: order.append((COLLECTED, tick))
    plane.say(event(PICTURE, a=1), event(UNSENT, a=7), event(COLLECTED, leg=0, a=8), event(UNSENT, a=8))
    await turns()
    assert order == [(UNSENT, 7), (COLLECTED, 8), (UNSENT, 8), (PICTURE, 1)]


async def test_a_leg_that_fails_is_told_and_nobody_else_notices(engine: Engine, plane: ScriptedPlane) -> None:
    bad, good = Hearing(), Hearing()
    engine.listen(1, bad)
    engine.listen(2, good)
    with capture_logs() as lines:
        plane.say(event(KEY_WANTED, 1, -1), event(KEY_WANTED, 2, 2))
        await turns()
    assert (bad.failed, bad.heard) == (1, [])
    assert (good.failed, [heard.a for heard in good.heard]) == (0, [2])
    assert [line["event"] for line in lines] == ["leg_event_failed"]


async def test_what_waits_is_had_for_the_asking_but_not_while_too_much_waits_here(
    engine: Engine, plane: ScriptedPlane
) -> None:
    hearing = Hearing()
    engine.listen(1, hearing)
    plane.keep(event(PICTURE, a=1), event(PICTURE, a=2))
    await turns()
    assert hearing.heard == []
    engine.take()
    assert [heard.a for heard in hearing.heard] == [1, 2]
    engine.listen(1, Hearing(work_s=0.01))
    plane.say(*(event(PICTURE, a=number) for number in range(WAITING_MAX + 10)))
    await asyncio.sleep(0.005)
    plane.keep(event(PICTURE, a=3))
    engine.take()
    assert plane.script, "more was taken than may wait here"


async def test_a_flood_leaves_the_loop_to_others_and_stays_in_the_plane(engine: Engine, plane: ScriptedPlane) -> None:
    work_s = 0.0005
    busy = Hearing(work_s=work_s)
    engine.listen(1, busy)
    plane.say(*(event(PICTURE, a=number) for number in range(2 * WAITING_MAX)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    plane.say(event(PICTURE, a=1))
    most = 0
    while (heard := len(busy.heard)) < WAITING_MAX // 2:
        await asyncio.sleep(0)
        most = max(most, len(busy.heard) - heard)
        assert plane.taken == 2 * WAITING_MAX
    assert most * work_s < 0.02
    async with asyncio.timeout(5):
        while len(busy.heard) < 2 * WAITING_MAX + 1:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.001)
    assert [heard.a for heard in busy.heard] == [*range(2 * WAITING_MAX), 1]


async def test_a_leg_that_is_removed_hears_nothing_more_and_is_removed_once(
    engine: Engine, plane: ScriptedPlane
) -> None:
    leg = Hearing()
    engine.listen(1, leg)
    plane.say(event(PICTURE))
    engine.remove(1)
    engine.remove(1)
    await turns()
    assert leg.heard == []
    assert plane.removed == [1]
