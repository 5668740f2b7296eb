"""Count wrong answers by what was claimed too, so that an unknown claim locks as a known one does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("verification_challenge", sa.Column("claim_hash", sa.String(length=64), nullable=True))
    op.add_column("verification_attempt", sa.Column("claim_hash", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
