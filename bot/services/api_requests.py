"""Requests with an idempotency key: worked on once, answered alike however often they are sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from bot.services.claims import is_free
from bot.services.deps import Deps
from bot.store.tables import ApiRequest

KEPT = timedelta(days=7)
"""How long the answer to a key is kept; the same key later is a new request."""

LEASE = timedelta(minutes=10)
"""After so long a request without an answer died with its process, and may be sent again."""


@dataclass(frozen=True, slots=True)
class Begun:
    """To be worked on now, and then to be given to ``finish`` or ``drop``."""

    client_id: str
    key_hash: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The same request was answered before: this is the answer."""

    status: int
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same request is being worked on at this moment."""


@dataclass(frozen=True, slots=True)
class OtherBody:
    """The key was used for another request."""


def begin(deps: Deps, client_id: str, key: str, body: bytes) -> Begun | Answered | InProgress | OtherBody:
    """Claim a key for a request, or say what is known of it. ``body`` is all that makes requests different."""
    key_hash, body_hash = hashlib.sha256(key.encode()).hexdigest(), hashlib.sha256(body).hexdigest()
    now = deps.now()
    try:
        with deps.begin() as session:
            row = session.get(ApiRequest, (client_id, key_hash), with_for_update=True)
            if row is not None and row.begun_at > now - KEPT:
                if row.body_hash != body_hash:
                    return OtherBody()
                if row.status is not None:
                    return Answered(row.status, row.answer or {})
                if not is_free(row.claimed_until, now):
                    return InProgress()
            if row is None:
                row = ApiRequest(client_id=client_id, key_hash=key_hash)
                session.add(row)
            row.body_hash, row.begun_at, row.claimed_until = body_hash, now, now + LEASE
            row.status = row.answer = None
        return Begun(client_id, key_hash)
    except IntegrityError:  # the same key came in at the same moment, and the other one has it
        return InProgress()


def finish(deps: Deps, begun: Begun, status: int, answer: dict[str, Any]) -> None:
    """Keep the answer to a request."""
    with deps.begin() as session:
        row = session.get_one(ApiRequest, (begun.client_id, begun.key_hash))
        row.status, row.answer = status, answer


def drop(deps: Deps, begun: Begun) -> None:
    """Give a key back after a request that could not be worked on."""
    with deps.begin() as session:
        session.execute(
            delete(ApiRequest).where(
                ApiRequest.client_id == begun.client_id,
                ApiRequest.key_hash == begun.key_hash,
                ApiRequest.status.is_(None),
            )
        )


def forget_old(deps: Deps) -> int:
    """Delete requests whose answer need not be kept any longer; returns how many."""
    with deps.begin() as session:
        gone = session.execute(
            delete(ApiRequest).where(ApiRequest.begun_at < deps.now() - KEPT).returning(ApiRequest.key_hash)
        )
        return len(gone.all())
