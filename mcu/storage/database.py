"""The database: SQLite or PostgreSQL by URL, and its transactions.

SQLite runs with a write-ahead log that is synced at each commit, one writer at a time in this process; another process
(`mcu meeting`) waits its turn for up to BUSY_MS. What goes wrong in the engine becomes `Unavailable`, without values.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mcu.errors import Unavailable
from mcu.storage.endpoints import Endpoints
from mcu.storage.meetings import Meetings
from mcu.storage.replies import Replies
from mcu.storage.rooms import Notices, Rooms

BUSY_MS = 10_000
_AGAIN_MS = 10
WRITING = "mcu_writing"


@dataclass(frozen=True)
class Tx:
    """One transaction; implements `mcu.booking.store.Transaction`."""

    connection: AsyncConnection

    @property
    def meetings(self) -> Meetings:
        return Meetings(self.connection)

    @property
    def rooms(self) -> Rooms:
        return Rooms(self.connection)

    @property
    def notices(self) -> Notices:
        return Notices(self.connection)

    @property
    def replies(self) -> Replies:
        return Replies(self.connection)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.connection)


class Database:
    """Implements `mcu.booking.store.Store`. `url`: `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._one_writer = asyncio.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        with _translated():
            async with self.engine.connect() as connection:
                yield Tx(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Tx]:
        with _translated():
            async with self._one_writer, self.engine.connect() as connection:
                await connection.execution_options(**{WRITING: True})
                async with connection.begin():
                    yield Tx(connection)


def make_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say
    _pragma(connection, f"busy_timeout={BUSY_MS}")
    connection.run_async(_log_ahead)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        _pragma(connection, pragma)


def _pragma(connection: Any, pragma: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _log_ahead(connection: aiosqlite.Connection) -> None:
    """Turn the write-ahead log on. Whoever writes to a new database meanwhile makes that fail at once, whatever
    `busy_timeout` says: the wait for our turn is ours."""
    for left in reversed(range(BUSY_MS // _AGAIN_MS)):
        try:
            async with connection.execute("PRAGMA journal_mode=WAL"):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                raise
        await asyncio.sleep(_AGAIN_MS / 1000)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: a reader that turns writer cannot wait for it."""
    writing = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise Unavailable("The database does not answer as it should.") from error
