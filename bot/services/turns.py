"""Answering stored messages: claimed by one process at a time, answered in order, each answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from bot.desk.ownership import Owner, bot_may_answer
from bot.services import satisfaction
from bot.services.claims import LONGEST_CLAIM, free, is_free
from bot.services.conversations import ONE_OF_SEVERAL, WEB, Author, Reply, locked, queue_reason_of, say
from bot.services.deps import Deps
from bot.services.rule_versions import rule_versions
from bot.store.tables import Conversation, Message

MAX_ATTEMPTS = 8

COMFORT = "action_comfort"
"""The dialogue engine's action for a sign of danger that it saw itself."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the dialogue engine made of a message, kept for the transcript."""

    intent: str | None = None
    confidence: float | None = None
    entities: tuple[dict[str, str], ...] = ()
    actions: tuple[str, ...] = ()
    ranking: tuple[tuple[str, float], ...] = ()
    model: str | None = None
    also_asked: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An inbound message that this process may now have answered, until its lease ends."""

    message_id: str
    conversation_id: str
    text: str
    payload: str | None
    channel: str
    attempts: int


def claim_next(deps: Deps, conversation_id: str, lease: timedelta) -> Claimed | None:
    """Claim the oldest unanswered message of a conversation, or None when there is none or another holds it."""
    now = deps.now()
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return None
        message = session.scalar(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.handling == "pending")
            .order_by(Message.seq)
            .limit(1)
        )
        if message is None or not is_free(message.claimed_until, now):
            return None
        if not bot_may_answer(Owner(conversation.owner), queue_reason_of(conversation)):
            message.handling = "held"
            return None
        message.claimed_until = now + lease
        message.attempts += 1
        return Claimed(
            message.id, conversation_id, message.text, message.payload, conversation.channel, message.attempts
        )


def claim_again(deps: Deps, claimed: Claimed, lease: timedelta) -> Claimed | None:
    """Go on holding a claim for another attempt; None when the message was answered, passed on or taken by a person."""
    with deps.begin() as session:
        conversation = locked(session, claimed.conversation_id)
        message = session.get(Message, claimed.message_id)
        if conversation is None or message is None:
            return None
        session.refresh(message)
        is_held = message.handling == "pending" and message.attempts == claimed.attempts
        if not is_held or not bot_may_answer(Owner(conversation.owner), queue_reason_of(conversation)):
            return None
        message.claimed_until = deps.now() + lease
        message.attempts += 1
        return replace(claimed, attempts=message.attempts)


def release(deps: Deps, message_id: str, retry_at: datetime, *, counts: bool = True) -> None:
    """Give a claim back after a failure, to be tried again at ``retry_at``; ``counts`` says whether it was a try."""
    with deps.begin() as session:
        session.execute(
            update(Message)
            .where(Message.id == message_id, Message.handling == "pending")
            .values(claimed_until=retry_at, attempts=Message.attempts - (0 if counts else 1))
        )


def waiting_conversations(deps: Deps) -> list[str]:
    """Return conversations with an unanswered message that nobody is working on."""
    now = deps.now()
    with deps.read() as session:
        rows = session.scalars(
            select(Message.conversation_id)
            .where(Message.handling == "pending", free(Message.claimed_until, now, now + LONGEST_CLAIM))
            .distinct()
        )
        return list(rows)


def record_turn(
    deps: Deps, message_id: str, replies: Sequence[Reply], understanding: Understanding, author: Author = Author.BOT
) -> bool:
    """Store the answers to a message and mark it handled, in one transaction. Returns False if it already was.

    If a person has taken the conversation meanwhile, the bot's words are dropped: two voices at once confuse. So they
    are after a sign of danger, but for those of the turn that saw it.
    """
    with deps.begin() as session:
        message = session.get(Message, message_id)
        if message is None:
            return False
        conversation = locked(session, message.conversation_id)
        session.refresh(message)
        if conversation is None or message.handling != "pending":
            return False
        message.handling = "handled"
        message.claimed_until = None
        message.indexed_at = None  # what is masked in it depends on how it was understood
        message.intent = understanding.intent
        message.confidence = understanding.confidence
        message.understanding = {
            "entities": list(understanding.entities),
            "actions": list(understanding.actions),
            "ranking": [[name, round(score, 4)] for name, score in understanding.ranking],
            "model": understanding.model,
            "also_asked": understanding.also_asked,
            "rules": dict(rule_versions(deps)),
        }
        if _may_speak(conversation, understanding):
            for reply in replies if conversation.channel == WEB else read_together(replies):
                say(session, deps, conversation, reply, author=author, in_reply_to=message_id)
            satisfaction.ask_after_turn(
                session, deps, conversation, message, understanding.intent, understanding.actions
            )
        return True


def _may_speak(conversation: Conversation, understanding: Understanding) -> bool:
    owner = Owner(conversation.owner)
    raised_alarm = owner is not Owner.HUMAN and COMFORT in understanding.actions
    return raised_alarm or bot_may_answer(owner, queue_reason_of(conversation))


def read_together(replies: Sequence[Reply]) -> list[Reply]:
    """Put the messages of a run that are marked as belonging together into one."""
    together: list[Reply] = []
    is_open = False
    for reply in replies:
        is_part = any(button.payload == ONE_OF_SEVERAL for button in reply.buttons)
        if is_part and is_open:
            before = together[-1]
            together[-1] = replace(before, text=f"{before.text}\n\n{reply.text}")
        else:
            together.append(reply)
        is_open = is_part
    return together


def notice_once(deps: Deps, message_id: str, name: str) -> None:
    """Tell the borrower once about a message that has to wait (``engine_down``, ``engine_slow`` …)."""
    with deps.begin() as session:
        message = session.get(Message, message_id)
        if message is None:
            return
        conversation = locked(session, message.conversation_id)
        session.refresh(message)
        if conversation is not None and message.handling == "pending":
            text = deps.wording.one(name)
            say(session, deps, conversation, Reply(text), author=Author.NOTICE, key=f"{name}:{message_id}")
