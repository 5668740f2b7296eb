"""Keep visits that a lender vouched for, and codes that prove who writes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_web_widget"
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
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_vouched_visit_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_vouched_visit_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_vouched_visit"),
    )
    op.create_index("ix_vouched_visit_conversation_id", "vouched_visit", ["conversation_id"])
    op.create_table(
        "sender_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_sender_code_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_sender_code"),
    )
    op.create_index("ix_sender_code_conversation_id", "sender_code", ["conversation_id"])
    op.create_table(
        "sender_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sender_check"),
    )
    op.create_index("ix_sender_check_address", "sender_check", ["address_hash", "at"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
