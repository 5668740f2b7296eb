"""Conversations, their messages in both directions, buttons, and what waits to be delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class Conversation(Base):
    """One borrower-side channel address and everything said over it.

    ``team`` answers for it, None while it is no team's (``bot.desk.visibility``).
    ``owner`` changes only through the transition table in ``bot.desk.ownership``. ``verified_borrower_id`` and
    ``verified_at`` are the proof of identity; what they still allow is decided by ``bot.identity.levels``.
    ``unreachable_at`` is since when the channel takes nothing for this address; null once the borrower writes again.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("channel", "address_hash"),
        Index("ix_conversation_owner_activity", "owner", "last_activity_at"),
        Index("ix_conversation_team_activity", "team", "last_activity_at"),
        Index(
            "ix_conversation_owner_operator",
            "owner_operator_id",
            sqlite_where=sql("owner_operator_id IS NOT NULL"),
            postgresql_where=sql("owner_operator_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(String(20))
    address_hash: Mapped[str] = mapped_column(String(64))
    address_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("address:{channel}"))
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"), index=True)
    verified_at: Mapped[datetime | None]
    owner: Mapped[str] = mapped_column(String(10), default="bot")
    owner_operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    team: Mapped[str | None] = mapped_column(String(40))
    queue_reason: Mapped[str | None] = mapped_column(String(30))
    queued_at: Mapped[datetime | None]
    script: Mapped[str] = mapped_column(String(4), default="hans")
    last_seq: Mapped[int] = mapped_column(Integer, default=0)
    last_seen_seq: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime]
    last_activity_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None] = mapped_column(index=True)
    unreachable_at: Mapped[datetime | None]


class Message(Base):
    """One message. ``seq`` counts within the conversation without gaps; ``client_key`` makes an inbound one unique.

    ``handling`` of an inbound message: ``pending`` (waits for an answer), ``handled``, ``held`` (a person answers).
    Without ``indexed_at`` it is not in the full-text index yet, or has changed since. ``extras`` is what a page may
    draw beside the words (``bot.desk.extras``); the words say the same.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "client_key"),
        Index("ix_message_handling", "handling", "created_at"),
        Index("ix_message_created", "created_at"),
        Index(
            "ix_message_unindexed",
            "created_at",
            sqlite_where=sql("indexed_at IS NULL"),
            postgresql_where=sql("indexed_at IS NULL"),
        ),
        Index(
            "ix_message_heard",  # all that the reports ask of a borrower's message
            "created_at",
            "conversation_id",
            "intent",
            "confidence",
            sqlite_where=sql("author = 'borrower'"),
            postgresql_where=sql("author = 'borrower'"),
        ),
        Index(
            "ix_message_operator",
            "operator_id",
            "conversation_id",
            sqlite_where=sql("operator_id IS NOT NULL"),
            postgresql_where=sql("operator_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    seq: Mapped[int] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    client_key: Mapped[str | None] = mapped_column(String(80))
    payload: Mapped[str | None] = mapped_column(Text)
    handling: Mapped[str] = mapped_column(String(10), default="handled")
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    in_reply_to: Mapped[str | None] = mapped_column(String(32))
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    purpose: Mapped[str] = mapped_column(String(30), default="reply")
    intent: Mapped[str | None] = mapped_column(String(60))
    confidence: Mapped[float | None] = mapped_column(Float)
    understanding: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    extras: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]
    indexed_at: Mapped[datetime | None]


class Button(Base):
    """A quick reply. The client only ever sees ``token``; the payload stays here and is used once."""

    __tablename__ = "button"

    token: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(60))
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="open")
    expires_at: Mapped[datetime]


class Outbox(Base):
    """A message to be pushed to a channel, written in the transaction that decided it.

    ``state``: pending, sent, dead (``last_error`` says why), unknown (an attempt began and nobody knows how it ended).
    ``started_at`` is when the attempt in progress began to be sent. The web channel needs no row: the message table
    is its mailbox, read at the next visit.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "next_attempt_at"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(80), unique=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), index=True)
    channel: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    channel_message_id: Mapped[str | None] = mapped_column(String(40))
    last_error: Mapped[str | None] = mapped_column(String(120))
    sent_at: Mapped[datetime | None]
