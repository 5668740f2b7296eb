"""What is known of somebody for whom the usual pace would do harm, and their consents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class Circumstance(Base):
    """A circumstance of ``bot.care.vulnerability.Vulnerability`` that somebody told or an operator named.

    It ends of itself at ``until``. ``named_by`` is the operator; None where the desk heard it.
    """

    __tablename__ = "circumstance"

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    named_at: Mapped[datetime]
    named_by: Mapped[str | None] = mapped_column(String(32))
    until: Mapped[datetime]


class EvidenceConsent(Base):
    """A consent of its own to files about health or means (P6), until ``withdrawn_at``.

    It is for cases, or with ``approval_id`` for the decision on that one request: another purpose, another consent.
    ``noted_by`` is the operator to whom it was given by word of mouth; None where it was given in the chat.
    """

    __tablename__ = "evidence_consent"

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"), index=True)
    approval_id: Mapped[str | None] = mapped_column(String(32))
    given_at: Mapped[datetime]
    noted_by: Mapped[str | None] = mapped_column(String(32))
    withdrawn_at: Mapped[datetime | None]
