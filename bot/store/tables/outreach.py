"""Reminders that fall due, and holds that keep the desk quiet."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Reminder(Base):
    """A planned notice. ``state``: planned, sent, superseded, refused. ``rule`` is what the gate decided by.

    ``topic`` says what it is about (``bot.services.reminders.Topic``); null is an instalment that falls due.
    """

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_due", "state", "send_at"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    instalment_id: Mapped[str | None] = mapped_column(ForeignKey("instalment.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(30))
    topic: Mapped[str | None] = mapped_column(String(20))
    due_on: Mapped[date | None]
    send_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="planned")
    rule: Mapped[str | None] = mapped_column(String(30))
    claimed_until: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Hold(Base):
    """A reason for silence: dispute, complaint, distress, deceased, plan or opt-out. Open until ``lifted_at``."""

    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_borrower_open", "borrower_id", "lifted_at"),)

    id: Mapped[Id]
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    debt_id: Mapped[str | None] = mapped_column(ForeignKey("debt.id"))
    kind: Mapped[str] = mapped_column(String(20))
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
