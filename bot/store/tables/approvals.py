"""Requests to a person for an offer that the bot may not grant by itself, and the proof that was brought for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class Approval(Base):
    """One request, at most one for each offer. ``state``: waiting, approved, rejected, expired.

    ``requester`` is ``bot`` or an operator's id: nobody decides on their own request. ``needs_role`` is the lowest role
    that may decide. ``granted_offer_id`` is the offer that was granted: the one asked for, or another in its place.
    ``evidence_finding`` is how an offer that needs proof was granted: on proof that was seen, or without.

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
    evidence_finding: Mapped[str | None] = mapped_column(String(8))
    telling: Mapped[str] = mapped_column(String(8), default="none")
    tell_at: Mapped[datetime | None]
    tell_rule: Mapped[str | None] = mapped_column(String(30))


class ApprovalNote(Base):
    """What was brought or said as proof for a request, sealed. ``kind``: file, lacking, asked, withdrawn.

    lacking: the borrower's words that there is none, or that none is given. asked: an operator's words for what else is
    needed. withdrawn: the consent was taken back, and with it went the files.
    """

    __tablename__ = "approval_note"

    id: Mapped[Id]
    approval_id: Mapped[str] = mapped_column(ForeignKey("approval.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    text_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("approval:{approval_id}"))
    content_sealed: Mapped[str | None] = mapped_column(Text, deferred=True, info=sealed_for("approval:{approval_id}"))
    media_type: Mapped[str | None] = mapped_column(String(40))
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
