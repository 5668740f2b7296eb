"""Ask how it went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_channels"
down_revision = "0015_outreach_found"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "satisfaction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("operator_id", sa.String(length=32), nullable=True),
        sa.Column("moment", sa.String(length=12), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_satisfaction_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_satisfaction_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_satisfaction_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_satisfaction"),
    )
    op.create_index("ix_satisfaction_asked", "satisfaction", ["asked_at"])
    op.create_index("ix_satisfaction_conversation_id", "satisfaction", ["conversation_id"])
    op.create_index("ix_satisfaction_borrower_id", "satisfaction", ["borrower_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
