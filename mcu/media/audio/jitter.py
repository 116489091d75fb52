"""The order and the pace of one leg's packets: a small jitter buffer that adapts, in samples at 48 kHz.

It decides which packet is due and when time must be stretched or shortened. It decodes nothing and has no clock: it is
asked once per tick, and the depth that it finds then, at its lowest of a second, is all that it steers by:

* it ran dry, or a packet came too late: the delay grows by a tick at the next quiet one (or by the pause itself);
* it never came below what is needed: a tick is left out, a quiet one if there is one.

A lost packet moves neither: the time that it would have taken passes all the same.
"""

from collections import Counter, deque
from enum import Enum

import msgspec

from mcu.media.audio.opus import Undecodable, duration
from mcu.media.seams import TICK_SAMPLES, AudioPacket

START = 2 * TICK_SAMPLES  # 40 ms before the first sample is played
DEEPEST = 10 * TICK_SAMPLES  # 200 ms: what is older is let go
_WINDOW = 50  # ticks between looks at the lowest depth
_HOLD = 100  # ticks without shortening after it ran dry
_FORCED_EVERY = 5  # ticks between two that are left out of speech
_DRY = 5  # ticks without a packet after which the leg is silent, and starts anew
_JUMP = 3 * 48_000  # a timestamp this far off is of another stream
_REMEMBERED = 64  # sequence numbers of packets that were played


class Step(Enum):
    """What to do in this tick, besides playing."""

    PLAY = "play"
    STRETCH = "stretch"  # play nothing now: the delay grows by a tick
    SHORTEN = "shorten"  # leave a tick out: the delay shrinks


class Due(msgspec.Struct, frozen=True):
    """What comes next: a packet, or a gap (`packet` is None) that its loss left."""

    packet: AudioPacket | None
    samples: int


class JitterBuffer:
    """Packets of one leg by timestamp. `drops`: what it let go: malformed, late, duplicate, overflow, shortened."""

    def __init__(self) -> None:
        self.drops = Counter[str]()
        self.restart()

    def restart(self) -> None:
        """Another stream begins (a new connection of the leg): what is left of the old one is forgotten."""
        self._packets: dict[int, tuple[AudioPacket, int]] = {}
        self._next: int | None = None  # the timestamp that is due; None: filling
        self._floor: int | None = None  # what is older has been played or given up
        self._played: deque[int] = deque(maxlen=_REMEMBERED)
        self._waited = 0  # samples bridged while it was dry
        self._filling_ticks = 0
        self._lowest = DEEPEST
        self._ticks = 0
        self._hold = 0
        self._surplus = 0  # ticks to leave out
        self._overdue = 0  # of these: no quiet tick was found for them in a whole window

    def push(self, packet: AudioPacket) -> None:
        """A packet came, in whatever order."""
        try:
            samples = duration(packet.payload)
        except Undecodable:
            self.drops["malformed"] += 1
            return
        if self._is_other_stream(packet.timestamp):
            self.restart()
        if packet.timestamp in self._packets or packet.sequence in self._played:
            self.drops["duplicate"] += 1
        elif self._floor is not None and packet.timestamp < self._floor:
            self.drops["late"] += 1
            self._lowest = 0
        else:
            self._packets[packet.timestamp] = (packet, samples)
            self._limit()

    def peek(self) -> AudioPacket | None:
        """The packet that is due, if it is here."""
        if self._next is None or not self._packets:
            return None
        found = self._packets.get(self._next) or self._packets[min(self._packets)]
        return found[0]

    def depth(self) -> int:
        """Samples from what is due to the end of the newest packet, holes included."""
        if not self._packets:
            return 0
        newest = max(self._packets)
        return newest + self._packets[newest][1] - (min(self._packets) if self._next is None else self._next)

    def step(self, held: int, *, quiet: bool) -> Step:
        """Call it first in each tick. `held`: samples decoded and not played. `quiet`: nothing is heard just now."""
        if self._next is None:
            return Step.PLAY if self._fill() else Step.STRETCH
        self._look(self.depth() + held)
        if quiet and self._lowest < TICK_SAMPLES and self._packets:
            self._lowest, self._ticks, self._hold = DEEPEST, 0, _HOLD
            return Step.STRETCH
        if self._surplus and (quiet or (self._overdue and self._ticks % _FORCED_EVERY == 0)):
            self._surplus, self._overdue = self._surplus - 1, max(0, self._overdue - 1)
            return Step.SHORTEN
        return Step.PLAY

    def due(self) -> Due | None:
        """Take what comes next. None: nothing has come, and whoever asks bridges a tick."""
        if self._next is None:
            return None
        if not self._packets:
            self._run_dry()
            return None
        first = min(self._packets)
        gap = first - self._next
        if gap > self._waited:
            missing = min(gap - self._waited, TICK_SAMPLES)
            self._advance(self._next + missing)
            return Due(None, missing)
        packet, samples = self._packets.pop(first)
        self._waited = 0
        self._played.append(packet.sequence)
        self._advance(first + samples)
        return Due(packet, samples)

    def _advance(self, timestamp: int) -> None:
        self._next = self._floor = timestamp

    def _is_other_stream(self, timestamp: int) -> bool:
        if self._floor is None:
            newest = max(self._packets, default=timestamp)
            return abs(timestamp - newest) > _JUMP
        return timestamp < self._floor - _JUMP or (self._next is not None and timestamp > self._next + _JUMP)

    def _limit(self) -> None:
        while self.depth() > DEEPEST and len(self._packets) > 1:
            oldest = min(self._packets)
            del self._packets[oldest]
            self.drops["overflow"] += 1
            if self._next is not None:
                self._advance(min(self._packets))

    def _fill(self) -> bool:
        """Whether to begin: enough is here, or what is here has waited for long enough."""
        if not self._packets:
            return False
        self._filling_ticks += 1
        if self.depth() < START and self._filling_ticks <= START // TICK_SAMPLES:
            return False
        self._filling_ticks = self._waited = self._ticks = self._surplus = self._overdue = 0
        self._lowest = DEEPEST
        self._advance(min(self._packets))
        return True

    def _look(self, depth: int) -> None:
        """Once a window: how many ticks the buffer never needed."""
        self._lowest = min(self._lowest, depth)
        self._ticks += 1
        self._hold = max(0, self._hold - 1)
        if self._ticks >= _WINDOW:
            spare = max(0, self._lowest - START) // TICK_SAMPLES
            self._overdue = min(self._surplus, spare)
            self._surplus = 0 if self._hold else spare
            self._ticks, self._lowest = 0, DEEPEST

    def _run_dry(self) -> None:
        self._waited += TICK_SAMPLES
        self._hold, self._surplus, self._overdue = _HOLD, 0, 0
        if self._waited > _DRY * TICK_SAMPLES:
            self._next = None
