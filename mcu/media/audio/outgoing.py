"""What all rooms of a worker send in one tick: a row of samples for each stream of sound, and who hears another one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcu.clock import Clock
from mcu.media.seams import TICK_SAMPLES, SoundPlane, Talker

Sums = npt.NDArray[np.int32]  # rows of TICK_SAMPLES: sums that are not limited yet

_ROWS = 64  # to begin with


class Said(NamedTuple):
    """What legs said in one tick: who, and a row of TICK_SAMPLES for each."""

    talkers: Sequence[Talker]
    samples: npt.NDArray[np.int16]  # shape (len(talkers), TICK_SAMPLES)

    def by_room(self) -> dict[int, "Said"]:
        """The same for each room, by the plane's number. The talkers of a room follow one another."""
        rooms: dict[int, Said] = {}
        start = 0
        for at in range(1, len(self.talkers) + 1):
            if at == len(self.talkers) or self.talkers[at].room != self.talkers[start].room:
                rooms[self.talkers[start].room] = Said(self.talkers[start:at], self.samples[start:at])
                start = at
        return rooms


NOTHING_SAID = Said([], np.zeros((0, TICK_SAMPLES), np.int16))


class Outgoing:
    """One tick's rows and routes, of one room after the other; then `send`, and it is empty again."""

    def __init__(self, plane: SoundPlane, clock: Clock) -> None:
        self._plane = plane
        self._clock = clock
        self._sums: Sums = np.zeros((_ROWS, TICK_SAMPLES), np.int32)
        self._samples = np.zeros((_ROWS, TICK_SAMPLES), np.int16)
        self.sounds: list[int] = []
        self.routes: list[tuple[int, int]] = []

    def rows(self, sounds: Sequence[int]) -> Sums:
        """A row for each of these streams, to be filled before the next call; shape (len(sounds), TICK_SAMPLES)."""
        start = len(self.sounds)
        self.sounds += sounds
        while len(self.sounds) > len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._samples = np.zeros(self._sums.shape, np.int16)
        return self._sums[start : len(self.sounds)]

    def route(self, handle: int, sound: int) -> None:
        """From this tick on a leg hears this stream; 0: it is sent nothing, -1: silence."""
        self.routes.append((handle, sound))

    def mark(self) -> tuple[int, int]:
        """How far it is filled; for `back_to`."""
        return len(self.sounds), len(self.routes)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Take back what was added since: a room's tick failed."""
        del self.sounds[mark[0] :]
        del self.routes[mark[1] :]

    def send(self, tick: int) -> float:
        """Limit all rows, once, and hand them over. Raises `OverflowError` where the plane is too far behind.

        Returns when, by the clock: on a single core the plane may encode all of it before this returns.
        """
        count = len(self.sounds)
        sums, samples = self._sums[:count], self._samples[:count]
        np.maximum(sums, -32768, out=sums)
        np.minimum(sums, 32767, out=sums)
        samples[:] = sums
        sounds, routes, self.sounds, self.routes = self.sounds, self.routes, [], []
        handed_over = self._clock.monotonic()
        self._plane.send(tick, sounds, samples.data, routes)
        return handed_over
