"""Who is the dominant speaker, and who speaks at all, by levels alone.

After Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing" (2013): speech activity is
scored over immediate (20 ms), medium (100 ms) and long (1 s) intervals, and another leg takes over only when it
surpasses the dominant one in all three. A cough wins the immediate interval, and not the long one.
"""

import math
from collections import deque
from collections.abc import Mapping
from functools import cache

from mcu.ids import LegId

SILENCE = 127  # -dBov
_SUBBANDS, _SUBBAND = 13, 10  # N1 and the dB in each: the immediate activity is 0 … 13
_MEDIUM, _LONG = 5, 10  # N2 immediates in a medium interval, N3 mediums in the long one
_LONG_FROM = 4  # a medium interval with this many active immediates is active
_IMMEDIATE_LAMBDA, _MEDIUM_LAMBDA, _LONG_LAMBDA = 0.78, 24.0, 47.0
_C1, _C2, _C3 = 3.0, 2.0, 0.0  # by how much (log) each interval must surpass the dominant one's
_EVERY = 15  # ticks between decisions: 300 ms
_SPEAKS_FROM = 50  # -dBov: what is quieter is a room, not a voice
_ONSET, _HANGOVER = 3, 25  # loud ticks until a leg is said to speak, and quiet ones until it no longer is


class _Voice:
    """One leg's last second."""

    def __init__(self) -> None:
        self.immediates: deque[int] = deque([0] * (_MEDIUM * _LONG), maxlen=_MEDIUM * _LONG)
        self.speaking = False
        self._run = 0
        self.silent = 0  # ticks

    def hear(self, level: int) -> None:
        loud = level < _SPEAKS_FROM
        self.silent = 0 if loud else self.silent + 1
        self.immediates.append(min((SILENCE - level) // _SUBBAND, _SUBBANDS) if loud else 0)
        self._follow(loud)

    def _follow(self, loud: bool) -> None:
        self._run = self._run + 1 if loud is not self.speaking else 0
        if self._run >= (_HANGOVER if self.speaking else _ONSET):
            self.speaking, self._run = loud, 0

    @property
    def forgotten(self) -> bool:
        """Nothing of its last second is left that anything is decided by."""
        return self.silent >= _MEDIUM * _LONG

    def scores(self) -> tuple[float, float, float]:
        """Log-likelihood that the leg speaks: immediate, medium, long."""
        recent = list(self.immediates)
        mediums = [sum(map(bool, recent[at : at + _MEDIUM])) for at in range(0, len(recent), _MEDIUM)]
        long = sum(medium >= _LONG_FROM for medium in mediums)
        return (
            _score(max(recent[-_MEDIUM:]), _SUBBANDS, _IMMEDIATE_LAMBDA),
            _score(mediums[-1], _MEDIUM, _MEDIUM_LAMBDA),
            _score(long, _LONG, _LONG_LAMBDA),
        )


@cache
def _score(active: int, of: int, rate: float) -> float:
    """Binomial likelihood of so much activity in speech, against an exponential one in its absence."""
    return math.log(math.comb(of, active)) + of * math.log(0.5) - math.log(rate) + rate * active


class SpeakerDetector:
    """Fed once a tick with the levels of those who are mixed. Whoever is not among them is silent."""

    def __init__(self) -> None:
        self.active: LegId | None = None
        self._voices: dict[LegId, _Voice] = {}
        self._ticks = 0

    @property
    def speaking(self) -> frozenset[LegId]:
        """Everyone who speaks now."""
        return frozenset(leg for leg, voice in self._voices.items() if voice.speaking)

    def hear(self, levels: Mapping[LegId, int]) -> None:
        """One tick: -dBov of every leg that is mixed."""
        for leg in levels.keys() - self._voices.keys():
            self._voices[leg] = _Voice()
        for leg, voice in list(self._voices.items()):
            voice.hear(levels.get(leg, SILENCE))
            if voice.forgotten:
                del self._voices[leg]
        self._ticks += 1
        if self._ticks % _EVERY == 0 or self.active is None:
            self._decide()

    def forget(self, leg: LegId) -> None:
        """It is not in the room any more."""
        self._voices.pop(leg, None)
        if self.active == leg:
            self.active = None

    def _decide(self) -> None:
        rivals = {leg: voice.scores() for leg, voice in self._voices.items() if voice.speaking and leg != self.active}
        if self.active is None:
            self.active = max(rivals, key=lambda leg: rivals[leg][::-1], default=None)
            return
        holder = self._voices.get(self.active, _Voice()).scores()
        lead = {leg: [mine - his for mine, his in zip(scores, holder, strict=True)] for leg, scores in rivals.items()}
        better = [leg for leg, (c1, c2, c3) in lead.items() if c1 > _C1 and c2 > _C2 and c3 > _C3]
        self.active = max(better, key=lambda leg: lead[leg][1], default=self.active)
