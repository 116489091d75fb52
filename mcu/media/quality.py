"""How good one leg's network is, in three steps and with what is wrong: from its figures, both ways. Pure.

Each judgement is of what came and went since the one before. A change for the worse counts when two in a row say so,
one for the better when five do: nobody is told of a network that flickers.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from mcu.media.messages import LegMedia, LineStats, NetworkLevel, NetworkTrouble, StreamStats
from mcu.media.seams import TICK_MS

EVERY_S: Final = 2.0  # between two judgements
WORSE_AFTER: Final = 2  # judgements
BETTER_AFTER: Final = 5
ENOUGH: Final = 30  # packets that say something of a way

_STEPS: Final = (NetworkLevel.GOOD, NetworkLevel.WEAK, NetworkLevel.POOR)
LOSS: Final = (0.03, 0.10)  # from here on weak, and poor: parts of the packets
MADE_UP: Final = (0.05, 0.15)  # of the sound: it did not come in time
THIN_BPS: Final = (300_000, 100_000)  # a line that carries less: the picture suffers, and then the sound
ROUND_TRIP_MS: Final = (400.0, 1000.0)  # ITU-T G.114: people begin to talk into one another


class Verdict(NamedTuple):
    """What a leg's network is like."""

    level: NetworkLevel
    trouble: NetworkTrouble


FINE: Final = Verdict(NetworkLevel.GOOD, NetworkTrouble.NONE)


class Quality:
    """One connection's. `verdict` is `None` until enough was seen."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        self._before: LegMedia | None = None
        self._lately: deque[Verdict] = deque(maxlen=BETTER_AFTER)

    def judge(self, media: LegMedia, picture: NetworkTrouble) -> bool:
        """Take in the leg's figures; true where the verdict is another now.

        `picture`: what was done to the leg's picture already, for want of room: NARROW, STOPPED or NONE.
        """
        before, self._before = self._before, media
        if before is None:
            return False
        self._lately.append(_verdict(before, media, picture))
        former, self.verdict = self.verdict, self._settled()
        return self.verdict != former

    def _settled(self) -> Verdict | None:
        if len(self._lately) < WORSE_AFTER:
            return self.verdict
        worse = min(list(self._lately)[-WORSE_AFTER:], key=_step)
        if self.verdict is None or _step(worse) > _step(self.verdict):
            return worse
        better = max(self._lately, key=_step)
        if len(self._lately) == BETTER_AFTER and (_step(better) < _step(self.verdict) or self._is_over()):
            return better
        return self.verdict

    def _is_over(self) -> bool:
        """What was wrong is wrong no more; something else is."""
        return all(self.verdict is not None and one.trouble is not self.verdict.trouble for one in self._lately)


def _step(verdict: Verdict) -> int:
    return _STEPS.index(verdict.level)


def _verdict(before: LegMedia, media: LegMedia, picture: NetworkTrouble) -> Verdict:
    """Of this one time: the worst of what was found; of two as bad, the first."""
    seen = NetworkLevel.GOOD if picture is NetworkTrouble.NONE else NetworkLevel.WEAK
    found = [
        Verdict(_in_steps(_made_up(before.receiving, media.receiving), MADE_UP), NetworkTrouble.SENDING),
        Verdict(_in_steps(_loss(before.receiving, media.receiving), LOSS), NetworkTrouble.SENDING),
        Verdict(_in_steps(_loss(before.sending, media.sending), LOSS), NetworkTrouble.RECEIVING),
        Verdict(_in_steps(media.rtt_ms or 0.0, ROUND_TRIP_MS), NetworkTrouble.DELAY),
        _line(media.line, picture),
    ]
    found.insert(0 if picture is NetworkTrouble.STOPPED else len(found), Verdict(seen, picture))
    worst = max(found, key=_step)
    return FINE if worst.level is NetworkLevel.GOOD else worst


def _line(line: LineStats | None, picture: NetworkTrouble) -> Verdict:
    """What the line carries, by the estimate: it is thin before anything is lost, or answers nothing at all."""
    if line is None:
        return FINE
    if line.state == "silent":
        return Verdict(NetworkLevel.POOR, NetworkTrouble.RECEIVING)
    level = _STEPS[sum(line.bits_per_second < bound for bound in THIN_BPS)]
    return Verdict(level, NetworkTrouble.NARROW if picture is NetworkTrouble.NONE else picture)


def _in_steps(value: float, bounds: tuple[float, float]) -> NetworkLevel:
    return _STEPS[sum(value >= bound for bound in bounds)]


def _loss(before: Sequence[StreamStats], now: Sequence[StreamStats]) -> float:
    """The part of all packets of one way that was lost, whether it came again or not; 0 where few were sent."""
    came = sum(after.packets - earlier.packets for earlier, after in _pairs(before, now))
    lost = sum(max(0, after.lost - earlier.lost) for earlier, after in _pairs(before, now))
    return lost / (came + lost) if came + lost >= ENOUGH else 0.0


def _made_up(before: Sequence[StreamStats], now: Sequence[StreamStats]) -> float:
    """The part of the sound that had to be made up; 0 where little was said."""
    for earlier, after in _pairs(before, now):
        packets = after.packets - earlier.packets
        if after.media == "audio" and packets >= ENOUGH:
            made_up = (after.concealed_ms - earlier.concealed_ms) / TICK_MS
            return made_up / (made_up + packets)
    return 0.0


def _pairs(before: Sequence[StreamStats], now: Sequence[StreamStats]) -> list[tuple[StreamStats, StreamStats]]:
    earlier = {(stream.media, stream.layer): stream for stream in before}
    found = [(earlier.get((stream.media, stream.layer)), stream) for stream in now]
    return [(former, stream) for former, stream in found if former is not None]
