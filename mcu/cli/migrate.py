"""`mcu migrate`: the database brought to this version's schema. The server does the same when it starts."""

import asyncio

from mcu.app.data import prepare
from mcu.cli.common import ConfigOption, out, settings_or_exit


def migrate(config: ConfigOption = None) -> None:
    """Bring the database to this version's schema."""
    from mcu.storage import migrate as storage  # here, for it is slow to load and no other command needs it

    settings = settings_or_exit(config)
    prepare(settings.data.directory)
    revision = asyncio.run(storage.migrate(settings.database_url))
    out.print(f"The database is at {revision}.")
