"""Views of one's own, and who may share."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("meetings", sa.Column("personal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("meetings", sa.Column("presentation", sa.Text(), nullable=False, server_default="everyone"))
