"""A booking by the clock, and who may come in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcu.booking.meeting import Access, Meeting, MeetingState, Organizer, Pins, Role, new_number
from mcu.booking.rules import MeetingLocked, MeetingOver, NotOpen, RoomNow, entry, waits
from mcu.errors import MeetingFull
from mcu.ids import MeetingId, RoomId

START = datetime(2026, 12, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def meeting(**changed: object) -> Meeting:
    base = Meeting(
        id=MeetingId("mtg_1"),
        number="123456789",
        title="Möte",
        created_at=START,
        updated_at=START,
        start=START,
        end=START + 45 * MINUTE,
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def with_access(**rules: object) -> Meeting:
    return meeting(access=Access(**rules))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "state"),
    [(-16, "scheduled"), (-15, "open"), (0, "open"), (45, "open"), (74, "open"), (75, "expired")],
)
def test_a_meeting_opens_before_it_starts_and_closes_after_it_ends(minutes: int, state: str) -> None:
    assert meeting().state(START + minutes * MINUTE) == state


def test_a_meeting_that_somebody_came_to_has_ended_and_one_that_runs_goes_on_past_its_end() -> None:
    late = START + 999 * MINUTE
    assert meeting(ran=True).state(late) is MeetingState.ENDED
    assert meeting(ran=True, room=RoomId("room_1")).state(late) is MeetingState.ACTIVE
    assert meeting(ran=True).state(START) is MeetingState.OPEN


def test_a_cancelled_meeting_is_cancelled_whatever_else() -> None:
    assert meeting(cancelled_at=START, room=RoomId("room_1")).state(START) is MeetingState.CANCELLED


def test_a_standing_meeting_is_always_open() -> None:
    standing = meeting(start=None, end=None)
    assert standing.state(START - 9999 * MINUTE) is MeetingState.OPEN
    assert standing.state(START + 9999 * MINUTE) is MeetingState.OPEN


@pytest.mark.parametrize("role", ["host", "guest"])
def test_nobody_comes_in_before_it_opens_after_it_closes_or_when_it_is_cancelled(role: Role) -> None:
    with pytest.raises(NotOpen):
        entry(meeting(), role, START - 16 * MINUTE)
    for over in (meeting(cancelled_at=START), meeting(ran=True)):
        with pytest.raises(MeetingOver):
            entry(over, role, START + 80 * MINUTE)


def test_a_lock_keeps_out_all_but_hosts() -> None:
    for booked, room in ((with_access(locked=True), None), (meeting(), RoomNow(locked=True))):
        with pytest.raises(MeetingLocked):
            entry(booked, "guest", START, room)
        assert entry(booked, "host", START, room) is None


def test_a_room_that_a_host_has_unlocked_is_open_though_it_was_booked_as_locked() -> None:
    assert entry(with_access(locked=True), "guest", START, RoomNow(locked=False)) is None


def test_nobody_comes_into_a_full_meeting() -> None:
    assert entry(with_access(max_participants=2), "host", START, RoomNow(present=1)) is None
    with pytest.raises(MeetingFull):
        entry(with_access(max_participants=2), "host", START, RoomNow(present=2))


def test_guests_wait_for_the_host_and_then_do_not() -> None:
    booked = with_access(wait_for_host=True)
    assert entry(booked, "guest", START) == "host"
    assert entry(booked, "guest", START, RoomNow(host_present=True)) is None
    assert entry(booked, "host", START) is None


@pytest.mark.parametrize(("scope", "why"), [("none", None), ("guests", "admission"), ("all", "admission")])
def test_a_lobby_is_left_by_being_let_in(scope: str, why: str | None) -> None:
    assert entry(with_access(lobby=scope), "guest", START, RoomNow(host_present=True)) == why
    assert waits(with_access(lobby=scope, wait_for_host=True), "guest", host_present=False) == (why or "host")
    assert entry(with_access(lobby=scope), "host", START) is None


def test_a_lobby_for_all_keeps_the_next_host_waiting_while_one_is_there() -> None:
    assert waits(with_access(lobby="all"), "host", host_present=True) == "admission"
    assert waits(with_access(lobby="all"), "host", host_present=False) is None
    assert waits(with_access(lobby="guests"), "host", host_present=True) is None


def test_what_is_private_is_not_shown_when_a_meeting_is_printed() -> None:
    shown = repr(meeting(title="Psykiatri", organizer=Organizer(name="Åsa"), access=Access(pins=Pins(host=b"hash"))))
    assert not [word for word in ("Psykiatri", "Åsa", "hash") if word in shown]


def test_a_number_is_nine_digits_and_not_the_last_ones_neighbour() -> None:
    numbers = [new_number() for _ in range(200)]
    assert all(len(one) == 9 and one.isdecimal() and one[0] != "0" for one in numbers)
    assert len(set(numbers)) == 200
