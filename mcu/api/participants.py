"""The people booked into a meeting, each with a personal link. A change to one is a new version of the meeting too."""

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from mcu.api.bookings import changed_participant, join_token, join_url, new_participant, patched, writable_participant
from mcu.api.fields import PageQuery, page_token
from mcu.api.meeting_models import (
    MAX_PARTICIPANTS,
    BookedParticipantIn,
    BookedParticipantOut,
    BookedParticipantPage,
    BookedParticipantPatch,
    JoinTokenAsk,
    JoinTokenOut,
    PersonalPinIn,
    PersonalPinOut,
)
from mcu.api.meetings import MEETING, Cancelled, links, read, read_locked, require_live, save
from mcu.api.routes import MERGE_PATCH, Call, Nothing, Reply, Routes
from mcu.api.server import API
from mcu.auth.bearer import Scope
from mcu.booking.meeting import BookedParticipant, Meeting
from mcu.booking.pins import SamePins, settle_personal
from mcu.booking.store import Stale, Transaction
from mcu.errors import Conflict, NotFound
from mcu.ids import ParticipantId

routes = Routes("Participants")

PARTICIPANTS = f"{MEETING}/participants"
PARTICIPANT = f"{PARTICIPANTS}/{{participant}}"


class TooManyParticipants(Conflict):
    """No more people can be booked by name; more may join by number and PIN."""

    code, title = "too-many-participants", f"At most {MAX_PARTICIPANTS} can be booked by name"
    http: ClassVar[int] = 409


@routes.add(
    "POST",
    PARTICIPANTS,
    body=BookedParticipantIn,
    answer=BookedParticipantOut,
    status=201,
    scope=Scope.MEETINGS_WRITE,
    idempotent=True,
    etag=True,
    location=True,
    problems=(NotFound, Cancelled, TooManyParticipants),
)
async def add_booked_participant(call: Call[BookedParticipantIn]) -> Reply:
    """Book somebody into a meeting."""
    tx = await call.writing()
    meeting = await _live(call, tx)
    if len(meeting.participants) >= MAX_PARTICIPANTS:
        raise TooManyParticipants("Others may join by number and PIN.")
    one = new_participant(call.body)
    meeting = await save(call, tx, replace(meeting, participants=(*meeting.participants, one)))
    location = f"/api/v1/meetings/{meeting.id}/participants/{one.id}"
    return Reply(body=await _shown(call, meeting, one), etag=one.version, location=location)


@routes.add(
    "GET", PARTICIPANTS, query=PageQuery, answer=BookedParticipantPage, scope=Scope.MEETINGS_READ, problems=(NotFound,)
)
async def list_booked_participants(call: Call[Nothing]) -> Reply:
    """List the people booked into a meeting."""
    wanted = call.query(PageQuery).wanted()
    meeting = await read(call)
    later = sorted((one for one in meeting.participants if one.id > wanted.after), key=lambda one: one.id)
    page = later[: wanted.size]
    last = page[-1].id if len(later) > wanted.size else ""
    urls = await links(call, meeting, page)
    items = [BookedParticipantOut.of(one, urls.get(one.id)) for one in page]
    return Reply(body=BookedParticipantPage(items=items, next_page_token=page_token(last)))


@routes.add("GET", PARTICIPANT, answer=BookedParticipantOut, scope=Scope.MEETINGS_READ, etag=True, problems=(NotFound,))
async def get_booked_participant(call: Call[Nothing]) -> Reply:
    """Show one of the people booked into a meeting."""
    meeting = await read(call)
    one = _find(call, meeting)
    return Reply(body=await _shown(call, meeting, one), etag=one.version)


@routes.add(
    "PATCH",
    PARTICIPANT,
    body=BookedParticipantPatch,
    media=MERGE_PATCH,
    answer=BookedParticipantOut,
    scope=Scope.MEETINGS_WRITE,
    if_match=True,
    etag=True,
    problems=(NotFound, Cancelled),
)
async def change_booked_participant(call: Call[BookedParticipantPatch]) -> Reply:
    """Change one of the people booked into a meeting.

    A merge patch (RFC 7396). The personal link stays the same.
    """
    tx = await call.writing()
    meeting = await _live(call, tx)
    old = _find(call, meeting)
    call.require_version(old.version)
    new = changed_participant(old, patched(BookedParticipantIn, writable_participant(old), call.body))
    if new != old:
        people = tuple(new if one is old else one for one in meeting.participants)
        meeting = await save(call, tx, replace(meeting, participants=people))
    return Reply(body=await _shown(call, meeting, new), etag=new.version)


@routes.add(
    "DELETE", PARTICIPANT, status=204, scope=Scope.MEETINGS_WRITE, if_match=True, problems=(NotFound, Cancelled)
)
async def remove_booked_participant(call: Call[Nothing]) -> Reply:
    """Withdraw somebody's invitation.

    The personal link and every join token for it stop working. Somebody who is in the room stays until removed there.
    """
    tx = await call.writing()
    meeting = await _live(call, tx)
    old = _find(call, meeting)
    call.require_version(old.version)
    await save(call, tx, replace(meeting, participants=tuple(one for one in meeting.participants if one is not old)))
    return Reply()


@routes.add(
    "PUT",
    f"{PARTICIPANT}/pin",
    body=PersonalPinIn,
    answer=PersonalPinOut,
    scope=Scope.MEETINGS_WRITE,
    problems=(NotFound, Cancelled, SamePins, Stale),
)
async def set_personal_pin(call: Call[PersonalPinIn]) -> Reply:
    """Give somebody a PIN of their own.

    Who dials in to the meeting's number with it comes in under the booked name and role, where the meeting asks for a
    PIN. The answer is the only place where it is shown; one that they had before stops working.
    """
    before = await read(call)
    old = _find(call, before)
    pin, hashed = await settle_personal(call.request.app[API].pins, before, old.id, call.body.pin)
    await _put(call, await call.writing(), before, replace(old, pin=hashed))
    return Reply(body=PersonalPinOut(pin=pin))


@routes.add("DELETE", f"{PARTICIPANT}/pin", status=204, scope=Scope.MEETINGS_WRITE, problems=(NotFound, Cancelled))
async def remove_personal_pin(call: Call[Nothing]) -> Reply:
    """Take away somebody's own PIN. Without one this changes nothing."""
    tx = await call.writing()
    meeting = await _live(call, tx)
    if (old := _find(call, meeting)).pin is not None:
        await _put(call, tx, meeting, replace(old, pin=None))
    return Reply()


@routes.add(
    "POST",
    f"{PARTICIPANT}/join-tokens",
    body=JoinTokenAsk,
    answer=JoinTokenOut,
    status=201,
    scope=Scope.MEETINGS_WRITE,
    problems=(NotFound, Cancelled),
)
async def create_join_token(call: Call[JoinTokenAsk]) -> Reply:
    """Make a short-lived personal link.

    For handing over at once, for instance to an app in which the person has just logged in.
    """
    api = call.request.app[API]
    meeting = await read(call)
    require_live(meeting)
    one = _find(call, meeting)
    until = (api.clock.now() + timedelta(seconds=call.body.expires_in_seconds)).replace(microsecond=0)
    token = join_token(api, meeting, one, until)
    return Reply(body=JoinTokenOut(token=token, join_url=join_url(api, meeting, token), expires_at=until))


async def _put(call: Call[object], tx: Transaction, meeting: Meeting, new: BookedParticipant) -> None:
    """One as they are to be, as a new version. Raises `Cancelled`, or `Stale` where the meeting has changed."""
    require_live(meeting)
    new = replace(new, version=new.version + 1)
    people = tuple(new if one.id == new.id else one for one in meeting.participants)
    await save(call, tx, replace(meeting, participants=people))


async def _shown(call: Call[object], meeting: Meeting, one: BookedParticipant) -> BookedParticipantOut:
    return BookedParticipantOut.of(one, (await links(call, meeting, [one])).get(one.id))


async def _live(call: Call[object], tx: Transaction) -> Meeting:
    """Locked for the change. Raises `NotFound` or `Cancelled`."""
    meeting = await read_locked(call, tx)
    require_live(meeting)
    return meeting


def _find(call: Call[object], meeting: Meeting) -> BookedParticipant:
    if (one := meeting.participant(ParticipantId(call.path["participant"]))) is None:
        raise NotFound("Nobody by that id is booked into the meeting.")
    return one
