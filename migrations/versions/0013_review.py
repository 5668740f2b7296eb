"""Find transcripts by their words, and keep what reviewing them brings: findings, corrections, scorecards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0013_review"
down_revision = "0012_audit_chain"
branch_labels = None
depends_on = None

SQLITE_FULL_TEXT = (
    "CREATE VIRTUAL TABLE search_text USING fts5("
    "words, content='search_entry', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN "
    "INSERT INTO search_text(rowid, words) VALUES (new.id, new.words); END",
    "CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN "
    "INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', old.id, old.words); END",
    "CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN "
    "INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', old.id, old.words); "
    "INSERT INTO search_text(rowid, words) VALUES (new.id, new.words); END",
)


def upgrade() -> None:
    """Apply the revision. Nothing is indexed here: the scheduler does that, or ``bot search rebuild``."""
    op.create_table(
        "search_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("intent", sa.String(length=60), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("words", TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_search_entry_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_search_entry_message_id_message"),
        sa.PrimaryKeyConstraint("id", name="pk_search_entry"),
        sa.UniqueConstraint("message_id", name="uq_search_entry_message_id"),
    )
    op.create_index("ix_search_entry_at", "search_entry", ["at", "id"])
    op.create_index("ix_search_entry_intent", "search_entry", ["intent", "at"])
    op.create_index("ix_search_entry_conversation_id", "search_entry", ["conversation_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_search_entry_words", "search_entry", ["words"], postgresql_using="gin")
    else:
        for statement in SQLITE_FULL_TEXT:
            op.execute(statement)
    op.create_table(
        "talk_check",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_talk_check_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_talk_check"),
    )
    op.create_index("ix_talk_check_due_at", "talk_check", ["due_at"])
    op.create_table(
        "talk_finding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_talk_finding_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["seen_by"], ["operator.id"], name="fk_talk_finding_seen_by_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_talk_finding"),
        sa.UniqueConstraint("conversation_id", "kind", "seq", name="uq_talk_finding_conversation_id_kind_seq"),
    )
    op.create_index("ix_talk_finding_at", "talk_finding", ["at"])
    op.create_table(
        "nlu_turn",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("read_as", sa.String(length=60), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("suggested", sa.String(length=60), nullable=True),
        sa.Column("suggested_by", sa.String(length=32), nullable=True),
        sa.Column("corrected", sa.String(length=60), nullable=True),
        sa.Column("corrected_by", sa.String(length=32), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_nlu_turn_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_nlu_turn_message_id_message"),
        sa.ForeignKeyConstraint(["suggested_by"], ["operator.id"], name="fk_nlu_turn_suggested_by_operator"),
        sa.ForeignKeyConstraint(["corrected_by"], ["operator.id"], name="fk_nlu_turn_corrected_by_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_nlu_turn"),
        sa.UniqueConstraint("message_id", name="uq_nlu_turn_message_id"),
    )
    op.create_index("ix_nlu_turn_state", "nlu_turn", ["state", "at", "id"])
    op.create_index("ix_nlu_turn_conversation_id", "nlu_turn", ["conversation_id"])
    op.create_table(
        "quality_review",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=True),
        sa.Column("reviewer_id", sa.String(length=32), nullable=True),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("needs_coaching", sa.Boolean(), nullable=False),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_quality_review_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_quality_review_operator_id_operator"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["operator.id"], name="fk_quality_review_reviewer_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_quality_review"),
        sa.UniqueConstraint(
            "conversation_id", "week", "round", name="uq_quality_review_conversation_id_week_round"
        ),
    )
    op.create_index("ix_quality_review_open", "quality_review", ["done_at", "drawn_at"])


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
