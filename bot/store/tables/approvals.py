"""Requests to a person for an offer that the bot may not grant by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Approval(Base):
    """One request, at most one for each offer. ``state``: waiting, approved, rejected, expired.

    ``requester`` is ``bot`` or an operator's id: nobody decides on their own request. ``needs_role`` is the lowest role
    that may decide. ``granted_offer_id`` is the offer that was granted: the one asked for, or another in its place.

    ``telling`` says how far the borrower has been told of the outcome: none (nothing to tell yet), due (at
    ``tell_at``), hinted (that there is an answer, not which), told, dropped. ``tell_rule`` is what decided that last.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_open", "state", "requested_at"),
        Index("ix_approval_telling", "telling", "tell_at"),
    )

    id: Mapped[Id]
    offer_id: Mapped[str] = mapped_column(ForeignKey("offer.id"), unique=True)
    granted_offer_id: Mapped[str | None] = mapped_column(ForeignKey("offer.id"), index=True)
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"))
    requester: Mapped[str] = mapped_column(String(32))
    needs_role: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    telling: Mapped[str] = mapped_column(String(8), default="none")
    tell_at: Mapped[datetime | None]
    tell_rule: Mapped[str | None] = mapped_column(String(30))
