"""Documents made for borrowers, and the messages that carry them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class Document(Base):
    """One file. The same file is kept once for a borrower: ``sha256`` is that of the unsealed content.

    ``number`` is what the paper is numbered with. ``width`` and ``height`` are a picture's, in pixels.
    ``conversation_id`` is where it was first made, null when no conversation asked for it.
    """

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("borrower_id", "kind", "sha256"),)

    id: Mapped[Id]
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"))
    agreement_id: Mapped[str | None] = mapped_column(ForeignKey("agreement.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    content_sealed: Mapped[str] = mapped_column(Text, deferred=True, info=sealed_for("document:{borrower_id}"))
    created_at: Mapped[datetime]


class MessageDocument(Base):
    """The one document that a message carries."""

    __tablename__ = "message_document"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("document.id"), index=True)
