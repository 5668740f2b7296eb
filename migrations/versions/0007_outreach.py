"""Keep borrowers' wishes about contact, why holds stand, what notices are about, and whether the scheduler lives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_outreach"
down_revision = "0006_negotiation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("borrower", sa.Column("email_sealed", sa.Text(), nullable=True))
    op.add_column("borrower", sa.Column("notices_due_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE borrower SET notices_due_at = created_at")  # everybody is planned once
    op.add_column("reminder", sa.Column("subject", sa.String(length=80), nullable=True))
    op.add_column("reminder", sa.Column("stage", sa.String(length=20), nullable=True))
    op.add_column("reminder", sa.Column("channel", sa.String(length=20), nullable=True))
    op.add_column("hold", sa.Column("reason", sa.String(length=200), nullable=True))
    op.add_column("hold", sa.Column("placed_by", sa.String(length=32), nullable=True))
    op.add_column("hold", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversation", sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "contact_wish",
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_to", sa.Time(), nullable=True),
        sa.Column("send_at", sa.Time(), nullable=True),
        sa.Column("day_of_month", sa.Integer(), nullable=True),
        sa.Column("days_before", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("per_seven_days", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_in", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name=op.f("fk_contact_wish_borrower_id_borrower")),
        sa.PrimaryKeyConstraint("borrower_id", name=op.f("pk_contact_wish")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
