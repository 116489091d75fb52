"""The times of RFC 3261, table 4, in seconds, and the alarms that a transaction has set."""

from typing import Final

T1: Final = 0.5  # a guess of the round trip
T2: Final = 4.0  # the longest between repeats of what is no INVITE, and of a final response
T4: Final = 5.0  # how long a message stays in the network
GIVE_UP: Final = 64 * T1  # timers B, F, H, L and M
KEPT: Final = 32.0  # timer D: how long a final response may be repeated to us
RINGING: Final = 180.0  # timer C: how long an INVITE may go without a final answer (section 16.6)


class Alarms:
    """Named times. The earliest is the next; what is due is taken once."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def set(self, name: str, due: float) -> None:
        self._due[name] = due

    def drop(self, *names: str) -> None:
        for name in names:
            self._due.pop(name, None)

    def next(self) -> float | None:
        return min(self._due.values(), default=None)

    def take(self, now: float) -> list[str]:
        """The names that are due, the earliest first."""
        due = sorted((at, name) for name, at in self._due.items() if at <= now)
        for _, name in due:
            del self._due[name]
        return [name for _, name in due]
