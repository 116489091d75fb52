"""What a room tells one leg's front end, whatever kind it is. The front end finds the words and the wire format."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal, Protocol

import msgspec

from mcu.conference.roster import Called, Line, Person, Wait
from mcu.ids import LegId, MeetingId, NoticeId, RoomId
from mcu.media.life import LegState
from mcu.media.messages import Layout, NetworkLevel, NetworkTrouble, NoticeKind, Outcome, Personal, Tile

GoneCause = Literal["left", "removed", "ended", "timeout", "replaced"]


class Update(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Seated(Update, frozen=True, kw_only=True):
    """The first, when a front end attaches itself to a seat."""

    leg: LegId
    room: RoomId
    meeting: MeetingId
    person: Person
    title: str


class RosterNow(Update, frozen=True, kw_only=True, eq=False, dict=True):
    """The same object for all who may see the same, so that a front end can encode it once, and look into it once."""

    lines: list[Line]

    @cached_property
    def by_leg(self) -> dict[LegId, Line]:
        return {line.leg: line for line in self.lines}

    @cached_property
    def screens(self) -> frozenset[LegId]:
        """Who share one."""
        return frozenset(line.leg for line in self.lines if line.screen)

    @cached_property
    def waiting(self) -> list[Line]:
        """To be let in; in the order in which they came."""
        return [line for line in self.lines if line.state is LegState.WAITING]


class CallsNow(Update, frozen=True, kw_only=True):
    """To hosts: who are called into the room and have no seat yet, and what came of the others."""

    called: list[Called]


class InLobby(Update, frozen=True, kw_only=True):
    reason: Wait


class RoomNow(Update, frozen=True, kw_only=True):
    locked: bool
    layout: Layout
    spotlight: LegId | None
    active: LegId | None


class Untold(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a notice did not reach."""

    leg: LegId
    name: str
    outcome: Outcome


class Noticed(Update, frozen=True, kw_only=True):
    """A notice that plays, to one of its recipients; or, to a host, whom it did not reach."""

    notice: NoticeId
    kind: NoticeKind
    names: list[str]  # whom it is about, the recipient itself left out
    missed: Mapping[NoticeKind, int]
    at: datetime
    untold: list[Untold]


class Picture(Update, frozen=True, kw_only=True):
    """What the leg sees now. `content`: whose screen it gets as a picture of its own."""

    layout: Layout
    width: int
    height: int
    tiles: list[Tile]
    content: LegId | None
    personal: Personal


class NetworkNow(Update, frozen=True, kw_only=True):
    """What the leg's own network is like. Nobody else is told."""

    level: NetworkLevel
    trouble: NetworkTrouble


class Told(Update, frozen=True, kw_only=True):
    """All that was to be said to the leg has been: see `acts.Tell`."""


class Said(Update, frozen=True, kw_only=True):
    leg: LegId
    name: str
    text: str
    at: datetime


class MediaLost(Update, frozen=True, kw_only=True):
    """The media is gone but the seat is kept: connect again, at once."""


class EndsAt(Update, frozen=True, kw_only=True):
    """`None`: not soon after all."""

    at: datetime | None


class Over(Update, frozen=True, kw_only=True):
    """The last: the seat is gone, or another front end has taken it."""

    cause: GoneCause


class Watcher(Protocol):
    """One leg's front end."""

    def tell(self, update: Update) -> None:
        """Takes it without waiting. A front end that cannot keep up is its own affair: it may close, never block."""
