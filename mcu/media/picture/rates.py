"""Bit rates: the ladder of classes, which rung each leg stands on, and what senders are asked for. Pure.

A receiver's estimate (REMB) says little while little is sent: it follows what came, and grows to about half as much
again. So it is read against what was really sent. Below that, the network is full, and the leg goes down at once. A leg
goes up when the estimate has room for the next rung, or, since the estimate cannot say so by itself, to try it; a try
that fails is not soon made again.
"""

from collections.abc import Sequence
from typing import Final

from mcu.media.messages import Source, Tile
from mcu.media.seams import Wanted

LADDER_720P: Final = (2_000_000, 1_000_000, 400_000)  # bits per second, the best class first
PIXELS_720P: Final = 1280 * 720
LOWEST_SHARE: Final = 0.35  # how far the lowest class may go below its rung
CONGESTED: Final = 0.9  # an estimate below this share of what was sent means a full network
CONGESTED_FOR_S: Final = 1.0  # two reports, so that one odd one moves nobody
ROOM: Final = 1.15  # an estimate of this much of the next rung has room for it
ROOM_FOR_S: Final = 5.0
TRY_AFTER_S: Final = 10.0
TRY_LATER_S: Final = 160.0
TRY_FAILED_WITHIN_S: Final = 15.0
UNHURRIED: Final = 1.05  # the limit in the lowest class grows by this much each second

HIDDEN: Final = Wanted(width=0, height=0, bits_per_second=60_000)  # in no tile: enough to keep the stream alive
_CAMERA: Final = ((900, 1_200_000), (600, 900_000), (400, 600_000), (300, 300_000), (0, 200_000))  # tile width, rate
_SCREEN: Final = 2_500_000


def ladder(width: int, height: int) -> tuple[int, ...]:
    """The rates of the classes of a canvas. Twice the pixels need less than twice the bits."""
    scale = float(width * height / PIXELS_720P) ** 0.75
    return tuple(round(rate * scale) for rate in LADDER_720P)


def least(rates: Sequence[int]) -> int:
    """How low the lowest class of a ladder may go."""
    return int(LOWEST_SHARE * rates[-1])


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

    def __init__(self, rates: Sequence[int], estimate: int, now: float) -> None:
        self._rates = rates
        self.index = self._highest_within(estimate)
        self.limit = float(rates[-1])  # of the lowest class, for this leg
        self._since = now  # when it came here
        self._room_since: float | None = None
        self._congested_since: float | None = None
        self._try_after = TRY_AFTER_S
        self._tried_at: float | None = None
        self._updated = now

    def update(self, now: float, estimate: int, sent: float) -> int:
        """The rung to stand on. `sent`: bits per second that the leg was really sent lately."""
        elapsed, self._updated = now - self._updated, now
        if estimate < CONGESTED * sent and estimate < self._rates[self.index]:
            self._congested(now, estimate)
        else:
            self._congested_since = None
            self.limit = min(self.limit * UNHURRIED**elapsed, self._rates[-1])
            self._perhaps_up(now, estimate, sent)
        return self.index

    def _congested(self, now: float, estimate: int) -> None:
        self._room_since = None
        if self._congested_since is None:
            self._congested_since = now
        if now - self._congested_since < CONGESTED_FOR_S:
            return
        self.limit = max(min(self.limit, CONGESTED * estimate), LOWEST_SHARE * self._rates[-1])
        if self._tried_at is not None and now - self._tried_at < TRY_FAILED_WITHIN_S:
            self._try_after = min(2 * self._try_after, TRY_LATER_S)
        self._tried_at = None
        lower = max(self.index + 1, self._highest_within(estimate))
        self._move(min(lower, len(self._rates) - 1), now)

    def _perhaps_up(self, now: float, estimate: int, sent: float) -> None:
        if self.index == 0:
            return
        if estimate < ROOM * self._rates[self.index - 1]:
            self._room_since = None
        elif self._room_since is None:
            self._room_since = now
        if self._room_since is not None and now - self._room_since >= ROOM_FOR_S:
            self._move(self.index - 1, now)
        elif now - self._since >= self._try_after and estimate >= ROOM * sent:
            self._tried_at = now
            self._move(self.index - 1, now)

    def _move(self, index: int, now: float) -> None:
        if index != self.index:
            self.index, self._since = index, now
        self._room_since = self._congested_since = None

    def _highest_within(self, estimate: int) -> int:
        return next((index for index, rate in enumerate(self._rates) if rate <= estimate), len(self._rates) - 1)


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
