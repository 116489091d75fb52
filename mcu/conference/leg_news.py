"""What the worker has said of legs and the room has not looked at yet: in order, and bounded.

Of states that only pass by the newest counts. Three decide more than where the leg is now, and are never skipped: that
it was in the room, that it was lost, and that it is gone (before which nothing counts any more).
"""

from mcu.ids import LegId
from mcu.media.life import LegState
from mcu.media.messages import LegChanged

TURNS = frozenset({LegState.IN_ROOM, LegState.RECONNECTING, LegState.GONE})


class LegNews:
    """At most one of each of `TURNS`, and the newest, for each leg."""

    def __init__(self) -> None:
        self._waiting: dict[LegId, list[LegChanged]] = {}

    def put(self, event: LegChanged) -> None:
        kept: list[LegChanged] = []
        if event.state is not LegState.GONE:
            waiting = self._waiting.get(event.leg, [])
            kept = [one for one in waiting if one.state in TURNS and one.state is not event.state]
        self._waiting[event.leg] = [*kept, event]

    def take(self, leg: LegId) -> list[LegChanged]:
        """Oldest first; they are not kept."""
        return self._waiting.pop(leg, [])
