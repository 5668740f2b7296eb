"""What borrowers send: stored once, and looked at by the crisis guard in the same transaction.

So no message is ever stored without having been looked at, whoever answers the conversation, and whether or not the
dialogue engine is there.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.ownership import Owner, bot_may_answer
from bot.services import crisis
from bot.services.conversations import Author, Problem, Stored, append, locked, queue_reason_of, seen_before
from bot.services.deps import Deps
from bot.services.proof import lapse_if_idle
from bot.store.tables import Button
from bot.text.scripts import detect_script


def record_text(deps: Deps, conversation_id: str, key: str, text: str) -> Stored | Problem:
    """Store what a borrower typed, once per client key."""
    if not text.strip():
        return Problem.EMPTY
    if len(text) > deps.settings.message_max_characters:
        return Problem.TOO_LONG
    with deps.begin() as session:
        return _record(session, deps, conversation_id, key, text.strip(), payload=None)


def record_press(deps: Deps, conversation_id: str, key: str, token: str) -> Stored | Problem:
    """Store a button press, once per client key; a button works once, and only in its own conversation."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Problem.UNKNOWN_CONVERSATION
        if repeated := seen_before(session, conversation_id, key):
            return repeated
        button = session.get(Button, token)
        if button is None or button.conversation_id != conversation_id:
            return Problem.UNKNOWN_BUTTON
        if button.state != "open" or button.expires_at <= deps.now():
            return Problem.STALE_BUTTON
        siblings = select(Button).where(Button.message_id == button.message_id, Button.state == "open")
        for sibling in session.scalars(siblings):
            sibling.state = "stale"
        button.state = "used"
        return _record(session, deps, conversation_id, key, button.title, payload=button.payload)


def _record(
    session: Session, deps: Deps, conversation_id: str, key: str, text: str, payload: str | None
) -> Stored | Problem:
    conversation = locked(session, conversation_id)
    if conversation is None:
        return Problem.UNKNOWN_CONVERSATION
    if repeated := seen_before(session, conversation_id, key):
        return repeated
    now = deps.now()
    lapse_if_idle(conversation, now, deps.idle)
    conversation.last_inbound_at = now
    conversation.unreachable_at = None
    conversation.script = (detect_script(text) if payload is None else None) or conversation.script
    if conversation.owner == Owner.CLOSED:
        conversation.owner = Owner.BOT
    answered_by_bot = bot_may_answer(Owner(conversation.owner), queue_reason_of(conversation))
    message = append(
        session,
        conversation,
        now,
        author=Author.BORROWER,
        text=text,
        client_key=key,
        payload=payload,
        handling="pending" if answered_by_bot else "held",
    )
    crisis.guard(session, deps, conversation, message)
    return Stored(message.id, message.seq, repeated=False)
