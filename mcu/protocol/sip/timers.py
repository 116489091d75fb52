"""The times of RFC 3261, table 4, in seconds, and the alarms that a transaction or a call has set."""

import heapq
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

T1: Final = 0.5  # a guess of the round trip
T2: Final = 4.0  # the longest between repeats of what is no INVITE, and of a final response
T4: Final = 5.0  # how long a message stays in the network
GIVE_UP: Final = 64 * T1  # timers B, F, H, L and M
KEPT: Final = 32.0  # timer D: how long a final response may be repeated to us
RINGING: Final = 180.0  # timer C: how long an INVITE may go without a final answer (section 16.6)
SLACK: Final = 16  # times that a schedule holds beside those that count


def _nobody(_next: float | None) -> None:
    """Who asks `next` each time need not be told."""


class Alarms:
    """Named times; what is due is taken once. `changed` is told which is next, whenever that may be another."""

    def __init__(self, changed: Callable[[float | None], None] = _nobody) -> None:
        self._due: dict[str, float] = {}
        self._changed = changed

    def set(self, name: str, due: float) -> None:
        self._due[name] = due
        self._changed(self.next())

    def drop(self, *names: str) -> None:
        for name in names:
            self._due.pop(name, None)
        self._changed(self.next())

    def clear(self) -> None:
        self.drop(*list(self._due))

    def next(self) -> float | None:
        return min(self._due.values(), default=None)

    def take(self, now: float) -> list[str]:
        """The names that are due, the earliest first."""
        due = sorted((at, name) for name, at in self._due.items() if at <= now)
        for _, name in due:
            del self._due[name]
        self._changed(self.next())
        return [name for _, name in due]


class Schedule(Generic[Key]):
    """When each of many is due next: one time for each. Of what is due no more little is kept."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []  # may hold what is no longer so; the number keeps keys uncompared
        self._pushed = 0

    def set(self, key: Key, due: float | None) -> None:
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            self._pushed += 1
            heapq.heappush(self._heap, (due, self._pushed, key))
        if len(self._heap) > 2 * len(self._due) + SLACK:
            self._heap = [one for one in self._heap if self._due.get(one[2]) == one[0]]
            heapq.heapify(self._heap)

    def next(self) -> float | None:
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, now: float) -> Key | None:
        """The one that is due first, which has no time any more; None where none is due."""
        due = self.next()
        if due is None or due > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._due[key]
        return key
