"""Those whom a room calls: from the wish of a host, the API or the booking to a seat of their own, or to why not.

Whoever is called has no seat, hears nothing of the room and is not in it (S5.3-1). A front end (the `Dialler`) calls,
and tells what becomes of it; once somebody has answered, they take a seat by the same door as everybody else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import structlog

from mcu.booking.meeting import BookedParticipant, Meeting
from mcu.conference import policy
from mcu.conference.acts import CallOut, HangUp
from mcu.conference.roster import Called, Person, Roster, Stage
from mcu.errors import McuError, TooMany, Unavailable
from mcu.ids import CallId, LegId, ParticipantId, new_id

if TYPE_CHECKING:
    from mcu.conference.room import Room

log = structlog.get_logger(__name__)

MAX_CALLED: Final = 50  # of one room that are shown, those that are over included
SHOWN_S: Final = 120.0  # what came of a call stands so long


class Dialler(Protocol):
    """A front end that calls people."""

    def call(self, out: CallOut, room: "Room") -> None:
        """Begins to call, without waiting; `Room.call_came_to` is told what becomes of it.

        Raises what refuses it: `Invalid`, `Refused`, `TooMany` or `Unavailable`.
        """

    def hang_up(self, call: CallId) -> None:
        """Nothing where there is no such call that has not been answered."""


class Invitations:
    """One room's. What they are is on its roster."""

    def __init__(self, roster: Roster, dialler: Callable[[], Dialler | None], room: "Room") -> None:
        self._roster, self._dialler, self._room = roster, dialler, room
        self._booked: set[ParticipantId] = set()  # who have been called because the booking says so
        self._over: dict[CallId, float] = {}  # since when

    @property
    def going(self) -> bool:
        """Whether anybody may still come of it."""
        return any(one.stage in policy.UNDER_WAY for one in self._roster.called.values())

    def do(self, act: CallOut | HangUp, meeting: Meeting, now: datetime) -> None:
        """What policy has granted. Raises as `call`."""
        if isinstance(act, HangUp):
            self.hang_up(act.call)
        else:
            self.call(act, meeting, now)

    def call(self, out: CallOut, meeting: Meeting, now: datetime) -> None:
        """Raises as `policy.door` does where they could not come in, and as `Dialler.call`."""
        policy.door(self._roster, meeting, out.person.role, now)
        self._make_place()
        dialler = self._dialler()
        if dialler is None:
            raise Unavailable("This server calls nobody: see sip.addresses in the configuration.")
        dialler.call(out, self._room)
        self._show(out, Stage.CALLING)

    def call_due(self, meeting: Meeting, now: datetime) -> None:
        """Those whom the booking says to call, once each."""
        for one in policy.to_call(self._roster, meeting, now, self._booked):
            self._booked.add(one.id)
            out = _of(one, meeting)
            try:
                self.call(out, meeting, now)
            except McuError as error:
                log.warning("booked_call_not_made", call=out.call, code=error.code)
                self._show(out, Stage.FAILED)

    def begin(self, meeting: Meeting, *, restored: bool) -> None:
        """Of a room that runs since before this process, whom the booking says to call was called by the one before."""
        if restored:
            self._booked |= {one.id for one in meeting.participants}

    def changed(self, call: CallId, stage: Stage, leg: LegId | None) -> None:
        known = self._roster.called.get(call)
        if known is not None:
            self._roster.called[call] = msgspec.structs.replace(known, stage=stage, leg=leg or known.leg)

    def hang_up(self, call: CallId) -> None:
        """One that is over is shown no longer."""
        if self._roster.called[call].stage not in policy.UNDER_WAY:
            del self._roster.called[call]
        elif (dialler := self._dialler()) is not None:
            dialler.hang_up(call)

    def tick(self, now: float) -> None:
        """What came of a call is let go of when it has stood long enough."""
        for one in self._roster.called.values():
            if one.stage not in policy.UNDER_WAY:
                self._over.setdefault(one.call, now)
        for call in [call for call, since in self._over.items() if now - since > SHOWN_S]:
            self._roster.called.pop(call, None)
        self._over = {call: since for call, since in self._over.items() if call in self._roster.called}

    def close(self) -> None:
        """The room ends: nobody else is to come."""
        for one in list(self._roster.called.values()):
            if one.stage in policy.UNDER_WAY:
                self.hang_up(one.call)

    def _make_place(self) -> None:
        called = self._roster.called
        if len(called) >= MAX_CALLED:
            over = next((one.call for one in called.values() if one.stage not in policy.UNDER_WAY), None)
            if over is None:
                raise TooMany("This room calls as many as it may already.", retry_after=10)
            del called[over]

    def _show(self, out: CallOut, stage: Stage) -> None:
        person = out.person
        self._roster.called[out.call] = Called(
            call=out.call, name=person.name, role=person.role, participant=person.participant, stage=stage
        )


def _of(one: BookedParticipant, meeting: Meeting) -> CallOut:
    assert one.dial_out is not None
    person = Person(name=one.name, role=one.role, language=meeting.language, participant=one.id, kind="sip")
    return CallOut(call=CallId(new_id("call")), to=one.dial_out.uri or one.phone or "", person=person)
