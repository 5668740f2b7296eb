"""Whether the desk may speak to a borrower now: what is on record, put before the gate in ``bot.outreach.gate``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.ledger import EntryKind
from bot.outreach.gate import Decision, HoldKind, PastNotice, Purpose, Recipient, may_send
from bot.outreach.wishes import ContactWishes
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.store.tables import ContactWish, Conversation, Debt, LedgerEntry, Message, PaymentTrace, Reminder

log = structlog.get_logger()

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

    Refused (P1) without a conversation that is bound to this borrower. ``due_key`` names the due date that a notice
    comes before, as ``due_key_of`` makes it.
    """
    recipient = recipient_of(session, deps, borrower_id, conversation, purpose)
    return may_send(purpose, due_key, recipient, deps.now(), deps.limits)


def decide_for_person(session: Session, deps: Deps, conversation: Conversation) -> tuple[Purpose, Decision]:
    """Decide whether an operator may speak now, and as what.

    Within ``ANSWERS_WITHIN`` of the borrower's last message it is a reply. After that the operator is the one who
    begins: the gate is asked as for any collection contact, and a conversation bound to nobody gets none (P1). A
    payment being sought does not silence operators: they are the ones who answer about it.
    """
    last = conversation.last_inbound_at
    answers = last is not None and deps.now() - last < ANSWERS_WITHIN
    purpose = Purpose.REPLY if answers else Purpose.COLLECTION
    recipient = recipient_of(session, deps, conversation.borrower_id, conversation, purpose, by_person=True)
    recipient = replace(recipient, holds=recipient.holds - {HoldKind.PAYMENT_SOUGHT})
    return purpose, may_send(purpose, None, recipient, deps.now(), deps.limits)


def recipient_of(
    session: Session,
    deps: Deps,
    borrower_id: str | None,
    conversation: Conversation | None,
    purpose: Purpose,
    *,
    by_person: bool = False,
) -> Recipient:
    """Return what is on record about a recipient: all that the gate decides by, but the limits and the clock.

    The history is every notice and every contact begun by a person, over all channels and debts (F1). ``by_person``: a
    person goes on with what they began in this conversation within ``ONE_CONTACT``; a notice keeps its distance.
    """
    if borrower_id is None:
        return Recipient(is_right_party=False, history=(), holds=frozenset(), last_inbound_at=None)
    now, goes_on = deps.now(), by_person and purpose is Purpose.COLLECTION
    sought = {HoldKind.PAYMENT_SOUGHT} if _is_payment_sought(session, borrower_id, now) else frozenset()
    return Recipient(
        is_right_party=conversation is not None and conversation.borrower_id == borrower_id,
        history=tuple(_history(session, deps, borrower_id, conversation if goes_on else None)),
        holds=open_holds(session, borrower_id, now).kinds | sought,
        last_inbound_at=_last_answer_at(session, borrower_id),
        wishes=wishes_of(session, borrower_id),
    )


def wishes_of(session: Session, borrower_id: str | None) -> ContactWishes | None:
    """Return how a borrower wants to be written to; None if what is stored makes no sense, and so must not be read."""
    row = session.get(ContactWish, borrower_id) if borrower_id is not None else None
    if row is None:
        return ContactWishes()
    try:
        return ContactWishes(
            quiet_from=row.quiet_from,
            quiet_to=row.quiet_to,
            send_at=row.send_at,
            day_of_month=row.day_of_month,
            days_before=row.days_before,
            channel=row.channel,
            per_seven_days=row.per_seven_days,
        )
    except ValueError as error:
        log.error("contact_wishes_unreadable", borrower=borrower_id, reason=str(error))
        return None


def due_key_of(reminder: Reminder, day: date) -> str | None:
    """Name the due date that a notice comes before when it is sent on ``day`` (Asia/Shanghai); None if before none.

    On the day itself and later it announces nothing any more, and does not count against F4.
    """
    if reminder.due_on is None or reminder.due_on <= day:
        return None
    return reminder.instalment_id or f"{reminder.subject}:{reminder.due_on.isoformat()}"


def _is_payment_sought(session: Session, borrower_id: str, now: datetime) -> bool:
    sought = select(PaymentTrace.id).where(
        PaymentTrace.borrower_id == borrower_id, PaymentTrace.state == "open", PaymentTrace.quiet_until > now
    )
    return session.scalar(sought.limit(1)) is not None


def _history(session: Session, deps: Deps, borrower_id: str, goes_on: Conversation | None) -> Iterator[PastNotice]:
    notices = session.scalars(select(Reminder).where(Reminder.borrower_id == borrower_id, Reminder.state == "sent"))
    for notice in notices:
        if notice.decided_at is not None:
            yield PastNotice(notice.decided_at, due_key_of(notice, business_date(notice.decided_at)))
    contacts = session.execute(
        select(Message.created_at, Message.conversation_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.borrower_id == borrower_id,
            Message.purpose == Purpose.COLLECTION.value,
            # What a sent notice says was counted with it.
            ~select(Reminder.id).where(Reminder.borrower_id == borrower_id, Reminder.message_id == Message.id).exists(),
        )
    )
    here = goes_on.id if goes_on is not None else None
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
