"""Who is in a room, as a value that one room owns: seats, what their people have chosen, and the room's own switches.

It answers questions and holds what was decided. It decides nothing (that is `policy.py`) and tells nobody (`room.py`).
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from mcu.errors import NotFound
from mcu.ids import CallId, LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import Layout, Personal

Role = Literal["host", "guest"]
Language = Literal["sv", "en"]
Kind = Literal["webrtc", "sip", "h323", "recorder", "stream", "probe"]
Wait = Literal["host", "admission"]

HERE = frozenset({LegState.ANNOUNCING, LegState.IN_ROOM, LegState.HELD})


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who sits in a seat. `participant` is set for one who came by a personal link or PIN."""

    name: str
    role: Role
    language: Language
    participant: ParticipantId | None = None
    kind: Kind = "webrtc"

    def __repr__(self) -> str:
        return f"Person(role={self.role})"  # a name belongs in no log


class Seat(msgspec.Struct, kw_only=True):
    """One leg's place. `state` follows the worker; the rest is what its person or a host has chosen."""

    leg: LegId
    person: Person
    since: float  # monotonic: when it began to connect
    entered_at: datetime | None = None  # when it first was in the room: the others know of it since
    state: LegState = LegState.CONNECTING
    admitted: bool = False  # let in, by the rules or by a host
    muted: bool = False
    held: bool = False
    camera: bool = False
    screen: bool = False
    hand: int = 0  # order in which it was raised; 0: not raised
    layout: Layout | None = None  # its own choice
    personal: bool | None = None  # its own choice
    view: Personal | None = None  # what it was last told that it sees
    away: bool = False  # it was lost, and has not been announced as back
    answering: int = 0  # offers that the worker has not answered yet
    answered: bool = False
    offers: int = 0  # how many it has sent
    unattended: bool = False  # answered by a machine: muted until the person there acts (S5.3-9)

    def begin_anew(self, now: float) -> None:
        """As one whom nobody knows of yet. The time it has for connecting does not begin again if it runs already."""
        if self.state is not LegState.CONNECTING:
            self.state, self.since = LegState.CONNECTING, now
        self.entered_at, self.away, self.held = None, False, False

    @property
    def here(self) -> bool:
        """Let in, and connected: it hears and is heard, or is just about to."""
        return self.admitted and self.state in HERE

    @property
    def entered(self) -> bool:
        """It has been in the room, and so the others have been told of it."""
        return self.entered_at is not None

    @property
    def knows(self) -> bool:
        """It may be told who is in the room and what is written there: not before it was announced (S5.3-1).

        Who came back on hold has been announced as gone, and not as back.
        """
        return self.entered and not (self.away and self.state is LegState.HELD)

    @property
    def is_host(self) -> bool:
        return self.person.role == "host"


class Stage(StrEnum):
    """What has become of somebody who is called into the room."""

    CALLING = "calling"
    RINGING = "ringing"
    ANSWERED = "answered"  # and is told what it is about
    JOINED = "joined"  # has a seat
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"  # on our side: no way there, or no place in the room
    ENDED = "ended"  # hung up before there was a seat


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is called, as hosts see it. `leg`: where they sit, once they do."""

    call: CallId
    name: str
    role: Role
    stage: Stage
    participant: ParticipantId | None = None
    leg: LegId | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A seat as the roster shows it. `hand` is the place in the queue, 1 first; 0: not raised."""

    leg: LegId
    name: str
    role: Role
    kind: Kind
    state: LegState
    muted: bool
    camera: bool
    screen: bool
    hand: int
    speaking: bool
    unattended: bool = False


class Roster:
    """Every seat of a room, in order of joining."""

    def __init__(self, *, layout: Layout = Layout.AUTO, locked: bool = False, personal: bool = False) -> None:
        self.layout = layout
        self.locked = locked
        self.personal = personal  # of all who have chosen nothing themselves
        self.spotlight: LegId | None = None
        self.active: LegId | None = None
        self.speaking: frozenset[LegId] = frozenset()
        self.called: dict[CallId, Called] = {}  # who have no seat yet, and what came of the others, oldest first
        self._seats: dict[LegId, Seat] = {}
        self._hands = 0

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._seats

    def get(self, leg: LegId) -> Seat | None:
        return self._seats.get(leg)

    def add(self, seat: Seat) -> None:
        self._seats[seat.leg] = seat

    def drop(self, leg: LegId) -> None:
        self._seats.pop(leg, None)
        self.speaking -= {leg}
        self.spotlight = None if self.spotlight == leg else self.spotlight
        self.active = None if self.active == leg else self.active

    def heard(self, active: LegId | None, speaking: Collection[LegId]) -> None:
        """Who speaks now, and whose border is lit."""
        self.active = active if active is not None and active in self else None
        self.speaking = frozenset(speaking)

    def is_personal(self, seat: Seat) -> bool:
        """Whether the leg is to see a picture without itself in it."""
        return seat.personal if seat.personal is not None else self.personal

    def raise_hand(self, seat: Seat, raised: bool) -> None:
        """A hand that is up keeps its place when it is raised again."""
        if raised and seat.hand:
            return
        self._hands += raised
        seat.hand = self._hands if raised else 0

    @property
    def inside(self) -> list[Seat]:
        """Those let in: connected, on their way, or away."""
        return [seat for seat in self if seat.admitted]

    @property
    def waiting(self) -> list[Seat]:
        return [seat for seat in self if not seat.admitted]

    @property
    def host_here(self) -> bool:
        return any(seat.here and seat.is_host for seat in self)

    def line(self, leg: LegId) -> Line:
        """Raises `NotFound`."""
        for line in self.lines():
            if line.leg == leg:
                return line
        raise NotFound("Nobody sits in that seat.")

    def lines(self) -> list[Line]:
        """Every seat as it is shown."""
        queue = sorted(seat.hand for seat in self if seat.hand)
        return [self._line(seat, queue) for seat in self]

    def _line(self, seat: Seat, queue: list[int]) -> Line:
        return Line(
            leg=seat.leg,
            name=seat.person.name,
            role=seat.person.role,
            kind=seat.person.kind,
            state=seat.state,
            muted=seat.muted,
            camera=seat.camera,
            screen=seat.screen,
            hand=queue.index(seat.hand) + 1 if seat.hand else 0,
            speaking=seat.leg in self.speaking,
            unattended=seat.unattended,
        )


def for_guests(lines: list[Line], waiting: frozenset[LegId]) -> list[Line]:
    """What a guest in the room may see: those who have been let in. Hosts see all lines."""
    return [line for line in lines if line.leg not in waiting]


def for_outside(lines: list[Line], leg: LegId) -> list[Line]:
    """What somebody who has not been announced may see: itself."""
    return [line for line in lines if line.leg == leg]
