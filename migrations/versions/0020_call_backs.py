"""Calls that borrowers ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_call_backs"
down_revision = "0019_offer_basis"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "call_back",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("open_key", sa.String(length=32), nullable=True),
        sa.Column("call_at", _WHEN, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", _WHEN, nullable=False),
        sa.Column("noted_by", sa.String(length=32), nullable=True),
        sa.Column("telling", sa.String(length=8), nullable=False),
        sa.Column("tell_at", _WHEN, nullable=True),
        sa.Column("settled_at", _WHEN, nullable=True),
        sa.Column("settled_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_call_back_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_call_back_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_call_back"),
        sa.UniqueConstraint("open_key", name="uq_call_back_open_key"),
    )
    op.create_index("ix_call_back_due", "call_back", ["state", "call_at"])
    op.create_index("ix_call_back_borrower_id", "call_back", ["borrower_id"])
    op.create_index("ix_call_back_conversation_id", "call_back", ["conversation_id"])
    op.create_index("ix_call_back_telling", "call_back", ["telling", "tell_at"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
