"""Whose a meeting is."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("meetings", sa.Column("organisation", sa.Text(), nullable=False, server_default=""))
