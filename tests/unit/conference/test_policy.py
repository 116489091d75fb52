"""Who may do what: the whole of the policy, without a room."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetings import NOW, guest, host, meeting, roster, seat

from mcu.booking.rules import MeetingLocked
from mcu.conference import acts, policy
from mcu.conference.acts import (
    Act,
    Admit,
    End,
    MuteGuests,
    Post,
    Remove,
    SetCamera,
    SetHand,
    SetHeld,
    SetLegLayout,
    SetLegPersonal,
    SetLocked,
    SetMuted,
    SetRole,
    SetRoomLayout,
    SetRoomPersonal,
    SetScreen,
    SetSpotlight,
    Tell,
)
from mcu.conference.policy import HostsOnly, ThatPersonOnly, decide, door, overdue, releases, waits_for
from mcu.conference.roster import Role, Roster, Seat
from mcu.errors import Conflict, Invalid, McuError, MeetingFull, NotFound
from mcu.ids import LegId
from mcu.media.life import LegState
from mcu.media.messages import Cause, Layout

S = LegState
HOST, GUEST, OTHER, OUTSIDE = LegId("leg_h"), LegId("leg_g"), LegId("leg_o"), LegId("leg_w")
OPEN = meeting()


def room() -> Roster:
    """A host and two guests inside, a guest in the lobby."""
    return roster(
        seat(HOST, host()),
        seat(GUEST, guest("Anna")),
        seat(OTHER, guest("Bo")),
        seat(OUTSIDE, guest("Cia"), S.WAITING),
    )


def seat_of(there: Roster, leg: LegId) -> Seat:
    found = there.get(leg)
    assert found is not None
    return found


HOSTS_ACTS = [
    Admit(leg=OUTSIDE),
    Remove(leg=OTHER),
    SetMuted(leg=OTHER, muted=True),
    SetLocked(locked=True),
    SetRoomLayout(layout=Layout.GRID),
    SetRoomPersonal(personal=True),
    SetSpotlight(leg=OTHER),
    SetRole(leg=OTHER, role="host"),
    SetHand(leg=OTHER, raised=False),
    MuteGuests(),
    End(),
]


@pytest.mark.parametrize("act", HOSTS_ACTS, ids=lambda act: type(act).__name__)
def test_only_a_host_steers_the_room_and_other_people(act: Act) -> None:
    assert decide(room(), OPEN, HOST, act)
    assert decide(room(), OPEN, None, act)
    asker = NotFound if isinstance(act, Admit) else HostsOnly  # a guest does not even see the lobby
    with pytest.raises((asker, HostsOnly)):
        decide(room(), OPEN, GUEST, act)


@pytest.mark.parametrize("act", HOSTS_ACTS, ids=lambda act: type(act).__name__)
@pytest.mark.parametrize("state", [S.WAITING, S.CONNECTING, S.RECONNECTING])
def test_a_host_who_is_not_in_the_room_has_no_rights_yet(act: Act, state: LegState) -> None:
    waiting = roster(seat(HOST, host(), state), seat(OTHER, guest()), seat(OUTSIDE, guest(), S.WAITING))
    with pytest.raises((HostsOnly, NotFound)):
        decide(waiting, OPEN, HOST, act)


def test_a_host_turns_a_microphone_off_and_only_its_owner_on() -> None:
    muted = room()
    one = muted.get(OTHER)
    assert one is not None
    one.muted = True
    for asker in (HOST, None, GUEST):
        with pytest.raises((ThatPersonOnly, HostsOnly)):
            decide(muted, OPEN, asker, SetMuted(leg=OTHER, muted=False))
    assert decide(muted, OPEN, OTHER, SetMuted(leg=OTHER, muted=False)) == [SetMuted(leg=OTHER, muted=False)]


def test_muting_the_guests_leaves_hosts_and_the_lobby_alone() -> None:
    assert decide(room(), OPEN, HOST, MuteGuests()) == [
        SetMuted(leg=GUEST, muted=True),
        SetMuted(leg=OTHER, muted=True),
    ]


@pytest.mark.parametrize(
    "act",
    [
        SetHeld(leg=OTHER, held=True),
        SetCamera(leg=OTHER, on=True),
        SetScreen(leg=OTHER, on=True),
        SetHand(leg=OTHER, raised=True),
        Post(leg=OTHER, text="hej"),
        Tell(leg=OTHER, prompts=("muted",)),
    ],
    ids=lambda act: type(act).__name__,
)
def test_nobody_holds_shows_raises_writes_or_is_spoken_to_in_anothers_name(act: Act) -> None:
    for asker in (HOST, GUEST, None):
        with pytest.raises(ThatPersonOnly):
            decide(room(), OPEN, asker, act)
    assert decide(room(), OPEN, OTHER, act) == [act]


def test_a_browser_chooses_only_its_own_layout() -> None:
    mine = SetLegLayout(leg=GUEST, layout=Layout.GRID)
    assert decide(room(), OPEN, GUEST, mine) == [mine]
    assert decide(room(), OPEN, None, mine) == [mine]
    with pytest.raises(ThatPersonOnly):
        decide(room(), OPEN, HOST, mine)


def test_a_browser_chooses_only_its_own_view() -> None:
    mine = SetLegPersonal(leg=GUEST, personal=True)
    assert decide(room(), OPEN, GUEST, mine) == decide(room(), OPEN, None, mine) == [mine]
    with pytest.raises(ThatPersonOnly):
        decide(room(), OPEN, HOST, mine)


def test_one_shares_at_a_time_and_who_shares_next_takes_over() -> None:
    shared = room()
    for leg in (OTHER, OUTSIDE):
        seat_of(shared, leg).screen = True
    mine = SetScreen(leg=GUEST, on=True)
    assert decide(shared, OPEN, GUEST, mine) == [SetScreen(leg=OTHER, on=False), SetScreen(leg=OUTSIDE, on=False), mine]
    again = SetScreen(leg=OTHER, on=True)
    assert again in decide(shared, OPEN, OTHER, again)
    ended = SetScreen(leg=GUEST, on=False)
    assert decide(shared, OPEN, GUEST, ended) == [ended]


@pytest.mark.policy("S5.3-1")
def test_who_waits_outside_takes_no_share_from_those_inside() -> None:
    shared = room()
    seat_of(shared, OTHER).screen = True
    mine = SetScreen(leg=OUTSIDE, on=True)
    assert decide(shared, OPEN, OUTSIDE, mine) == [mine]


def test_where_only_hosts_share_a_guest_is_refused() -> None:
    hosts_share = replace(OPEN, presentation="hosts")
    with pytest.raises(HostsOnly):
        decide(room(), hosts_share, GUEST, SetScreen(leg=GUEST, on=True))
    for leg, on in ((HOST, True), (GUEST, False)):
        assert decide(room(), hosts_share, leg, SetScreen(leg=leg, on=on)) == [SetScreen(leg=leg, on=on)]


def test_who_leaves_hangs_up_and_who_is_sent_away_is_removed() -> None:
    assert decide(room(), OPEN, GUEST, Remove(leg=GUEST)) == [Remove(leg=GUEST, cause=Cause.HANGUP)]
    for asker in (HOST, None):
        sent_away = decide(room(), OPEN, asker, Remove(leg=GUEST, cause=Cause.NETWORK))
        assert sent_away == [Remove(leg=GUEST, cause=Cause.REMOVED)]
    assert decide(room(), OPEN, OUTSIDE, Remove(leg=OUTSIDE)) == [Remove(leg=OUTSIDE, cause=Cause.HANGUP)]


def test_a_guest_does_not_learn_who_is_in_the_lobby() -> None:
    for act in (SetMuted(leg=OUTSIDE, muted=True), Remove(leg=OUTSIDE), SetSpotlight(leg=OUTSIDE)):
        with pytest.raises((NotFound, HostsOnly)):
            decide(room(), OPEN, GUEST, act)
    with pytest.raises(NotFound):
        decide(room(), OPEN, OUTSIDE, Remove(leg=HOST))


@pytest.mark.parametrize("act", [Post(leg=OUTSIDE, text="hej"), SetHand(leg=OUTSIDE, raised=True)])
def test_nothing_is_written_or_raised_from_the_lobby(act: Act) -> None:
    with pytest.raises(Conflict):
        decide(room(), OPEN, OUTSIDE, act)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001])
def test_a_line_of_chat_is_between_one_and_two_thousand_characters(text: str) -> None:
    with pytest.raises(Invalid):
        decide(room(), OPEN, GUEST, Post(leg=GUEST, text=text))


def test_what_is_asked_together_is_judged_as_it_will_be_when_it_is_done() -> None:
    earlier = decide(room(), OPEN, None, Admit(leg=OUTSIDE))
    shown = SetSpotlight(leg=OUTSIDE)
    assert decide(room(), OPEN, None, shown, earlier) == [shown]
    assert decide(room(), OPEN, None, Admit(leg=OUTSIDE), earlier) == []
    with pytest.raises(Conflict):
        decide(room(), OPEN, None, shown)


@pytest.mark.parametrize("act", HOSTS_ACTS, ids=lambda act: type(act).__name__)
def test_a_host_whom_nobody_has_been_told_of_decides_nothing(act: Act) -> None:
    unseen = roster(seat(HOST, host(), S.ANNOUNCING), seat(OTHER, guest()), seat(OUTSIDE, guest(), S.WAITING))
    with pytest.raises((HostsOnly, NotFound)):
        decide(unseen, OPEN, HOST, act)


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize("act", [SetHeld(leg=GUEST, held=True), Post(leg=GUEST, text="hej")])
def test_who_is_not_announced_yet_neither_goes_on_hold_nor_writes(act: Act) -> None:
    with pytest.raises(Conflict):
        decide(roster(seat(HOST, host()), seat(GUEST, guest(), S.ANNOUNCING)), OPEN, GUEST, act)


def test_nobody_who_has_left_decides_anything() -> None:
    with pytest.raises(NotFound):
        decide(room(), OPEN, LegId("leg_gone"), SetLocked(locked=True))


# -- the door -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "role", "straight_in"),
    [
        ({}, "guest", True),
        ({}, "host", True),
        ({"lobby": "guests"}, "guest", False),
        ({"lobby": "guests"}, "host", True),
        ({"lobby": "all"}, "guest", False),
        ({"wait_for_host": True}, "guest", False),
        ({"wait_for_host": True}, "host", True),
    ],
)
def test_who_goes_straight_in_to_an_empty_room(access: dict[str, object], role: Role, straight_in: bool) -> None:
    assert door(roster(), meeting(**access), role, NOW) is straight_in


def test_a_locked_room_takes_hosts_and_no_new_guest() -> None:
    locked = roster(seat(HOST, host()), locked=True)
    assert door(locked, OPEN, "host", NOW)
    with pytest.raises(MeetingLocked):
        door(locked, OPEN, "guest", NOW)


def test_a_full_room_takes_nobody_and_the_lobby_does_not_fill_it() -> None:
    two = meeting(max_participants=2, lobby="guests")
    with_room_left = roster(seat(HOST, host()), *(seat(f"leg_{n}", guest(), S.WAITING) for n in range(10)))
    assert door(with_room_left, two, "host", NOW)
    full = roster(seat(HOST, host()), seat(GUEST, guest()))
    with pytest.raises(MeetingFull):
        door(full, two, "host", NOW)


def test_a_host_cannot_let_in_more_than_were_booked() -> None:
    full = roster(seat(HOST, host()), seat(GUEST, guest()), seat(OUTSIDE, guest(), S.WAITING))
    with pytest.raises(MeetingFull):
        decide(full, meeting(max_participants=2), HOST, Admit(leg=OUTSIDE))


def test_the_lobby_has_a_bound() -> None:
    waiting = [seat(f"leg_{n}", guest(), S.WAITING) for n in range(policy.MAX_WAITING)]
    with pytest.raises(MeetingFull):
        door(roster(*waiting), meeting(lobby="guests"), "guest", NOW)


def test_guests_who_wait_for_the_host_are_let_in_when_one_is_there() -> None:
    waits = meeting(wait_for_host=True)
    lobby = [seat(GUEST, guest(), S.WAITING), seat(OTHER, guest(), S.WAITING)]
    assert releases(roster(*lobby), waits) == []
    connecting = roster(*lobby, seat(HOST, host(), S.CONNECTING, admitted=True))
    assert releases(connecting, waits) == []
    there = roster(*lobby, seat(HOST, host(), S.ANNOUNCING))
    assert releases(there, waits) == [Admit(leg=GUEST), Admit(leg=OTHER)]
    assert releases(there, meeting(wait_for_host=True, max_participants=2)) == [Admit(leg=GUEST)]


def test_a_lobby_for_guests_is_left_only_by_a_hosts_word() -> None:
    there = roster(seat(HOST, host()), seat(OUTSIDE, guest(), S.WAITING))
    assert releases(there, meeting(lobby="guests", wait_for_host=True)) == []
    there.locked = True
    assert releases(there, meeting(wait_for_host=True)) == []


def test_who_waits_is_told_for_whom() -> None:
    assert waits_for(roster(seat(OUTSIDE, guest(), S.WAITING))) == "host"
    assert waits_for(room()) == "admission"


def test_a_leg_whose_media_does_not_come_up_goes() -> None:
    late = roster(seat(GUEST, guest(), S.CONNECTING), seat(OTHER, guest(), S.RECONNECTING))
    assert overdue(late, 1000.0 + policy.CONNECT_S) == []
    assert overdue(late, 1000.1 + policy.CONNECT_S) == [Remove(leg=GUEST, cause=Cause.FAILED)]


# -- breadth --------------------------------------------------------------------------------------------------------

LEGS = st.sampled_from([HOST, GUEST, OTHER, OUTSIDE, LegId("leg_none")])
ANY_ACT = st.one_of(
    *(
        st.from_type(kind)
        for kind in vars(acts).values()
        if isinstance(kind, type) and issubclass(kind, Act) and kind is not Act
    )
)
st.register_type_strategy(str, LEGS)  # what ids are


@given(act=ANY_ACT, asker=st.one_of(st.none(), LEGS))
def test_every_act_is_judged_by_a_rule_and_judging_changes_nothing(act: Act, asker: LegId | None) -> None:
    before, after = room(), room()
    try:
        granted = decide(after, OPEN, asker, act)
    except McuError:
        granted = []
    assert all(isinstance(one, Act) and not isinstance(one, MuteGuests) for one in granted)
    assert after.lines() == before.lines()


@pytest.mark.policy("S5.3-3")
def test_no_act_has_a_word_for_keeping_a_notice_from_anybody() -> None:
    """Each act's fields are named here: a new one must be looked at before this passes again."""
    fields = {kind.__name__: set(kind.__struct_fields__) for kind in policy._RULES}
    assert fields == {
        "Admit": {"leg"},
        "SetMuted": {"leg", "muted"},
        "SetHeld": {"leg", "held"},
        "SetCamera": {"leg", "on"},
        "SetScreen": {"leg", "on"},
        "SetHand": {"leg", "raised"},
        "SetRole": {"leg", "role"},
        "SetLegLayout": {"leg", "layout"},
        "SetLegPersonal": {"leg", "personal"},
        "SetRoomLayout": {"layout"},
        "SetRoomPersonal": {"personal"},
        "SetLocked": {"locked"},
        "SetSpotlight": {"leg"},
        "Post": {"leg", "text"},
        "Tell": {"leg", "prompts", "voice"},
        "Remove": {"leg", "cause"},
        "CallOut": {"call", "to", "person"},
        "HangUp": {"call"},
        "MuteGuests": set(),
        "End": set(),
    }
    assert set(get_args(Role)) == {"host", "guest"}  # no ghost, no supervisor who is not seen
