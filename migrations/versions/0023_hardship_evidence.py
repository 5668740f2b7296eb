"""Keep what is brought as proof for a plan that a person decides on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_hardship_evidence"
down_revision = "0022_budget_offer"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "approval_note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("approval_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=True),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name="fk_approval_note_approval_id_approval"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_approval_note_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_approval_note"),
    )
    op.create_index("ix_approval_note_approval_id", "approval_note", ["approval_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
