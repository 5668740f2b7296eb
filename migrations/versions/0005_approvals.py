"""Keep requests to a person for offers that the bot may not grant by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_approvals"
down_revision = "0004_servicing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "approval",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("offer_id", sa.String(length=32), nullable=False),
        sa.Column("granted_offer_id", sa.String(length=32), nullable=True),
        sa.Column("negotiation_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("requester", sa.String(length=32), nullable=False),
        sa.Column("needs_role", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("telling", sa.String(length=8), nullable=False),
        sa.Column("tell_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tell_rule", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name=op.f("fk_approval_borrower_id_borrower")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_approval_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["operator.id"], name=op.f("fk_approval_decided_by_operator")),
        sa.ForeignKeyConstraint(["granted_offer_id"], ["offer.id"], name=op.f("fk_approval_granted_offer_id_offer")),
        sa.ForeignKeyConstraint(
            ["negotiation_id"], ["negotiation.id"], name=op.f("fk_approval_negotiation_id_negotiation")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_approval_offer_id_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("offer_id", name=op.f("uq_approval_offer_id")),
    )
    op.create_index("ix_approval_open", "approval", ["state", "requested_at"], unique=False)
    op.create_index(op.f("ix_approval_granted_offer_id"), "approval", ["granted_offer_id"], unique=False)
    op.create_index(op.f("ix_approval_negotiation_id"), "approval", ["negotiation_id"], unique=False)
    op.create_index("ix_approval_telling", "approval", ["telling", "tell_at"], unique=False)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
