"""Cases with a clock: disputes and complaints, and what was told, asked and brought for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class CaseFile(Base):
    """One case; kinds, states and alarms are those of ``bot.cases``. A dispute begins as a draft without a number.

    ``active_key`` names what there may be one open case of: a complaint of one kind in one conversation, a draft of
    one borrower. ``asking`` is the question that is open in the chat: none, debt, kind, yes, facts; ``asked_in`` the
    message it was put in answer to. ``hold_ids`` are the holds that this case keeps. ``wanted_sealed`` is what was
    asked of the borrower, ``reason_sealed`` what the last news says: why it takes longer, or the answer. A finding
    against the lender's own people stands from ``finding_at`` until somebody who decides has seen it.
    """

    __tablename__ = "case_file"
    __table_args__ = (Index("ix_case_file_due", "state", "due_on"),)

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(String(12), unique=True)
    family: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(15))
    active_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"), index=True)
    debt_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    hold_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    asking: Mapped[str] = mapped_column(String(5), default="none")
    asked_in: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    received_on: Mapped[date | None]
    due_on: Mapped[date | None]
    extensions: Mapped[int] = mapped_column(default=0)
    alarm: Mapped[str] = mapped_column(String(8), default="none")
    assigned_to: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    wanted_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("case:{id}"))
    reason_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("case:{id}"))
    decided_at: Mapped[datetime | None] = mapped_column(index=True)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    finding_at: Mapped[datetime | None]
    finding_seen_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))


class CaseNote(Base):
    """What was told or brought for a case, sealed. ``kind``: fact (the borrower's words), note (an operator's), file.

    The borrower's words are taken down once for each message.
    """

    __tablename__ = "case_note"
    __table_args__ = (UniqueConstraint("case_id", "message_id"),)

    id: Mapped[Id]
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[str] = mapped_column(String(5))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"))
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    text_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("case:{case_id}"))
    content_sealed: Mapped[str | None] = mapped_column(Text, deferred=True, info=sealed_for("case:{case_id}"))
    media_type: Mapped[str | None] = mapped_column(String(40))
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
