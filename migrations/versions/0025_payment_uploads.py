"""Keep the files of payments that were tried on the console where every gateway finds them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025_payment_uploads"
down_revision = "0024_heard"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. The release before keeps such files in its own memory and does not see the table."""
    op.create_table(
        "payment_upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_payment_upload_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_upload"),
    )
    op.create_index("ix_payment_upload_operator_id", "payment_upload", ["operator_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
