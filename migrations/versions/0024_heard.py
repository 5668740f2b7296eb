"""Let the reports count what borrowers wrote, and how it was read, from an index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024_heard"
down_revision = "0023_hardship_evidence_consent"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended.

    The new index begins like the one it replaces, so the release before is served by it too.
    """
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_message_heard",
            "message",
            ["created_at", "conversation_id", "intent", "confidence"],
            sqlite_where=sa.text("author = 'borrower'"),
            postgresql_where=sa.text("author = 'borrower'"),
            if_not_exists=True,
            postgresql_concurrently=True,
        )
        op.drop_index("ix_message_said", table_name="message", if_exists=True, postgresql_concurrently=True)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
