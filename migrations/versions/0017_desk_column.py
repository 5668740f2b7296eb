"""Give conversations a team."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_desk_column"
down_revision = "0017_desk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    op.add_column("conversation", sa.Column("team", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
