"""What running the desk needs: rules as they once were, other systems with their keys, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class RuleArchive(Base):
    """A set of rules as it was when it was first in force: ``content`` maps file names to their text.

    ``version`` is what turns keep (``bot.services.rule_versions``). The same version with another ``digest`` is a set
    that was changed without being given a new version.
    """

    __tablename__ = "rule_archive"
    __table_args__ = (UniqueConstraint("name", "version", "digest"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, str]] = mapped_column(JSON)
    first_used_at: Mapped[datetime]


class ApiClient(Base):
    """A system of the lender's that may call the desk. ``scopes`` are those of ``bot.services.api_clients``."""

    __tablename__ = "api_client"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(40), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ApiKey(Base):
    """One key of a client; only the keyed hash of its secret half is kept. A client may have several at a time."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[str | None] = mapped_column(String(10))


class ApiRequest(Base):
    """A request that brought an idempotency key, with the answer it got. Without one it is still being worked on."""

    __tablename__ = "api_request"

    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    begun_at: Mapped[datetime] = mapped_column(index=True)
    claimed_until: Mapped[datetime]


class LenderEvent(Base):
    """Something the lender's systems are told, once for each ``key``. ``seq`` is the order in which it is told.

    ``detail`` names contracts and debts by the lender's own numbers; it holds no name, phone, address or word said.
    """

    __tablename__ = "lender_event"

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class LenderEventMark(Base):
    """Up to which instant a source of events has been read; its row is what one process at a time holds.

    ``source`` and ``:far`` is when what lies further back was last looked at.
    """

    __tablename__ = "lender_event_mark"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    read_until: Mapped[datetime]


class Webhook(Base):
    """An address that events are posted to. ``after_seq`` is the last event that was put into its deliveries."""

    __tablename__ = "webhook"

    id: Mapped[Id]
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    secret_sealed: Mapped[str] = mapped_column(Text, info=sealed_for("webhook_secret"))
    after_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class WebhookDelivery(Base):
    """One event on its way to one address. ``state``: pending, delivered, dead (``last_error`` says why), closed.

    Closed is what was not taken when its address or its client was closed.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_seq"),
        Index("ix_webhook_delivery_due", "state", "next_attempt_at"),
    )

    id: Mapped[Id]
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id"))
    event_seq: Mapped[int] = mapped_column(ForeignKey("lender_event.seq"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(60))
    delivered_at: Mapped[datetime | None]
