"""A telephone's keys in a room, and what is told to it: keys and news in, acts and words out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mcu.conference.acts import (
    Act,
    Admit,
    End,
    MuteGuests,
    SetHand,
    SetLegLayout,
    SetLocked,
    SetMuted,
    SetRoomLayout,
)
from mcu.conference.policy import HostsOnly
from mcu.conference.roster import Line, Role
from mcu.conference.updates import EndsAt, InLobby, Noticed, Picture, RoomNow, RosterNow, Told, Untold, Update
from mcu.errors import Conflict
from mcu.ids import LegId, NoticeId
from mcu.media import prompts
from mcu.media.life import LegState
from mcu.media.messages import Layout, NoticeKind, Outcome, Personal
from mcu.signalling.sip.controls import AGAIN_S, BETWEEN_S, STILL_S, Controls, Do
from mcu.signalling.sip.prompts import Prompt, number

ME, BERG, ANNA = LegId("leg_me"), LegId("leg_berg"), LegId("leg_anna")
WALL = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
P = Prompt


def line(leg: LegId, role: Role = "guest", state: LegState = LegState.IN_ROOM) -> Line:
    return Line(
        leg=leg,
        name=leg,
        role=role,
        kind="sip" if leg == ME else "webrtc",
        state=state,
        muted=False,
        camera=False,
        screen=False,
        hand=0,
        speaking=False,
    )


def noticed(kind: NoticeKind, *names: str, notice: str = "", untold: bool = False) -> Noticed:
    failed = [Untold(leg=BERG, name="Berg", outcome=Outcome.NOT_SENT)] if untold else []
    name = NoticeId(notice or f"ntc_{kind}_{names}")
    return Noticed(notice=name, kind=kind, names=list(names), missed={}, at=WALL, untold=failed)


@dataclass
class Caller:
    """One in a room with Berg, its host, and with Anna, who waits in the lobby."""

    role: Role = "guest"
    now: float = 100.0
    done: list[Do] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.controls = Controls(ME)
        self.lines = [line(BERG, "host"), line(ME, self.role)]
        if self.role == "host":
            self.lines.append(line(ANNA, state=LegState.WAITING))

    def enter(self) -> "Caller":
        self.hears(RosterNow(lines=list(self.lines)))
        self.hears(Told())
        return self

    def hears(self, update: Update) -> list[str]:
        self.done = self.controls.heard_of(update, self.now, WALL)
        return self.words

    def press(self, keys: str) -> list[str]:
        self.done = [one for key in keys for one in self.controls.key(key, self.now)]
        return self.words

    def sees(self, leg: LegId, **changes: object) -> list[str]:
        """The roster with one line changed, from now on."""
        roster = self.roster(leg, **changes)
        self.lines = list(roster.lines)
        return self.hears(roster)

    def roster(self, leg: LegId, **changes: object) -> RosterNow:
        return RosterNow(
            lines=[msgspec.structs.replace(one, **changes) if one.leg == leg else one for one in self.lines]
        )

    def wait(self, seconds: float) -> list[str]:
        self.done, until = [], self.now + seconds
        while (due := self.controls.next_timer()) is not None and due <= until:
            self.now = due
            self.done += self.controls.handle_timer(due)
        self.now = until
        return self.words

    @property
    def words(self) -> list[str]:
        return [word for one in self.done for word in one.words]

    @property
    def acts(self) -> list[Act]:
        return [act for one in self.done for act in one.acts]


@pytest.fixture
def guest() -> Caller:
    return Caller().enter()


@pytest.fixture
def host() -> Caller:
    return Caller("host").enter()


@pytest.mark.parametrize(
    ("keys", "acts", "words"),
    [
        ("*1", [Admit(leg=ANNA)], [P.ADMITTED]),
        ("*2", [], [P.ONE_WAITS]),
        ("*3", [SetHand(leg=ME, raised=True)], [P.HAND_UP]),
        ("*4", [], [P.PRESENTATION_NONE]),
        ("*5", [MuteGuests()], [P.GUESTS_MUTED]),
        ("*6", [SetMuted(leg=ME, muted=True)], [P.MUTED]),
        ("*7", [SetLocked(locked=True)], [P.LOCKED]),
        ("*8", [SetRoomLayout(layout=Layout.SPEAKER)], [P.LAYOUT_SPEAKER]),
        ("*9", [], ["n2", P.HERE, "n2", P.HOSTS, P.ONE_TELEPHONE, P.ONE_WAITS]),
        ("*0", [], [P.HELP, P.HELP_HOST]),
        ("##", [], [P.END_AGAIN]),
    ],
)
def test_each_command_asks_for_its_act_and_has_an_answer(
    host: Caller, keys: str, acts: list[Act], words: list[str]
) -> None:
    assert host.press(keys) == words
    assert host.acts == acts


def test_what_was_turned_on_is_turned_off_by_the_same_keys(host: Caller) -> None:
    host.sees(ME, muted=True, hand=1)
    host.hears(RoomNow(locked=True, layout=Layout.AUTO, spotlight=None, active=None))
    assert host.press("*6*3*7") == [P.UNMUTED, P.HAND_DOWN, P.UNLOCKED]
    assert host.acts == [SetMuted(leg=ME, muted=False), SetHand(leg=ME, raised=False), SetLocked(locked=False)]


def test_a_guest_who_asks_for_a_hosts_right_is_told_so(guest: Caller) -> None:
    for keys in ("*1", "*2", "##"):
        assert guest.press(keys) == [P.ONLY_HOST]
        assert not guest.acts
    assert guest.controls.refused(HostsOnly(), guest.now) == (P.ONLY_HOST,)
    assert guest.controls.refused(Conflict(), guest.now) == (P.CANNOT,)
    assert guest.press("*0") == [P.HELP]


def test_a_lost_key_is_not_another_command(guest: Caller) -> None:
    for keys in ("6", "#6", "96#", "*A6", "1234567890ABCD", "*"):
        assert guest.press(keys) == []
        guest.now += BETWEEN_S + 0.1
    assert guest.press("6") == []
    assert guest.press("**6") == [P.MUTED]


def test_the_meeting_ends_when_it_is_pressed_twice_in_time(host: Caller) -> None:
    host.press("##")
    assert host.press("##") == []
    assert host.acts == [End()]
    later = Caller("host").enter()
    later.press("##")
    later.now += AGAIN_S + 0.1
    assert later.press("##") == [P.END_AGAIN]
    assert not later.acts


def test_with_a_picture_the_layout_is_its_own_and_the_presentation_goes_in_and_out(guest: Caller) -> None:
    guest.hears(Picture(layout=Layout.GRID, width=1280, height=720, tiles=[], content=None, personal=Personal.SHARED))
    assert guest.press("*8") == [P.LAYOUT_SPEAKER]
    assert guest.acts == [SetLegLayout(leg=ME, layout=Layout.SPEAKER)]
    assert guest.press("*4") == [P.PRESENTATION_IN]
    assert guest.acts == [SetLegLayout(leg=ME, layout=None)]
    assert guest.press("*4") == [P.PRESENTATION_OUT]
    assert guest.acts == [SetLegLayout(leg=ME, layout=Layout.SPEAKER_WITH_TILES)]


def test_without_a_picture_it_is_told_whether_somebody_presents(guest: Caller) -> None:
    guest.sees(BERG, screen=True)
    assert guest.press("*4") == [P.PRESENTATION_SHOWN]


def test_who_is_alone_hears_so(guest: Caller) -> None:
    guest.hears(RosterNow(lines=[line(ME)]))
    assert guest.press("*9") == [P.ALONE]


# -- coming in ------------------------------------------------------------------------------------------------------


def test_who_comes_in_is_told_once_and_whether_its_microphone_is_off() -> None:
    caller = Caller()
    assert caller.sees(ME, state=LegState.CONNECTING) == []
    assert caller.sees(ME, state=LegState.IN_ROOM, muted=True) == [P.ENTERED, P.IS_MUTED]
    caller.hears(Told())
    caller.sees(ME, state=LegState.HELD)
    assert caller.sees(ME, state=LegState.IN_ROOM) == []


def test_who_waits_is_told_why_and_again_and_of_being_let_in() -> None:
    caller = Caller()
    caller.sees(ME, state=LegState.WAITING)
    assert caller.hears(InLobby(reason="host")) == [P.LOBBY_HOST]
    caller.hears(Told())
    assert caller.hears(InLobby(reason="admission")) == [P.LOBBY_ADMISSION]
    caller.hears(Told())
    assert caller.wait(STILL_S) == [P.STILL_WAITING]
    caller.hears(Told())
    assert caller.wait(STILL_S) == [P.STILL_WAITING]
    caller.hears(Told())
    assert caller.press("*7*9*3") == [P.CANNOT] * 3
    assert caller.press("*0") == [P.HELP_LOBBY]
    assert caller.press("*6") == [P.MUTED]
    caller.hears(Told())
    assert caller.sees(ME, state=LegState.IN_ROOM, muted=True) == [P.LET_IN]
    assert caller.wait(10 * STILL_S) == []


# -- what happens there ---------------------------------------------------------------------------------------------


def test_what_happens_is_told_after_what_is_being_said_and_summed_up(guest: Caller) -> None:
    guest.press("*6")
    assert guest.hears(noticed(NoticeKind.JOINED, "a")) == []
    assert guest.hears(noticed(NoticeKind.JOINED, "b", "c")) == []
    assert guest.hears(noticed(NoticeKind.LEFT, "d")) == []
    assert guest.hears(Told()) == ["n3", P.JOINED, P.ONE_LEFT]
    assert guest.hears(Told()) == []


def test_an_answer_goes_before_news_that_is_being_told_and_they_are_told_again_after_it(guest: Caller) -> None:
    assert guest.hears(noticed(NoticeKind.RECONNECTED, "a")) == [P.ONE_BACK]
    assert guest.press("*6") == [P.MUTED]
    assert guest.hears(noticed(NoticeKind.JOINED, "b")) == []
    assert guest.hears(Told()) == [P.ONE_BACK, P.ONE_JOINED]
    assert guest.hears(Told()) == []


def test_words_whose_end_is_never_told_hold_up_nothing(guest: Caller) -> None:
    guest.press("*6")
    guest.hears(noticed(NoticeKind.JOINED, "a"))
    assert guest.wait(120) == [P.ONE_JOINED]


def test_of_itself_alone_and_of_the_same_again_it_is_told_nothing(host: Caller) -> None:
    assert host.hears(noticed(NoticeKind.JOINED)) == []
    host.hears(noticed(NoticeKind.JOINED, "a", notice="ntc_1"))
    host.hears(Told())
    assert host.hears(noticed(NoticeKind.JOINED, "a", notice="ntc_1")) == []
    assert host.hears(noticed(NoticeKind.JOINED, "a", notice="ntc_1", untold=True)) == [P.NOT_ALL_TOLD]


@pytest.mark.policy("S5.3-6")
def test_what_was_missed_is_summed_up(guest: Caller) -> None:
    missed = {NoticeKind.JOINED: 2, NoticeKind.LEFT: 1}
    told = Noticed(notice=NoticeId("ntc_m"), kind=NoticeKind.MISSED, names=[], missed=missed, at=WALL, untold=[])
    assert guest.hears(told) == [P.WHILE_AWAY, "n2", P.JOINED, P.ONE_LEFT]


def test_what_a_host_does_to_it_is_told_and_what_it_does_itself_is_not(guest: Caller) -> None:
    guest.press("*6")
    guest.hears(Told())
    assert guest.sees(ME, muted=True) == []
    guest.press("*6*3")
    guest.hears(Told())
    assert guest.sees(ME, muted=False, hand=1) == []
    assert guest.sees(ME, muted=True) == [P.MUTED_BY_HOST]
    guest.hears(Told())
    assert guest.sees(ME, hand=0) == [P.HAND_LOWERED]
    guest.hears(Told())
    assert guest.sees(ME, role="host") == [P.IS_HOST]


def test_a_roster_in_which_others_alone_have_changed_is_known_and_taken_note_of(guest: Caller, host: Caller) -> None:
    for caller in (guest, host):
        assert caller.controls.is_known(caller.roster(BERG, speaking=True))
        assert not caller.controls.is_known(caller.roster(ME, hand=1))
    assert not host.controls.is_known(host.roster(ANNA, state=LegState.IN_ROOM))
    assert guest.controls.is_known(RosterNow(lines=[line(ME)]))
    assert guest.press("*9") == [P.ALONE]


def test_that_another_is_in_the_picture_is_known_and_a_lock_is_not(guest: Caller) -> None:
    def room(**changes: object) -> RoomNow:
        return msgspec.structs.replace(
            RoomNow(locked=False, layout=Layout.AUTO, spotlight=None, active=None), **changes
        )

    assert guest.controls.is_known(room(active=BERG))
    assert guest.controls.is_known(room(spotlight=BERG))
    assert not guest.controls.is_known(room(layout=Layout.GRID))
    assert not guest.controls.is_known(room(locked=True))
    guest.hears(room(locked=True))
    assert guest.controls.is_known(room(locked=True, active=BERG))


def test_a_host_is_told_when_another_waits(host: Caller) -> None:
    host.lines.append(line(LegId("leg_new"), state=LegState.WAITING))
    assert host.hears(RosterNow(lines=list(host.lines))) == ["n2", P.WAIT]
    host.hears(Told())
    assert host.sees(ANNA, state=LegState.IN_ROOM) == []


@pytest.mark.parametrize(("seconds", "words"), [(300, ["n5", P.MINUTES]), (30, [P.ONE_MINUTE])])
def test_that_the_meeting_ends_is_told_in_minutes(guest: Caller, seconds: int, words: list[str]) -> None:
    assert guest.hears(EndsAt(at=WALL + timedelta(seconds=seconds))) == [P.ENDS_IN, *words]
    guest.hears(Told())
    assert guest.hears(EndsAt(at=None)) == []


# -- the words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "n0"),
        (1, "n1"),
        (20, "n20"),
        (21, "n20 n1"),
        (70, "n70"),
        (99, "n90 n9"),
        (100, "n1 n100"),
        (240, "n2 n100 n40"),
    ],
)
def test_numbers_are_put_together(count: int, words: str) -> None:
    assert number(count) == tuple(words.split())


@pytest.mark.parametrize("language", ["sv", "en"])
def test_everything_that_is_said_is_written_in_each_language(language: str) -> None:
    text = (prompts.BUILT / f"{language}.txt").read_text("utf-8")
    written = [name for name, _, words in (entry.partition("|") for entry in text.splitlines()) if words]
    numbers = {word for count in range(1000) for word in number(count)}
    assert sorted(written) == sorted({str(prompt) for prompt in Prompt} | numbers)
