"""Alembic's environment and the steps of the schema, shipped with the package."""
