"""Keep which plan a consent to proof is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_hardship_evidence_consent"
down_revision = "0023_hardship_evidence_column"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    op.add_column("evidence_consent", sa.Column("approval_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
