"""Brings a database to the newest schema. Used by `mcu migrate` and at each start; safe to run by several at once."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from mcu.errors import McuError
from mcu.storage.database import WRITING, make_engine

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x6D6375  # PostgreSQL's advisory lock while a schema changes


class DatabaseNewer(McuError):
    """It has been migrated by a later version of this program. There is no way back but a backup."""

    code, title = "database-newer", "The database is of a newer version of the server"


async def migrate(url: str) -> str:
    """All of it in one transaction. Returns the revision that the database is at now. Raises `DatabaseNewer`."""
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**{WRITING: True})
            async with connection.begin():
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
    return newest()


def newest() -> str:
    """The revision that this program needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(SCRIPTS))


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    now = MigrationContext.configure(connection).get_current_revision()
    if now is not None and now not in [script.revision for script in _scripts().walk_revisions()]:
        raise DatabaseNewer("Start that version, or restore the backup that was made of the database before it.")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
