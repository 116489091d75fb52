"""The 20 ms tick of a worker's rooms: on time, counted when late, never replaying what is stale.

A tick has two steps in the plane and one here between them: the plane decodes, all rooms that are awake mix, the plane
encodes and sends. A tick that comes late by up to `CATCH_UP` ticks is made up for at once: what the plane holds is
still fresh. Time beyond that is skipped: the rooms' notices wait.
"""

import asyncio
from typing import Protocol

import numpy as np
import structlog

from mcu.clock import Clock
from mcu.media.audio.outgoing import NOTHING_SAID, Outgoing, Said
from mcu.media.seams import TICK_MS, TICK_SAMPLES, SoundPlane

log = structlog.get_logger(__name__)

TICK_S = TICK_MS / 1000
CATCH_UP = 3  # ticks
LATE_MS = 10  # a tick later than this is late
BUCKETS_MS = (1, 2, 5, 10, 20, 50)  # upper bounds of the histogram; the last bucket is all above
STUCK_S = 2.0  # a plane that takes so long to decode a tick will not come back


class Ticking(Protocol):
    """What has ticks: a room."""

    @property
    def sound_room(self) -> int: ...

    @property
    def idle(self) -> bool: ...

    def tick(self, number: int, wall_ms: int, said: Said, out: Outgoing) -> None: ...

    def not_sent(self, number: int) -> None: ...


class Ticker:
    """Calls `tick` of every room that is awake each 20 ms, and hands what they mixed to the plane.

    `on_collected` is to be called when the plane has decoded a tick. A room that is idle falls asleep by itself; while
    all sleep there are no ticks.
    """

    def __init__(self, clock: Clock, plane: SoundPlane) -> None:
        self._clock = clock
        self._plane = plane
        self._out = Outgoing(plane)
        self._awake: dict[int, Ticking] = {}
        self._roused = asyncio.Event()
        self._number = 0
        self._due = 0.0
        self._turn: asyncio.Future[None] | None = None  # of the tick that the plane decodes now
        self.ticks = 0
        self.late_ticks = 0
        self.skipped_ticks = 0
        self.failed_ticks = 0
        self.late_histogram = [0] * (len(BUCKETS_MS) + 1)

    def wake(self, room: Ticking) -> None:
        """The room has ticks from now on, until it is idle."""
        self._awake[room.sound_room] = room
        self._roused.set()

    def forget(self, room: Ticking) -> None:
        """The room is closed."""
        self._awake.pop(room.sound_room, None)

    async def run(self) -> None:
        """Until cancelled. Raises `TimeoutError` when the plane does not answer any more."""
        self._due = self._clock.monotonic()
        while True:
            if not self._awake:
                self._roused.clear()
                await self._roused.wait()
                self._due = self._clock.monotonic()
            self._due += TICK_S
            await asyncio.sleep(max(0.0, self._due - self._clock.monotonic()))
            behind = int((self._clock.monotonic() - self._due) / TICK_S)
            for _ in range(behind - CATCH_UP):
                self._due += TICK_S
                self._number += 1
                self._skip()
            self._number += 1
            await self._tick()

    async def _tick(self) -> None:
        """The rooms' part is done in `on_collected`, before anything else that waits for the loop."""
        self._turn = asyncio.get_running_loop().create_future()
        try:
            self._plane.collect(self._number)
        except OverflowError:
            self.skipped_ticks += 1
            return
        async with asyncio.timeout(STUCK_S):
            await self._turn

    def on_collected(self, tick: int) -> None:
        """The plane has decoded this tick: all rooms mix, and it is sent."""
        if self._turn is None or self._turn.done() or tick != self._number:
            return
        try:
            self._step(tick)
        except Exception:  # whoever calls has other events to hand out
            self._failed("tick_failed")
        self._turn.set_result(None)
        self._count()

    def _step(self, tick: int) -> None:
        wall_ms = int(self._clock.now().timestamp() * 1000)
        talkers, samples = self._plane.talkers()
        said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES)).by_room()
        mixed = [
            room
            for number, room in list(self._awake.items())
            if self._mix(room, tick, wall_ms, said.get(number, NOTHING_SAID))
        ]
        try:
            self._out.send(tick)
        except Exception:  # nobody is sent anything in this tick
            self._failed("tick_not_sent")
            for room in mixed:
                room.not_sent(tick)

    def _mix(self, room: Ticking, tick: int, wall_ms: int, said: Said) -> bool:
        """Whether the room's sound is in what is sent."""
        mark = self._out.mark()
        try:
            room.tick(tick, wall_ms, said, self._out)
        except Exception:  # the outermost loop of all rooms: one room's defect must not silence the others
            self._out.back_to(mark)
            self._failed("tick_failed")
            return False
        if room.idle:
            self.forget(room)
        return True

    def _failed(self, event: str) -> None:
        self.failed_ticks += 1
        log.exception(event, failed=self.failed_ticks)

    def _skip(self) -> None:
        self.skipped_ticks += 1
        try:
            self._plane.skip(self._number)
        except OverflowError:
            log.warning("skip_not_taken", skipped=self.skipped_ticks)

    def _count(self) -> None:
        """How late the tick was when its sound was handed over."""
        late_ms = (self._clock.monotonic() - self._due) * 1000
        self.ticks += 1
        self.late_ticks += late_ms > LATE_MS
        bucket = next((i for i, bound in enumerate(BUCKETS_MS) if late_ms < bound), len(BUCKETS_MS))
        self.late_histogram[bucket] += 1
