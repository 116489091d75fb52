"""Meetings, people and rosters for tests, in as few words as the test needs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mcu.booking.meeting import Access, Meeting
from mcu.conference.roster import Person, Roster, Seat
from mcu.ids import LegId, MeetingId, new_id
from mcu.media.life import LegState

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000.0)

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


def meeting(**access: Any) -> Meeting:
    """A standing meeting with these rules of access."""
    return Meeting(
        id=MeetingId(new_id("mtg")),
        number="482915370",
        title="Vårdplan",
        created_at=NOW,
        updated_at=NOW,
        access=Access(**access),
    )


def host(name: str = "Berg", **more: Any) -> Person:
    return Person(name=name, role="host", language="sv", **more)


def guest(name: str = "Anna", **more: Any) -> Person:
    return Person(name=name, role="guest", language="sv", **more)


def seat(leg: str, person: Person, state: LegState = LegState.IN_ROOM, **more: Any) -> Seat:
    """A seat, let in unless its state is the lobby's, and in the room since `NOW` unless it is on its way there."""
    admitted = more.pop("admitted", state not in (LegState.WAITING, LegState.CONNECTING))
    been_in = admitted and state not in (LegState.CONNECTING, LegState.ANNOUNCING)
    more = {"entered_at": NOW if been_in else None, **more}
    return Seat(leg=LegId(leg), person=person, since=1000.0, state=state, admitted=admitted, **more)


def roster(*seats: Seat, locked: bool = False) -> Roster:
    made = Roster(locked=locked)
    for one in seats:
        made.add(one)
    return made
