"""Put operators into teams, give them a second factor and passwords of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_desk"
down_revision = "0016_channels_column"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. Plain ALTERs: rebuilding a table on SQLite would copy every message."""
    op.add_column("operator", sa.Column("team", sa.String(length=40), nullable=True))
    op.add_column(
        "operator", sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("operator", sa.Column("totp_sealed", sa.Text(), nullable=True))
    op.add_column("operator", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.create_table(
        "operator_login",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=False),
        sa.Column("has_code", sa.Boolean(), nullable=False),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_operator_login_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_login"),
        sa.UniqueConstraint("token_hash", name="uq_operator_login_token_hash"),
    )
    op.create_index("ix_operator_login_operator_id", "operator_login", ["operator_id"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
