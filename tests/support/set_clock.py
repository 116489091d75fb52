"""A clock that stands, and is set by the test."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class SetClock:
    at: datetime = datetime(2026, 12, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()
