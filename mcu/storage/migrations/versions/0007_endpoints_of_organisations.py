"""Whose an endpoint is; names and numbers are each organisation's own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    anew = op.get_bind().dialect.name == "sqlite"  # it makes the table anew, and what refers to its rows goes with them
    if anew:
        op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM bindings")
    with op.batch_alter_table("endpoints") as table:
        table.add_column(sa.Column("organisation", sa.Text(), nullable=False, server_default=""))
        table.drop_constraint(op.f("uq_endpoints_name"), type_="unique")
        table.drop_constraint(op.f("uq_endpoints_number"), type_="unique")
        table.create_unique_constraint(op.f("uq_endpoints_organisation_name"), ["organisation", "name"])
        table.create_unique_constraint(op.f("uq_endpoints_organisation_number"), ["organisation", "number"])
    if anew:
        op.execute("INSERT INTO bindings SELECT * FROM kept")
        op.execute("DROP TABLE kept")
