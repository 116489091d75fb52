"""When a room ends: at its booked time, soon after its meeting is cancelled, or when nobody has been there for long."""

from datetime import datetime, timedelta
from typing import Final

from mcu.booking.meeting import Meeting

WARNING: Final = timedelta(minutes=5)  # that the room ends
CANCEL_NOTICE: Final = timedelta(seconds=30)  # between the cancellation and the end


class Ending:
    """One room's. `empty_grace_s`: an empty room stays open so long, for somebody's browser may be starting again."""

    def __init__(self, empty_grace_s: float, now: float) -> None:
        self._grace_s, self._empty_since = empty_grace_s, now
        self._cancelled_at: datetime | None = None

    def wanted(self, now: float) -> None:
        """Somebody is there, or on the way."""
        self._empty_since = now

    def changed(self, meeting: Meeting, now: datetime) -> None:
        """It may have been cancelled, or be on again."""
        if meeting.cancelled_at is None:
            self._cancelled_at = None
        elif self._cancelled_at is None:
            self._cancelled_at = now

    def at(self, meeting: Meeting) -> datetime | None:
        return meeting.closes_at if self._cancelled_at is None else self._cancelled_at + CANCEL_NOTICE

    def soon(self, meeting: Meeting, now: datetime) -> datetime | None:
        """What people are to be warned of."""
        ends = self.at(meeting)
        return ends if ends is not None and ends - now <= WARNING else None

    def due(self, meeting: Meeting, now: float, wall: datetime) -> bool:
        ends = self.at(meeting)
        return now - self._empty_since > self._grace_s or (ends is not None and wall >= ends)
