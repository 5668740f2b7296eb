"""The lender's other systems: who may call, for what, with which keys.

A key is ``desk_<id>_<secret>``. The id finds the row; of the secret only a keyed hash is kept, so that a copy of the
database opens nothing. A client may have several keys at a time: the new one is handed out before the old one goes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from bot.clock import business_date
from bot.services import audit, webhooks
from bot.services.deps import Deps
from bot.store.tables import ApiClient, ApiKey

_PURPOSE = "api_key"
_KEY = re.compile(r"desk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


class Scope(StrEnum):
    """What a client may do."""

    ACCOUNTS_WRITE = "accounts:write"
    PAYMENTS_WRITE = "payments:write"
    EVENTS_READ = "events:read"


class ClientRefusal(StrEnum):
    """Why nothing was changed."""

    BAD_NAME = "a name is 1 to 40 of the characters a-z 0-9 -"
    TAKEN = "there is a client of that name"
    UNKNOWN = "there is no such client"
    UNKNOWN_KEY = "there is no such key"
    NO_SCOPE = "a client needs a scope"


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that has shown a key that holds."""

    client_id: str
    name: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key, without its secret. ``holds`` says whether it opens anything now."""

    id: str
    created_at: datetime
    expires_at: datetime | None
    last_used_on: str | None
    holds: bool


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client with its keys."""

    name: str
    scopes: tuple[str, ...]
    is_open: bool
    keys: tuple[KeyView, ...]


def create(deps: Deps, name: str, scopes: Collection[Scope]) -> ClientRefusal | None:
    """Let a system in, for some things. It has no key yet."""
    if not _NAME.fullmatch(name):
        return ClientRefusal.BAD_NAME
    if not scopes:
        return ClientRefusal.NO_SCOPE
    with deps.begin() as session:
        if session.scalar(select(ApiClient.id).where(ApiClient.name == name)) is not None:
            return ClientRefusal.TAKEN
        client = ApiClient(name=name, scopes=sorted(scope.value for scope in scopes), created_at=deps.now())
        session.add(client)
        session.flush()
        audit.record(session, deps.now(), audit.SYSTEM, "api_client_created", ("api_client", client.id))
    return None


def close(deps: Deps, name: str) -> ClientRefusal | None:
    """Let a system in no more: none of its keys holds from now on, and none of its webhooks is called."""
    with deps.begin() as session:
        client = session.scalar(select(ApiClient).where(ApiClient.name == name, ApiClient.closed_at.is_(None)))
        if client is None:
            return ClientRefusal.UNKNOWN
        client.closed_at = deps.now()
        webhooks.end_of_client(session, client.id)
        audit.record(session, deps.now(), audit.SYSTEM, "api_client_closed", ("api_client", client.id))
    return None


def issue_key(deps: Deps, name: str, days: int | None = None) -> str | ClientRefusal:
    """Make a key for a client and return it: it is shown only now. ``days`` is after how many it ends by itself."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    now = deps.now()
    with deps.begin() as session:
        client = session.scalar(select(ApiClient).where(ApiClient.name == name, ApiClient.closed_at.is_(None)))
        if client is None:
            return ClientRefusal.UNKNOWN
        session.add(
            ApiKey(
                id=key_id,
                client_id=client.id,
                secret_hash=deps.vault.lookup(_PURPOSE, secret),
                created_at=now,
                expires_at=now + timedelta(days=days) if days is not None else None,
            )
        )
        audit.record(session, now, audit.SYSTEM, "api_key_issued", ("api_client", client.id), key=key_id)
    return f"desk_{key_id}_{secret}"


def revoke_key(deps: Deps, key_id: str) -> ClientRefusal | None:
    """End a key now."""
    with deps.begin() as session:
        key = session.get(ApiKey, key_id)
        if key is None or key.revoked_at is not None:
            return ClientRefusal.UNKNOWN_KEY
        key.revoked_at = deps.now()
        audit.record(session, deps.now(), audit.SYSTEM, "api_key_revoked", ("api_client", key.client_id), key=key_id)
    return None


def authenticate(deps: Deps, given: str) -> Caller | None:
    """Return who shows a key that holds, None for any other text. Takes the same time whatever part of it is wrong."""
    found = _KEY.fullmatch(given)
    key_id, secret = found.groups() if found is not None else ("", given)
    now = deps.now()
    with deps.read() as session:
        row = session.execute(
            select(ApiKey, ApiClient).join(ApiClient, ApiClient.id == ApiKey.client_id).where(ApiKey.id == key_id)
        ).one_or_none()
    expected = row[0].secret_hash if row is not None else "0" * 64
    is_right = deps.vault.matches(_PURPOSE, secret, expected)
    if row is None or not is_right:
        return None
    key, client = row
    if not _holds(key, now) or client.closed_at is not None:
        return None
    _note_use(deps, key)
    known = {scope.value for scope in Scope}
    return Caller(client.id, client.name, frozenset(Scope(scope) for scope in client.scopes if scope in known))


def listing(deps: Deps) -> tuple[ClientView, ...]:
    """Return every client with its keys, by name."""
    now = deps.now()
    with deps.read() as session:
        clients = session.scalars(select(ApiClient).order_by(ApiClient.name)).all()
        keys = session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).all()
    return tuple(
        ClientView(
            client.name,
            tuple(client.scopes),
            client.closed_at is None,
            tuple(
                KeyView(key.id, key.created_at, key.expires_at, key.last_used_on, _holds(key, now))
                for key in keys
                if key.client_id == client.id
            ),
        )
        for client in clients
    )


def _holds(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _note_use(deps: Deps, key: ApiKey) -> None:
    """Note the day of a use, so that a key that nobody uses any more can be told from one that is needed."""
    today = business_date(deps.now()).isoformat()
    if key.last_used_on == today:
        return
    with deps.begin() as session:
        session.get_one(ApiKey, key.id).last_used_on = today
