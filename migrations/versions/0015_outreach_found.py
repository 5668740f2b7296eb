"""Find who wrote, paid or got a hold since a moment."""

from __future__ import annotations

from alembic import op

revision = "0015_outreach_found"
down_revision = "0015_outreach"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_conversation_last_inbound_at", "conversation", ["last_inbound_at"], if_not_exists=True, postgresql_concurrently=True
        )
        op.create_index("ix_hold_placed_at", "hold", ["placed_at"], if_not_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_ledger_entry_booked_at", "ledger_entry", ["booked_at"], if_not_exists=True, postgresql_concurrently=True
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
