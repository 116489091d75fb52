"""What is being said to single legs of a room, and to nobody else: prompts, a tick at a time.

Words of the server's own, and nothing of the room: a leg that waits outside may hear them too (S5.3-1). They wait while
a notice sounds to the leg, so that no notice is talked over.
"""

from collections.abc import Callable, Collection

from mcu.ids import LegId
from mcu.media.seams import TICK_SAMPLES, Samples


class Words:
    """Those of one room. `on_told`: all that was to be said to a leg has been."""

    def __init__(self, on_told: Callable[[LegId], None]) -> None:
        self._on_told = on_told
        self._left: dict[LegId, Samples] = {}

    def say(self, leg: LegId, samples: Samples) -> None:
        """In place of what is being said to it; none: it stops. Whole ticks."""
        self.forget(leg)
        if len(samples):
            self._left[leg] = samples

    def forget(self, leg: LegId) -> None:
        """What is being said to it."""
        self._left.pop(leg, None)

    def due(self, cued: Collection[LegId]) -> dict[LegId, Samples]:
        """The next tick of each leg's words. `cued`: who hears a notice in this tick."""
        pieces: dict[LegId, Samples] = {}
        for leg in [leg for leg in self._left if leg not in cued]:
            left = self._left[leg]
            pieces[leg], self._left[leg] = left[:TICK_SAMPLES], left[TICK_SAMPLES:]
            if not len(self._left[leg]):
                del self._left[leg]
                self._on_told(leg)
        return pieces
