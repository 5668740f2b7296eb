"""Whether the desk may speak to a borrower now: what is on record, put before the gate in ``bot.outreach.gate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import BindParameter, CompoundSelect, bindparam, func, select, union_all
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.calls import CallState
from bot.lending.ledger import EntryKind
from bot.outreach.gate import Decision, HoldKind, PastNotice, Purpose, Recipient, may_send
from bot.outreach.wishes import ContactWishes
from bot.services import lost_history
from bot.services.deps import Deps
from bot.services.holds import ANYTHING, About, holds_on, open_holds_of_all
from bot.store.base import UtcDateTime
from bot.store.tables import CallBack, ContactWish, Conversation, Debt, LedgerEntry, Message, PaymentTrace, Reminder

log = structlog.get_logger()

ANSWERS_WITHIN = timedelta(hours=12)
"""A person's words count as an answer for so long after the borrower last wrote in that conversation (†, T1)."""

ONE_CONTACT = timedelta(hours=1)
"""What a person writes in one conversation within this time counts once, or a second line would break F1 (†)."""

_WHOSE: BindParameter[str] = bindparam("borrower_ids", expanding=True)

_LAST_ANSWERS: CompoundSelect[str | None, datetime | None] = union_all(
    select(Conversation.borrower_id, func.max(Conversation.last_inbound_at))
    .where(Conversation.borrower_id.in_(_WHOSE))
    .group_by(Conversation.borrower_id),
    select(Debt.borrower_id, func.max(LedgerEntry.booked_at))
    .join(LedgerEntry, LedgerEntry.debt_id == Debt.id)
    .where(Debt.borrower_id.in_(_WHOSE), LedgerEntry.kind == EntryKind.PAYMENT.value)
    .group_by(Debt.borrower_id),
    select(CallBack.borrower_id, func.max(CallBack.settled_at))
    .where(CallBack.borrower_id.in_(_WHOSE), CallBack.state == CallState.DONE.value)
    .group_by(CallBack.borrower_id),
)
"""When some borrowers last wrote, when they last paid, and when somebody last spoke with them on the phone."""

_SOUGHT = select(PaymentTrace.borrower_id).where(
    PaymentTrace.borrower_id.in_(_WHOSE),
    PaymentTrace.state == "open",
    PaymentTrace.quiet_until > bindparam("now", type_=UtcDateTime),
)
_WISHED = select(ContactWish).where(ContactWish.borrower_id.in_(_WHOSE))
_SENT = select(
    Reminder.borrower_id, Reminder.decided_at, Reminder.due_on, Reminder.instalment_id, Reminder.subject
).where(Reminder.borrower_id.in_(_WHOSE), Reminder.state == "sent")
_BEGUN = (
    select(Conversation.borrower_id, Message.created_at, Message.conversation_id)
    .join(Conversation, Conversation.id == Message.conversation_id)
    .where(
        Conversation.borrower_id.in_(_WHOSE),
        Message.purpose == Purpose.COLLECTION.value,
        # What a sent notice says was counted with it.
        ~select(Reminder.id)
        .where(Reminder.borrower_id == Conversation.borrower_id, Reminder.message_id == Message.id)
        .exists(),
    )
)
"""Contacts that a person began."""


def decide(
    session: Session,
    deps: Deps,
    borrower_id: str | None,
    conversation: Conversation | None,
    purpose: Purpose,
    due_key: str | None,
    *,
    is_counted: bool = False,
) -> Decision:
    """Ask the gate whether ``borrower_id`` may be written to in ``conversation`` now, inside an open transaction.

    Refused (P1) without a conversation that is bound to this borrower. ``due_key`` names the due date that a notice
    comes before, as ``due_key_of`` makes it. ``is_counted``: the message is part of a contact that the borrower asked
    for and that counts by itself, such as a call: how often they were written to (F1, F3) does not put it off.
    """
    recipient = recipient_of(session, deps, borrower_id, conversation, purpose)
    if is_counted:
        recipient = replace(recipient, history=())
    return may_send(purpose, due_key, recipient, deps.now(), deps.limits)


def decide_for_person(session: Session, deps: Deps, conversation: Conversation) -> tuple[Purpose, Decision]:
    """Decide whether an operator may speak now, and as what.

    Within ``ANSWERS_WITHIN`` of the borrower's last message it is a reply. After that the operator is the one who
    begins: the gate is asked as for any collection contact, and a conversation bound to nobody gets none (P1). A
    payment being sought does not silence operators: they are the ones who answer about it. After a sign of danger,
    until the hold is lifted, they may always look after the person (``SAFETY``): about the debt they begin nothing.
    """
    last = conversation.last_inbound_at
    answers = last is not None and deps.now() - last < ANSWERS_WITHIN
    purpose = Purpose.REPLY if answers else Purpose.COLLECTION
    if not answers and HoldKind.DISTRESS in holds_on(session, conversation, deps.now()).kinds:
        purpose = Purpose.SAFETY
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
    about: About = ANYTHING,
) -> Recipient:
    """Return what is on record about a recipient: all that the gate decides by, but the limits and the clock.

    The history is every notice and every contact begun by a person, over all channels and debts (F1), and what stands
    for those that a restore took out of it. ``by_person``: a
    person goes on with what they began in this conversation within ``ONE_CONTACT``; a notice keeps its distance.
    ``about`` is what the message speaks of: holds that do not concern it are left out.
    """
    if borrower_id is None:
        return Recipient(is_right_party=False, history=(), holds=frozenset(), last_inbound_at=None)
    goes_on = conversation if by_person and purpose is Purpose.COLLECTION else None
    return _recipients(session, deps, {borrower_id: conversation}, goes_on, {borrower_id: about})[borrower_id]


def recipients_of(
    session: Session,
    deps: Deps,
    conversations: Mapping[str, Conversation | None],
    abouts: Mapping[str, About] | None = None,
) -> dict[str, Recipient]:
    """Return what is on record about each of some borrowers (by id) who would be written to in these conversations.

    As ``recipient_of`` does for a notice, in a few queries for all of them; ``abouts`` is what each would be told of.
    """
    return _recipients(session, deps, conversations, None, abouts)


def _recipients(
    session: Session,
    deps: Deps,
    conversations: Mapping[str, Conversation | None],
    goes_on: Conversation | None,
    abouts: Mapping[str, About] | None,
) -> dict[str, Recipient]:
    now, whose = deps.now(), list(conversations)
    sought = set(session.scalars(_SOUGHT, {"borrower_ids": whose, "now": now}))
    histories = _histories(session, whose, goes_on, now - ONE_CONTACT)
    lost = lost_history.lost_contacts(session, now, deps.limits)
    holds, wishes = open_holds_of_all(session, whose, now, abouts), wishes_of_all(session, whose)
    answers = last_answers(session, whose)
    return {
        borrower_id: Recipient(
            is_right_party=conversation is not None and conversation.borrower_id == borrower_id,
            history=(*histories[borrower_id], *lost),
            holds=holds[borrower_id].kinds | ({HoldKind.PAYMENT_SOUGHT} if borrower_id in sought else frozenset()),
            last_inbound_at=answers.get(borrower_id),
            wishes=wishes[borrower_id],
        )
        for borrower_id, conversation in conversations.items()
    }


def wishes_of(session: Session, borrower_id: str | None) -> ContactWishes | None:
    """Return how a borrower wants to be written to; None if what is stored makes no sense, and so must not be read."""
    return _wishes(session.get(ContactWish, borrower_id)) if borrower_id is not None else ContactWishes()


def wishes_of_all(session: Session, borrower_ids: Sequence[str]) -> dict[str, ContactWishes | None]:
    """Return the same for each of some borrowers."""
    rows = {row.borrower_id: row for row in session.scalars(_WISHED, {"borrower_ids": borrower_ids})}
    return {borrower_id: _wishes(rows.get(borrower_id)) for borrower_id in borrower_ids}


def _wishes(row: ContactWish | None) -> ContactWishes | None:
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
        log.error("contact_wishes_unreadable", borrower=row.borrower_id, reason=str(error))
        return None


def due_key_of(reminder: Reminder, day: date) -> str | None:
    """Name the due date that a notice comes before when it is sent on ``day`` (Asia/Shanghai); None if before none.

    On the day itself and later it announces nothing any more, and does not count against F4.
    """
    return _due_key(reminder.due_on, reminder.instalment_id, reminder.subject, day)


def _due_key(due_on: date | None, instalment_id: str | None, subject: str | None, day: date) -> str | None:
    if due_on is None or due_on <= day:
        return None
    return instalment_id or f"{subject}:{due_on.isoformat()}"


def _histories(
    session: Session, borrower_ids: Sequence[str], goes_on: Conversation | None, begun: datetime
) -> dict[str, list[PastNotice]]:
    """What counts for F1; what was said in ``goes_on`` after ``begun`` is one contact with what comes next there."""
    found: dict[str, list[PastNotice]] = {borrower_id: [] for borrower_id in borrower_ids}
    for borrower_id, at, due_on, part_id, subject in session.execute(_SENT, {"borrower_ids": borrower_ids}):
        if at is not None:
            found[borrower_id].append(PastNotice(at, _due_key(due_on, part_id, subject, business_date(at))))
    here = goes_on.id if goes_on is not None else None
    for writer_id, created_at, conversation_id in session.execute(_BEGUN, {"borrower_ids": borrower_ids}):
        if writer_id is not None and (conversation_id != here or created_at <= begun):
            found[writer_id].append(PastNotice(created_at, None))
    return found


def last_answers(session: Session, borrower_ids: Sequence[str]) -> dict[str, datetime]:
    """Return when borrowers last wrote, in any conversation, paid or answered a call: each answers a notice (F3)."""
    found: dict[str, datetime] = {}
    for borrower_id, at in session.execute(_LAST_ANSWERS, {"borrower_ids": borrower_ids}):
        if borrower_id is not None and at is not None:
            found[borrower_id] = max(at, found.get(borrower_id, at))
    return found
