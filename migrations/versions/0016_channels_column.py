"""Draw what a message says: charts of offers, pickers for dates and amounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_channels_column"
down_revision = "0016_channels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    # A plain ALTER: rebuilding the table on SQLite would copy every message.
    op.add_column("message", sa.Column("extras", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
