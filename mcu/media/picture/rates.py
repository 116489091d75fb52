"""Bit rates: the ladder of classes, which rung each leg stands on, and what senders are asked for. Pure.

What a leg's line carries is the plane's to estimate (native/include/mcu/estimate.h), and to probe where there is use
for more. Here it is only held against the ladder: a leg goes down at once when its line is too thin for its rung, and
up when there has been room for a better one for a while; longer where it soon had to come down again.
"""

from collections.abc import Sequence
from typing import Final

from mcu.media.messages import Source, Tile
from mcu.media.seams import Wanted

LADDER_720P: Final = (2_000_000, 1_000_000, 400_000)  # bits per second, the best class first
PIXELS_720P: Final = 1280 * 720
SMALL_WIDTH: Final = 640  # pixels: no class gets a picture of people that is smaller, unless the canvas is
LOWEST_SHARE: Final = 0.35  # how far the lowest class may go below its rung
FULL: Final = 0.9  # a line that has less than this share of its rung's rate is too thin for it
SHARE: Final = 0.9  # of a line, that the lowest class may take
ROOM: Final = 1.15  # a line that has this much of a better rung's rate has room for it
ROOM_FOR_S: Final = 1.0
ROOM_AGAIN_FOR_S: Final = 6.0  # at most
ROSE_IN_VAIN_S: Final = 10.0
USE: Final = 1.25  # of the best rung's rate: what there is use for on a line, with what sound takes
SOUND: Final = 100_000
UNHURRIED: Final = 1.1  # the limit in the lowest class grows by this much each second

HIDDEN: Final = Wanted(width=0, height=0, bits_per_second=60_000)  # in no tile: enough to keep the stream alive
_CAMERA: Final = ((900, 1_200_000), (600, 900_000), (400, 600_000), (300, 300_000), (0, 200_000))  # tile width, rate
_SCREEN: Final = 2_500_000


def ladder(width: int, height: int) -> tuple[int, ...]:
    """The rates of the classes of a canvas. Twice the pixels need less than twice the bits."""
    scale = float(width * height / PIXELS_720P) ** 0.75
    return tuple(round(rate * scale) for rate in LADDER_720P)


def size_of(rung: int, width: int, height: int) -> tuple[int, int]:
    """In what size a class gets the picture of a canvas: the lowest in half of each side, where that is 640 or more.

    Resolution goes before the rate of pictures, which lip reading and signing need (EN 301 549, 6.5.3).
    """
    if rung < len(LADDER_720P) - 1 or width < 2 * SMALL_WIDTH:
        return width, height
    return width // 2 & ~1, height // 2 & ~1


def least(rates: Sequence[int]) -> int:
    """How low the lowest class of a ladder may go."""
    return int(LOWEST_SHARE * rates[-1])


def use_of(*ladders: Sequence[int]) -> int:
    """How much there is use for on the line of a leg that gets a picture of each of these ladders, and sound."""
    return int(USE * sum(rates[0] for rates in ladders)) + SOUND


def wanted_of(tiles: Sequence[Tile], *, thin: bool = False) -> Wanted:
    """What to ask a sender for, by the largest tile that one picture of it is in; in none: HIDDEN."""
    if not tiles:
        return HIDDEN
    largest = max(tiles, key=lambda tile: tile.width * tile.height)
    rate = next(rate for width, rate in _CAMERA if largest.width >= width)
    if largest.source is Source.SCREEN:
        rate = _SCREEN
    return Wanted(width=largest.width, height=largest.height, bits_per_second=rate, thin=thin)


class Rung:
    """Where one leg stands on a ladder."""

    def __init__(self, rates: Sequence[int], line: int, now: float) -> None:
        self._rates = rates
        self.index = self._highest_within(line)
        self.limit = float(rates[-1])  # of the lowest class, for this leg
        self._rose_at = float("-inf")
        self._room_since: float | None = None
        self._wait = ROOM_FOR_S
        self._updated = now

    def update(self, now: float, line: int) -> int:
        """The rung to stand on. `line`: bits per second that pictures may take of the leg's line now."""
        elapsed, self._updated = now - self._updated, now
        self.limit = self._limit(line, elapsed)
        if self.is_too_thin(line):
            self._fall(now, line)
        elif self.index > 0:
            self._perhaps_rise(now, line)
        return self.index

    def is_too_thin(self, line: int) -> bool:
        """For this rung, where there is a lower one."""
        return line < FULL * self._rates[self.index] and self.index < len(self._rates) - 1

    def _limit(self, line: int, elapsed: float) -> float:
        """At once down to what there is, slowly up."""
        wanted = max(LOWEST_SHARE * self._rates[-1], min(SHARE * line, self._rates[-1]))
        return float(min(wanted, max(self.limit, LOWEST_SHARE * self._rates[-1]) * UNHURRIED**elapsed))

    def _fall(self, now: float, line: int) -> None:
        soon = now - self._rose_at < ROSE_IN_VAIN_S
        self._wait = min(2 * self._wait, ROOM_AGAIN_FOR_S) if soon else ROOM_FOR_S
        self._room_since = None
        self.index = max(self.index + 1, self._highest_within(line))

    def _perhaps_rise(self, now: float, line: int) -> None:
        best = self._highest_within(int(line / ROOM))
        if best >= self.index:
            self._room_since = None
        elif self._room_since is None:
            self._room_since = now
        elif now - self._room_since >= self._wait:
            self.index, self._rose_at, self._room_since = best, now, None

    def _highest_within(self, line: int) -> int:
        return next((index for index, rate in enumerate(self._rates) if rate <= line), len(self._rates) - 1)


class Meter:
    """Bits per second of what went out, over about the last three seconds."""

    _HALF_LIFE_S: Final = 1.5

    def __init__(self, now: float) -> None:
        self._at = now
        self._rate = 0.0

    def add(self, now: float, size: int) -> None:
        """`size` bytes went out."""
        self._rate = self.rate(now) + 8 * size * 0.693 / self._HALF_LIFE_S
        self._at = now

    def rate(self, now: float) -> float:
        """Bits per second."""
        return float(self._rate * 0.5 ** ((now - self._at) / self._HALF_LIFE_S))
