"""Keep what a borrower asked for, the line of agreements that replace each other, and promises to pay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_negotiation"
down_revision = "0005_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("negotiation", sa.Column("hardship", sa.String(length=20), nullable=True))
    op.add_column("negotiation", sa.Column("wish", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("negotiation", sa.Column("wish_kind", sa.String(length=12), nullable=True))
    op.add_column("negotiation", sa.Column("available_now_fen", sa.BigInteger(), nullable=True))
    op.add_column("negotiation", sa.Column("pay_day", sa.Integer(), nullable=True))
    op.add_column("negotiation", sa.Column("replaces_agreement_id", sa.String(length=32), nullable=True))
    op.add_column("negotiation", sa.Column("asked_in", sa.String(length=32), nullable=True))
    op.add_column("agreement", sa.Column("interest_stopped_on", sa.Date(), nullable=True))
    op.create_table(
        "promise",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("draft_key", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("debt_ids", sa.JSON(), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("asked_in", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name=op.f("fk_promise_borrower_id_borrower")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_promise_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sa.UniqueConstraint("draft_key", name=op.f("uq_promise_draft_key")),
    )
    op.create_index(op.f("ix_promise_borrower_id"), "promise", ["borrower_id"], unique=False)
    op.create_index("ix_promise_due", "promise", ["state", "due_on"], unique=False)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
