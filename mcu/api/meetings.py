"""Booking over REST: meetings, by id and by the integrator's own id, and their PINs."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from mcu.api.bookings import AT_A_TIME, fill, matched, patched, personal_links, wanted_pins, writable
from mcu.api.fields import page_token
from mcu.api.meeting_models import (
    MeetingCreate,
    MeetingFields,
    MeetingOut,
    MeetingPage,
    MeetingPatch,
    MeetingQuery,
    MeetingReplace,
    MeetingSummary,
    MeetingWithPins,
    RotatePins,
    meeting_out,
    meeting_summary,
    pins_out,
)
from mcu.api.routes import MERGE_PATCH, Call, Nothing, Reply, Routes
from mcu.api.server import API, Api
from mcu.auth.bearer import Scope
from mcu.booking.meeting import BookedParticipant, ExternalId, Meeting, Pins, new_number
from mcu.booking.pins import Ask, Issued, SamePins, settle
from mcu.booking.store import MeetingFilter, Stale, Taken, Transaction
from mcu.errors import Conflict, NotFound, Unavailable
from mcu.ids import MeetingId, ParticipantId, new_id

routes = Routes("Meetings")

MEETINGS = "/api/v1/meetings"
MEETING = f"{MEETINGS}/{{meeting}}"
BY_EXTERNAL_ID = f"{MEETINGS}/by-external-id/{{source}}/{{value}}"


class Cancelled(Conflict):
    """A cancelled meeting is not changed any more."""

    code, title = "meeting-cancelled", "The meeting is cancelled"
    q850: ClassVar[int] = 31


@routes.add(
    "POST",
    MEETINGS,
    body=MeetingCreate,
    answer=MeetingWithPins,
    status=201,
    scope=Scope.MEETINGS_WRITE,
    idempotent=True,
    etag=True,
    location=True,
    problems=(Taken, SamePins),
)
async def create_meeting(call: Call[MeetingCreate]) -> Reply:
    """Book a meeting.

    PINs that are left out are made. The answer is the only place where they are shown.
    """
    external = call.body.external_id
    return await _book(call, call.body, None if external is None else ExternalId(**external.model_dump()))


@routes.add("GET", MEETINGS, query=MeetingQuery, answer=MeetingPage, scope=Scope.MEETINGS_READ)
async def list_meetings(call: Call[Nothing]) -> Reply:
    """List meetings.

    Oldest booking first, without the people. To follow changes, keep the time at which you began and send it as
    `updated_since` next time.
    """
    api, query = call.request.app[API], call.query(MeetingQuery)
    source, _, value = (query.external_id or "").partition("/")
    wanted = MeetingFilter(
        now=api.clock.now(),
        begins_before=query.to,
        ends_after=query.from_,
        states=frozenset({query.state} if query.state else ()),
        external_id=ExternalId(source=source, value=value) if query.external_id else None,
        updated_since=query.updated_since,
        organisation=call.caller.organisation,
    )
    page_wanted = query.wanted()
    async with api.store.reading() as tx:
        page = await tx.meetings.page(wanted, page_wanted)
    items: list[MeetingSummary] = []
    for meeting in page.items:
        items.append(meeting_summary(meeting, wanted.now, api.reach))
        if len(items) % AT_A_TIME == 0:
            await asyncio.sleep(0)
    return Reply(body=MeetingPage(items=items, next_page_token=page_token(page.last)))


@routes.add("GET", MEETING, answer=MeetingOut, scope=Scope.MEETINGS_READ, etag=True, problems=(NotFound,))
async def get_meeting(call: Call[Nothing]) -> Reply:
    """Show a meeting."""
    meeting = await read(call)
    return Reply(body=await shown(call, meeting), etag=meeting.version)


@routes.add(
    "PATCH",
    MEETING,
    body=MeetingPatch,
    media=MERGE_PATCH,
    answer=MeetingWithPins,
    scope=Scope.MEETINGS_WRITE,
    if_match=True,
    etag=True,
    problems=(NotFound, Cancelled, SamePins),
)
async def change_meeting(call: Call[MeetingPatch]) -> Reply:
    """Change a meeting.

    A merge patch (RFC 7396). A room that runs hears of it at once: lock, layout, end.
    """
    before = await _read_for_change(call)
    fields = patched(MeetingFields, writable(before), call.body)
    return await _fill_and_save(call, before, fields)


@routes.add(
    "DELETE",
    MEETING,
    answer=MeetingOut,
    scope=Scope.MEETINGS_WRITE,
    if_match=True,
    etag=True,
    problems=(NotFound,),
)
async def cancel_meeting(call: Call[Nothing]) -> Reply:
    """Cancel a meeting.

    It can still be read, as cancelled. A room that runs ends. Cancelling again changes nothing.
    """
    tx = await call.writing()
    meeting = await read_locked(call, tx)
    call.require_version(meeting.version)
    if meeting.cancelled_at is None:
        meeting = await save(call, tx, replace(meeting, cancelled_at=call.request.app[API].clock.now()))
    return Reply(body=await shown(call, meeting), etag=meeting.version)


@routes.add("GET", BY_EXTERNAL_ID, answer=MeetingOut, scope=Scope.MEETINGS_READ, etag=True, problems=(NotFound,))
async def get_meeting_by_external_id(call: Call[Nothing]) -> Reply:
    """Show a meeting by your own id."""
    async with call.request.app[API].store.reading() as tx:
        meeting = await tx.meetings.by_external_id(_external(call), call.caller.organisation)
    if meeting is None:
        raise NotFound("There is no meeting with that external id.")
    return Reply(body=await shown(call, meeting), etag=meeting.version)


@routes.add(
    "PUT",
    BY_EXTERNAL_ID,
    body=MeetingReplace,
    answer=MeetingWithPins,
    status=201,
    other_statuses=(200,),
    scope=Scope.MEETINGS_WRITE,
    if_match=True,
    idempotent=True,
    etag=True,
    location=True,
    problems=(Taken, Cancelled, SamePins),
)
async def put_meeting_by_external_id(call: Call[MeetingReplace]) -> Reply:
    """Book a meeting by your own id, or replace it.

    201 if it is new. To replace one, send `If-Match`; a PUT that would change nothing needs none and is answered 200,
    so that one whose answer was lost can be sent again. PINs that are left out are made for a new meeting, and kept
    for an old one.
    """
    async with call.request.app[API].store.reading() as tx:
        before = await tx.meetings.by_external_id(_external(call), call.caller.organisation)
    if before is None:
        if "If-Match" in call.request.headers:
            call.require_version(0)
        return await _book(call, call.body, _external(call))
    return await _fill_and_save(call, before, call.body)


@routes.add(
    "POST",
    f"{MEETING}/pins/rotate",
    body=RotatePins,
    answer=MeetingWithPins,
    scope=Scope.MEETINGS_WRITE,
    idempotent=True,
    etag=True,
    problems=(NotFound, Cancelled, Stale),
)
async def rotate_pins(call: Call[RotatePins]) -> Reply:
    """Make new PINs.

    The old ones stop working at once; who is in the meeting stays. Personal links are not touched.
    """
    api = call.request.app[API]
    before = await read(call)
    host, guest = (Ask.MAKE if role in call.body.pins else Ask.KEEP for role in ("host", "guest"))
    pins, issued = await settle(api.pins, before.access.pins, host, guest)
    return await _save_over(call, before, replace(before, access=replace(before.access, pins=pins)), issued)


# -- what the routes share ------------------------------------------------------------------------------------------


async def read(call: Call[object]) -> Meeting:
    """The one of the path. Raises `NotFound`."""
    async with call.request.app[API].store.reading() as tx:
        return call.own(await tx.meetings.get(MeetingId(call.path["meeting"])))


async def read_locked(call: Call[object], tx: Transaction) -> Meeting:
    """The same, for a change. Raises `NotFound`."""
    return call.own(await tx.meetings.get(MeetingId(call.path["meeting"]), lock=True))


async def shown(call: Call[object], meeting: Meeting) -> MeetingOut:
    """As this caller may see it."""
    api = call.request.app[API]
    return meeting_out(meeting, api.clock.now(), api.reach, await links(call, meeting, meeting.participants))


async def links(call: Call[object], meeting: Meeting, people: Iterable[BookedParticipant]) -> dict[ParticipantId, str]:
    """A personal link is a right to join, and for those who may book: nothing for other callers."""
    if Scope.MEETINGS_WRITE not in call.caller.scopes:
        return {}
    return await personal_links(call.request.app[API], meeting, people)


async def save(call: Call[object], tx: Transaction, meeting: Meeting) -> Meeting:
    """Writes the next version, and lets the room that runs hear of it once it is durable. Raises `Cancelled`."""
    api = call.request.app[API]
    meeting = replace(meeting, version=meeting.version + 1, updated_at=api.clock.now())
    await tx.meetings.replace(meeting)
    call.after_commit(lambda: api.listener.meeting_changed(meeting))
    return meeting


def require_live(meeting: Meeting) -> None:
    """Raises `Cancelled`."""
    if meeting.cancelled_at is not None:
        raise Cancelled("Book a new one.")


async def _book(call: Call[object], fields: MeetingReplace, external: ExternalId | None) -> Reply:
    api = call.request.app[API]
    pins, issued = await settle(api.pins, Pins(), *wanted_pins(fields, Ask.MAKE))
    now = api.clock.now()
    tx = await call.writing()
    blank = Meeting(
        id=MeetingId(new_id("mtg")),
        number=await _free_number(tx),
        title=fields.title,
        created_at=now,
        updated_at=now,
        created_by=call.caller.subject,
        organisation=call.caller.organisation,
        external_id=external,
        participants=matched((), fields.participants),
    )
    meeting = fill(blank, fields, pins)
    await tx.meetings.add(meeting)
    return await _with_pins(call, meeting, issued, 201)


async def _free_number(tx: Transaction) -> str:
    for _ in range(20):
        if await tx.meetings.by_number(number := new_number()) is None:
            return number
    raise Unavailable("No free meeting number was found.")


async def _read_for_change(call: Call[object]) -> Meeting:
    """As it is before the change; the write checks that it still is. Hashing PINs holds no lock."""
    meeting = await read(call)
    call.require_version(meeting.version)
    return meeting


async def _fill_and_save(call: Call[object], before: Meeting, fields: MeetingFields) -> Reply:
    api: Api = call.request.app[API]
    pins, issued = await settle(api.pins, before.access.pins, *wanted_pins(fields, Ask.KEEP))
    after = fill(before, fields, pins)
    if isinstance(fields, MeetingReplace):
        after = replace(after, participants=matched(before.participants, fields.participants))
    if after == before:
        return await _with_pins(call, before, issued, 200)
    call.require_version(before.version)
    return await _save_over(call, before, after, issued)


async def _save_over(call: Call[object], before: Meeting, after: Meeting, issued: Issued) -> Reply:
    require_live(before)
    meeting = await save(call, await call.writing(), after)
    return await _with_pins(call, meeting, issued, 200)


async def _with_pins(call: Call[object], meeting: Meeting, issued: Issued, status: int) -> Reply:
    body = MeetingWithPins(**dict(await shown(call, meeting)), pins=pins_out(issued))
    return Reply(body=body, status=status, etag=meeting.version, location=f"{MEETINGS}/{meeting.id}")


def _external(call: Call[object]) -> ExternalId:
    return ExternalId(source=call.path["source"], value=call.path["value"])
