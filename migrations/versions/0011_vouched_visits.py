"""Keep the visits that a lender's server vouched for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_vouched_visits"
down_revision = "0010_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "vouched_visit",
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("logged_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_vouched_visit_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_vouched_visit_borrower_id_borrower"),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_vouched_visit"),
    )
    op.create_index("ix_vouched_visit_conversation_id", "vouched_visit", ["conversation_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
