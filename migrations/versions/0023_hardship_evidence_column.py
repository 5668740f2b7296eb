"""Keep what a person found of the proof for a plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_hardship_evidence_column"
down_revision = "0023_hardship_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    op.add_column("approval", sa.Column("evidence_finding", sa.String(length=8), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
