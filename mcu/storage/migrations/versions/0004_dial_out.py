"""Participants whom the meeting calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("participants", sa.Column("dial_when", sa.Text(), nullable=True))
    op.add_column("participants", sa.Column("dial_uri", sa.Text(), nullable=True))
