"""Endpoints and where they are reached, as rows."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, insert, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mcu.booking.endpoints import Endpoint
from mcu.booking.store import Page, PageRequest, StoredBinding, Taken
from mcu.errors import NotFound
from mcu.ids import EndpointId
from mcu.storage.pages import cut
from mcu.storage.tables import bindings, endpoints


def _of(organisation: str) -> ColumnElement[bool]:
    return endpoints.c.organisation == organisation if organisation else true()


class Endpoints:
    """Implements `mcu.booking.store.EndpointStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[Endpoint]:
        return [Endpoint(**row._mapping) for row in await self._connection.execute(select(endpoints))]

    async def page(self, page: PageRequest, organisation: str = "") -> Page[Endpoint]:
        query = select(endpoints).where(endpoints.c.id > page.after, _of(organisation))
        query = query.order_by(endpoints.c.id).limit(page.size + 1)
        return cut([Endpoint(**row._mapping) for row in await self._connection.execute(query)], page.size)

    async def add(self, endpoint: Endpoint) -> None:
        try:
            await self._connection.execute(insert(endpoints).values(vars(endpoint)))
        except IntegrityError as error:
            raise Taken("An endpoint with that name, or that number, exists.") from error

    async def remove(self, endpoint: EndpointId, organisation: str = "") -> None:
        done = await self._connection.execute(delete(endpoints).where(endpoints.c.id == endpoint, _of(organisation)))
        if done.rowcount != 1:
            raise NotFound("There is no such endpoint.")

    async def bindings(self) -> Sequence[StoredBinding]:
        rows = await self._connection.execute(select(bindings).order_by(bindings.c.endpoint, bindings.c.position))
        return [
            StoredBinding(**{name: value for name, value in row._mapping.items() if name != "position"}) for row in rows
        ]

    async def keep(self, endpoint: EndpointId, kept: Sequence[StoredBinding]) -> None:
        await self._connection.execute(delete(bindings).where(bindings.c.endpoint == endpoint))
        if kept:
            rows = [{**vars(one), "position": i} for i, one in enumerate(kept)]
            try:
                await self._connection.execute(insert(bindings), rows)
            except IntegrityError as error:
                raise NotFound("There is no such endpoint.") from error
