"""Payments from the lender, payments that are being looked for, and what happens to a plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_servicing"
down_revision = "0003_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "payment_import",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("booked", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("rejects", sa.JSON(), nullable=False),
        sa.Column("ignored_columns", sa.JSON(), nullable=False),
        sa.Column("credit_lines", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_import"),
        sa.UniqueConstraint("file_hash", name="uq_payment_import_file_hash"),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("debt_id", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("ledger_key", sa.String(length=120), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name="ck_payment_amount_positive"),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name="fk_payment_debt_id_debt"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("source", "payment_id", name="uq_payment_source_payment_id"),
    )
    op.create_index("ix_payment_debt_id", "payment", ["debt_id"], unique=False)
    op.create_table(
        "payment_trace",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("debt_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("said_sealed", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("ledger_key", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_payment_trace_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["closed_by"], ["operator.id"], name="fk_payment_trace_closed_by_operator"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_payment_trace_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name="fk_payment_trace_debt_id_debt"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_trace"),
    )
    op.create_index("ix_payment_trace_borrower_id", "payment_trace", ["borrower_id"], unique=False)
    op.create_index("ix_payment_trace_state", "payment_trace", ["state", "answer_by"], unique=False)
    op.create_table(
        "plan_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("agreement_id", sa.String(length=32), nullable=False),
        sa.Column("instalment_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name="fk_plan_event_agreement_id_agreement"),
        sa.ForeignKeyConstraint(["instalment_id"], ["instalment.id"], name="fk_plan_event_instalment_id_instalment"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_event"),
        sa.UniqueConstraint("key", name="uq_plan_event_key"),
    )
    op.create_index("ix_plan_event_agreement_id", "plan_event", ["agreement_id"], unique=False)
    op.create_index("ix_plan_event_look_again_at", "plan_event", ["look_again_at"], unique=False)
    op.add_column("reminder", sa.Column("topic", sa.String(length=20), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
