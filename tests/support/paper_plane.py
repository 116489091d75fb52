"""The sound side of the native plane on paper: one tick at a time, at once, without codecs and without a network.

It says who talks as it is told, and writes down what each leg is sent. It is as strict as the real one about what is
gone, and as willing: what it is told of a leg that was removed does nothing.
"""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from typing_extensions import Buffer

from mcu.media.seams import TICK_SAMPLES, Samples

NOTHING, SILENCE = 0, -1
QUIET: Samples = np.zeros(TICK_SAMPLES, np.int16)


class PaperTalker(NamedTuple):
    room: int
    leg: int
    level: int


class Sent(NamedTuple):
    """What one leg was sent in one tick."""

    tick: int
    sound: int
    samples: Samples


class PaperPlane:
    """A `seams.SoundPlane`."""

    def __init__(self) -> None:
        self.legs: dict[int, list[Sent]] = {}
        self.routes: dict[int, int] = {}
        self.rooms: dict[int, int] = {}
        self.heard_in: dict[int, int] = {}
        self.sounds: set[int] = set()
        self.primed: dict[int, bool] = {}  # of all sounds, also those that are gone
        self.mixed: list[list[int]] = []  # the sounds of each tick
        self.saying: list[tuple[PaperTalker, Samples]] = []
        self.collected: list[int] = []
        self.skipped: list[int] = []
        self.told = 0  # routes, ever
        self.behind = False
        self._last = 0

    # -- what tests do ----------------------------------------------------------------------------------------------

    def leg(self) -> int:
        """A new leg."""
        handle = self._next()
        self.legs[handle], self.routes[handle], self.heard_in[handle] = [], NOTHING, NOTHING
        return handle

    def remove(self, leg: int) -> None:
        self.routes.pop(leg, None)
        self.heard_in.pop(leg, None)

    def deliver(self, room: int, words: Mapping[int, Samples], level: int = 21) -> None:
        """What is decoded in the next ticks: these legs in this room, heard there or not."""
        others = [said for said in self.saying if said[0].room != room]
        said = [(PaperTalker(room, leg, level), samples) for leg, samples in words.items()]
        self.saying = sorted(others + said, key=lambda one: one[0].room)

    # -- seams.SoundPlane -------------------------------------------------------------------------------------------

    def add_room(self, loudest: int, /) -> int:
        self.rooms[room := self._next()] = loudest
        return room

    def remove_room(self, room: int, /) -> None:
        self._known(room, self.rooms)
        del self.rooms[room]

    def hear(self, leg: int, room: int, /) -> None:
        self._known(leg, self.routes)
        if room:
            self._known(room, self.rooms)
        self.heard_in[leg] = room

    def add_sound(self, primed: bool, /) -> int:
        sound = self._next()
        self.sounds.add(sound)
        self.primed[sound] = primed
        return sound

    def remove_sound(self, sound: int, /) -> None:
        self._known(sound, self.sounds)
        self.sounds.remove(sound)

    def collect(self, tick: int, at: int, /) -> None:
        if self.behind:
            raise OverflowError("the sound thread is behind")
        self.collected.append(tick)

    def talkers(self) -> tuple[Sequence[PaperTalker], memoryview]:
        rows = np.array([samples for _, samples in self.saying], np.int16).reshape(-1, TICK_SAMPLES)
        return [talker for talker, _ in self.saying], rows.data.toreadonly()

    def send(self, tick: int, sounds: Sequence[int], samples: Buffer, routes: Sequence[tuple[int, int]], /) -> None:
        if self.behind:
            raise OverflowError("the sound thread is behind")
        rows = dict(
            zip(sounds, np.frombuffer(memoryview(samples), np.int16).reshape(-1, TICK_SAMPLES).copy(), strict=True)
        )
        for leg, sound in routes:
            if leg in self.routes:
                self.routes[leg] = sound
        self.told += len(routes)
        self.mixed.append(list(sounds))
        for leg, sound in self.routes.items():
            if sound == SILENCE:
                self.legs[leg].append(Sent(tick, sound, QUIET))
            elif sound in rows and sound in self.sounds:
                self.legs[leg].append(Sent(tick, sound, rows[sound]))

    def skip(self, tick: int, /) -> None:
        self.skipped.append(tick)

    def sent_sequence(self, leg: int, /) -> int:
        self._known(leg, self.routes)
        return len(self.legs[leg]) - 1

    def _next(self) -> int:
        self._last += 1
        return self._last

    @staticmethod
    def _known(number: int, known: Container[int]) -> None:
        if number not in known:
            raise LookupError("it is gone")
