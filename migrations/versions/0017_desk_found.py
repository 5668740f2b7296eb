"""Find conversations by their team and operator, and what borrowers and operators wrote by its moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_desk_found"
down_revision = "0017_desk_column"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision, beside whoever writes; run again it goes on where it ended."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_conversation_team_activity",
            "conversation",
            ["team", "last_activity_at"],
            if_not_exists=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_conversation_owner_operator",
            "conversation",
            ["owner_operator_id"],
            sqlite_where=sa.text("owner_operator_id IS NOT NULL"),
            postgresql_where=sa.text("owner_operator_id IS NOT NULL"),
            if_not_exists=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_message_said",
            "message",
            ["created_at", "conversation_id"],
            sqlite_where=sa.text("author = 'borrower'"),
            postgresql_where=sa.text("author = 'borrower'"),
            if_not_exists=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_message_operator",
            "message",
            ["operator_id", "conversation_id"],
            sqlite_where=sa.text("operator_id IS NOT NULL"),
            postgresql_where=sa.text("operator_id IS NOT NULL"),
            if_not_exists=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
