"""Let the reports count what borrowers wrote, and how it was read, from an index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024_heard"
down_revision = "0023_hardship_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. The new index begins like the one it replaces, so the release before is served by it too."""
    op.create_index(
        "ix_message_heard",
        "message",
        ["created_at", "conversation_id", "intent", "confidence"],
        sqlite_where=sa.text("author = 'borrower'"),
        postgresql_where=sa.text("author = 'borrower'"),
    )
    op.drop_index("ix_message_said", table_name="message")


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
