"""Find agreements, promises, decisions, notices and negotiations by when they came about, as the reports ask for them."""

from __future__ import annotations

from alembic import op

revision = "0021_desk_repairs"
down_revision = "0020_call_backs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_index("ix_agreement_accepted_at", "agreement", ["accepted_at"])
    op.create_index("ix_promise_made_at", "promise", ["made_at"])
    op.create_index("ix_case_file_decided_at", "case_file", ["decided_at"])
    op.create_index("ix_negotiation_created_at", "negotiation", ["created_at"])
    op.create_index("ix_reminder_decided_at", "reminder", ["decided_at"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
