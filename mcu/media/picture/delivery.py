"""Which encoding class each leg gets of one kind of picture: by its view, its codec, its line and its losses.

Owns where each leg stands on the ladder of rates, whose line loses much, and the subscriptions. Pure: told the time.
Legs that lose much share a class of their own in each view and codec, so that the key frames they need are nobody
else's; a room has at most LOSSY_CLASSES of these. A leg that moves to a class which others get is aside first, for
ASIDE_S at most, so that its line costs nobody else a key frame now: there are at most ASIDE_CLASSES. A leg whose line
has no room for the lowest class gets no picture: sound goes first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from mcu.ids import LegId
from mcu.media.messages import NetworkTrouble
from mcu.media.picture.classes import ClassKey, Subscriptions, ViewKey
from mcu.media.picture.rates import LOWEST_SHARE, Rung
from mcu.media.seams import FrameLimit, VideoCodec

LOSSY_FROM: Final = 0.08  # share of packets: much more than NACKs repair without key frames
LOSSY_AFTER_S: Final = 3.0
CLEAN_BELOW: Final = 0.03
CLEAN_AFTER_S: Final = 10.0
LOSSY_CLASSES: Final = 2
ASIDE_CLASSES: Final = 2
ASIDE_S: Final = 60.0  # then an encoder is worth more than a key frame of all
NO_ROOM: Final = 0.25  # of the lowest rate: below it a picture is worth nothing
NO_ROOM_FOR_S: Final = 1.0
ROOM_AGAIN_FOR_S: Final = 2.0


class Wish(NamedTuple):
    """What a leg is to see."""

    view: ViewKey
    codec: VideoCodec
    bits_per_second: int  # that there are for it
    limit: FrameLimit | None = None  # see ClassKey


class Latch:
    """Something that begins, and ends, only when that was called for as long as it takes."""

    def __init__(self, begins_after_s: float, ends_after_s: float) -> None:
        self.on = False
        self._after = (begins_after_s, ends_after_s)
        self._since: float | None = None

    def update(self, now: float, *, begins: bool, ends: bool) -> None:
        """Whether now is a time to begin, where it is off, or to end, where it is on."""
        if not (ends if self.on else begins):
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since >= self._after[self.on]:
            self.on, self._since = not self.on, None

    def begin(self) -> None:
        """At once."""
        self.on, self._since = True, None


class Standing:
    """Where one leg stands."""

    def __init__(self, rates: Sequence[int], wish: Wish, now: float) -> None:
        self.wish = wish
        self.rung = Rung(rates, wish.bits_per_second, now)
        self.view: ViewKey | None = None  # in which it was put into a class last
        self.aside_since = now
        self._lossy = Latch(LOSSY_AFTER_S, CLEAN_AFTER_S)
        self._dark = Latch(NO_ROOM_FOR_S, ROOM_AGAIN_FOR_S)
        self._lowest = rates[-1]

    def update(self, now: float, loss: float) -> None:
        """`loss`: share of its packets."""
        line = self.wish.bits_per_second
        self.rung.update(now, line)
        self._lossy.update(now, begins=loss >= LOSSY_FROM, ends=loss < CLEAN_BELOW)
        self._dark.update(now, begins=line < NO_ROOM * self._lowest, ends=line >= LOWEST_SHARE * self._lowest)

    def needs_key(self, loss: float) -> None:
        """It lost what nothing repairs: where it loses much now, that is known before it went on for long."""
        if loss >= LOSSY_FROM:
            self._lossy.begin()

    @property
    def loses_much(self) -> bool:
        return self._lossy.on

    @property
    def dark(self) -> bool:
        """Its line has no room for any picture."""
        return self._dark.on


class Delivery:
    """Of one source: the composed pictures, or content."""

    def __init__(self, rates: Sequence[int]) -> None:
        self.rates = tuple(rates)
        self.subscriptions = Subscriptions()
        self._standings: dict[LegId, Standing] = {}

    def wish(self, wishes: Mapping[LegId, Wish], now: float) -> None:
        """What legs are to see from now on; who is not among them sees nothing of this."""
        for leg in self._standings.keys() - wishes.keys():
            del self._standings[leg]
            self.subscriptions.drop(leg)
        for leg, wish in wishes.items():
            if leg in self._standings:
                self._standings[leg].wish = wish
            else:
                self._standings[leg] = Standing(self.rates, wish, now)

    def tune(self, now: float, loss: Callable[[LegId], float]) -> None:
        """Hold what legs' lines carry against the ladder, and look at what they lose."""
        for leg, standing in self._standings.items():
            standing.update(now, loss(leg))

    def is_outgrown(self, leg: LegId, line: int) -> bool:
        """Whether a line of so many bits per second is too thin for the rung that the leg stands on."""
        standing = self._standings.get(leg)
        return standing is not None and standing.rung.is_too_thin(line)

    def needs_key(self, leg: LegId, loss: float) -> bool:
        """The leg cannot go on without a key frame, and loses this share of its packets. Whether it is to be moved."""
        standing = self._standings.get(leg)
        if standing is None:
            return False
        had = standing.loses_much
        standing.needs_key(loss)
        return standing.loses_much and not had

    def is_dark(self, leg: LegId) -> bool:
        """Whether the leg gets none of this, for want of room on its line."""
        standing = self._standings.get(leg)
        return standing is not None and standing.dark

    def settle(self, now: float, has_room: Callable[[], bool]) -> list[ClassKey]:
        """Everybody into their class. Returns those that somebody has begun to wait for a key frame of.

        `has_room`: for an encoder that can be done without.
        """
        lossy = self._lossy()
        begun = list[ClassKey]()
        for leg, standing in self._standings.items():
            if standing.dark:
                self.subscriptions.drop(leg)
                continue
            key = self._perhaps_aside(leg, standing, self._key(standing, lossy), now, has_room)
            if self.subscriptions.want(leg, key):
                begun.append(key)
        return begun

    def limit(self, key: ClassKey) -> int | None:
        """Bits per second of a class that goes as low as its slowest leg needs: a lowest one; None: its rung's."""
        receivers = self.subscriptions.receivers(key)
        if key.rung != len(self.rates) - 1 or not receivers:
            return None
        return int(min(self._standings[leg].rung.limit for leg in receivers))

    def trouble(self, leg: LegId) -> NetworkTrouble:
        """STOPPED: the leg gets nothing, as its line takes no picture beside the sound. NARROW: the least there is."""
        standing = self._standings.get(leg)
        if standing is None:
            return NetworkTrouble.NONE
        if standing.dark:
            return NetworkTrouble.STOPPED
        return NetworkTrouble.NARROW if standing.rung.index == len(self.rates) - 1 else NetworkTrouble.NONE

    def _lossy(self) -> dict[ClassKey, int]:
        """The rung of each class of legs that lose much: that of the slowest of them. Its key has rung 0 here."""
        rungs: dict[ClassKey, int] = {}
        for standing in self._standings.values():
            wish = standing.wish
            if standing.loses_much and not standing.dark and not wish.view.is_personal:
                at = _lossy_key(wish, 0)
                if at in rungs or len(rungs) < LOSSY_CLASSES:
                    rungs[at] = max(rungs.get(at, 0), standing.rung.index)
        return rungs

    def _perhaps_aside(
        self, leg: LegId, standing: Standing, key: ClassKey, now: float, has_room: Callable[[], bool]
    ) -> ClassKey:
        """The class of this key or, for a leg that moves to it while others get it, that beside it."""
        knew, standing.view = standing.view == key.view, key.view
        subscriptions = self.subscriptions
        if not knew or key.lossy or subscriptions.is_of(leg, key):
            return key
        if subscriptions.is_of(leg, key.beside):
            return key.beside if now - standing.aside_since < ASIDE_S else key
        aside = {each for each in subscriptions.used() if each.aside}
        may = key.beside in aside or (len(aside) < ASIDE_CLASSES and has_room())
        if not subscriptions.receivers(key) or not may:
            return key
        standing.aside_since = now
        return key.beside

    @staticmethod
    def _key(standing: Standing, lossy: Mapping[ClassKey, int]) -> ClassKey:
        wish = standing.wish
        if standing.loses_much and (rung := lossy.get(_lossy_key(wish, 0))) is not None:
            return _lossy_key(wish, rung)
        return ClassKey(wish.view, wish.codec, standing.rung.index, limit=wish.limit)


def _lossy_key(wish: Wish, rung: int) -> ClassKey:
    return ClassKey(wish.view, wish.codec, rung, lossy=True, limit=wish.limit)
