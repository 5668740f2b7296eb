"""Keep one-time codes that are on their way, so that they are sent after the answer and survive a crash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026_code_letters"
down_revision = "0025_payment_uploads"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the revision. The release before sends its codes itself and does not know the new table."""
    op.create_table(
        "code_letter",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("challenge_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("code_sealed", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _WHEN, nullable=False),
        sa.Column("claimed_until", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(
            ["challenge_id"],
            ["verification_challenge.id"],
            name="fk_code_letter_challenge_id_verification_challenge",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_code_letter_borrower_id_borrower"),
        sa.PrimaryKeyConstraint("id", name="pk_code_letter"),
        sa.UniqueConstraint("challenge_id", name="uq_code_letter_challenge_id"),
    )


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
