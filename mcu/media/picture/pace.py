"""When the next picture is due. Pure: told the time.

Frames that were missed are left out, and counted: catching up never makes a burst.
"""

from typing import Final

LATE_S: Final = 0.010


class Pace:
    """Steady times, a frame apart, from `begin` on."""

    def __init__(self, fps: int) -> None:
        self._period = 1 / fps
        self._due = 0.0
        self.skipped = 0
        self.late = 0  # frames begun more than LATE_S after they were due

    def begin(self, now: float) -> None:
        """The next frame is due now, unless that is too close to the last."""
        self._due = max(self._due, now - self._period)

    def next(self, now: float) -> float:
        """When the next frame is due: not before the next beat, and no more than a frame ago."""
        due = self._due + self._period
        if now > due:
            missed = int((now - due) / self._period)
            self.skipped += missed
            due += missed * self._period
        self._due = due
        return due

    def started(self, now: float) -> None:
        """The frame that was due is begun."""
        if now - self._due > LATE_S:
            self.late += 1
