"""What borrowers wrote, for comparing models: without anything that points to a person, and without proofs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.desk.teaching import anonymise
from bot.services import audit
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.shown_text import is_proving
from bot.store.tables import Borrower, Conversation, Message

LONGEST = 500
"""Characters of a message that are compared."""

_READ_AT_ONCE = 500


def texts_since(deps: Deps, since: datetime, most: int) -> tuple[str, ...]:
    """Return up to ``most`` different messages since an instant (aware), the newest first, and put it on record.

    Only what was typed and read by the engine: a pressed button has nothing to be read, and a proof of identity is
    nobody's example.
    """
    found: dict[str, None] = {}
    wanted = (
        select(Message, Borrower.name_sealed)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Borrower, Borrower.id == Conversation.borrower_id)
        .where(
            Message.author == Author.BORROWER,
            Message.payload.is_(None),
            Message.intent.is_not(None),
            Message.created_at >= since,
        )
        .order_by(Message.created_at.desc(), Message.id)
    )
    with deps.read() as session:
        start = 0
        while len(found) < most and (rows := session.execute(wanted.offset(start).limit(_READ_AT_ONCE)).all()):
            start += len(rows)
            for message, name_sealed in rows:
                names = [deps.vault.unseal("name", name_sealed)] if name_sealed is not None else []
                text = "" if is_proving(message) else anonymise(message.text[:LONGEST], names)
                if text and len(found) < most:
                    found.setdefault(text)
    with deps.begin() as session:
        audit.record(session, deps.now(), audit.SYSTEM, "turns_compared", ("desk", "nlu"), texts=len(found))
    return tuple(found)
