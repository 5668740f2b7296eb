"""Keep the links with which borrowers go on over another channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_channel_links"
down_revision = "0008_rates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "channel_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("followed_by", sa.String(length=32), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_channel_link_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_channel_link_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["followed_by"], ["conversation.id"], name="fk_channel_link_followed_by_conversation"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_channel_link"),
    )
    op.create_index("ix_channel_link_conversation_id", "channel_link", ["conversation_id"])
    op.create_index("ix_channel_link_followed_by", "channel_link", ["followed_by"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
