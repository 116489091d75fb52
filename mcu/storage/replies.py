"""Replies kept by Idempotency-Key, as rows."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mcu.booking.store import StoredReply, Taken
from mcu.storage.tables import replies


class Replies:
    """Implements `mcu.booking.store.ReplyStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, key: str, since: datetime) -> StoredReply | None:
        query = select(replies).where(replies.c.key == key, replies.c.at >= since)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else StoredReply(**row._mapping)

    async def add(self, reply: StoredReply, since: datetime) -> None:
        await self._connection.execute(delete(replies).where(replies.c.at < since))
        try:
            await self._connection.execute(insert(replies).values(vars(reply)))
        except IntegrityError as error:
            raise Taken("The Idempotency-Key is in use.") from error
