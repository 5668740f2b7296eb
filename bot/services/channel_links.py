"""Links with which a borrower goes on over another channel: made for one conversation, followed once from another.

Following a link proves nothing, for links are forwarded. It only spares the question who somebody is: the one-time code
goes to the phone on record of whoever made the link, and nothing is told before both factors are right.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.services import audit
from bot.services.conversations import Problem, Stored, locked, seen_before
from bot.services.deps import Deps
from bot.services.inbound import record
from bot.services.proof import viewer_of
from bot.store.tables import ChannelLink, Conversation

LIFE = timedelta(minutes=15)
"""How long a link may be followed after it was made."""

AWAITED = timedelta(minutes=30)
"""How long after that the desk knows whose code to send."""

CONTINUE = '/verify_identity{"topic": "continue"}'
_TOKEN = re.compile(r"go-[A-Za-z0-9_-]{32}")


def make_link(deps: Deps, conversation_id: str) -> str:
    """Return a token that goes on with a conversation elsewhere; an earlier one that nobody followed ends."""
    token = f"go-{secrets.token_urlsafe(24)}"
    with deps.begin() as session:
        now = deps.now()
        session.execute(
            delete(ChannelLink).where(ChannelLink.conversation_id == conversation_id, ChannelLink.followed_by.is_(None))
        )
        session.add(
            ChannelLink(
                token_hash=deps.vault.lookup("channel_link", token),
                conversation_id=conversation_id,
                borrower_id=viewer_of(session, deps, conversation_id).borrower_id,
                created_at=now,
                expires_at=now + LIFE,
            )
        )
    return token


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a link's token."""
    return _TOKEN.fullmatch(text) is not None


def follow(deps: Deps, conversation_id: str, key: str, token: str, words: str) -> Stored | Problem:
    """Go on in this conversation, which stores ``words`` in the borrower's place, once per client key.

    Whoever is verified here as somebody else has to prove identity again.
    """
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Problem.UNKNOWN_CONVERSATION
        if repeated := seen_before(session, conversation_id, key):
            return repeated
        now = deps.now()
        link = session.get(ChannelLink, deps.vault.lookup("channel_link", token), with_for_update=True)
        if link is None or link.followed_by is not None or link.expires_at <= now:
            return Problem.STALE_LINK
        link.followed_by, link.followed_at = conversation_id, now
        conversation.script = session.get_one(Conversation, link.conversation_id).script
        if link.borrower_id not in (None, conversation.borrower_id):
            conversation.verified_at = None
        audit.record(
            session, now, audit.BOT, "link_followed", ("conversation", conversation_id), made_in=link.conversation_id
        )
        return record(session, deps, conversation_id, key, words, payload=CONTINUE)


def awaited(session: Session, conversation_id: str, now: datetime) -> str | None:
    """Return the borrower whose link brought somebody to a conversation a moment ago, if that is known."""
    return session.scalar(
        select(ChannelLink.borrower_id)
        .where(ChannelLink.followed_by == conversation_id, ChannelLink.followed_at > now - AWAITED)
        .order_by(ChannelLink.followed_at.desc())
        .limit(1)
    )


def forget(session: Session, conversation_id: str) -> None:
    """Let go of who was awaited in a conversation: somebody else is there."""
    session.execute(update(ChannelLink).where(ChannelLink.followed_by == conversation_id).values(borrower_id=None))
