"""What is said of meetings over REST: requests in, answers out. PINs go in and never come out but when they are new."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from mcu.api.fields import (
    Email,
    Instant,
    MetadataKey,
    MetadataValue,
    Minutes,
    PageQuery,
    PersonalPin,
    Phone,
    Pin,
    QueryInstant,
    SipAddress,
    Text,
    TimeZone,
)
from mcu.api.routes import PATTERNS, Request
from mcu.booking.meeting import (
    BookedParticipant,
    DialOut,
    DialWhen,
    Language,
    Layout,
    LobbyScope,
    Meeting,
    MeetingState,
    Presentation,
    Role,
)
from mcu.booking.pins import Issued
from mcu.booking.reach import Reach
from mcu.ids import ParticipantId
from mcu.media import cost

MAX_PARTICIPANTS = 200  # booked by name; more may join by number and PIN


# -- requests -------------------------------------------------------------------------------------------------------


class ExternalIdIn(Request):
    """The integrator's own name for the meeting, unique by source and value."""

    source: Annotated[str, StringConstraints(pattern=f"^{PATTERNS['source']}$")]
    value: Annotated[str, StringConstraints(pattern=f"^{PATTERNS['value']}$")]


class OrganizerIn(Request):
    name: Text
    email: Email | None = None


class JoinByIn(Request):
    """How a participant comes in."""

    kind: Literal["link", "dial_out"] = Field("link", description="`dial_out`: the meeting calls, too.")
    when: DialWhen = Field(
        "on_host_join",
        description="Of `dial_out`: when a host has come, or (`at_start`) somebody, and the booked time has. Nobody is "
        "called into a room in which nobody is.",
    )
    uri: SipAddress | None = Field(None, description="Of `dial_out`; without it the phone is called.")


class BookedParticipantIn(Request):
    """Somebody who is expected, and gets a personal link."""

    name: Text
    role: Role = "guest"
    external_id: Text | None = None
    email: Email | None = None
    phone: Phone | None = Field(None, description="E.164")
    join: JoinByIn = JoinByIn()

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if self.join.kind == "dial_out" and not (self.join.uri or self.phone):
            raise PydanticCustomError("uri-or-phone", "Input should have a phone, or join a uri, to be called by")
        return self

    def fields(self) -> dict[str, Any]:
        """As `BookedParticipant` has them."""
        calls = self.join.kind == "dial_out"
        dial_out = DialOut(when=self.join.when, uri=self.join.uri) if calls else None
        return {**self.model_dump(exclude={"join"}), "dial_out": dial_out}


class LobbyIn(Request):
    scope: LobbyScope = Field(
        "none", description="Who waits until a host lets them in. `all`: hosts too, once one has come."
    )


class AccessIn(Request):
    """By which rules people come in. A PIN that is left out is made (when booking) or kept (later); null is none."""

    host_pin: Pin | None = Field(None, json_schema_extra={"writeOnly": True})
    guest_pin: Pin | None = Field(None, json_schema_extra={"writeOnly": True})
    wait_for_host: bool = Field(False, description="Guests wait in the lobby until a host has come.")
    lobby: LobbyIn = LobbyIn()
    max_participants: int = Field(50, ge=1, le=500)
    locked: bool = Field(False, description="Nobody but hosts comes in.")


class MediaIn(Request):
    layout: Layout = "auto"
    personal: bool = Field(
        False,
        description="Each sees a picture without itself in it. Costs an encoder each: see `cores`.",
    )
    presentation: Presentation = Field("everyone", description="Who may share a screen.")


class MeetingFields(Request):
    """A meeting as it is booked or replaced. Without start and end it stands open always."""

    title: Text
    language: Language = "sv"
    start: Instant | None = None
    end: Instant | None = None
    time_zone: TimeZone = Field("UTC", description="IANA name; times are shown in it.")
    open_before_minutes: Minutes = 15
    close_after_minutes: Minutes = 30
    organizer: OrganizerIn | None = None
    access: AccessIn = AccessIn()
    media: MediaIn = MediaIn()
    metadata: dict[MetadataKey, MetadataValue] = Field(default={}, max_length=50)

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise PydanticCustomError("start-and-end", "Input should have both start and end, or neither")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise PydanticCustomError("start-and-end", "Input should end after it starts")
        return self


class MeetingReplace(MeetingFields):
    """A meeting, whole. Participants that are there already (same `external_id`, or all else the same) keep links."""

    participants: list[BookedParticipantIn] = Field(default=[], max_length=MAX_PARTICIPANTS)


class MeetingCreate(MeetingReplace):
    """A new meeting."""

    external_id: ExternalIdIn | None = None


class LobbyPatch(Request):
    scope: LobbyScope | None = None


class AccessPatch(Request):
    host_pin: Pin | None = Field(None, json_schema_extra={"writeOnly": True})
    guest_pin: Pin | None = Field(None, json_schema_extra={"writeOnly": True})
    wait_for_host: bool | None = None
    lobby: LobbyPatch | None = None
    max_participants: int | None = Field(None, ge=1, le=500)
    locked: bool | None = None


class OrganizerPatch(Request):
    name: Text | None = None
    email: Email | None = None


class MediaPatch(Request):
    layout: Layout | None = None
    personal: bool | None = None
    presentation: Presentation | None = None


class MeetingPatch(Request):
    """RFC 7396: what is left out stays, null removes or puts back the default. Participants are changed one by one."""

    title: Text | None = None
    language: Language | None = None
    start: Instant | None = None
    end: Instant | None = None
    time_zone: TimeZone | None = None
    open_before_minutes: Minutes | None = None
    close_after_minutes: Minutes | None = None
    organizer: OrganizerPatch | None = None
    access: AccessPatch | None = None
    media: MediaPatch | None = None
    metadata: dict[MetadataKey, MetadataValue | None] | None = Field(None, max_length=50)


class JoinByPatch(Request):
    kind: Literal["link", "dial_out"] | None = None
    when: DialWhen | None = None
    uri: SipAddress | None = None


class BookedParticipantPatch(Request):
    """RFC 7396, as for meetings."""

    name: Text | None = None
    role: Role | None = None
    external_id: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    join: JoinByPatch | None = None


class MeetingQuery(PageQuery):
    """Which meetings; every condition must hold."""

    from_: QueryInstant | None = Field(None, alias="from", description="Those that end after this, and standing ones.")
    to: QueryInstant | None = Field(None, description="Those that start before this, and standing ones.")
    state: MeetingState | None = None
    external_id: Annotated[str, StringConstraints(pattern=f"^{PATTERNS['source']}/{PATTERNS['value']}$")] | None = (
        Field(None, description="`source/value`")
    )
    updated_since: QueryInstant | None = Field(None, description="Those changed at or after this.")


class RotatePins(Request):
    """Which PINs to make anew."""

    pins: list[Role] = Field(default=["host", "guest"], min_length=1, max_length=2)


class PersonalPinIn(Request):
    pin: PersonalPin | None = Field(None, description="Left out: one is made.", json_schema_extra={"writeOnly": True})


class JoinTokenAsk(Request):
    expires_in_seconds: int = Field(3600, ge=60, le=86_400)


# -- answers --------------------------------------------------------------------------------------------------------


class ExternalIdOut(BaseModel):
    source: str
    value: str


class OrganizerOut(BaseModel):
    name: str
    email: str | None


class JoinByOut(BaseModel):
    kind: Literal["link", "dial_out"]
    when: DialWhen | None
    uri: str | None

    @classmethod
    def of(cls, out: DialOut | None) -> Self:
        if out is None:
            return cls(kind="link", when=None, uri=None)
        return cls(kind="dial_out", when=out.when, uri=out.uri)


class PinOut(BaseModel):
    set: bool


class BookedParticipantOut(BaseModel):
    """`join_url` is the personal link, shown to callers with `meetings:write`: who has it comes in as that person."""

    id: str
    version: int
    name: str
    role: Role
    external_id: str | None
    email: str | None
    phone: str | None
    join: JoinByOut
    pin: PinOut
    join_url: str | None

    @classmethod
    def of(cls, one: BookedParticipant, join_url: str | None) -> Self:
        pin = PinOut(set=one.pin is not None)
        return cls(**{**vars(one), "pin": pin}, join=JoinByOut.of(one.dial_out), join_url=join_url)


class PersonalPinOut(BaseModel):
    """A personal PIN, shown this once: who dials in with it comes in as that person."""

    pin: str


class LobbyOut(BaseModel):
    scope: LobbyScope


class AccessOut(BaseModel):
    host_pin: PinOut
    guest_pin: PinOut
    wait_for_host: bool
    lobby: LobbyOut
    max_participants: int
    locked: bool


class PhoneOut(BaseModel):
    """A telephone number that leads to the meeting, or to the voice menu that asks for its number."""

    number: str
    country: str | None
    language: Language
    label: str


class WayIn(BaseModel):
    """How people come in without a personal link."""

    meeting_number: str
    web_url: str
    sip_uri: str | None = Field(description="Null: the server takes no calls.")
    phone: list[PhoneOut]


class MeetingMediaOut(BaseModel):
    layout: Layout
    personal: bool
    presentation: Presentation
    cores: float = Field(
        description="Of a processor, while as many as may come send and see pictures at 1280x720: an estimate"
    )


class MeetingSummary(BaseModel):
    """A meeting as lists show it. `state` follows the clock and the room and does not change the version."""

    id: str
    version: int
    state: MeetingState
    external_id: ExternalIdOut | None
    title: str
    language: Language
    start: datetime | None
    end: datetime | None
    time_zone: str
    open_before_minutes: int
    close_after_minutes: int
    organizer: OrganizerOut | None
    participant_count: int = Field(description="How many are booked by name.")
    access: AccessOut
    join: WayIn
    media: MeetingMediaOut
    room: str | None = Field(description="The room that runs now.")
    metadata: dict[str, str]
    created_at: datetime
    created_by: str
    organisation: str | None = Field(description="Whose it is: that of the token it was booked with")
    updated_at: datetime


class MeetingOut(MeetingSummary):
    """A meeting, with the people who are booked into it."""

    participants: list[BookedParticipantOut]


class PinsOut(BaseModel):
    """New PINs, shown this once. Null: not new, or none."""

    host: str | None
    guest: str | None


class MeetingWithPins(MeetingOut):
    """A meeting, and those of its PINs that are new."""

    pins: PinsOut


class MeetingPage(BaseModel):
    items: list[MeetingSummary]
    next_page_token: str | None


class BookedParticipantPage(BaseModel):
    items: list[BookedParticipantOut]
    next_page_token: str | None


class JoinTokenOut(BaseModel):
    """A personal right to join, until `expires_at`."""

    token: str
    join_url: str
    expires_at: datetime


def meeting_out(meeting: Meeting, now: datetime, reach: Reach, links: Mapping[ParticipantId, str]) -> MeetingOut:
    """`links` are the `join_url`s, empty where the caller may not see them."""
    people = [BookedParticipantOut.of(one, links.get(one.id)) for one in meeting.participants]
    return MeetingOut(**dict(meeting_summary(meeting, now, reach)), participants=people)


def meeting_summary(meeting: Meeting, now: datetime, reach: Reach) -> MeetingSummary:
    zone = ZoneInfo(meeting.time_zone)
    access = meeting.access
    same = ("id", "version", "title", "language", "time_zone", "open_before_minutes", "close_after_minutes", "room")
    return MeetingSummary(
        state=meeting.state(now),
        external_id=meeting.external_id and ExternalIdOut(**vars(meeting.external_id)),
        start=meeting.start and meeting.start.astimezone(zone),
        end=meeting.end and meeting.end.astimezone(zone),
        organizer=meeting.organizer and OrganizerOut(**vars(meeting.organizer)),
        participant_count=len(meeting.participants),
        access=AccessOut(
            host_pin=PinOut(set=access.pins.host is not None),
            guest_pin=PinOut(set=access.pins.guest is not None),
            wait_for_host=access.wait_for_host,
            lobby=LobbyOut(scope=access.lobby),
            max_participants=access.max_participants,
            locked=access.locked,
        ),
        join=_ways_in(meeting, reach),
        media=MeetingMediaOut(
            layout=meeting.layout,
            personal=meeting.personal,
            presentation=meeting.presentation,
            cores=round(cost.of_meeting(access.max_participants, personal=meeting.personal), 2),
        ),
        metadata=dict(meeting.metadata),
        organisation=meeting.organisation or None,
        **{name: getattr(meeting, name) for name in (*same, "created_at", "created_by", "updated_at")},
    )


def _ways_in(meeting: Meeting, reach: Reach) -> WayIn:
    return WayIn(
        meeting_number=meeting.number,
        web_url=f"{reach.web}/j/{meeting.number}",
        sip_uri=reach.sip_address(meeting),
        phone=[
            PhoneOut(number=one.number, country=one.country or None, language=one.language, label=one.label)
            for one in reach.telephones(meeting)
        ],
    )


def pins_out(issued: Issued) -> PinsOut:
    return PinsOut(host=issued.host, guest=issued.guest)
