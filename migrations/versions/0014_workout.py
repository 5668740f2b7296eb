"""Keep what is known of somebody for whom the usual pace would do harm, and consents to evidence about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_workout"
down_revision = "0013_review_found"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. New tables only: the previous release does not know of them."""
    op.create_table(
        "circumstance",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("named_by", sa.String(length=32), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_circumstance_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_circumstance_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_circumstance"),
    )
    op.create_table(
        "evidence_consent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by", sa.String(length=32), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_evidence_consent_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_evidence_consent_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_consent"),
    )
    for table in ("circumstance", "evidence_consent"):
        for column in ("conversation_id", "borrower_id"):
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
