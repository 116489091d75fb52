"""What datagrams need beside (RFC 8855, section 8.3): what is not acknowledged is said again, and so is an answer.

Bounded: of each kind of news the newest alone is repeated, and answers are kept for as many questions as `KEPT_MAX`.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

T1: Final = 0.5  # seconds to the first repeat; each takes twice as long as the one before
T2: Final = 10.0  # for which an answer is kept
SENT_MAX: Final = 4  # times
KEPT_MAX: Final = 16


class Unanswered(Exception):
    """Something was said `SENT_MAX` times: nobody is there any more (section 8.3.1)."""


@dataclass(slots=True)
class _Said:
    data: bytes
    transaction: int
    due: float
    wait: float = T1
    times: int = 1


class Repeats:
    def __init__(self) -> None:
        self._said: dict[Hashable, _Said] = {}
        self._answers: dict[int, tuple[float, bytes]] = {}  # by transaction: until when, and what
        self._last = 0

    def transaction(self) -> int:
        """A new one of ours: never 0, which stands for none."""
        self._last = self._last % 0xFFFF + 1
        return self._last

    def say(self, kind: Hashable, transaction: int, data: bytes, now: float) -> None:
        """To be repeated until it is acknowledged; in place of former news of that kind."""
        self._said[kind] = _Said(data, transaction, now + T1)

    def acknowledged(self, transaction: int) -> None:
        self._said = {kind: one for kind, one in self._said.items() if one.transaction != transaction}

    def forget(self) -> None:
        """What is not acknowledged yet is repeated no more."""
        self._said.clear()

    def keep(self, transaction: int, answer: bytes, now: float) -> None:
        self._answers.pop(transaction, None)
        self._answers[transaction] = (now + T2, answer)
        if len(self._answers) > KEPT_MAX:
            del self._answers[next(iter(self._answers))]

    def answer(self, transaction: int, now: float) -> bytes | None:
        """What was answered to this lately."""
        until, answer = self._answers.get(transaction, (now, b""))
        return answer if until > now else None

    def next_timer(self) -> float | None:
        return min((one.due for one in self._said.values()), default=None)

    def due(self, now: float) -> list[bytes]:
        """What is to be said again now. Raises `Unanswered`; then nothing is repeated any more."""
        found = [one for one in self._said.values() if one.due <= now]
        if any(one.times == SENT_MAX for one in found):
            self._said.clear()
            raise Unanswered
        for one in found:
            one.times, one.wait = one.times + 1, 2 * one.wait
            one.due = now + one.wait
        return [one.data for one in found]
