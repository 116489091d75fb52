"""Run by Alembic for each command: works on the connection that `mcu.storage.migrate` holds."""

from alembic import context

from mcu.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False
)  # the transaction is the caller's
context.run_migrations()
