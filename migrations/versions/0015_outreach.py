"""Keep the payoff quotes that borrowers were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_outreach"
down_revision = "0014_workout"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "payoff_quote",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("debt_id", sa.String(length=32), nullable=False),
        sa.Column("told_in", sa.String(length=32), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("good_through", sa.Date(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("penalty_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name=op.f("fk_payoff_quote_borrower_id_borrower")),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name=op.f("fk_payoff_quote_debt_id_debt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payoff_quote")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_payoff_quote_content_hash")),
    )
    op.create_index("ix_payoff_quote_borrower", "payoff_quote", ["borrower_id", "good_through"], unique=False)
    op.create_index(op.f("ix_payoff_quote_debt_id"), "payoff_quote", ["debt_id"], unique=False)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
