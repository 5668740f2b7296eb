"""Notices that fell due: read again, decided by the gate, sent once. ``bot.services.notice_planning`` plans them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.outreach.gate import PastNotice, Purpose, Recipient, Verdict, may_send
from bot.outreach.notice import Topic
from bot.outreach.planning import AFTER_RESUMED
from bot.services import audit, contact, notice_planning, notice_subject, notice_validity
from bot.services.accounts import lock_borrower
from bot.services.claims import LONGEST_CLAIM, free
from bot.services.conversations import Notice, locked_of, say_notices
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.mailboxes import mailboxes_of
from bot.services.notice_facts import PASSED_ON
from bot.store import tables

LEASE = timedelta(minutes=2)
BATCH = 50

RESUMED_FIRST = "resumed_first"
"""The rule under which a notice waits until the borrower was told that notices begin again."""

_RESUMED = select(tables.Reminder).where(
    tables.Reminder.borrower_id.in_(bindparam("borrower_ids", expanding=True)),
    tables.Reminder.topic == Topic.RESUMED,
    tables.Reminder.state.in_(("planned", "sent")),
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by count. ``failed`` ones are tried again when their lease is over."""

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    superseded: int = 0
    failed: int = 0


def sweep(deps: Deps, limit: int = 500) -> Swept:
    """Decide every notice that has fallen due, so that a crash loses or doubles nothing.

    What several processes find at once is shared out between them. What was claimed together is decided in one
    transaction, each borrower's first notice; what is left of it, and everything if that fails, one transaction each.
    A notice that cannot be decided keeps none of the others from being.
    """
    ended: Counter[str] = Counter()
    left = limit
    while left > 0 and (claimed := _claim(deps, min(BATCH, left))):
        left -= len(claimed)
        decided = _decide_together(deps, claimed)
        for reminder_id in claimed:
            if reminder_id in decided:
                continue
            try:
                decided[reminder_id] = _decide(deps, reminder_id)
            except Exception as error:
                log.error("reminder_failed", reminder=reminder_id, kind=type(error).__name__, exc_info=error)
                decided[reminder_id] = "failed"
        ended.update(decided.values())
    return Swept(**ended)


def decide_now(deps: Deps, reminder_id: str) -> str:
    """Decide one notice that has fallen due; returns what became of it: sent, deferred, refused or superseded."""
    return _decide(deps, reminder_id)


def _claim(deps: Deps, size: int) -> list[str]:
    now = deps.now()
    is_unclaimed = free(tables.Reminder.claimed_until, now, now + LONGEST_CLAIM)
    with deps.begin() as session:
        found = session.scalars(
            select(tables.Reminder)
            .where(tables.Reminder.state == "planned", tables.Reminder.send_at <= now, is_unclaimed)
            .order_by(tables.Reminder.send_at)
            .limit(size)
            .with_for_update(skip_locked=True)
        ).all()
        for reminder in found:
            reminder.claimed_until = now + LEASE
        return [reminder.id for reminder in sorted(found, key=_turn)]


def _turn(reminder: tables.Reminder) -> tuple[datetime, bool, date, str]:
    """Whose turn it is of the notices to one borrower: of those that fall due together the one about what is to come.

    A day later it may be about nothing any more; what is asked for a debt in arrears can wait (F1 lets one out a day).
    """
    due_on = reminder.due_on or date.max
    return reminder.send_at, reminder.purpose == Purpose.COLLECTION, due_on, reminder.key


def _decide_together(deps: Deps, reminder_ids: list[str]) -> dict[str, str]:
    """Decide at most one notice of each borrower in one transaction; says what became of which.

    It is the one whose turn it is among all of theirs that are due, claimed here or not. Whoever is held by another
    process is left out: waiting with so many locked could be waiting in a circle.
    """
    try:
        with deps.begin() as session:
            claimed = select(tables.Reminder.borrower_id).where(tables.Reminder.id.in_(reminder_ids))
            due = session.scalars(
                select(tables.Reminder).where(
                    tables.Reminder.borrower_id.in_(claimed),
                    tables.Reminder.state == "planned",
                    tables.Reminder.send_at <= deps.now(),
                )
            )
            whose = {each.borrower_id: each.id for each in sorted(due, key=_turn, reverse=True)}
            free = session.scalars(
                select(tables.Borrower.id)
                .where(tables.Borrower.id.in_(whose))
                .with_for_update(key_share=True, skip_locked=True)
            )
            return _decide_locked(session, deps, [whose[borrower_id] for borrower_id in free])
    except Exception as error:
        log.error("reminder_page_failed", kind=type(error).__name__, exc_info=error)
        return {}


def _decide(deps: Deps, reminder_id: str) -> str:
    with deps.begin() as session:
        borrower_id = session.scalar(select(tables.Reminder.borrower_id).where(tables.Reminder.id == reminder_id))
        if borrower_id is None:
            return "superseded"
        # Two notices to one person are decided one after the other, or each would overlook the other in the history.
        lock_borrower(session, borrower_id)
        return _decide_locked(session, deps, [reminder_id])[reminder_id]


def _decide_locked(session: Session, deps: Deps, reminder_ids: list[str]) -> dict[str, str]:
    """Decide notices to different borrowers, whose rows the transaction holds."""
    reminders = session.scalars(
        select(tables.Reminder)
        .where(tables.Reminder.id.in_(reminder_ids))
        .order_by(tables.Reminder.send_at, tables.Reminder.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for reminder in reminders:
        reminder.claimed_until = None
    notice_planning.replan_if_due(session, deps, [each.borrower_id for each in reminders if each.state == "planned"])
    decided = {reminder.id: "superseded" for reminder in reminders}
    planned = [reminder for reminder in reminders if reminder.state == "planned"]
    with_point = notice_validity.with_point(session, deps, planned)
    for reminder in planned:
        if reminder.id not in with_point:
            _settle(deps, reminder, "superseded", "nothing_due")
    asked, out_of_reach = _cases(session, deps, [each for each in planned if each.id in with_point])
    decided.update({case.reminder.id: _ask_gate(session, deps, case) for case in asked})
    _send(session, deps, [case for case in asked if decided[case.reminder.id] == "sent"])
    _record(session, deps, [case.reminder for case in asked if decided[case.reminder.id] in ("sent", "refused")])
    if planned:
        notice_planning.look_tonight(session, [each.borrower_id for each in planned], deps.now())
    return {reminder_id: ended for reminder_id, ended in decided.items() if reminder_id not in out_of_reach}


def _cases(session: Session, deps: Deps, reminders: Sequence[tables.Reminder]) -> tuple[list[_Case], set[str]]:
    """Read what notices are judged by; the ids of those whose conversation another process holds come apart.

    A single notice waits for its conversation instead.
    """
    whose = [reminder.borrower_id for reminder in reminders]
    wishes = contact.wishes_of_all(session, whose)
    wished = {borrower_id: wish.channel if wish is not None else None for borrower_id, wish in wishes.items()}
    conversations = mailboxes_of(session, deps, wished)
    if len(reminders) > 1:
        known = {conversation.id for conversation in conversations.values() if conversation is not None}
        held = known - locked_of(session, sorted(known))
    else:
        held = set()
    abouts = {reminder.borrower_id: notice_subject.about(session, reminder) for reminder in reminders}
    recipients, resumed = contact.recipients_of(session, deps, conversations, abouts), _resumed(session, whose)
    cases, out_of_reach = [], set()
    for reminder in reminders:
        borrower_id = reminder.borrower_id
        conversation = conversations[borrower_id]
        if conversation is not None and conversation.id in held:
            out_of_reach.add(reminder.id)
        else:
            cases.append(_Case(reminder, recipients[borrower_id], conversation, resumed[borrower_id]))
    return cases, out_of_reach


@dataclass(frozen=True, slots=True)
class _Case:
    """A notice with what it is judged by; ``resumed`` are the notices that said, or will say, that they begin again."""

    reminder: tables.Reminder
    recipient: Recipient
    conversation: tables.Conversation | None
    resumed: Sequence[tables.Reminder]


def _ask_gate(session: Session, deps: Deps, case: _Case) -> str:
    now, reminder, conversation = deps.now(), case.reminder, case.conversation
    due_key = contact.due_key_of(reminder, business_date(now))
    decision = may_send(Purpose(reminder.purpose), due_key, case.recipient, now, deps.limits)
    if decision.verdict is Verdict.DEFERRED and decision.until is not None:
        reminder.send_at, reminder.rule = decision.until, decision.rule
        return "deferred"
    if decision.verdict is not Verdict.ALLOWED or conversation is None:
        return _settle(deps, reminder, "refused", decision.rule)
    if (later := _waits_for_resumed(deps, case)) is not None:
        reminder.send_at, reminder.rule = later, RESUMED_FIRST
        return "deferred"
    if reminder.topic == Topic.OVERDUE and _unanswered(case.recipient) >= deps.limits.unanswered_before_pause:
        _ask_person(session, deps, reminder, case.recipient, conversation)
        return _settle(deps, reminder, "superseded", PASSED_ON)
    return _settle(deps, reminder, "sent", decision.rule)


def _send(session: Session, deps: Deps, cases: Sequence[_Case]) -> None:
    """Write down what the gate has allowed, once for each notice's key."""
    notices = {
        case.reminder.id: Notice(
            case.conversation, _text(deps, case.reminder), case.reminder.purpose, f"reminder:{case.reminder.key}"
        )
        for case in cases
        if case.conversation is not None
    }
    said = say_notices(session, deps, list(notices.values()))
    for case in cases:
        notice = notices[case.reminder.id]
        message = said.get(notice.key)
        case.reminder.message_id = message.id if message is not None else None
        case.reminder.channel = notice.conversation.channel


def _record(session: Session, deps: Deps, reminders: Sequence[tables.Reminder]) -> None:
    entries = [
        audit.entry_row(
            deps.now(), audit.SYSTEM, f"reminder_{reminder.state}", ("reminder", reminder.id), rule=reminder.rule
        )
        for reminder in reminders
    ]
    if entries:
        session.execute(insert(tables.AuditEntry), entries)


def _text(deps: Deps, reminder: tables.Reminder) -> str:
    topic = Topic(reminder.topic or Topic.PLAN)
    return deps.notice_words.text(topic, reminder.stage, reminder.key, deps.settings.lender_name)


def _settle(deps: Deps, reminder: tables.Reminder, state: str, rule: str) -> str:
    reminder.state, reminder.rule, reminder.decided_at = state, rule, deps.now()
    return state


def _resumed(session: Session, borrower_ids: Sequence[str]) -> dict[str, list[tables.Reminder]]:
    found: dict[str, list[tables.Reminder]] = {borrower_id: [] for borrower_id in borrower_ids}
    for row in session.scalars(_RESUMED, {"borrower_ids": borrower_ids}):
        found[row.borrower_id].append(row)
    return found


def _waits_for_resumed(deps: Deps, case: _Case) -> datetime | None:
    """When a notice may follow the words that notices begin again; None if it need not wait for them, or any more."""
    wait = AFTER_RESUMED if case.reminder.topic == Topic.OVERDUE else deps.limits.apart
    now = deps.now()
    told = [row for row in case.resumed if row.id != case.reminder.id]
    ends = [(row.decided_at or max(row.send_at, now)) + wait for row in told]
    return max((end for end in ends if end > now), default=None)


def _since_answer(recipient: Recipient) -> list[PastNotice]:
    last = recipient.last_inbound_at
    return [notice for notice in recipient.history or () if last is None or notice.sent_at > last]


def _unanswered(recipient: Recipient) -> int:
    return len(_since_answer(recipient))


def _ask_person(
    session: Session,
    deps: Deps,
    reminder: tables.Reminder,
    recipient: Recipient,
    conversation: tables.Conversation,
) -> None:
    """Queue the conversation of somebody who has left notices unanswered, once until they answer (F3)."""
    since = recipient.last_inbound_at
    asked = select(tables.Reminder.id).where(
        tables.Reminder.borrower_id == reminder.borrower_id,
        tables.Reminder.state == "superseded",
        tables.Reminder.rule == PASSED_ON,
    )
    if since is not None:
        asked = asked.where(tables.Reminder.decided_at > since)
    if session.scalar(asked.limit(1)) is not None:
        return
    enqueue(session, conversation, QueueReason.NO_ANSWER, deps.now())
    audit.record(session, deps.now(), audit.SYSTEM, "person_asked", ("borrower", reminder.borrower_id), rule=PASSED_ON)
