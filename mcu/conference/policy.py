"""Who may do what in a room, and what follows: pure, (roster, event) → acts. The room carries them out.

Whoever is let in is announced by the worker; nothing here can let anybody in without that, or silence it (S5.3-3).
Choices made here:
- A host may mute another; only that person unmutes, and a host's microphone is as private as anybody's.
- A returning seat is never asked again: the lock, the lobby and the limit are for those who are new.
- Rights go with being in the room. A host who waits in the lobby, is not announced yet, or is away, decides nothing.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from mcu.booking.meeting import BookedParticipant, Meeting
from mcu.booking.rules import RoomNow, entry, waits
from mcu.conference.acts import (
    Act,
    Admit,
    CallOut,
    End,
    HangUp,
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
from mcu.conference.roster import Role, Roster, Seat, Stage, Wait
from mcu.errors import Conflict, Invalid, MeetingFull, NotFound, Refused
from mcu.ids import LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import Cause

CONNECT_S = 15.0  # a leg whose media is not up by then goes
MAX_WAITING = 50  # seats in one lobby
MAX_CHAT = 2000  # characters of one line
UNDER_WAY = frozenset({Stage.CALLING, Stage.RINGING, Stage.ANSWERED})  # of a call: it may become a seat


class HostsOnly(Refused):
    """A host's right, asked for by somebody who is none, or who is not in the room."""

    code, title = "hosts-only", "Only a host may do this"


class ThatPersonOnly(Refused):
    """Somebody's own affair, asked for by another."""

    code, title = "that-person-only", "Only that person may do this"


class Ask:
    """An act that somebody asks for, with what is needed to judge it. `asker` `None`: the API, with `rooms:control`."""

    def __init__(self, roster: Roster, meeting: Meeting, asker: Seat | None, earlier: Sequence[Act]) -> None:
        self.roster, self.meeting, self.asker = roster, meeting, asker
        self._let_in = {act.leg for act in earlier if isinstance(act, Admit)}

    def is_self(self, leg: LegId) -> bool:
        return self.asker is not None and self.asker.leg == leg

    def seat(self, leg: LegId) -> Seat:
        seat = self.roster.get(leg)
        if seat is None or not self._sees(seat):
            raise NotFound("Nobody here sits in that seat.")
        return seat

    def admitted(self, leg: LegId) -> bool:
        """Let in, or about to be by an act that was granted together with this one."""
        return self.seat(leg).admitted or leg in self._let_in

    def need_host(self) -> None:
        if self.asker is not None and not (self.asker.is_host and self.asker.here and self.asker.knows):
            raise HostsOnly("You have to be in the room, too.")

    def need_self(self, leg: LegId) -> None:
        if not self.is_self(leg):
            raise ThatPersonOnly("It is about somebody else.")

    def _sees(self, seat: Seat) -> bool:
        if self.asker is None or self.asker is seat:
            return True
        return self.asker.knows and (seat.admitted or self.asker.is_host)


def decide(roster: Roster, meeting: Meeting, who: LegId | None, act: Act, earlier: Sequence[Act] = ()) -> list[Act]:
    """What is to be carried out. Raises `Refused`, `NotFound`, `Conflict` or `Invalid`, and then nothing changes.

    `who` is the asker's own seat, or `None` for the API. `earlier`: what has been granted and is done before this.
    """
    asker = None if who is None else roster.get(who)
    if who is not None and asker is None:
        raise NotFound("You have left the room.")
    return _RULES[type(act)](Ask(roster, meeting, asker, earlier), act)


def door(roster: Roster, meeting: Meeting, role: Role, now: datetime) -> bool:
    """May somebody new take a seat: `True`, and straight in; `False`, into the lobby.

    Raises `NotOpen`, `MeetingOver`, `MeetingLocked` or `MeetingFull`.
    """
    room = RoomNow(present=len(roster.inside), host_present=roster.host_here, locked=roster.locked)
    if entry(meeting, role, now, room) is None:
        return True
    if len(roster.waiting) >= MAX_WAITING:
        raise MeetingFull("Too many wait to be let in.")
    return False


def releases(roster: Roster, meeting: Meeting) -> list[Admit]:
    """Those whom nothing keeps in the lobby any more: the host they waited for has come. Asked after each change."""
    if roster.locked:
        return []
    free = meeting.access.max_participants - len(roster.inside)
    host = roster.host_here
    ready = [seat.leg for seat in roster.waiting if waits(meeting, seat.person.role, host_present=host) is None]
    return [Admit(leg=leg) for leg in ready[: max(free, 0)]]


def waits_for(roster: Roster) -> Wait:
    """Why anybody is in the lobby, as it is told to them: with no host here, there is nobody to let them in."""
    return "admission" if roster.host_here else "host"


def overdue(roster: Roster, now: float) -> list[Remove]:
    """Seats whose media has not come up in time."""
    late = [seat for seat in roster if seat.state is LegState.CONNECTING and now - seat.since > CONNECT_S]
    return [Remove(leg=seat.leg, cause=Cause.FAILED) for seat in late]


def to_call(
    roster: Roster, meeting: Meeting, now: datetime, called: Collection[ParticipantId]
) -> list[BookedParticipant]:
    """Those whom the booking says to call now: nobody into a room in which nobody is, nobody who has been called.

    "At the start" is not before the booked time, however early somebody came.
    """
    begun = meeting.start is None or now >= meeting.start
    when = {"at_start": begun and any(seat.here for seat in roster), "on_host_join": roster.host_here}
    seated = {seat.person.participant for seat in roster}
    return [
        one
        for one in meeting.participants
        if one.dial_out is not None and when[one.dial_out.when] and one.id not in called and one.id not in seated
    ]


# -- one rule for each act ------------------------------------------------------------------------------------------


def _admit(ask: Ask, act: Admit) -> list[Act]:
    ask.need_host()
    if ask.admitted(act.leg):
        return []
    if len(ask.roster.inside) >= ask.meeting.access.max_participants:
        raise MeetingFull("Somebody has to leave first.")
    return [act]


def _set_muted(ask: Ask, act: SetMuted) -> list[Act]:
    seat = ask.seat(act.leg)
    if not ask.is_self(act.leg):
        ask.need_host()
        if not act.muted and seat.muted:
            raise ThatPersonOnly("A microphone that was turned off is turned on by its owner.")
    return [act] if seat.muted != act.muted else []


def _set_held(ask: Ask, act: SetHeld) -> list[Act]:
    ask.need_self(act.leg)
    seat = ask.seat(act.leg)
    if not (seat.here and seat.entered):  # on hold before it was announced, it would sit here unannounced
        raise Conflict("You are not in the room.")
    return [act]


def _for_that_person(ask: Ask, act: SetCamera | Tell) -> list[Act]:
    ask.need_self(act.leg)
    return [act]


def _set_screen(ask: Ask, act: SetScreen) -> list[Act]:
    """One shares at a time: who shares next takes over."""
    ask.need_self(act.leg)
    if not act.on:
        return [act]
    seat = ask.seat(act.leg)
    if ask.meeting.presentation == "hosts" and not seat.is_host:
        raise HostsOnly("In this meeting hosts share.")
    former = [SetScreen(leg=other.leg, on=False) for other in ask.roster if other.screen and other is not seat]
    return [*(former if seat.knows else []), act]  # who waits outside takes nothing from those inside


def _set_hand(ask: Ask, act: SetHand) -> list[Act]:
    admitted = ask.admitted(act.leg)
    if act.raised:
        ask.need_self(act.leg)
    elif not ask.is_self(act.leg):
        ask.need_host()
    if not admitted:
        raise Conflict("Nobody in the room sees a hand in the lobby.")
    return [act]


def _set_role(ask: Ask, act: SetRole) -> list[Act]:
    ask.need_host()
    return [act] if ask.seat(act.leg).person.role != act.role else []


def _own_view(ask: Ask, act: SetLegLayout | SetLegPersonal) -> list[Act]:
    ask.seat(act.leg)
    if ask.asker is not None:
        ask.need_self(act.leg)
    return [act]


def _for_hosts(ask: Ask, act: SetRoomLayout | SetRoomPersonal | SetLocked | CallOut | End) -> list[Act]:
    ask.need_host()
    return [act]


def _set_spotlight(ask: Ask, act: SetSpotlight) -> list[Act]:
    ask.need_host()
    if act.leg is not None and not ask.admitted(act.leg):
        raise Conflict("That person is not in the room.")
    return [act]


def _post(ask: Ask, act: Post) -> list[Act]:
    ask.need_self(act.leg)
    if not ask.seat(act.leg).knows:
        raise Conflict("You are not in the room.")
    if not 1 <= len(act.text.strip()) <= MAX_CHAT or len(act.text) > MAX_CHAT:
        raise Invalid(f"Write 1 to {MAX_CHAT} characters.")
    return [act]


def _remove(ask: Ask, act: Remove) -> list[Act]:
    ask.seat(act.leg)
    if ask.is_self(act.leg):
        return [Remove(leg=act.leg, cause=Cause.HANGUP)]
    ask.need_host()
    return [Remove(leg=act.leg, cause=Cause.REMOVED)]


def _hang_up(ask: Ask, act: HangUp) -> list[Act]:
    ask.need_host()
    if act.call not in ask.roster.called:
        raise NotFound("Nobody is called by that name.")
    return [act]


def _mute_guests(ask: Ask, act: MuteGuests) -> list[Act]:
    ask.need_host()
    return [SetMuted(leg=seat.leg, muted=True) for seat in ask.roster.inside if not seat.is_host and not seat.muted]


_RULES: dict[type[Act], Callable[[Ask, Any], list[Act]]] = {
    Admit: _admit,
    SetMuted: _set_muted,
    SetHeld: _set_held,
    SetCamera: _for_that_person,
    SetScreen: _set_screen,
    SetHand: _set_hand,
    SetRole: _set_role,
    SetLegLayout: _own_view,
    SetLegPersonal: _own_view,
    SetRoomLayout: _for_hosts,
    SetRoomPersonal: _for_hosts,
    SetLocked: _for_hosts,
    SetSpotlight: _set_spotlight,
    Post: _post,
    Tell: _for_that_person,
    Remove: _remove,
    CallOut: _for_hosts,
    HangUp: _hang_up,
    MuteGuests: _mute_guests,
    End: _for_hosts,
}
