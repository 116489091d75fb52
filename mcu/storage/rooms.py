"""Runs of meetings and their notice records, as rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mcu.booking.store import Page, PageRequest, RoomRun, StoredNotice, Taken
from mcu.errors import NotFound
from mcu.ids import MeetingId, NoticeId, RoomId
from mcu.storage.pages import cut
from mcu.storage.tables import notices, rooms


class Rooms:
    """Implements `mcu.booking.store.RoomStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, run: RoomRun) -> None:
        try:
            await self._connection.execute(insert(rooms).values(vars(run)))
        except IntegrityError as error:
            raise Taken("The meeting has a room that runs.") from error

    async def update(self, run: RoomRun) -> None:
        done = await self._connection.execute(update(rooms).where(rooms.c.id == run.id).values(vars(run)))
        if done.rowcount != 1:
            raise NotFound("There is no such room.")

    async def get(self, name: RoomId) -> RoomRun:
        row = (await self._connection.execute(select(rooms).where(rooms.c.id == name))).one_or_none()
        if row is None:
            raise NotFound("There is no such room.")
        return _run(row)

    async def running(self) -> Sequence[RoomRun]:
        query = select(rooms).where(rooms.c.ended_at.is_(None)).order_by(rooms.c.id)
        return [_run(row) for row in await self._connection.execute(query)]

    async def page(self, meeting: MeetingId | None, page: PageRequest) -> Page[RoomRun]:
        of_it: list[ColumnElement[bool]] = [rooms.c.meeting == meeting] if meeting else []
        query = select(rooms).where(rooms.c.id > page.after, *of_it).order_by(rooms.c.id).limit(page.size + 1)
        return cut([_run(row) for row in await self._connection.execute(query)], page.size)


class Notices:
    """Implements `mcu.booking.store.NoticeStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save(self, records: Sequence[StoredNotice]) -> None:
        if not records:
            return
        newest = {one.id: {**vars(one), "record": one.record.decode()} for one in records}
        await self._connection.execute(delete(notices).where(notices.c.id.in_(newest)))
        await self._connection.execute(insert(notices), list(newest.values()))

    async def page(self, room: RoomId, page: PageRequest) -> Page[StoredNotice]:
        query = select(notices).where(notices.c.room == room, notices.c.id > page.after)
        rows = await self._connection.execute(query.order_by(notices.c.id).limit(page.size + 1))
        return cut([_notice(row) for row in rows], page.size)


def _run(row: Row[Any]) -> RoomRun:
    values = dict(row._mapping)
    return RoomRun(**{**values, "id": RoomId(row.id), "meeting": MeetingId(row.meeting)})


def _notice(row: Row[Any]) -> StoredNotice:
    return StoredNotice(id=NoticeId(row.id), room=RoomId(row.room), at=row.at, record=row.record.encode())
