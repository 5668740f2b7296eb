"""Keep the rate changes of contracts and the minimum payments that card statements asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_rates"
down_revision = "0007_outreach_found"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "contract_rate",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("contract_id", sa.String(length=32), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("annual_rate", sa.String(length=20), nullable=False),
        sa.Column("penalty_annual_rate", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name="fk_contract_rate_contract_id_contract"),
        sa.PrimaryKeyConstraint("id", name="pk_contract_rate"),
        sa.UniqueConstraint("contract_id", "from_on", name="uq_contract_rate_contract_id_from_on"),
    )
    op.create_table(
        "minimum_payment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("debt_id", sa.String(length=32), nullable=False),
        sa.Column("statement_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("minimum_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minimum_fen > 0", name="ck_minimum_payment_minimum_positive"),
        sa.CheckConstraint("due_on > statement_on", name="ck_minimum_payment_due_after_statement"),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name="fk_minimum_payment_debt_id_debt"),
        sa.PrimaryKeyConstraint("id", name="pk_minimum_payment"),
        sa.UniqueConstraint("debt_id", "due_on", name="uq_minimum_payment_debt_id_due_on"),
    )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
