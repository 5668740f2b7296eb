"""Find messages that are not in the index of words yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_review_found"
down_revision = "0013_review_column"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_message_unindexed",
            "message",
            ["created_at"],
            sqlite_where=sa.text("indexed_at IS NULL"),
            postgresql_where=sa.text("indexed_at IS NULL"),
            if_not_exists=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
