"""Keep disputes and complaints as cases, with what was told and brought for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_cases"
down_revision = "0009_channel_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=True),
        sa.Column("family", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("active_key", sa.String(length=80), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("debt_ids", sa.JSON(), nullable=False),
        sa.Column("hold_ids", sa.JSON(), nullable=False),
        sa.Column("asking", sa.String(length=5), nullable=False),
        sa.Column("asked_in", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("alarm", sa.String(length=8), nullable=False),
        sa.Column("assigned_to", sa.String(length=32), nullable=True),
        sa.Column("wanted_sealed", sa.Text(), nullable=True),
        sa.Column("reason_sealed", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("finding_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finding_seen_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_case_file_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_case_file_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["assigned_to"], ["operator.id"], name="fk_case_file_assigned_to_operator"),
        sa.ForeignKeyConstraint(["decided_by"], ["operator.id"], name="fk_case_file_decided_by_operator"),
        sa.ForeignKeyConstraint(["finding_seen_by"], ["operator.id"], name="fk_case_file_finding_seen_by_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_case_file"),
        sa.UniqueConstraint("number", name="uq_case_file_number"),
        sa.UniqueConstraint("active_key", name="uq_case_file_active_key"),
    )
    op.create_index("ix_case_file_due", "case_file", ["state", "due_on"])
    op.create_index("ix_case_file_conversation_id", "case_file", ["conversation_id"])
    op.create_index("ix_case_file_borrower_id", "case_file", ["borrower_id"])
    op.create_table(
        "case_note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column("operator_id", sa.String(length=32), nullable=True),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_case_note_case_id_case_file"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_case_note_message_id_message"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_case_note_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_case_note"),
        sa.UniqueConstraint("case_id", "message_id", name="uq_case_note_case_id_message_id"),
    )
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
