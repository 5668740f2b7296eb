"""Negotiations, the offers made in them, agreements and their instalments. Money is integer fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Negotiation(Base):
    """One attempt to find a plan for some debts of one borrower with one creditor.

    ``state``: open, agreed, ended. ``active_key`` is the borrower's id while open and null afterwards, so that the
    database itself refuses a second open negotiation.
    """

    __tablename__ = "negotiation"

    id: Mapped[Id]
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    active_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    debt_ids: Mapped[list[str]] = mapped_column(JSON)
    policy_code: Mapped[str] = mapped_column(String(60))
    policy_version: Mapped[str] = mapped_column(String(30))
    monthly_income_fen: Mapped[int | None] = mapped_column(BigInteger)
    monthly_essential_fen: Mapped[int | None] = mapped_column(BigInteger)
    chosen_offer_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Offer(Base):
    """An offer as it was computed and shown; ``terms`` is the whole of it. Never changed afterwards."""

    __tablename__ = "offer"
    __table_args__ = (UniqueConstraint("negotiation_id", "content_hash"),)

    id: Mapped[Id]
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    round: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[str] = mapped_column(String(64))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    expires_at: Mapped[datetime]
    readback_text: Mapped[str | None] = mapped_column(Text)
    readback_hash: Mapped[str | None] = mapped_column(String(64))
    readback_at: Mapped[datetime | None]


class Agreement(Base):
    """One version of an accepted agreement, append-only. ``text_hash`` is the SHA-256 of the exact text read back."""

    __tablename__ = "agreement"
    __table_args__ = (UniqueConstraint("number", "version"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(30))
    version: Mapped[int] = mapped_column(Integer, default=1)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), unique=True)
    offer_id: Mapped[str] = mapped_column(ForeignKey("offer.id"))
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="in_force")
    debt_ids: Mapped[list[str]] = mapped_column(JSON)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    accepted_conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"))
    accepted_at: Mapped[datetime]


class Instalment(Base):
    """One dated part of an agreement. ``state``: due, partly_paid, paid, missed."""

    __tablename__ = "instalment"
    __table_args__ = (UniqueConstraint("agreement_id", "number"),)

    id: Mapped[Id]
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(String(12), default="due")
