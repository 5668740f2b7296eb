"""Find borrowers whose notices are due, and the deliveries of a message."""

from __future__ import annotations

from alembic import op

revision = "0007_outreach_found"
down_revision = "0007_outreach"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_borrower_notices_due_at",
            "borrower",
            ["notices_due_at"],
            if_not_exists=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_outbox_message_id",
            "outbox",
            ["message_id"],
            if_not_exists=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
