"""The plain twin of native/include/mcu/loudest.h, by leg."""

from collections.abc import Mapping

from mcu.ids import LegId

TALKS_FROM = 60  # -dBov: what is louder than this starts to be mixed
TALKS_UNTIL = 68  # and is mixed until it has faded to this
FADES_BY = 1.0  # dB a tick
LEAD = 6  # dB by which a newcomer must be louder than the quietest of the chosen to take its place


class Loudest:
    """Chooses at most `count` legs, tick by tick."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._levels: dict[LegId, float] = {}  # at once as loud as the leg, slowly as quiet
        self._chosen: list[LegId] = []

    def pick(self, levels: Mapping[LegId, int]) -> list[LegId]:
        """The legs to mix in this tick, of those in `levels`. Who is not in it is forgotten at once."""
        self._levels = {leg: min(level, self._levels.get(leg, level) + FADES_BY) for leg, level in levels.items()}
        talking = [leg for leg in self._levels if self._rank(leg) < self._threshold(leg)]
        talking.sort(key=self._rank)
        self._chosen = talking[: self._count]
        return self._chosen

    def _threshold(self, leg: LegId) -> float:
        return TALKS_UNTIL - LEAD if leg in self._chosen else TALKS_FROM

    def _rank(self, leg: LegId) -> float:
        return self._levels[leg] - (LEAD if leg in self._chosen else 0)
