"""Notices that fall due, holds that keep the desk quiet, and how borrowers want to be written to."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Reminder(Base):
    """A planned notice. ``state``: planned, sent, superseded, refused. ``rule`` is what the gate decided by.

    ``topic`` says what it is about; null is an instalment that falls due, and a call is none: it is kept here because
    the gate counts every contact. ``subject`` names the debt, offer, promise or
    hold it is about, as ``debt:<id>``; ``stage`` is the step of a ladder. ``channel`` is where it went.
    """

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_due", "state", "send_at"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    instalment_id: Mapped[str | None] = mapped_column(ForeignKey("instalment.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(30))
    topic: Mapped[str | None] = mapped_column(String(20))
    subject: Mapped[str | None] = mapped_column(String(80))
    stage: Mapped[str | None] = mapped_column(String(20))
    channel: Mapped[str | None] = mapped_column(String(20))
    due_on: Mapped[date | None]
    send_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="planned")
    rule: Mapped[str | None] = mapped_column(String(30))
    claimed_until: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None] = mapped_column(index=True)


class Hold(Base):
    """A reason for silence; the kinds are those of ``bot.outreach.gate.HoldKind``.

    Open until ``lifted_at``, or until ``until`` where the borrower's own wish gave it an end. ``reason`` is in the
    words of whoever placed it (``placed_by`` None: the desk itself, or the borrower in ``conversation_id``).
    """

    __tablename__ = "hold"
    __table_args__ = (
        Index("ix_hold_borrower_open", "borrower_id", "lifted_at"),
        Index("ix_hold_placed_at", "placed_at"),
    )

    id: Mapped[Id]
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    debt_id: Mapped[str | None] = mapped_column(ForeignKey("debt.id"))
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(200))
    placed_at: Mapped[datetime]
    placed_by: Mapped[str | None] = mapped_column(String(32))
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))


class ContactWish(Base):
    """How a borrower wants to be written to: one row each. Null means no wish; a wish only ever narrows the policy.

    Times are wall-clock, Asia/Shanghai. ``days_before`` replaces the days before a due date on which notices come.
    """

    __tablename__ = "contact_wish"

    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), primary_key=True)
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    send_at: Mapped[time | None]
    day_of_month: Mapped[int | None] = mapped_column(Integer)
    days_before: Mapped[int | None] = mapped_column(Integer)
    channel: Mapped[str | None] = mapped_column(String(20))
    per_seven_days: Mapped[int | None] = mapped_column(Integer)
    changed_at: Mapped[datetime]
    changed_in: Mapped[str | None] = mapped_column(String(32))


class Heartbeat(Base):
    """When a process that works by itself last finished a round of its work; ``name`` is the kind of work."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    beat_at: Mapped[datetime]
