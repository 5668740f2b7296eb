"""What borrowers send: stored once, and looked at by the crisis guard in the same transaction.

So no message is ever stored without having been looked at, whoever answers the conversation, and whether or not the
dialogue engine is there.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.ownership import Owner, bot_may_answer
from bot.services import approval_evidence, care, consents, crisis, satisfaction
from bot.services.conversations import Author, Problem, Stored, append, locked, queue_reason_of, seen_before
from bot.services.deps import Deps
from bot.services.locking import locked_in_turn
from bot.services.proof import lapse_if_idle
from bot.store.tables import Button, Conversation, Message
from bot.text.scripts import detect_script

BURST, BURST_SPAN = 20, timedelta(seconds=10)
"""So many messages of one conversation are taken within so long where the channel asks for a limit."""


def record_text(deps: Deps, conversation_id: str, key: str, text: str, *, limited: bool = False) -> Stored | Problem:
    """Store what a borrower typed, once per client key.

    ``limited`` refuses what comes faster than ``BURST``, over whichever process; a sign of danger is never refused.
    """
    text = text.replace("\0", "")  # PostgreSQL stores every character but this one
    if not text.strip():
        return Problem.EMPTY
    if len(text) > deps.settings.message_max_characters:
        return Problem.TOO_LONG
    with deps.begin() as session:
        if limited and _too_fast(session, deps, conversation_id, key) and crisis.sign_in(deps, text) is None:
            return Problem.TOO_FAST
        return record(session, deps, conversation_id, key, text.strip(), payload=None)


def record_order(deps: Deps, conversation_id: str, key: str, words: str, order: str) -> Stored | Problem:
    """Store a menu command, once per client key: the words it stands for, and the order to the dialogue engine."""
    with deps.begin() as session:
        if _too_fast(session, deps, conversation_id, key):
            return Problem.TOO_FAST
        return record(session, deps, conversation_id, key, words, payload=order)


def record_press(deps: Deps, conversation_id: str, key: str, token: str, *, limited: bool = False) -> Stored | Problem:
    """Store a button press, once per client key; a button works once, and only in its own conversation."""
    with deps.begin() as session:
        payload = session.scalar(select(Button.payload).where(Button.token == token))
        conversation = _locked(session, conversation_id, "", payload)
        if conversation is None:
            return Problem.UNKNOWN_CONVERSATION
        if repeated := seen_before(session, conversation_id, key):
            return repeated
        if limited and _too_fast(session, deps, conversation_id, key):
            return Problem.TOO_FAST
        button = session.get(Button, token)
        if button is None or button.conversation_id != conversation_id:
            return Problem.UNKNOWN_BUTTON
        if button.state != "open" or button.expires_at <= deps.now():
            return Problem.STALE_BUTTON
        siblings = select(Button).where(Button.message_id == button.message_id, Button.state == "open")
        for sibling in session.scalars(siblings):
            sibling.state = "stale"
        button.state = "used"
        return record(session, deps, conversation_id, key, button.title, payload=button.payload)


def record(
    session: Session, deps: Deps, conversation_id: str, key: str, text: str, payload: str | None
) -> Stored | Problem:
    """Store a message within a transaction, once per client key; ``payload`` is what the desk itself meant by it."""
    conversation = _locked(session, conversation_id, text, payload)
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
    care.guard(session, deps, conversation, message)
    consents.guard(session, deps, conversation, message)
    approval_evidence.guard(session, deps, conversation, message)
    satisfaction.take(session, deps, conversation, message)
    return Stored(message.id, message.seq, repeated=False)


def _locked(session: Session, conversation_id: str, text: str, payload: str | None) -> Conversation | None:
    """Lock a conversation, and before it the borrower where the message may end a hold: then notices are planned anew.

    Others wait for no borrower: a message is stored although a long import holds their row.
    """
    return (locked_in_turn if crisis.may_end_hold(text, payload) else locked)(session, conversation_id)


def _too_fast(session: Session, deps: Deps, conversation_id: str, key: str) -> bool:
    """Whether the borrower's last ``BURST`` messages came within ``BURST_SPAN``; one that is here already never is."""
    if seen_before(session, conversation_id, key):
        return False
    earlier = session.scalar(
        select(Message.created_at)
        .where(Message.conversation_id == conversation_id, Message.author == Author.BORROWER)
        .order_by(Message.seq.desc())
        .offset(BURST - 1)
        .limit(1)
    )
    return earlier is not None and deps.now() - earlier < BURST_SPAN
