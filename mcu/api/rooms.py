"""Rooms that run: seen and steered by a caller with `rooms:control`, who may what a host in the room may."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from mcu.api.live import LIVE, room_of
from mcu.api.routes import MERGE_PATCH, PATTERNS, Call, Nothing, Reply, Request, Routes
from mcu.api.server import API
from mcu.auth.bearer import Scope
from mcu.booking.store import PageRequest
from mcu.conference.acts import (
    Act,
    Admit,
    End,
    MuteGuests,
    Remove,
    SetHand,
    SetLegLayout,
    SetLegPersonal,
    SetLocked,
    SetMuted,
    SetRole,
    SetRoomLayout,
    SetSpotlight,
)
from mcu.conference.policy import ThatPersonOnly
from mcu.conference.room import Room
from mcu.conference.roster import Line
from mcu.errors import Conflict, MeetingFull
from mcu.ids import LegId, RoomId
from mcu.media.life import LegState
from mcu.media.messages import Cause, Layout, LegMedia, NoticeKind, NoticeRecord, Outcome, Personal

routes = Routes("Rooms")

LegName = Annotated[str, StringConstraints(pattern=f"^{PATTERNS['leg']}$")]


class RoomOut(BaseModel):
    """A meeting that runs."""

    id: str
    meeting_id: str
    meeting_number: str
    title: str
    started_at: datetime
    ends_at: datetime | None = Field(description="Everybody leaves then; `null`: when all have left")
    locked: bool
    layout: Layout
    spotlight: str | None = Field(description="The leg that is shown large")
    participants: int = Field(description="In the room, or on the way back to it")
    waiting: int = Field(description="In the lobby, or connecting")
    cores: float = Field(
        description="Of a processor that it takes now, by what is made for whom: views, codecs, sizes. An estimate"
    )


class RoomPage(BaseModel):
    items: list[RoomOut]
    next_page_token: str | None


def _stays(schema: dict[str, Any]) -> None:
    """A patch's field has no default: what is left out stays as it is."""
    schema.pop("default")


class RoomPatch(Request):
    """What is left out stays as it is."""

    locked: bool = Field(default=False, description="Nobody new comes in, but hosts", json_schema_extra=_stays)
    layout: Layout = Field(
        default=Layout.AUTO, description="Of all who have chosen none of their own", json_schema_extra=_stays
    )
    mute_guests: Literal[True] = Field(
        default=True, description="Every guest who is in the room now; each may unmute", json_schema_extra=_stays
    )
    spotlight: LegName | None = Field(default=None, description="`null`: nobody", json_schema_extra=_stays)


class ParticipantOut(BaseModel):
    """One line of the roster."""

    id: str = Field(description="The leg")
    name: str
    role: Literal["host", "guest"]
    kind: str = Field(description="`webrtc`; may grow")
    state: LegState
    muted: bool
    camera: bool
    screen: bool
    hand: int = Field(description="Place in the queue of raised hands, 1 first; 0: not raised")
    speaking: bool
    unattended: bool = Field(description="A machine answered the call: muted until the person there acts")
    layout: Layout | None = Field(description="Its own choice; `null`: the room's")
    personal: bool | None = Field(description="Its own choice: a picture without itself in it; `null`: the room's")
    view: Personal | None = Field(
        description="What it sees now. `no_room`: it is to have a picture without itself, the worker has no room for "
        "another encoder, and it sees the shared one until there is; `null`: no picture yet"
    )
    spotlight: bool


class ParticipantPage(BaseModel):
    items: list[ParticipantOut]
    next_page_token: str | None


class ParticipantPatch(Request):
    """What is left out stays as it is. A microphone is turned off, never on, by others."""

    muted: bool = Field(default=False, json_schema_extra=_stays)
    role: Literal["host", "guest"] = Field(default="guest", json_schema_extra=_stays)
    admitted: Literal[True] = Field(default=True, description="Let in from the lobby", json_schema_extra=_stays)
    spotlight: bool = Field(default=False, json_schema_extra=_stays)
    layout: Layout | None = Field(default=None, description="`null`: the room's", json_schema_extra=_stays)
    personal: bool | None = Field(
        default=None,
        description="A picture without itself in it; `null`: the room's. Where the worker has no room for another "
        "encoder it is kept as a wish: `view` tells",
        json_schema_extra=_stays,
    )
    hand: Literal[False] = Field(default=False, description="Lower it", json_schema_extra=_stays)


class StreamOut(BaseModel):
    """One stream, one way. Counted since the leg connected; rates of the last seconds."""

    media: str = Field(description="`audio`, `camera`, `screen`, `video` (composed), `content`; may grow")
    codec: str
    layer: str = Field(description="Of a picture that comes in several sizes: this one's name, else empty")
    chosen: bool = Field(description="Its pictures are taken: somebody is shown them")
    packets: int
    bytes: int
    lost: int = Field(description="Packets; of what is sent, as the participant's end reports")
    loss_percent: float = Field(description="In the last interval between two reports")
    jitter_ms: float
    bitrate_bps: int
    width: int
    height: int
    frame_rate: float
    concealed_ms: int = Field(description="Sound that was made up for what did not come in time")
    recovered_ms: int = Field(description="Sound that was lost and came back in the next packet")
    delay_ms: int = Field(description="Of the buffer that evens out the network")
    nacks: int = Field(description="Packets that were asked for again")
    resent: int = Field(description="Packets that were sent again")
    keys_asked: int = Field(description="Times that a whole picture was asked for")


class LineOut(BaseModel):
    """What the participant's line carries towards it, as far as it is known."""

    bits_per_second: int
    pictures_bps: int = Field(description="What sound leaves of it")
    loss_percent: float = Field(description="Of the last second or two")
    rtt_ms: float | None = Field(description="With the wait for the participant's reports")
    state: Literal["steady", "filling", "losing", "silent"] = Field(
        description="`filling`: its queue grows; `losing`: more than it always does; `silent`: nothing is answered"
    )


class MediaOut(BaseModel):
    """A leg's streams. `receiving` is what the server gets from it."""

    rtt_ms: float | None
    line: LineOut | None = Field(description="`null`: it gets no pictures, and does not say what arrives")
    srtp_profile: str
    receiving: list[StreamOut]
    sending: list[StreamOut]
    dropped: dict[str, int] = Field(description="Packets and frames that were let go, by reason")


class ToldOut(BaseModel):
    """A leg. `name` is known while the room runs."""

    leg: str
    name: str | None


class RecipientOut(ToldOut):
    outcome: Outcome


class NoticeOut(BaseModel):
    """One notice: whom it was about, and whether each of the others was told (policy 5.3)."""

    id: str
    kind: NoticeKind
    legs: list[ToldOut]
    cause: Cause | None
    at: datetime
    tick: int = Field(description="Media time: ticks of 20 ms since the room opened on its worker")
    missed: dict[NoticeKind, int] = Field(description="For a summary: how many of each kind")
    recipients: list[RecipientOut]
    everybody_told: bool | None = Field(description="`null`: not all reports have come yet")


class NoticePage(BaseModel):
    items: list[NoticeOut]
    next_page_token: str | None


class PageQuery(Request):
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: Annotated[str, StringConstraints(pattern="^([a-z]+_[0-9a-f]{32})?$")] = Field(
        default="", description="The `next_page_token` of the page before"
    )


class RoomQuery(PageQuery):
    meeting: Annotated[str, StringConstraints(pattern=f"^{PATTERNS['meeting']}$")] | None = None


T = TypeVar("T", RoomOut, ParticipantOut)


@routes.add("GET", "/api/v1/rooms", query=RoomQuery, answer=RoomPage, scope=Scope.ROOMS_CONTROL)
async def list_rooms(call: Call[Nothing]) -> Reply:
    """The rooms that run, oldest first."""
    query = call.query(RoomQuery)
    rooms = call.request.app[LIVE].conference.rooms()
    own = [room for room in rooms if call.caller.owns(room.meeting.organisation)]
    shown = [room_out(room) for room in own if query.meeting in (None, room.meeting.id)]
    items, following = _page(shown, query)
    return Reply(body=RoomPage(items=items, next_page_token=following))


@routes.add("GET", "/api/v1/rooms/{room}", answer=RoomOut, scope=Scope.ROOMS_CONTROL)
async def get_room(call: Call[Nothing]) -> Reply:
    """A room that runs."""
    return Reply(body=room_out(room_of(call)))


@routes.add(
    "PATCH",
    "/api/v1/rooms/{room}",
    body=RoomPatch,
    media=MERGE_PATCH,
    answer=RoomOut,
    scope=Scope.ROOMS_CONTROL,
    problems=(Conflict,),
)
async def patch_room(call: Call[RoomPatch]) -> Reply:
    """Lock it, choose its layout or its spotlight, mute its guests.

    What was answered with 200 holds also if the server is killed and started again.
    """
    room, body = room_of(call), call.body
    acts: dict[str, Act] = {
        "locked": SetLocked(locked=body.locked),
        "layout": SetRoomLayout(layout=body.layout),
        "mute_guests": MuteGuests(),
        "spotlight": SetSpotlight(leg=LegId(body.spotlight) if body.spotlight is not None else None),
    }
    await room.act(None, *(acts[name] for name in acts if name in body.model_fields_set))
    return Reply(body=room_out(room))


@routes.add("POST", "/api/v1/rooms/{room}/end", status=204, scope=Scope.ROOMS_CONTROL)
async def end_room(call: Call[Nothing]) -> Reply:
    """End a room: everybody leaves."""
    await room_of(call).act(None, End())
    return Reply()


@routes.add(
    "GET",
    "/api/v1/rooms/{room}/participants",
    query=PageQuery,
    answer=ParticipantPage,
    scope=Scope.ROOMS_CONTROL,
)
async def list_participants(call: Call[Nothing]) -> Reply:
    """The roster, in order of joining, the lobby too."""
    room = room_of(call)
    shown = sorted((participant_out(room, line) for line in room.lines()), key=lambda one: one.id)
    items, following = _page(shown, call.query(PageQuery))
    return Reply(body=ParticipantPage(items=items, next_page_token=following))


@routes.add("GET", "/api/v1/rooms/{room}/participants/{leg}", answer=ParticipantOut, scope=Scope.ROOMS_CONTROL)
async def get_live_participant(call: Call[Nothing]) -> Reply:
    """One participant."""
    room = room_of(call)
    return Reply(body=participant_out(room, room.line(_leg(call))))


@routes.add(
    "PATCH",
    "/api/v1/rooms/{room}/participants/{leg}",
    body=ParticipantPatch,
    media=MERGE_PATCH,
    answer=ParticipantOut,
    scope=Scope.ROOMS_CONTROL,
    problems=(Conflict, MeetingFull, ThatPersonOnly),
)
async def patch_live_participant(call: Call[ParticipantPatch]) -> Reply:
    """Let in, mute, make a host or a guest, put in the spotlight, choose a layout, lower the hand.

    All of it or nothing. There is no field that keeps others from being told that somebody came or left.
    """
    room, leg, body = room_of(call), _leg(call), call.body
    room.line(leg)
    spotlight = leg if body.spotlight else (None if room.spotlight == leg else room.spotlight)
    acts: dict[str, Act] = {
        "admitted": Admit(leg=leg),
        "muted": SetMuted(leg=leg, muted=body.muted),
        "role": SetRole(leg=leg, role=body.role),
        "spotlight": SetSpotlight(leg=spotlight),
        "layout": SetLegLayout(leg=leg, layout=body.layout),
        "personal": SetLegPersonal(leg=leg, personal=body.personal),
        "hand": SetHand(leg=leg, raised=False),
    }
    await room.act(None, *(acts[name] for name in acts if name in body.model_fields_set))
    return Reply(body=participant_out(room, room.line(leg)))


@routes.add("DELETE", "/api/v1/rooms/{room}/participants/{leg}", status=204, scope=Scope.ROOMS_CONTROL)
async def remove_live_participant(call: Call[Nothing]) -> Reply:
    """Send somebody away. The others are told."""
    leg = _leg(call)
    await room_of(call).act(None, Remove(leg=leg))
    return Reply()


@routes.add(
    "GET",
    "/api/v1/rooms/{room}/participants/{leg}/media",
    answer=MediaOut,
    scope=Scope.ROOMS_CONTROL,
    problems=(Conflict,),
)
async def get_media(call: Call[Nothing]) -> Reply:
    """Loss, jitter, bit rate, codec, size and frame rate, both ways."""
    return Reply(body=media_out(await room_of(call).leg_media(_leg(call))))


@routes.add("GET", "/api/v1/rooms/{room}/notices", query=PageQuery, answer=NoticePage, scope=Scope.ROOMS_CONTROL)
async def list_notices(call: Call[Nothing]) -> Reply:
    """Who was told of whom, oldest first; also of a room that has ended.

    For each notice and recipient: whether it was sent whole, and whether RTCP reports show that it arrived.
    """
    name, query = RoomId(call.path["room"]), call.query(PageQuery)
    async with call.request.app[API].store.reading() as tx:
        call.own(await tx.meetings.get((await tx.rooms.get(name)).meeting))
        page = await tx.notices.page(name, PageRequest(size=query.page_size, after=query.page_token))
    rooms = {room.id: room for room in call.request.app[LIVE].conference.rooms()}
    items = [notice_out(stored.record, rooms.get(name)) for stored in page.items]
    return Reply(body=NoticePage(items=items, next_page_token=page.last or None))


# -- what is shown --------------------------------------------------------------------------------------------------


def room_out(room: Room) -> RoomOut:
    lines = room.lines()
    waiting = sum(line.state in (LegState.WAITING, LegState.CONNECTING) for line in lines)
    return RoomOut(
        id=room.id,
        meeting_id=room.meeting.id,
        meeting_number=room.meeting.number,
        title=room.meeting.title,
        started_at=room.run_row.started_at,
        ends_at=room.ends_at,
        locked=room.run_row.locked,
        layout=Layout(room.run_row.layout),
        spotlight=room.spotlight,
        participants=len(lines) - waiting,
        cores=round(room.cores, 2),
        waiting=waiting,
    )


def participant_out(room: Room, line: Line) -> ParticipantOut:
    shown = msgspec.structs.asdict(line)
    leg = shown.pop("leg")
    seat = room.seat(leg)
    return ParticipantOut(
        id=leg,
        layout=seat.layout if seat is not None else None,
        personal=seat.personal if seat is not None else None,
        view=seat.view if seat is not None else None,
        spotlight=room.spotlight == leg,
        **shown,
    )


def media_out(media: LegMedia) -> MediaOut:
    return MediaOut.model_validate(msgspec.to_builtins(media))


def notice_out(stored: bytes, room: Room | None) -> NoticeOut:
    record = msgspec.json.decode(stored, type=NoticeRecord)
    outcomes = record.recipients.values()
    settled = not any(outcome in (Outcome.PENDING, Outcome.SENT) for outcome in outcomes)
    told = all(outcome not in (Outcome.NOT_SENT, Outcome.NOT_RECEIVED) for outcome in outcomes)
    return NoticeOut(
        id=record.notice,
        kind=record.kind,
        legs=[ToldOut(leg=leg, name=_name(room, leg)) for leg in record.legs],
        cause=record.cause,
        at=datetime.fromtimestamp(record.wall_ms / 1000, UTC),
        tick=record.tick,
        missed=record.missed,
        recipients=[
            RecipientOut(leg=leg, name=_name(room, leg), outcome=outcome) for leg, outcome in record.recipients.items()
        ],
        everybody_told=told if settled or not told else None,
    )


def _name(room: Room | None, leg: LegId) -> str | None:
    return room.name_of(leg) if room is not None else None


# -- from the request -----------------------------------------------------------------------------------------------


def _leg(call: Call[Nothing] | Call[ParticipantPatch]) -> LegId:
    return LegId(call.path["leg"])


def _page(items: Iterable[T], query: PageQuery) -> tuple[list[T], str | None]:
    """The page of `items`, which are in the order of their ids."""
    rest = [item for item in items if item.id > query.page_token]
    page = rest[: query.page_size]
    return page, (page[-1].id if len(rest) > len(page) else None)
