"""The 20 ms tick of a worker's rooms: on time, counted when late, never replaying what is stale.

A tick has two steps in the plane and one here between them: the plane decodes, all rooms that are awake mix, the plane
encodes and sends. Sound is due to be handed over every 20 ms; the plane is asked to begin as long before as decoding
and mixing have taken lately, and waits by itself until then. A tick that comes late by up to `CATCH_UP` ticks is made
up for at once: what the plane holds is still fresh. Time beyond that is skipped: the rooms' notices wait.
"""

import asyncio
from typing import Protocol

import numpy as np
import structlog

from mcu.clock import Clock
from mcu.media.audio.outgoing import NOTHING_SAID, Outgoing, Said
from mcu.media.seams import TICK_MS, TICK_SAMPLES, SoundPlane
from mcu.telemetry.lateness import bucket, no_counts

log = structlog.get_logger(__name__)

TICK_S = TICK_MS / 1000
CATCH_UP = 3  # ticks
LATE_MS = 10  # a tick later than this is late
STUCK_S = 2.0  # a plane that takes so long to decode a tick will not come back
LEAD_MOST_S = TICK_S / 2
LONGER, SHORTER = 0.2, 0.02  # how fast the lead follows


class Lead:
    """How long before it is due a tick is begun: as long as nine in ten have taken lately."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def follow(self, took: float) -> None:
        """One has taken so many seconds from when it was begun until it was handed over."""
        took = min(took, LEAD_MOST_S)
        self.seconds += (took - self.seconds) * (LONGER if took > self.seconds else SHORTER)


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
        self._out = Outgoing(plane, clock)
        self._awake: dict[int, Ticking] = {}
        self._running = False
        self._number = 0  # of the tick that the plane was asked for last
        self._asked = False  # it has not been mixed yet
        self._due = 0.0  # when its sound is to be handed over
        self._begins = 0.0  # when the plane is to decode it
        self._lead = Lead()
        self._handed_over = 0.0  # when the last one was
        self.ticks = 0
        self.late_ticks = 0
        self.skipped_ticks = 0
        self.failed_ticks = 0
        self.late_histogram = no_counts()
        self.waited_histogram = no_counts()

    def wake(self, room: Ticking) -> None:
        """The room has ticks from now on, until it is idle."""
        self._awake[room.sound_room] = room
        self._begin()

    def forget(self, room: Ticking) -> None:
        """The room is closed."""
        self._awake.pop(room.sound_room, None)

    async def run(self) -> None:
        """Until cancelled. Raises `TimeoutError` when the plane does not answer any more."""
        self._running = True
        try:
            self._begin()
            while True:
                number, asked = self._number, self._asked
                await asyncio.sleep(STUCK_S)
                if asked and self._asked and number == self._number:
                    raise TimeoutError("the plane does not answer")
        finally:
            self._running = self._asked = False

    def _begin(self) -> None:
        if self._running and self._awake and not self._asked:
            self._due = self._clock.monotonic()
            self._ask()

    def _ask(self) -> None:
        """For the next tick. Those that are too stale to be made up for are skipped."""
        now = self._clock.monotonic()
        self._due += TICK_S
        for _ in range(int((now - self._due) / TICK_S) - CATCH_UP):
            self._due += TICK_S
            self._number += 1
            self._skip()
        self._number += 1
        self._asked = True
        self._begins = max(now, self._due - self._lead.seconds)
        try:
            self._plane.collect(self._number, int(self._begins * 1e6))
        except OverflowError:
            self.skipped_ticks += 1
            asyncio.get_running_loop().call_later(TICK_S, self._ask_again, self._number)

    def _ask_again(self, refused: int) -> None:
        if self._asked and self._number == refused:
            self._ask()

    def on_collected(self, tick: int, since: int) -> None:
        """The plane has decoded this tick, at `since` (as `collect`): all rooms mix, and it is sent.

        To be called before anything else that waits for the loop: how long that took is counted.
        """
        if not self._asked or tick != self._number:
            return
        self._handed_over = self._clock.monotonic()  # unless it comes to that
        self.waited_histogram[bucket(self._handed_over * 1000 - since / 1000)] += 1
        try:
            self._step(tick)
        except Exception:  # whoever calls has other events to hand out
            self._failed("tick_failed")
        self._count()
        if self._awake:
            self._ask()
        else:
            self._asked = False

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
            self._handed_over = self._out.send(tick)
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
        """How late the tick's sound was handed over, and how early its like are to be begun."""
        self._lead.follow(self._handed_over - self._begins)
        late_ms = (self._handed_over - self._due) * 1000
        self.ticks += 1
        self.late_ticks += late_ms > LATE_MS
        self.late_histogram[bucket(late_ms)] += 1
