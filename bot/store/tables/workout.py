"""Negotiations, the offers made in them, agreements, their instalments, and promises. Money is integer fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Negotiation(Base):
    """One attempt to find a plan for some debts of one borrower with one creditor.

    ``state``: open, agreed, ended. ``active_key`` is the borrower's id while open and null afterwards, so that the
    database itself refuses a second open negotiation.

    ``wish`` is what the borrower asked for and has not been answered yet (``bot.workout.counter.BorrowerProposal``);
    ``wish_kind`` says that a settlement or a deferral is wanted whose figure or day is still to be asked.
    ``available_now_fen`` is money the borrower said to have in hand, ``pay_day`` the day of the month that suits.

    The month's budget is as far as it was told: null is what was not. ``income_told`` says how the income was put
    (``bot.workout.budget.IncomeTold``). ``budget_asks`` is the question about the budget that is open beyond income and
    essential spending, ``budget_settled`` those that were answered or that the borrower would not answer
    (``bot.workout.budget_talk.BudgetQuestion``).

    ``asked_in`` is the message to whose answer the question belongs whether to ask a person for the chosen offer.

    ``replaces_agreement_id`` names the agreement that a new one is to take the place of. It is no foreign key: an
    agreement names its negotiation already, and two tables that name each other cannot be created one by one.
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
    dependants: Mapped[int | None] = mapped_column(Integer)
    other_debts_monthly_fen: Mapped[int | None] = mapped_column(BigInteger)
    income_told: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    budget_asks: Mapped[str | None] = mapped_column(String(30))
    budget_settled: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    hardship: Mapped[str | None] = mapped_column(String(20))
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    wish_kind: Mapped[str | None] = mapped_column(String(12))
    available_now_fen: Mapped[int | None] = mapped_column(BigInteger)
    pay_day: Mapped[int | None] = mapped_column(Integer)
    replaces_agreement_id: Mapped[str | None] = mapped_column(String(32))
    chosen_offer_id: Mapped[str | None] = mapped_column(String(32))
    asked_in: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]


class Offer(Base):
    """An offer as it was computed and shown; ``terms`` is the whole of it. Never changed afterwards.

    ``budget`` holds the figures it was computed from, as they were told (``bot.workout.budget.StatedBudget``); null for
    an offer made before they were kept with it.
    """

    __tablename__ = "offer"
    __table_args__ = (UniqueConstraint("negotiation_id", "content_hash"),)

    id: Mapped[Id]
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    round: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[str] = mapped_column(String(64))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    budget: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    expires_at: Mapped[datetime]
    readback_text: Mapped[str | None] = mapped_column(Text)
    readback_hash: Mapped[str | None] = mapped_column(String(64))
    readback_at: Mapped[datetime | None]


class Agreement(Base):
    """One version of an accepted agreement, append-only. ``text_hash`` is the SHA-256 of the exact text read back.

    ``state``: in_force, replaced, completed, broken. An agreement that takes the place of another has the next
    ``version`` and its number with ``-2``, ``-3``, … behind. ``interest_stopped_on`` is the day up to which its debts
    bear interest: that of the agreement it replaces while that one was kept; null stands for the offer's day.
    """

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
    interest_stopped_on: Mapped[date | None]
    accepted_conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"))
    accepted_at: Mapped[datetime] = mapped_column(index=True)


class Instalment(Base):
    """One dated part of an agreement; number 0 is the down payment. ``state``: due, partly_paid, paid, missed."""

    __tablename__ = "instalment"
    __table_args__ = (UniqueConstraint("agreement_id", "number"),)

    id: Mapped[Id]
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(String(12), default="due")


class Promise(Base):
    """A small sum that a borrower means to pay by a day. Becomes a promise only by an explicit yes (rule N7).

    ``state``: draft, dropped, then as in ``bot.workout.promise.PromiseState``. ``draft_key`` is the borrower's id while
    a draft and null afterwards: one at a time. ``amount_fen`` and ``due_on`` are null while they are still to be asked.
    ``asked_in`` is the message to whose answer the warning and the question belong; a yes counts only after it.
    """

    __tablename__ = "promise"
    __table_args__ = (Index("ix_promise_due", "state", "due_on"),)

    id: Mapped[Id]
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    draft_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    debt_ids: Mapped[list[str]] = mapped_column(JSON)
    policy_code: Mapped[str] = mapped_column(String(60))
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    due_on: Mapped[date | None]
    grace_days: Mapped[int] = mapped_column(Integer, default=0)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    asked_in: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    made_at: Mapped[datetime | None] = mapped_column(index=True)
    judged_at: Mapped[datetime | None]
