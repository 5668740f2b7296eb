"""Find wrong answers by what was claimed."""

from __future__ import annotations

from alembic import op

revision = "0002_claims_found"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_verification_attempt_claim",
            "verification_attempt",
            ["claim_hash", "at"],
            if_not_exists=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
