"""Operators, their sessions, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base, Id, sealed_for


class Operator(Base):
    """A person who works at the desk. The password is an Argon2id hash; ``team`` is a name, None for nobody's team.

    ``must_change_password`` holds for a password that somebody else has set. ``totp_sealed`` is the secret of the
    second factor once it was confirmed, ``totp_step`` the last time step whose code was taken: no code counts twice.
    Whoever was ``disabled_at`` some time cannot log in, and keeps their name on what they did.
    """

    __tablename__ = "operator"

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(20))
    team: Mapped[str | None] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(Text)
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    totp_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("operator_totp"))
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OperatorSession(Base):
    """A console login. Only the hash of the cookie is kept; ``csrf`` is checked on every change."""

    __tablename__ = "operator_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.id"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class OperatorLogin(Base):
    """A login whose password was right and that still lacks a step: a code, a first code, a password of one's own.

    Only the hash of the cookie is kept. ``totp_sealed`` is a new secret that a first code has to confirm. The row goes
    when the session begins, and opens nothing after ``expires_at``.
    """

    __tablename__ = "operator_login"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.id"), index=True)
    has_code: Mapped[bool] = mapped_column(default=False)
    totp_sealed: Mapped[str | None] = mapped_column(Text, info=sealed_for("operator_totp"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did or saw what, append-only. ``detail`` holds identifiers and codes, never personal data."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject_kind", "subject_id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[str | None] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(60), index=True)
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class AuditLink(Base):
    """The place of an entry in the chain. ``link`` is a keyed hash over the one before, and over the whole entry.

    No foreign key leads to the entry: one that is gone has to show, not to take its link along.
    """

    __tablename__ = "audit_link"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    sealed_at: Mapped[datetime]
    link: Mapped[str] = mapped_column(String(64))


class AuditCheckpoint(Base):
    """Up to which position retention has removed entries, the link there, and the desk's keyed hash over both."""

    __tablename__ = "audit_checkpoint"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    link: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    mac: Mapped[str] = mapped_column(String(64))
