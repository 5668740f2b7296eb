"""Find agreements, promises, decisions, notices and negotiations by when they came about, as the reports ask for them."""

from __future__ import annotations

from alembic import op

revision = "0021_desk_repairs"
down_revision = "0020_call_backs_column"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_agreement_accepted_at", "agreement", ["accepted_at"], if_not_exists=True, postgresql_concurrently=True
        )
        op.create_index("ix_promise_made_at", "promise", ["made_at"], if_not_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_case_file_decided_at", "case_file", ["decided_at"], if_not_exists=True, postgresql_concurrently=True
        )
        op.create_index(
            "ix_negotiation_created_at", "negotiation", ["created_at"], if_not_exists=True, postgresql_concurrently=True
        )
        op.create_index(
            "ix_reminder_decided_at", "reminder", ["decided_at"], if_not_exists=True, postgresql_concurrently=True
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
