"""Whether the desk may speak to a borrower now: what is on record, put before the gate in ``bot.outreach.gate``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.lending.ledger import EntryKind
from bot.outreach.gate import Decision, Limits, PastNotice, Purpose, Recipient, may_send
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.store.tables import Conversation, Debt, LedgerEntry, Message, Reminder

ANSWERS_WITHIN = timedelta(hours=12)
"""A person's words count as an answer for so long after the borrower last wrote in that conversation (†, T1)."""

ONE_CONTACT = timedelta(hours=1)
"""What a person writes in one conversation within this time counts once, or a second line would break F1 (†)."""


def decide(
    session: Session,
    deps: Deps,
    borrower_id: str | None,
    conversation: Conversation | None,
    purpose: Purpose,
    due_key: str | None,
) -> Decision:
    """Ask the gate whether ``borrower_id`` may be written to in ``conversation`` now, inside an open transaction.

    Refused (P1) without a conversation that is bound to this borrower. The history is every notice and every contact
    begun by a person, over all channels and debts (F1). ``due_key`` names the due date that a notice is about.
    """
    bound = borrower_id is not None and conversation is not None and conversation.borrower_id == borrower_id
    recipient = Recipient(
        is_right_party=bound,
        history=tuple(_history(session, deps, borrower_id, conversation, purpose)) if borrower_id is not None else (),
        holds=open_holds(session, borrower_id).kinds if borrower_id is not None else frozenset(),
        last_inbound_at=_last_answer_at(session, borrower_id) if borrower_id is not None else None,
    )
    return may_send(purpose, due_key, recipient, deps.now(), Limits())


def decide_for_person(session: Session, deps: Deps, conversation: Conversation) -> tuple[Purpose, Decision]:
    """Decide whether an operator may speak now, and as what.

    Within ``ANSWERS_WITHIN`` of the borrower's last message it is a reply. After that the operator is the one who
    begins: the gate is asked as for any collection contact, and a conversation bound to nobody gets none (P1).
    """
    last = conversation.last_inbound_at
    answers = last is not None and deps.now() - last < ANSWERS_WITHIN
    purpose = Purpose.REPLY if answers else Purpose.COLLECTION
    return purpose, decide(session, deps, conversation.borrower_id, conversation, purpose, None)


def _history(
    session: Session, deps: Deps, borrower_id: str, conversation: Conversation | None, purpose: Purpose
) -> Iterator[PastNotice]:
    notices = session.execute(
        select(Reminder.decided_at, Reminder.instalment_id).where(
            Reminder.borrower_id == borrower_id, Reminder.state == "sent"
        )
    )
    for decided_at, instalment_id in notices:
        if decided_at is not None:
            yield PastNotice(decided_at, instalment_id)
    contacts = session.execute(
        select(Message.created_at, Message.conversation_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.borrower_id == borrower_id, Message.purpose == Purpose.COLLECTION.value)
    )
    here = conversation.id if conversation is not None and purpose is Purpose.COLLECTION else None
    begun = deps.now() - ONE_CONTACT
    for created_at, conversation_id in contacts:
        if conversation_id != here or created_at <= begun:
            yield PastNotice(created_at, None)


def _last_answer_at(session: Session, borrower_id: str) -> datetime | None:
    """When the borrower last wrote, in any conversation, or paid: paying answers a notice as well (F3)."""
    wrote_at = session.scalar(
        select(func.max(Conversation.last_inbound_at)).where(Conversation.borrower_id == borrower_id)
    )
    paid_at = session.scalar(
        select(func.max(LedgerEntry.booked_at))
        .join(Debt, Debt.id == LedgerEntry.debt_id)
        .where(Debt.borrower_id == borrower_id, LedgerEntry.kind == EntryKind.PAYMENT.value)
    )
    return max((at for at in (wrote_at, paid_at) if at is not None), default=None)
