"""Keep the whole of a month's budget: who lives on it, other debts, how income was put, what was asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_budget"
down_revision = "0021_desk_repairs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. Every column may be empty: the release before writes none of them."""
    op.add_column("negotiation", sa.Column("dependants", sa.Integer(), nullable=True))
    op.add_column("negotiation", sa.Column("other_debts_monthly_fen", sa.BigInteger(), nullable=True))
    op.add_column("negotiation", sa.Column("income_told", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("negotiation", sa.Column("budget_asks", sa.String(length=30), nullable=True))
    op.add_column("negotiation", sa.Column("budget_settled", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
