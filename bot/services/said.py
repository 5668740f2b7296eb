"""What was said earlier in a conversation, as far as a later step depends on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.store.tables import Conversation, Message

SAID_LATELY = timedelta(minutes=30)


def answers_question(session: Session, conversation_id: str, asked_in: str | None, message_id: str) -> bool:
    """Tell whether a message came after the question that was put in answer to the message ``asked_in``.

    A yes that was typed before the question could be read agrees to nothing.
    """
    yes = session.get(Message, message_id)
    if asked_in is None or yes is None or yes.conversation_id != conversation_id:
        return False
    question = select(Message.id).where(
        Message.conversation_id == conversation_id,
        Message.author == Author.BOT,
        Message.in_reply_to == asked_in,
        Message.seq < yes.seq,
    )
    return session.scalar(question.limit(1)) is not None


def before_proof(deps: Deps, conversation_id: str, intents: Collection[str]) -> tuple[str, str]:
    """Return intent and text of the borrower's last message of one of some intents, just before identity was proved.

    Both are empty if there is none. What was asked for then is taken up again once it may be answered.
    """
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or conversation.verified_at is None:
            return "", ""
        last = session.scalar(
            select(Message)
            .where(
                Message.conversation_id == conversation_id,
                Message.author == Author.BORROWER,
                Message.intent.in_(intents),
                Message.created_at <= conversation.verified_at,
                Message.created_at > conversation.verified_at - SAID_LATELY,
            )
            .order_by(Message.seq.desc())
            .limit(1)
        )
        return (last.intent or "", "" if last.payload else last.text) if last is not None else ("", "")
