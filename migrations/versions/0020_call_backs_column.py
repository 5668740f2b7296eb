"""Operators who no longer work here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_call_backs_column"
down_revision = "0020_call_backs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    op.add_column("operator", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
