"""Keep documents for borrowers, and say which message carries which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_documents"
down_revision = "0002_claims_found"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("agreement_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_document_agreement_id_agreement")),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name=op.f("fk_document_borrower_id_borrower")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_document_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("borrower_id", "kind", "sha256", name=op.f("uq_document_borrower_id_kind_sha256")),
    )
    op.create_index(op.f("ix_document_agreement_id"), "document", ["agreement_id"], unique=False)
    op.create_table(
        "message_document",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_message_document_document_id_document")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_document_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_document")),
    )
    op.create_index(op.f("ix_message_document_document_id"), "message_document", ["document_id"], unique=False)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
