"""Payments as the lender reports them, the files they came in, payments that are being looked for, and plan events.

Money is integer fen. None of these tables holds a name, a phone number or a card number in clear text.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class PaymentImport(Base):
    """One file of payments and what came of it. ``rejects`` lists line numbers and reasons, never values."""

    __tablename__ = "payment_import"

    id: Mapped[Id]
    file_hash: Mapped[str] = mapped_column(String(64), unique=True)
    file_name: Mapped[str] = mapped_column(String(120))
    imported_at: Mapped[datetime]
    row_count: Mapped[int] = mapped_column(Integer)
    booked: Mapped[int] = mapped_column(Integer)
    repeated: Mapped[int] = mapped_column(Integer)
    rejects: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    ignored_columns: Mapped[list[str]] = mapped_column(JSON)
    credit_lines: Mapped[list[int]] = mapped_column(JSON)


class PaymentUpload(Base):
    """A file of payments that an operator has tried and not applied: packed, in base64, sealed; gone when too old."""

    __tablename__ = "payment_upload"

    id: Mapped[Id]
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(120))
    content_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("payment_upload:{operator_id}"))
    brought_at: Mapped[datetime]


class Payment(Base):
    """A payment taken from the lender, once for each ``source`` and ``payment_id``; ``debt_id`` is the one it named.

    ``body_hash`` tells a retry from another payment under the same number. The ledgers hold its parts under
    ``ledger_key``: one, or several where a plan covers several debts.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("source", "payment_id"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(30))
    payment_id: Mapped[str] = mapped_column(String(64))
    body_hash: Mapped[str] = mapped_column(String(64))
    debt_id: Mapped[str] = mapped_column(ForeignKey("debt.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    paid_on: Mapped[date]
    ledger_key: Mapped[str] = mapped_column(String(120))
    received_at: Mapped[datetime]


class QuotedPayoff(Base):
    """What a borrower was told ends a debt, paid from ``as_of`` up to and including ``good_through``.

    ``content_hash`` is ``bot.lending.payoff.PayoffQuote.quote_id``: told again, it is the same row.
    """

    __tablename__ = "payoff_quote"
    __table_args__ = (Index("ix_payoff_quote_borrower", "borrower_id", "good_through"),)

    id: Mapped[Id]
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"))
    debt_id: Mapped[str] = mapped_column(ForeignKey("debt.id"), index=True)
    told_in: Mapped[str] = mapped_column(String(32))
    as_of: Mapped[date]
    good_through: Mapped[date]
    principal_fen: Mapped[int] = mapped_column(BigInteger)
    interest_fen: Mapped[int] = mapped_column(BigInteger)
    penalty_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime]

    @property
    def total_fen(self) -> int:
        """What was to be paid, in fen."""
        return self.principal_fen + self.interest_fen + self.penalty_fen + self.fee_fen


class PaymentTrace(Base):
    """A payment that a borrower says they made and the ledger does not show. ``state``: open, found, closed.

    ``said_sealed`` is the message, sealed; amount and day are what was read from it. Until ``quiet_until`` nobody is
    reminded of the debts concerned (``debt_id`` None: all of the borrower's); by the end of ``answer_by`` they get an
    answer, and from then on a person is asked once (``person_asked_at``).
    """

    __tablename__ = "payment_trace"
    __table_args__ = (Index("ix_payment_trace_state", "state", "answer_by"),)

    id: Mapped[Id]
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    debt_id: Mapped[str | None] = mapped_column(ForeignKey("debt.id"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    said_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("said"))
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    paid_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10), default="open")
    answer_by: Mapped[date]
    quiet_until: Mapped[datetime]
    opened_at: Mapped[datetime]
    person_asked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    ledger_key: Mapped[str | None] = mapped_column(String(120))


class PlanEvent(Base):
    """Something that happened to an agreement, once for each ``key``. Kinds: ``bot.services.servicing.PlanEventKind``.

    ``happened_on`` is the day it counts from in Asia/Shanghai, ``recorded_at`` when the desk noticed.
    ``look_again_at`` is set while something has to be decided later.
    """

    __tablename__ = "plan_event"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"), index=True)
    instalment_id: Mapped[str | None] = mapped_column(ForeignKey("instalment.id"))
    kind: Mapped[str] = mapped_column(String(20))
    happened_on: Mapped[date]
    recorded_at: Mapped[datetime]
    look_again_at: Mapped[datetime | None] = mapped_column(index=True)
