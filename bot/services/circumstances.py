"""Under which circumstances somebody lives, as far as they were told or named, and what the desk does differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bot.care.vulnerability import CARE, Vulnerability
from bot.services.deps import Deps
from bot.store.tables import Circumstance, Conversation

REMEMBERED = timedelta(days=180)
"""How long a circumstance is reckoned with, from the last time it was named (†): life goes on, and so do its marks."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How to speak with somebody. ``is_slower``: one thing at a time, and a question whether it was understood.

    ``is_shorter``: fewer choices, short lines. ``is_sensitive``: files from them take a consent of their own (P6).
    """

    is_slower: bool = False
    is_shorter: bool = False
    is_sensitive: bool = False


def put(
    session: Session, deps: Deps, conversation: Conversation, kind: Vulnerability, named_by: str | None = None
) -> None:
    """Put a circumstance on record, or reckon with it anew; the conversation is locked. ``named_by`` is an operator."""
    now = deps.now()
    known = session.scalar(_of(conversation).where(Circumstance.kind == kind.value))
    if known is not None:
        known.until, known.borrower_id = now + REMEMBERED, known.borrower_id or conversation.borrower_id
        return
    session.add(
        Circumstance(
            conversation_id=conversation.id,
            borrower_id=conversation.borrower_id,
            kind=kind.value,
            named_at=now,
            named_by=named_by,
            until=now + REMEMBERED,
        )
    )


def pace_of(session: Session, deps: Deps, conversation: Conversation) -> Pace:
    """Return how to speak in a conversation, by all circumstances of it and of its borrower that still count."""
    return _pace(session.scalars(_of(conversation).where(Circumstance.until > deps.now())))


def pace_of_borrower(session: Session, deps: Deps, borrower_id: str) -> Pace:
    """Return how to speak with a borrower, wherever their circumstances were named."""
    of = select(Circumstance).where(Circumstance.borrower_id == borrower_id, Circumstance.until > deps.now())
    return _pace(session.scalars(of))


def pace(deps: Deps, conversation_id: str) -> Pace:
    """Return the same by the conversation's id; the usual pace where it is unknown."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        return pace_of(session, deps, conversation) if conversation is not None else Pace()


def _pace(found: Iterable[Circumstance]) -> Pace:
    cares = [CARE[Vulnerability(each.kind)] for each in found]
    return Pace(
        is_slower=any(care.is_slower for care in cares),
        is_shorter=any(care.is_shorter for care in cares),
        is_sensitive=any(care.is_sensitive for care in cares),
    )


def _of(conversation: Conversation) -> Select[Circumstance]:
    # A conversation that has become somebody else's says nothing of whoever had it before.
    here = (Circumstance.conversation_id == conversation.id) & or_(
        Circumstance.borrower_id.is_(None), Circumstance.borrower_id == conversation.borrower_id
    )
    if conversation.borrower_id is None:
        return select(Circumstance).where(here)
    return select(Circumstance).where(or_(here, Circumstance.borrower_id == conversation.borrower_id))
