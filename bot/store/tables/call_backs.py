"""Calls that borrowers ask for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class CallBack(Base):
    """A call that a borrower asked for, to begin within an hour of ``call_at``.

    ``state`` and ``telling`` are those of ``bot.desk.calls``; where something is owed, it is told at ``tell_at``.
    ``open_key`` is the borrower's id while it is open: one at a time. ``attempts`` counts calls that nobody answered.
    ``noted_by`` is the operator who took it down, None where it was asked for in the chat.
    """

    __tablename__ = "call_back"
    __table_args__ = (
        Index("ix_call_back_due", "state", "call_at"),
        Index("ix_call_back_telling", "telling", "tell_at"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="open")
    open_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    call_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    asked_at: Mapped[datetime]
    noted_by: Mapped[str | None] = mapped_column(String(32))
    telling: Mapped[str] = mapped_column(String(8), default="due")
    tell_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None] = mapped_column(String(32))
