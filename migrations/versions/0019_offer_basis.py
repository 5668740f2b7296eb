"""Keep what offers were computed from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_offer_basis"
down_revision = "0018_operations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "offer_basis",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("negotiation_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("policy_version", sa.String(length=30), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("wish", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("outcome_digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_offer_basis_conversation_id_conversation"),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiation.id"], name="fk_offer_basis_negotiation_id_negotiation"),
        sa.PrimaryKeyConstraint("id", name="pk_offer_basis"),
    )
    op.create_index("ix_offer_basis_negotiation_id", "offer_basis", ["negotiation_id"])
    op.create_index("ix_offer_basis_conversation_id", "offer_basis", ["conversation_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
