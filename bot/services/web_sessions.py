"""Browser sessions of the web chat. The browser holds a random cookie; the desk keeps its keyed hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from bot.services.conversations import open_conversation
from bot.services.deps import Deps
from bot.store.tables import WebSession
from bot.text.scripts import Script


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session: the cookie's value and the conversation it opens."""

    token: str
    conversation_id: str


def open_session(deps: Deps, script: Script = Script.HANS) -> OpenedSession:
    """Open a session with a conversation of its own, greeting in the script that the browser asks for."""
    token = secrets.token_urlsafe(32)
    with deps.begin() as session:
        now = deps.now()
        conversation = open_conversation(session, deps, "web", secrets.token_hex(16), script)
        session.add(
            WebSession(
                token_hash=deps.vault.lookup("web_session", token),
                conversation_id=conversation.id,
                created_at=now,
                expires_at=now + timedelta(days=deps.settings.session_days),
            )
        )
        return OpenedSession(token, conversation.id)


def conversation_of(deps: Deps, token: str | None) -> str | None:
    """Return the conversation a cookie opens, or None when it is unknown or has expired."""
    if not token or len(token) > 100:
        return None
    with deps.read() as session:
        row = session.get(WebSession, deps.vault.lookup("web_session", token))
        return row.conversation_id if row is not None and row.expires_at > deps.now() else None


def renew(deps: Deps, token: str | None) -> bool:
    """Let a session live on from this visit for the whole of ``session_days``; False when it is unknown or expired."""
    if not token or len(token) > 100:
        return False
    with deps.begin() as session:
        row = session.get(WebSession, deps.vault.lookup("web_session", token))
        now = deps.now()
        if row is None or row.expires_at <= now:
            return False
        row.expires_at = now + timedelta(days=deps.settings.session_days)
        return True
