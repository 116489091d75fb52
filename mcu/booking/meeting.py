"""What is booked, as frozen values: who may meet, when, and by which rules.

Owns the words of a booking and what can be read from one meeting alone (its state, when it opens and closes). It does
not know how meetings are stored, how a PIN is checked, or anything about a room that runs but that it does.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from mcu.ids import MeetingId, ParticipantId, RoomId

Role = Literal["host", "guest"]
Language = Literal["sv", "en"]
Layout = Literal["auto", "speaker", "speaker_with_tiles", "grid", "presentation_with_tiles"]
Presentation = Literal["everyone", "hosts"]
LobbyScope = Literal["none", "guests", "all"]
DialWhen = Literal["at_start", "on_host_join"]

NUMBER_DIGITS = 9


class MeetingState(StrEnum):
    """Computed from the booking, the clock and whether a room runs; never stored."""

    SCHEDULED = "scheduled"  # not open yet
    OPEN = "open"  # may be joined; nobody is in it
    ACTIVE = "active"  # its room runs
    ENDED = "ended"  # closed; somebody met
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # closed; nobody came


@dataclass(frozen=True, kw_only=True)
class ExternalId:
    """The integrator's own name for a meeting: unique by (source, value)."""

    source: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Organizer:
    """Who books. Personal data: kept out of logs."""

    name: str = field(repr=False)
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class DialOut:
    """The meeting calls this participant. `uri` `None`: by the participant's phone number."""

    when: DialWhen
    uri: str | None = field(default=None, repr=False)  # sip: or sips:


@dataclass(frozen=True, kw_only=True)
class BookedParticipant:
    """Somebody who is expected, with a personal link. Name, e-mail and phone are kept out of logs."""

    id: ParticipantId
    name: str = field(repr=False)
    role: Role = "guest"
    external_id: str | None = None
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)  # E.164
    dial_out: DialOut | None = None
    pin: bytes | None = field(default=None, repr=False)  # as in `Pins`, under the same salt
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Pins:
    """The meeting's two PINs as argon2id hashes under one salt, so that one computation answers for both.

    `None`: no such PIN. A meeting without a guest PIN lets whoever has its number in as a guest.
    """

    salt: bytes = field(default=b"", repr=False)
    host: bytes | None = field(default=None, repr=False)
    guest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Access:
    """By which rules people come in."""

    pins: Pins = Pins()
    wait_for_host: bool = False  # guests wait in the lobby until a host is in the room
    lobby: LobbyScope = "none"  # who must be let in by a host; "all": other hosts too, once one is there
    max_participants: int = 50
    locked: bool = False  # nobody new comes in


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """One booking. Times are in UTC; `time_zone` (IANA) is how they are shown. Without start and end it stands open."""

    id: MeetingId
    number: str  # nine digits, unique
    title: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    version: int = 1
    external_id: ExternalId | None = None
    language: Language = "sv"
    start: datetime | None = None
    end: datetime | None = None
    time_zone: str = "UTC"
    open_before_minutes: int = 15
    close_after_minutes: int = 30
    organizer: Organizer | None = None
    participants: tuple[BookedParticipant, ...] = ()
    access: Access = Access()
    layout: Layout = "auto"
    personal: bool = False  # each sees a picture without itself in it, where no choice of its own says otherwise
    presentation: Presentation = "everyone"  # who may share a screen
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    created_by: str = ""
    organisation: str = ""  # whose it is, for ever; "": the operator's, or there are none
    cancelled_at: datetime | None = None
    room: RoomId | None = None  # the room that runs now
    ran: bool = False  # a room has run

    @property
    def opens_at(self) -> datetime | None:
        return self.start and self.start - timedelta(minutes=self.open_before_minutes)

    @property
    def closes_at(self) -> datetime | None:
        return self.end and self.end + timedelta(minutes=self.close_after_minutes)

    def state(self, now: datetime) -> MeetingState:
        """A room that runs makes it active until the room ends, also past the booked end."""
        if self.cancelled_at is not None:
            return MeetingState.CANCELLED
        if self.room is not None:
            return MeetingState.ACTIVE
        if self.opens_at is not None and now < self.opens_at:
            return MeetingState.SCHEDULED
        if self.closes_at is not None and now >= self.closes_at:
            return MeetingState.ENDED if self.ran else MeetingState.EXPIRED
        return MeetingState.OPEN

    def participant(self, name: ParticipantId) -> BookedParticipant | None:
        return next((one for one in self.participants if one.id == name), None)


def new_number() -> str:
    """Nine random digits, not beginning with zero. Whether it is free is for the store to say."""
    lowest: int = 10 ** (NUMBER_DIGITS - 1)
    return str(lowest + secrets.randbelow(9 * lowest))
