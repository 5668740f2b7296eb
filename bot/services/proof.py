"""Reading and ending a conversation's proof of identity."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.identity.levels import Level, Proof, Viewer, viewer
from bot.services.deps import Deps
from bot.store.tables import Conversation


def proof_of(conversation: Conversation) -> Proof:
    """Return what is on record about a conversation's identity."""
    return Proof(conversation.borrower_id, conversation.verified_at, conversation.last_inbound_at)


def lapse_if_idle(conversation: Conversation, now: datetime, idle: timedelta) -> None:
    """End level 2 when the borrower comes back after too long a silence. Called before the new message counts."""
    if conversation.verified_at and viewer(proof_of(conversation), now, idle, idle).level < Level.VERIFIED:
        conversation.verified_at = None


def viewer_of(session: Session, deps: Deps, conversation_id: str) -> Viewer:
    """Return who is looking over a conversation, now. An unknown conversation is anonymous."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return Viewer(Level.ANONYMOUS, None, is_fresh=False)
    return viewer(proof_of(conversation), deps.now(), deps.idle, deps.fresh)
