"""When the next picture is due, and when one is encoded. Pure: told the time.

Frames that were missed are left out, and counted: catching up never makes a burst.
"""

from typing import Final

LATE_S: Final = 0.010
AGAIN_FIRST_S: Final = 0.4  # after a picture has come to rest
AGAIN_LAST_S: Final = 5.0


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


class Turn:
    """When a picture is encoded: at once where it changed, and while it stands still ever more seldom.

    What stands still is encoded again so that its quality grows to what it can be, and so that nobody is left with what
    was lost: after the last of a movement nothing would come that shows that something is missing.
    """

    def __init__(self, least_s: float = 0.0) -> None:
        """`least_s`: between two of what changes."""
        self._least = least_s
        self._shown: int | None = None
        self._at = self._again = float("-inf")
        self._wait = AGAIN_FIRST_S

    def due(self, now: float, number: int) -> bool:
        """`number`: of the picture that there is; another number, another picture."""
        if number != self._shown:
            return now - self._at >= self._least
        return now >= self._again

    def taken(self, now: float, number: int) -> None:
        """This picture is encoded now."""
        self._wait = AGAIN_FIRST_S if number != self._shown else min(2 * self._wait, AGAIN_LAST_S)
        self._shown, self._at, self._again = number, now, now + self._wait
