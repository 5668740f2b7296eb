"""What reviewing transcripts rests on: the full-text index, automatic findings, corrections, scorecards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class SearchEntry(Base):
    """One message as it is found. It goes with its message, and can be made anew from it at any time.

    ``words`` are the tokens of the text as an operator sees it, numbers masked (``bot.desk.fulltext``): a vector on
    PostgreSQL; on SQLite the tokens with blanks between, which triggers keep in the virtual table ``FULL_TEXT``.
    """

    __tablename__ = "search_entry"
    __table_args__ = (
        Index("ix_search_entry_at", "at", "id"),
        Index("ix_search_entry_intent", "intent", "at"),
        Index("ix_search_entry_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    author: Mapped[str] = mapped_column(String(10))
    channel: Mapped[str] = mapped_column(String(20))
    intent: Mapped[str | None] = mapped_column(String(60))
    confidence: Mapped[float | None] = mapped_column(Float)
    words: Mapped[str] = mapped_column(TSVECTOR().with_variant(Text(), "sqlite"))


FULL_TEXT = "search_text"
"""SQLite's full-text table; its rows have the ids of ``SearchEntry``."""

FULL_TEXT_TABLES = frozenset({FULL_TEXT, *(f"{FULL_TEXT}_{part}" for part in ("config", "data", "docsize", "idx"))})
"""It and what SQLite keeps beneath it: in no metadata, since no other database has them."""

FULL_TEXT_DDL = (
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
for _statement in FULL_TEXT_DDL:
    _on_sqlite = DDL(_statement).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
    event.listen(SearchEntry.__table__, "after_create", _on_sqlite)


class TalkCheck(Base):
    """A conversation that the automatic checks have to look at, from ``due_at`` on. The row goes when they have.

    A table of its own, so that what is only for reviewers never waits for a conversation's lock, or holds it.
    """

    __tablename__ = "talk_check"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)


class TalkFinding(Base):
    """What the automatic checks of a conversation found, at the message ``seq`` (``bot.desk.talk_checks``)."""

    __tablename__ = "talk_finding"
    __table_args__ = (
        UniqueConstraint("conversation_id", "kind", "seq"),
        Index("ix_talk_finding_at", "at"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    kind: Mapped[str] = mapped_column(String(20))
    seq: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]
    seen_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))


class NluTurn(Base):
    """A borrower's message whose meaning somebody looks at. ``state``: open, suggested, corrected, discarded.

    ``reason``: low, fallback, reported. ``read_as`` is what the engine took it for. ``text`` is what goes into the
    training data: without numbers, names and addresses, as the last person who touched it left it; empty once
    discarded.
    """

    __tablename__ = "nlu_turn"
    __table_args__ = (Index("ix_nlu_turn_state", "state", "at", "id"),)

    id: Mapped[Id]
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    reason: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="open")
    text: Mapped[str] = mapped_column(Text)
    read_as: Mapped[str | None] = mapped_column(String(60))
    confidence: Mapped[float | None] = mapped_column(Float)
    suggested: Mapped[str | None] = mapped_column(String(60))
    suggested_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    corrected: Mapped[str | None] = mapped_column(String(60))
    corrected_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    at: Mapped[datetime]
    changed_at: Mapped[datetime]


class QualityReview(Base):
    """A scorecard filled in by one reviewer. ``round`` 1 is the first opinion, 2 the independent second one.

    ``reason`` is why the conversation was drawn (``bot.desk.scorecard``). Without ``done_at`` it is still to be done;
    ``scores`` maps criteria to pass, fail or not_applicable.
    """

    __tablename__ = "quality_review"
    __table_args__ = (
        UniqueConstraint("conversation_id", "week", "round"),
        Index("ix_quality_review_open", "done_at", "drawn_at"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    week: Mapped[str] = mapped_column(String(8))
    round: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(20))
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    reviewer_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    scores: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    needs_coaching: Mapped[bool] = mapped_column(default=False)
    note_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("quality_note"))
    drawn_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Satisfaction(Base):
    """Somebody was asked how it went, at a ``moment`` of ``bot.desk.satisfaction``; without ``score`` nobody answered.

    ``operator_id`` is who gave the conversation back, null for the bot's own work. While ``comment_until`` is ahead
    the next thing typed is the sentence that goes with the score; ``comment_seq`` is the message that it became.
    """

    __tablename__ = "satisfaction"
    __table_args__ = (Index("ix_satisfaction_asked", "asked_at"),)

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"), index=True)
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    moment: Mapped[str] = mapped_column(String(12))
    asked_at: Mapped[datetime]
    score: Mapped[int | None] = mapped_column(Integer)
    answered_at: Mapped[datetime | None]
    comment_until: Mapped[datetime | None]
    comment_seq: Mapped[int | None] = mapped_column(Integer)
