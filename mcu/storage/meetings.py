"""Meetings with their participants, as rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mcu.booking.meeting import Access, BookedParticipant, DialOut, ExternalId, Meeting, MeetingState, Organizer, Pins
from mcu.booking.store import MeetingFilter, Page, PageRequest, Stale, Taken
from mcu.errors import NotFound
from mcu.ids import MeetingId, ParticipantId, RoomId
from mcu.storage.pages import cut
from mcu.storage.tables import meetings, participants, rooms

M = meetings.c
_RUNNING = select(rooms.c.id).where(rooms.c.meeting == M.id, rooms.c.ended_at.is_(None)).limit(1).scalar_subquery()
_RAN = exists().where(rooms.c.meeting == M.id)
_ALL: Select[Any] = select(meetings, _RUNNING.label("room"), _RAN.label("ran"))


_MEDIA: Final = ("layout", "personal", "presentation")


class Meetings:
    """Implements `mcu.booking.store.MeetingStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: MeetingId, *, lock: bool = False) -> Meeting:
        if (meeting := await self._one(M.id == name, lock)) is None:
            raise NotFound("There is no such meeting.")
        return meeting

    async def by_number(self, number: str) -> Meeting | None:
        return await self._one(M.number == number, lock=False)

    async def by_external_id(self, name: ExternalId, organisation: str) -> Meeting | None:
        return await self._one(_has_external_id(name, organisation), lock=False)

    async def add(self, meeting: Meeting) -> None:
        try:
            await self._connection.execute(insert(meetings).values(_row(meeting)))
            await self._add_participants(meeting)
        except IntegrityError as error:
            raise Taken("A meeting with that external id, or that number, exists.") from error

    async def replace(self, meeting: Meeting) -> None:
        same = and_(M.id == meeting.id, M.version == meeting.version - 1)
        try:
            done = await self._connection.execute(update(meetings).where(same).values(_row(meeting)))
        except IntegrityError as error:
            raise Taken("A meeting with that external id, or that number, exists.") from error
        if done.rowcount != 1:
            raise Stale("Read it again, and make your change to what it is now.")
        await self._connection.execute(delete(participants).where(participants.c.meeting == meeting.id))
        await self._add_participants(meeting)

    async def page(self, wanted: MeetingFilter, page: PageRequest) -> Page[Meeting]:
        query = _ALL.where(M.id > page.after, *_conditions(wanted)).order_by(M.id).limit(page.size + 1)
        rows = (await self._connection.execute(query)).all()
        return cut(await self._with_participants(rows), page.size)

    async def _one(self, condition: ColumnElement[bool], lock: bool) -> Meeting | None:
        query = _ALL.where(condition)
        if lock:
            query = query.with_for_update(of=meetings)  # means nothing to SQLite, whose writers come one at a time
        rows = (await self._connection.execute(query)).all()
        return next(iter(await self._with_participants(rows)), None)

    async def _with_participants(self, rows: Sequence[Row[Any]]) -> list[Meeting]:
        people: dict[str, list[BookedParticipant]] = {row.id: [] for row in rows}
        query = select(participants).where(participants.c.meeting.in_(people)).order_by(participants.c.position)
        for row in (await self._connection.execute(query)).all() if people else ():
            people[row.meeting].append(_participant(row))
        return [_meeting(row, tuple(people[row.id])) for row in rows]

    async def _add_participants(self, meeting: Meeting) -> None:
        if rows := [_participant_row(meeting, i, one) for i, one in enumerate(meeting.participants)]:
            await self._connection.execute(insert(participants), rows)


def _has_external_id(name: ExternalId, organisation: str) -> ColumnElement[bool]:
    return and_(M.external_source == _source(name, organisation), M.external_value == name.value)


def _source(name: ExternalId, organisation: str) -> str:
    return f"{organisation}/{name.source}" if organisation else name.source


def _conditions(wanted: MeetingFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.begins_before is not None:
        found.append(or_(M.start.is_(None), M.start < wanted.begins_before))
    if wanted.ends_after is not None:
        found.append(or_(M.end.is_(None), M.end > wanted.ends_after))
    if wanted.updated_since is not None:
        found.append(M.updated_at >= wanted.updated_since)
    if wanted.external_id is not None:
        found.append(_has_external_id(wanted.external_id, wanted.organisation))
    if wanted.organisation:
        found.append(M.organisation == wanted.organisation)
    if wanted.states:
        found.append(or_(*(_in_state(state, wanted.now) for state in sorted(wanted.states))))
    return found


def _in_state(state: MeetingState, now: datetime) -> ColumnElement[bool]:
    """The same as `Meeting.state`, as SQL; a test holds them together."""
    runs = exists().where(rooms.c.meeting == M.id, rooms.c.ended_at.is_(None))
    idle = and_(M.cancelled_at.is_(None), not_(runs))
    early = and_(M.opens_at.is_not(None), M.opens_at > now)
    late = and_(not_(early), M.closes_at.is_not(None), M.closes_at <= now)
    return {
        MeetingState.CANCELLED: M.cancelled_at.is_not(None),
        MeetingState.ACTIVE: and_(M.cancelled_at.is_(None), runs),
        MeetingState.SCHEDULED: and_(idle, early),
        MeetingState.ENDED: and_(idle, late, _RAN),
        MeetingState.EXPIRED: and_(idle, late, not_(_RAN)),
        MeetingState.OPEN: and_(idle, not_(early), not_(late)),
    }[state]


def _row(meeting: Meeting) -> dict[str, Any]:
    access, external, organizer = meeting.access, meeting.external_id, meeting.organizer
    same = ("id", "number", "version", "title", "language", "start", "end", "opens_at", "closes_at", "time_zone")
    more = ("open_before_minutes", "close_after_minutes", "created_by", "organisation", "created_at", "updated_at")
    return {
        **{name: getattr(meeting, name) for name in (*same, *more, *_MEDIA, "cancelled_at")},
        **{name: getattr(access, name) for name in ("wait_for_host", "lobby", "max_participants", "locked")},
        "external_source": external and _source(external, meeting.organisation),
        "external_value": external and external.value,
        "organizer": None if organizer is None else {"name": organizer.name, "email": organizer.email},
        "pin_salt": access.pins.salt,
        "host_pin": access.pins.host,
        "guest_pin": access.pins.guest,
        "metadata": dict(meeting.metadata),
    }


def _meeting(row: Row[Any], people: tuple[BookedParticipant, ...]) -> Meeting:
    values = row._mapping
    same = ("number", "version", "title", "language", "start", "end", "time_zone", "open_before_minutes")
    more = ("close_after_minutes", "created_by", "organisation", "created_at", "updated_at", "cancelled_at", "metadata")
    return Meeting(
        id=MeetingId(row.id),
        participants=people,
        external_id=_external_id(row),
        organizer=None if row.organizer is None else Organizer(**row.organizer),
        access=Access(
            pins=Pins(salt=row.pin_salt, host=row.host_pin, guest=row.guest_pin),
            wait_for_host=row.wait_for_host,
            lobby=row.lobby,
            max_participants=row.max_participants,
            locked=row.locked,
        ),
        room=None if row.room is None else RoomId(row.room),
        ran=bool(row.ran),
        **{name: values[name] for name in (*same, *more, *_MEDIA)},
    )


def _external_id(row: Row[Any]) -> ExternalId | None:
    if not row.external_source:
        return None
    return ExternalId(source=row.external_source.rpartition("/")[2], value=row.external_value)


def _participant_row(meeting: Meeting, position: int, one: BookedParticipant) -> dict[str, Any]:
    kept = {name: value for name, value in vars(one).items() if name != "dial_out"}
    out = one.dial_out
    dial = {"dial_when": out and out.when, "dial_uri": out and out.uri}
    return {**kept, **dial, "meeting": meeting.id, "position": position}


def _participant(row: Row[Any]) -> BookedParticipant:
    return BookedParticipant(
        id=ParticipantId(row.id),
        version=row.version,
        name=row.name,
        role=row.role,
        external_id=row.external_id,
        email=row.email,
        phone=row.phone,
        dial_out=DialOut(when=row.dial_when, uri=row.dial_uri) if row.dial_when else None,
        pin=row.pin,
    )
