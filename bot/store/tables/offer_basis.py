"""What offers were computed from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id


class OfferBasis(Base):
    """The facts behind one set of offers, or behind the answer to one wish. Never changed; deleted with the means.

    ``facts`` is ``bot.workout.request.OfferRequest`` without its policy, earlier offers by their ``content_hash``;
    ``outcome_digest`` is SHA-256 in hex over what came of it, a refusal included.
    """

    __tablename__ = "offer_basis"

    id: Mapped[Id]
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    policy_code: Mapped[str] = mapped_column(String(60))
    policy_version: Mapped[str] = mapped_column(String(30))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    outcome_digest: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
