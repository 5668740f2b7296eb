"""What a channel needs besides storing messages: answering what it cannot take, and telling an outage from a defect."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.services import audit
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.store.tables import AuditEntry


def tell(deps: Deps, conversation_id: str, name: str, key: str, author: Author = Author.NOTICE, **values: str) -> bool:
    """Say the fixed words called ``name`` once per ``key``. Returns whether they were said now.

    The bot's own words to somebody verified are withheld once their proof has run out; a notice never is.

    Raises:
        bot.services.wording.WordingError: there are no such words, or a value for them is missing.
    """
    text = deps.wording.one(name, **values)
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return False
        said = say(session, deps, conversation, Reply(text), author=author, key=f"{name}:{key}")
        return said is not None


def refuse_chat(deps: Deps, channel: str, address: str) -> bool:
    """Put on record that a chat with several people was refused. Returns True the first time for each chat.

    Such a chat gets no conversation: a greeting there would tell others that a lender is writing.
    """
    subject = ("shared_chat", deps.vault.lookup(f"address:{channel}", address)[:32])
    with deps.begin() as session:
        known = session.scalar(
            select(AuditEntry.id)
            .where(AuditEntry.subject_kind == subject[0], AuditEntry.subject_id == subject[1])
            .limit(1)
        )
        if known is None:
            audit.record(session, deps.now(), audit.BOT, "shared_chat_refused", subject, channel=channel)
        return known is None


def is_outage(error: Exception) -> bool:
    """Tell whether the database is away or busy, so that the same call can succeed later."""
    return isinstance(error, OperationalError | InterfaceError | PoolTimeoutError)
