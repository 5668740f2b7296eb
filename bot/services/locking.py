"""The order in which rows are locked: a borrower before all else of theirs, so that nobody waits for each other."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services.accounts import lock_borrower
from bot.services.conversations import locked
from bot.store.tables import Conversation


def locked_in_turn(session: Session, conversation_id: str) -> Conversation | None:
    """Return a conversation locked for change, its borrower before it; None where it is unknown.

    Two contacts with one person, or two cases about them, are so decided one after the other, over whichever channel:
    each sees what the other did.
    """
    borrower_id = session.scalar(select(Conversation.borrower_id).where(Conversation.id == conversation_id))
    if borrower_id is not None:
        lock_borrower(session, borrower_id)
    return locked(session, conversation_id)
