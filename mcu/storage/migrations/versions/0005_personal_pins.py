"""A PIN of one's own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("participants", sa.Column("pin", sa.LargeBinary(), nullable=True))
