"""Who is told what, and when it has been told already."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from house import Ear
from meetings import NOW, guest, host, roster, seat

from mcu.conference.audience import MAX_CHAT_KEPT, Audience
from mcu.conference.roster import Person, Roster, Seat
from mcu.conference.updates import (
    EndsAt,
    InLobby,
    NetworkNow,
    Noticed,
    Over,
    Picture,
    RoomNow,
    RosterNow,
    Said,
    Seated,
)
from mcu.ids import LegId, MeetingId, NoticeId, RoomId
from mcu.media.life import LegState
from mcu.media.messages import (
    Layout,
    LayoutChanged,
    NetworkChanged,
    NetworkLevel,
    NetworkTrouble,
    NoticeKind,
    NoticeRecord,
    Outcome,
)

PICTURE = LayoutChanged(room=RoomId("room_1"), viewers=[], layout=Layout.GRID, width=1280, height=720, tiles=[])


class Hall:
    """An audience with an ear in each seat."""

    def __init__(self, *seats: Seat) -> None:
        self.roster: Roster = roster(*seats)
        self.audience = Audience(self.roster)
        self.ears = {one.leg: self.sit(one) for one in seats}
        self.audience.refresh()

    def sit(self, one: Seat) -> Ear:
        ear = Ear()
        self.audience.name(one)
        self.audience.attach(one, ear, seated(one))
        return ear

    def __getitem__(self, leg: str) -> Ear:
        return self.ears[LegId(leg)]


def seated(one: Seat) -> Seated:
    return Seated(
        leg=one.leg,
        room=RoomId("room_1"),
        meeting=MeetingId("mtg_1"),
        person=one.person,
        title="Vårdplan",
    )


def record(kind: NoticeKind, about: tuple[str, ...], recipients: dict[str, Outcome]) -> NoticeRecord:
    return NoticeRecord(
        notice=NoticeId("ntc_1"),
        kind=kind,
        legs=tuple(LegId(leg) for leg in about),
        cause=None,
        wall_ms=int(NOW.timestamp() * 1000),
        tick=7,
        missed={},
        recipients={LegId(leg): outcome for leg, outcome in recipients.items()},
    )


def test_nobody_is_told_twice_what_has_not_changed() -> None:
    hall = Hall(seat("h", host()), seat("g", guest()))
    hall.audience.refresh()
    assert len(hall["g"].all(RosterNow)) == 1
    hall.roster.locked = True
    hall.audience.refresh()
    assert [update.locked for update in hall["g"].all(RoomNow)] == [False, True]
    assert len(hall["g"].all(RosterNow)) == 1


def test_who_waits_is_told_why_and_nothing_of_the_room() -> None:
    hall = Hall(seat("w", guest(), LegState.WAITING))
    hall.roster.add(seat("h", host()))
    hall.audience.refresh()
    hall.audience.say(LegId("h"), "hej", NOW)
    assert [update.reason for update in hall["w"].all(InLobby)] == ["host", "admission"]
    assert hall["w"].all(RoomNow) == []
    assert hall["w"].all(Said) == []
    assert [[line.leg for line in update.lines] for update in hall["w"].all(RosterNow)] == [["w"]]


def test_hosts_are_told_of_the_lobby_and_guests_are_not() -> None:
    hall = Hall(seat("h", host()), seat("g", guest()), seat("w", guest(), LegState.WAITING))
    assert [line.leg for line in hall["h"].all(RosterNow)[-1].lines] == ["h", "g", "w"]
    assert [line.leg for line in hall["g"].all(RosterNow)[-1].lines] == ["h", "g"]


def test_all_who_may_see_the_same_are_told_the_same_object_which_is_encoded_once() -> None:
    hall = Hall(seat("h", host()), seat("a", guest()), seat("b", guest()))
    assert hall["a"].all(RosterNow)[-1] is hall["b"].all(RosterNow)[-1]


def test_who_comes_back_is_given_what_was_said_since_it_came_and_nothing_from_before() -> None:
    hall = Hall(seat("h", host()))
    hall.audience.say(LegId("h"), "innan", NOW - timedelta(seconds=1))
    late = seat("g", guest())
    hall.roster.add(late)
    first = hall.sit(late)
    hall.audience.say(LegId("h"), "sedan", NOW + timedelta(seconds=1))
    second = hall.sit(late)
    assert [said.text for said in first.all(Said)] == ["sedan"]
    assert [said.text for said in second.all(Said)] == ["sedan"]


def test_of_the_chat_the_newest_lines_are_kept() -> None:
    hall = Hall(seat("h", host()))
    for number in range(MAX_CHAT_KEPT + 5):
        hall.audience.say(LegId("h"), str(number), NOW)
    again = hall.sit(next(iter(hall.roster)))
    assert [said.text for said in again.all(Said)] == [str(n) for n in range(5, MAX_CHAT_KEPT + 5)]


def test_a_second_front_end_takes_the_seat_and_the_first_is_told() -> None:
    hall = Hall(seat("g", guest()))
    second = hall.sit(next(iter(hall.roster)))
    assert hall["g"].told[-1] == Over(cause="replaced")
    hall.audience.detach(LegId("g"), hall["g"])  # the first closes late
    hall.audience.ends(NOW)
    assert second.told[-1] == EndsAt(at=NOW)


def test_a_notice_is_shown_once_to_each_recipient_and_not_to_those_it_is_about() -> None:
    hall = Hall(seat("h", host("Berg")), seat("a", guest("Anna")), seat("b", guest("Bo")))
    recipients = {"h": Outcome.PENDING, "a": Outcome.PENDING}
    hall.audience.notice(record(NoticeKind.JOINED, ("b",), recipients))
    hall.audience.notice(record(NoticeKind.JOINED, ("b",), dict.fromkeys(recipients, Outcome.RECEIVED)))
    assert [update.names for update in hall["a"].all(Noticed)] == [["Bo"]]
    assert len(hall["h"].all(Noticed)) == 1
    assert hall["b"].all(Noticed) == []


def test_two_who_join_together_are_each_told_of_the_other() -> None:
    hall = Hall(seat("a", guest("Anna")), seat("b", guest("Bo")))
    both = {"a": Outcome.PENDING, "b": Outcome.PENDING}
    hall.audience.notice(record(NoticeKind.JOINED, ("a", "b"), both))
    assert [update.names for update in hall["a"].all(Noticed)] == [["Bo"]]
    assert [update.names for update in hall["b"].all(Noticed)] == [["Anna"]]


@pytest.mark.policy("S5.3-1")
def test_what_a_leg_heard_before_its_page_was_there_is_shown_to_the_page_once() -> None:
    hall = Hall(seat("h", host("Berg")), seat("b", guest("Bo")))
    anna = seat("a", guest("Anna"))
    hall.roster.add(anna)
    hall.audience.notice(record(NoticeKind.JOINED, ("a", "b"), {"a": Outcome.PENDING, "h": Outcome.PENDING}))
    first, again = hall.sit(anna), hall.sit(anna)
    assert [update.names for update in first.all(Noticed)] == [["Bo"]]
    assert again.all(Noticed) == []


def test_what_a_leg_did_not_hear_its_page_is_told_in_a_summary_and_not_one_by_one() -> None:
    hall = Hall(seat("h", host("Berg")), seat("b", guest("Bo")))
    anna = seat("a", guest("Anna"))
    hall.roster.add(anna)
    hall.audience.notice(record(NoticeKind.JOINED, ("b",), {"a": Outcome.NOT_SENT, "h": Outcome.SENT}))
    assert hall.sit(anna).all(Noticed) == []


def test_of_one_who_has_left_the_name_is_still_known() -> None:
    hall = Hall(seat("a", guest("Anna")), seat("b", guest("Bo")))
    hall.roster.drop(LegId("b"))
    hall.audience.notice(record(NoticeKind.LEFT, ("b",), {"a": Outcome.PENDING}))
    assert [update.names for update in hall["a"].all(Noticed)] == [["Bo"]]


@pytest.mark.policy("S5.3-7")
@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.NOT_RECEIVED])
def test_hosts_and_only_hosts_are_told_whom_a_notice_did_not_reach(outcome: Outcome) -> None:
    hall = Hall(seat("h", host()), seat("a", guest("Anna")), seat("b", guest("Bo")), seat("c", guest("Cia")))
    hall.audience.notice(record(NoticeKind.JOINED, ("c",), {"h": Outcome.SENT, "a": Outcome.SENT, "b": Outcome.SENT}))
    hall.audience.notice(record(NoticeKind.JOINED, ("c",), {"h": Outcome.SENT, "a": outcome, "b": Outcome.SENT}))
    shown = hall["h"].all(Noticed)
    assert [[(one.name, one.outcome) for one in update.untold] for update in shown] == [[], [("Anna", outcome)]]
    assert [update.untold for update in hall["b"].all(Noticed)] == [[]]


def test_a_picture_is_told_to_those_who_see_it_and_again_to_one_who_comes_back() -> None:
    hall = Hall(seat("a", guest()), seat("b", guest()))
    event = LayoutChanged(
        room=RoomId("room_1"), viewers=[LegId("a")], layout=Layout.GRID, width=1280, height=720, tiles=[]
    )
    hall.audience.picture(LegId("a"), event)
    again = hall.sit(next(iter(hall.roster)))
    assert hall["a"].told[-2:][0] == again.told[-1]
    assert not [update for update in hall["b"].told if update == again.told[-1]]


def test_of_a_network_its_own_person_is_told_alone_and_again_when_they_come_back() -> None:
    hall = Hall(seat("a", guest()), seat("b", host()))
    weak = NetworkChanged(
        room=RoomId("room_1"), leg=LegId("a"), level=NetworkLevel.WEAK, trouble=NetworkTrouble.SENDING
    )
    hall.audience.network(LegId("a"), weak)
    told = NetworkNow(level=NetworkLevel.WEAK, trouble=NetworkTrouble.SENDING)
    assert hall["a"].all(NetworkNow) == [told]
    assert hall.sit(next(iter(hall.roster))).all(NetworkNow) == [told]
    assert hall["b"].all(NetworkNow) == []
    hall.audience.forget(LegId("a"))
    assert hall.sit(next(iter(hall.roster))).all(NetworkNow) == []


# -- before it is announced -----------------------------------------------------------------------------------------


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize("state", [LegState.CONNECTING, LegState.ANNOUNCING, LegState.RECONNECTING, LegState.HELD])
@pytest.mark.parametrize("role", [host, guest])
def test_who_is_not_announced_is_told_no_name_no_chat_no_picture_and_nothing_of_the_room(
    state: LegState, role: Callable[[str], Person]
) -> None:
    unseen = seat("u", role("Dag"), state, admitted=True, entered_at=None)
    hall = Hall(seat("h", host("Berg")), seat("g", guest("Anna")), unseen)
    hall.audience.say(LegId("h"), "hej", NOW)
    hall.audience.picture(LegId("u"), PICTURE)
    hall.audience.notice(record(NoticeKind.JOINED, ("g",), {"h": Outcome.NOT_RECEIVED}))
    hall.audience.refresh()
    again = hall.sit(unseen)
    hall.audience.refresh()
    for ear in (hall["u"], again):
        assert {type(update) for update in ear.told} <= {Seated, RosterNow, Over}
        assert [line.leg for told in ear.all(RosterNow) for line in told.lines] == ["u"]
    assert [line.leg for line in hall["g"].all(RosterNow)[-1].lines] == ["h", "g", "u"]  # the others do see it


@pytest.mark.policy("S5.3-1")
def test_who_comes_in_is_told_then_of_the_room_and_of_what_is_said_from_then_on() -> None:
    late = seat("g", guest("Anna"), LegState.ANNOUNCING)
    hall = Hall(seat("h", host()), late)
    hall.audience.say(LegId("h"), "innan", NOW)
    hall.audience.picture(LegId("g"), PICTURE)
    late.state, late.entered_at = LegState.IN_ROOM, NOW + timedelta(seconds=1)
    hall.audience.refresh()
    hall.audience.say(LegId("h"), "sedan", NOW + timedelta(seconds=2))
    assert [said.text for said in hall["g"].all(Said)] == ["sedan"]
    assert [line.leg for line in hall["g"].all(RosterNow)[-1].lines] == ["h", "g"]
    assert len(hall["g"].all(RoomNow)) == len(hall["g"].all(Picture)) == 1


@pytest.mark.policy("S5.3-1")
def test_who_was_announced_as_gone_and_is_back_on_hold_reads_on_when_it_is_announced_as_back() -> None:
    anna = seat("g", guest("Anna"), LegState.HELD, away=True)
    hall = Hall(seat("h", host()), anna)
    hall.audience.say(LegId("h"), "hej", NOW)
    hall.audience.refresh()
    assert hall["g"].all(Said) == []
    anna.state, anna.away = LegState.IN_ROOM, False
    hall.audience.refresh()
    assert [said.text for said in hall["g"].all(Said)] == ["hej"]
