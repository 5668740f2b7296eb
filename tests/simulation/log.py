"""Everything a simulated run decided about contact, as lines that two runs of one seed have in common.

Identifiers are drawn anew in every run, so none is in a line; people are known by their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.services.deps import Deps
from bot.store.tables import Borrower, Conversation, Message, Outbox, Reminder


def decision_log(deps: Deps) -> list[str]:
    """Return one line for each notice and each outbound message: what it was, when, and how it ended. Sorted."""
    with deps.read() as session:
        names = {
            borrower.id: deps.vault.unseal("name", borrower.name_sealed)
            for borrower in session.scalars(select(Borrower))
        }
        return sorted([*_notices(session, names), *_messages(session, names)])


def _notices(session: Session, names: dict[str, str]) -> Iterator[str]:
    for row in session.scalars(select(Reminder)):
        what = f"{row.topic} {row.stage} {row.purpose} for {row.due_on}"
        ended = f"{row.state} {row.rule} {_at(row.decided_at)} {row.channel}"
        yield f"{names[row.borrower_id]} notice {_at(row.send_at)} {what}: {ended}"


def _messages(session: Session, names: dict[str, str]) -> Iterator[str]:
    rows = session.execute(
        select(Conversation.borrower_id, Message.created_at, Message.author, Message.purpose, Conversation.channel,
               Outbox.state, Outbox.last_error, Outbox.sent_at)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Outbox, Outbox.message_id == Message.id)
        .where(Message.author != "borrower")
    )  # fmt: skip
    for borrower_id, created_at, author, purpose, channel, state, error, sent_at in rows:
        yield (
            f"{names.get(borrower_id, 'nobody')} message {_at(created_at)} {author} {purpose} {channel}: "
            f"{state} {error} {_at(sent_at)}"
        )


def _at(instant: datetime | None) -> str:
    return "-" if instant is None else instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
