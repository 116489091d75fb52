"""Whether a database can be used now: it answers, and its schema is ours. Changes nothing."""

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from mcu.errors import Unavailable
from mcu.storage.database import Database, make_engine


async def ping(database: Database) -> None:
    """Raises `Unavailable` when it does not answer."""
    async with database.reading() as tx:
        await tx.connection.execute(text("SELECT 1"))


async def revision(url: str) -> str | None:
    """The revision of its schema; `None` of one that is empty. Raises `Unavailable` when it cannot be reached."""
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    except (DBAPIError, OSError) as error:
        raise Unavailable(f"the database cannot be reached ({type(error).__name__})") from error
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
