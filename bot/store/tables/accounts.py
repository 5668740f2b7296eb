"""Creditors, products, borrowers, contracts, debts and the ledger. Money is integer fen."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.store.base import Base, Id, sealed_for


class Creditor(Base):
    """A licensed lender, with the only accounts that a borrower may be told to pay to (C4)."""

    __tablename__ = "creditor"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    complaint_phone: Mapped[str] = mapped_column(String(30))
    payment_channel: Mapped[str] = mapped_column(Text)


class Product(Base):
    """What was lent under which rules; ``policy_code`` names the relief policy in ``data/policies``."""

    __tablename__ = "product"

    id: Mapped[Id]
    creditor_id: Mapped[str] = mapped_column(ForeignKey("creditor.id"))
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(30))
    policy_code: Mapped[str] = mapped_column(String(60))
    creditor: Mapped[Creditor] = relationship()


class Borrower(Base):
    """A natural person. Name, phone, identity number and e-mail address are sealed; the keyed hashes serve look-ups.

    ``notices_due_at`` is when their notices are to be planned anew: now after a change, else on the next day on
    which time alone may change the plan; null is never.
    """

    __tablename__ = "borrower"

    id: Mapped[Id]
    name_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("name"))
    name_hash: Mapped[str] = mapped_column(String(64), index=True)
    phone_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("phone"))
    phone_hash: Mapped[str] = mapped_column(String(64), unique=True)
    id_number_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("id_number"))
    id_number_hash: Mapped[str] = mapped_column(String(64), unique=True)
    id_tail_hash: Mapped[str] = mapped_column(String(64))
    email_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("email"))
    notices_due_at: Mapped[datetime | None] = mapped_column(index=True)
    deceased: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Contract(Base):
    """A signed contract. Rates are decimal strings per year (``0.1825`` is 18.25 %), never floats."""

    __tablename__ = "contract"

    id: Mapped[Id]
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    number: Mapped[str] = mapped_column(String(40), unique=True)
    signed_on: Mapped[date]
    annual_rate: Mapped[str] = mapped_column(String(20))
    penalty_annual_rate: Mapped[str] = mapped_column(String(20))
    day_count: Mapped[int] = mapped_column(Integer)
    allocation: Mapped[str] = mapped_column(String(80))
    allocation_after_90_days: Mapped[str | None] = mapped_column(String(80))
    late_fee_rate: Mapped[str] = mapped_column(String(20), default="0")
    late_fee_minimum_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    grace_days: Mapped[int] = mapped_column(Integer, default=0)
    product: Mapped[Product] = relationship()
    rate_changes: Mapped[list[ContractRate]] = relationship(order_by="ContractRate.from_on")


class ContractRate(Base):
    """New rates of a contract from the day ``from_on`` on; before the first of them those of the contract hold."""

    __tablename__ = "contract_rate"
    __table_args__ = (UniqueConstraint("contract_id", "from_on"),)

    id: Mapped[Id]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contract.id"))
    from_on: Mapped[date]
    annual_rate: Mapped[str] = mapped_column(String(20))
    penalty_annual_rate: Mapped[str] = mapped_column(String(20))


class Debt(Base):
    """One claim under a contract. Its balances are not stored: they are derived from its ledger."""

    __tablename__ = "debt"

    id: Mapped[Id]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contract.id"), index=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    reference: Mapped[str] = mapped_column(String(12))
    due_on: Mapped[date]
    last_demand_on: Mapped[date | None]
    limitation_known: Mapped[bool] = mapped_column(default=True)
    contract: Mapped[Contract] = relationship()


class MinimumPayment(Base):
    """What a card's statement of the day ``statement_on`` asked for by ``due_on``; missed, it bears one late fee."""

    __tablename__ = "minimum_payment"
    __table_args__ = (
        UniqueConstraint("debt_id", "due_on"),
        CheckConstraint("minimum_fen > 0", name="minimum_positive"),
        CheckConstraint("due_on > statement_on", name="due_after_statement"),
    )

    id: Mapped[Id]
    debt_id: Mapped[str] = mapped_column(ForeignKey("debt.id"))
    statement_on: Mapped[date]
    due_on: Mapped[date]
    minimum_fen: Mapped[int] = mapped_column(BigInteger)


class LedgerEntry(Base):
    """One append-only posting. ``key`` makes booking it twice the same booking; ``body_hash`` refuses another body."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("debt_id", "key"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_ledger_entry_debt_effective", "debt_id", "effective_on"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    debt_id: Mapped[str] = mapped_column(ForeignKey("debt.id"))
    key: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(30))
    component: Mapped[str | None] = mapped_column(String(20))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    effective_on: Mapped[date]
    booked_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(String(60))
    reverses: Mapped[str | None] = mapped_column(String(120))
    body_hash: Mapped[str] = mapped_column(String(64))
