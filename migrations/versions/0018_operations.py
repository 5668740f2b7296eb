"""Keep rules as they were, and let the lender's systems in by keys of their own and be told what happens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_operations"
down_revision = "0017_desk_found"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)
_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "rule_archive",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("first_used_at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_archive"),
        sa.UniqueConstraint("name", "version", "digest", name="uq_rule_archive_name_version_digest"),
    )
    op.create_table(
        "api_client",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("closed_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_client"),
        sa.UniqueConstraint("name", name="uq_api_client_name"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("expires_at", _WHEN, nullable=True),
        sa.Column("revoked_at", _WHEN, nullable=True),
        sa.Column("last_used_on", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name="fk_api_key_client_id_api_client"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_index("ix_api_key_client_id", "api_key", ["client_id"])
    op.create_table(
        "api_request",
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("begun_at", _WHEN, nullable=False),
        sa.Column("claimed_until", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name="fk_api_request_client_id_api_client"),
        sa.PrimaryKeyConstraint("client_id", "key_hash", name="pk_api_request"),
    )
    op.create_index("ix_api_request_begun_at", "api_request", ["begun_at"])
    op.create_table(
        "lender_event",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("happened_at", _WHEN, nullable=False),
        sa.Column("recorded_at", _WHEN, nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_lender_event"),
        sa.UniqueConstraint("key", name="uq_lender_event_key"),
    )
    op.create_index("ix_lender_event_recorded_at", "lender_event", ["recorded_at"])
    op.create_table(
        "lender_event_mark",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("read_until", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_lender_event_mark"),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("closed_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name="fk_webhook_client_id_api_client"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
    )
    op.create_index("ix_webhook_client_id", "webhook", ["client_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("event_seq", _SEQ, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _WHEN, nullable=False),
        sa.Column("claimed_until", _WHEN, nullable=True),
        sa.Column("last_error", sa.String(length=60), nullable=True),
        sa.Column("delivered_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name="fk_webhook_delivery_webhook_id_webhook"),
        sa.ForeignKeyConstraint(["event_seq"], ["lender_event.seq"], name="fk_webhook_delivery_event_seq_lender_event"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_delivery"),
        sa.UniqueConstraint("webhook_id", "event_seq", name="uq_webhook_delivery_webhook_id_event_seq"),
    )
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "next_attempt_at"])
    op.create_index("ix_webhook_delivery_event_seq", "webhook_delivery", ["event_seq"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
