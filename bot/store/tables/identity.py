"""Who a conversation is with: sessions, bindings, challenges and attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class WebSession(Base):
    """A browser's session. Only the hash of the cookie is kept."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ChannelLink(Base):
    """A link with which a borrower goes on over another channel. Only the hash of its token is kept; it works once.

    ``borrower_id`` is who had proved identity where the link was made, else null. Following it binds nobody.
    """

    __tablename__ = "channel_link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    followed_by: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    followed_at: Mapped[datetime | None]


class VouchedVisit(Base):
    """A conversation for which a lender's server vouched. Only the hash of the token's nonce is kept; it counts once.

    ``borrower_id`` is null where the desk knows nobody by what the token said. ``expires_at`` is the token's.
    ``ended_at``: it was used, replaced, or somebody else turned out to be there.
    """

    __tablename__ = "vouched_visit"

    nonce_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    logged_in_at: Mapped[datetime]
    accepted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SenderCode(Base):
    """A code by which a borrower can see that a conversation is with the desk. Only its hash is kept."""

    __tablename__ = "sender_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SenderCheck(Base):
    """Somebody at an address, kept as a hash, asked for a code that there is not. Gone when it no longer counts."""

    __tablename__ = "sender_check"
    __table_args__ = (Index("ix_sender_check_address", "address_hash", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class ChannelBinding(Base):
    """A borrower proved over this conversation that it is theirs (level 1 until released)."""

    __tablename__ = "channel_binding"

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str] = mapped_column(ForeignKey("borrower.id"), index=True)
    bound_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_reason: Mapped[str | None] = mapped_column(String(30))


class VerificationChallenge(Base):
    """One run of proving identity. ``borrower_id`` is null when nobody matched: the talk goes on just the same.

    ``state``: open, passed, dropped, or shut: the code was right while the borrower was locked.
    ``claim_hash`` is the keyed hash of the phone or name that was claimed; null when the conversation was bound.
    ``code_expires_at`` is when the code ends, and once it was passed, when that it was passed ends.
    """

    __tablename__ = "verification_challenge"

    id: Mapped[Id]
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    claim_hash: Mapped[str | None] = mapped_column(String(64))
    code_hash: Mapped[str] = mapped_column(String(64))
    code_expires_at: Mapped[datetime]
    code_passed: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12), default="open")
    created_at: Mapped[datetime]


class CodeLetter(Base):
    """A one-time code that has not been handed over yet. Gone when it was, or when the code is worth nothing any more.

    ``borrower_id`` is whose phone it goes to. It is null for whoever gets none: the row is written all the same, so
    that asking for a code is the same work whoever is asked for.
    """

    __tablename__ = "code_letter"

    id: Mapped[Id]
    challenge_id: Mapped[str] = mapped_column(ForeignKey("verification_challenge.id", ondelete="CASCADE"), unique=True)
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    code_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("one_time_code"))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]


class VerificationAttempt(Base):
    """One answer to a challenge. Wrong ones count against the conversation, the borrower and the claim."""

    __tablename__ = "verification_attempt"
    __table_args__ = (
        Index("ix_verification_attempt_conversation", "conversation_id", "at"),
        Index("ix_verification_attempt_borrower", "borrower_id", "at"),
        Index("ix_verification_attempt_claim", "claim_hash", "at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    borrower_id: Mapped[str | None] = mapped_column(ForeignKey("borrower.id"))
    claim_hash: Mapped[str | None] = mapped_column(String(64))
    factor: Mapped[str] = mapped_column(String(12))
    passed: Mapped[bool]
    at: Mapped[datetime]
