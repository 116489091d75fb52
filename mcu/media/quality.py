"""How good one leg's network is, in three steps and with what is wrong: from its figures, both ways. Pure.

Each judgement is of what came and went since the one before. A change for the worse counts when two in a row say so,
one for the better when five do: nobody is told of a network that flickers.
"""

from collections import deque
from operator import itemgetter
from typing import Final, NamedTuple

from mcu.media.messages import NetworkLevel, NetworkTrouble
from mcu.media.seams import TICK_MS, Traffic

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
        self._before: Traffic | None = None
        self._lately: deque[Verdict] = deque(maxlen=BETTER_AFTER)

    def judge(self, traffic: Traffic, picture: NetworkTrouble) -> bool:
        """Take in the leg's sums; true where the verdict is another now.

        `picture`: what was done to the leg's picture already, for want of room: NARROW, STOPPED or NONE.
        """
        before, self._before = self._before, traffic
        if before is None:
            return False
        self._lately.append(_verdict(before, traffic, picture))
        former, self.verdict = self.verdict, self._settled()
        return self.verdict != former

    def _settled(self) -> Verdict | None:
        if len(self._lately) < WORSE_AFTER or self.verdict is self._lately[-1] is FINE:  # as a rule
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


def _verdict(before: Traffic, now: Traffic, picture: NetworkTrouble) -> Verdict:
    """Of this one time: the worst of what was found; of two as bad, the first."""
    found = [
        (_in_steps(_made_up(before, now), MADE_UP), NetworkTrouble.SENDING),
        (_in_steps(_part(now.lost - before.lost, now.received - before.received), LOSS), NetworkTrouble.SENDING),
        (_in_steps(_part(now.unreceived - before.unreceived, now.sent - before.sent), LOSS), NetworkTrouble.RECEIVING),
        (_in_steps(now.rtt_ms, ROUND_TRIP_MS), NetworkTrouble.DELAY),
        _line(now, picture),
    ]
    if picture is not NetworkTrouble.NONE:
        found.insert(0 if picture is NetworkTrouble.STOPPED else len(found), (1, picture))
    worst, trouble = max(found, key=itemgetter(0))
    return Verdict(_STEPS[worst], trouble) if worst else FINE


def _line(now: Traffic, picture: NetworkTrouble) -> tuple[int, NetworkTrouble]:
    """What the line carries, by the estimate: it is thin before anything is lost, or answers nothing at all."""
    if not now.bits_per_second:
        return 0, NetworkTrouble.NONE
    if now.silent:
        return 2, NetworkTrouble.RECEIVING
    thin = (now.bits_per_second < THIN_BPS[0]) + (now.bits_per_second < THIN_BPS[1])
    return thin, NetworkTrouble.NARROW if picture is NetworkTrouble.NONE else picture


def _in_steps(value: float, bounds: tuple[float, float]) -> int:
    """A place in `_STEPS`."""
    return (value >= bounds[0]) + (value >= bounds[1])


def _part(lost: int, came: int) -> float:
    """Of all packets of one way those that were lost, whether they came again or not; 0 where few were sent."""
    lost = max(0, lost)
    return lost / (came + lost) if came + lost >= ENOUGH else 0.0


def _made_up(before: Traffic, now: Traffic) -> float:
    """The part of the sound that had to be made up; 0 where little was said."""
    packets = now.spoken - before.spoken
    if packets < ENOUGH:
        return 0.0
    made_up = (now.made_up_ms - before.made_up_ms) / TICK_MS
    return made_up / (made_up + packets)
