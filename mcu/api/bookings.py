"""From what a request says to a meeting as it is to be: fields, PINs, participants, merge patches. No HTTP here."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mcu.api.meeting_models import BookedParticipantIn, MeetingFields
from mcu.api.problems import invalid
from mcu.api.server import Api
from mcu.auth.tokens import JoinToken
from mcu.booking.meeting import Access, BookedParticipant, Meeting, Organizer, Pins, Role
from mcu.booking.pins import Ask, Wanted
from mcu.ids import ParticipantId, new_id

LINK_GRACE = timedelta(days=30)  # a link outlives the booked time, so that a meeting that is moved keeps its links
STANDING_LINK = timedelta(days=124)  # from the first of the month

AT_A_TIME = 32  # signatures, or meetings shown, before the event loop is let go

M = TypeVar("M", bound=BaseModel)


def fill(meeting: Meeting, fields: MeetingFields, pins: Pins) -> Meeting:
    """The meeting with all that `fields` say but the participants."""
    access = fields.access
    return replace(
        meeting,
        title=fields.title,
        language=fields.language,
        start=fields.start,
        end=fields.end,
        time_zone=fields.time_zone,
        open_before_minutes=fields.open_before_minutes,
        close_after_minutes=fields.close_after_minutes,
        organizer=None if fields.organizer is None else Organizer(**fields.organizer.model_dump()),
        layout=fields.media.layout,
        personal=fields.media.personal,
        presentation=fields.media.presentation,
        metadata=dict(fields.metadata),
        access=Access(
            pins=pins,
            wait_for_host=access.wait_for_host,
            lobby=access.lobby.scope,
            max_participants=access.max_participants,
            locked=access.locked,
        ),
    )


def wanted_pins(fields: MeetingFields, absent: Ask) -> tuple[Wanted, Wanted]:
    """What is asked of the host PIN and the guest PIN; `absent` for one that is left out."""
    access = fields.access

    def one(name: str, given: str | None) -> Wanted:
        if name not in access.model_fields_set:
            return absent
        return Ask.REMOVE if given is None else given

    return one("host_pin", access.host_pin), one("guest_pin", access.guest_pin)


def writable(meeting: Meeting) -> dict[str, Any]:
    """The meeting as the body that would book it, without PINs: what a merge patch is applied to."""
    access = meeting.access
    same = ("title", "language", "time_zone", "open_before_minutes", "close_after_minutes")
    return {
        **{name: getattr(meeting, name) for name in same},
        "start": meeting.start,
        "end": meeting.end,
        "organizer": meeting.organizer and asdict(meeting.organizer),
        "media": {name: getattr(meeting, name) for name in ("layout", "personal", "presentation")},
        "metadata": dict(meeting.metadata),
        "access": {
            "wait_for_host": access.wait_for_host,
            "lobby": {"scope": access.lobby},
            "max_participants": access.max_participants,
            "locked": access.locked,
        },
    }


def patched(model: type[M], current: Mapping[str, Any], patch: BaseModel) -> M:
    """`current` with `patch` merged in (RFC 7396), checked as a whole. Raises `Invalid422`.

    A PIN that is set to null stays as null: it is to be removed.
    """
    merged = merge(dict(current), patch.model_dump(exclude_unset=True))
    try:
        return model.model_validate_json(json.dumps(merged, default=datetime.isoformat), strict=True)
    except ValidationError as found:
        raise invalid(found) from found


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396 section 2, but that null is kept where the name was not there: a write-only field."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is not None:
            result[name] = merge(result.get(name), value)
        elif name.endswith("_pin"):
            result[name] = None
        else:
            result.pop(name, None)
    return result


def new_participant(given: BookedParticipantIn) -> BookedParticipant:
    return BookedParticipant(id=ParticipantId(new_id("pt")), **given.fields())


def writable_participant(old: BookedParticipant) -> dict[str, Any]:
    """As the body that would book it: what a merge patch is applied to."""
    same = ("name", "role", "external_id", "email", "phone")
    out = old.dial_out
    join = {"kind": "link"} if out is None else {"kind": "dial_out", "when": out.when, "uri": out.uri}
    return {**{name: getattr(old, name) for name in same}, "join": join}


def matched(now: Iterable[BookedParticipant], wanted: Iterable[BookedParticipantIn]) -> tuple[BookedParticipant, ...]:
    """The wanted ones, each with the id (and so the link) that it has now, if it is there: each at most once."""
    left = list(now)

    def one(given: BookedParticipantIn) -> BookedParticipant:
        same = next((old for old in left if _same(old, given)), None)
        if same is None:
            return new_participant(given)
        left.remove(same)
        return changed_participant(same, given)

    return tuple(one(given) for given in wanted)


def changed_participant(old: BookedParticipant, given: BookedParticipantIn) -> BookedParticipant:
    """A new version, if anything is new."""
    new = replace(old, **given.fields())
    return old if new == old else replace(new, version=old.version + 1)


def _same(old: BookedParticipant, given: BookedParticipantIn) -> bool:
    if given.external_id is not None:
        return old.external_id == given.external_id
    return replace(old, **given.fields()) == old


def link_until(meeting: Meeting, now: datetime) -> datetime:
    """When a personal link ends. The same for every look at the meeting in a month."""
    if meeting.closes_at is not None:
        return meeting.closes_at + LINK_GRACE
    return datetime(now.year, now.month, 1, tzinfo=UTC) + STANDING_LINK


def join_token(api: Api, meeting: Meeting, one: BookedParticipant, until: datetime) -> str:
    role: Role = one.role
    return api.tokens.mint(JoinToken(meeting=meeting.id, role=role, participant=one.id), until=until)


async def personal_links(api: Api, meeting: Meeting, people: Iterable[BookedParticipant]) -> dict[ParticipantId, str]:
    """The `join_url` of each. A signature costs some 50 µs: the loop is let go now and then."""
    until = link_until(meeting, api.clock.now())
    links: dict[ParticipantId, str] = {}
    for one in people:
        links[one.id] = join_url(api, meeting, join_token(api, meeting, one, until))
        if len(links) % AT_A_TIME == 0:
            await asyncio.sleep(0)
    return links


def join_url(api: Api, meeting: Meeting, token: str) -> str:
    """The token is in the fragment: browsers send it to nobody."""
    return f"{api.reach.web}/j/{meeting.number}#t={token}"
