"""我已经还了: what the borrower says they paid, looked for in the ledger, and followed until it is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.desk.ownership import QueueReason
from bot.lending.ledger import EntryKind, effective_entries
from bot.outreach.notice import Topic, event_notice
from bot.outreach.slots import USUAL_TIME
from bot.outreach.workdays import is_working_day
from bot.services import audit, notice_planning
from bot.services.accounts import DebtView, NotVerified, ledger_of, lock_borrower, portfolio_of, right_party
from bot.services.conversations import Author, locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.one_by_one import attempted
from bot.store.tables import Agreement, Conversation, Debt, Instalment, Message, PaymentTrace, Reminder
from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.values import Value

ANSWER_WORKING_DAYS = 3
"""Working days within which a borrower is answered about a payment, and for which the debt is not mentioned."""

NEAR = timedelta(days=3)
"""How far the stated day may lie from the day on which the lender counts the payment."""

UNSTATED = timedelta(days=7)
"""Without a stated day, a payment this recent is taken for the one that is meant."""

AMOUNT_ALONE = timedelta(days=31)
"""Without a stated day but with the exact amount, a payment this recent is."""

SAID_LATELY = timedelta(minutes=30)
REPORTED, ASKED = "report_paid", "ask_payment_status"
"""The intents that say, and that ask, whether something was paid."""

_SEALED = "said"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a message says about a payment; None is what it leaves open. The day is in Asia/Shanghai, never ahead."""

    amount_fen: int | None = None
    paid_on: date | None = None

    def fits(self, amount_fen: int, effective_on: date, today: date) -> bool:
        """Whether a payment on record can be the one that is meant."""
        if self.amount_fen is not None and self.amount_fen != amount_fen:
            return False
        if self.paid_on is not None:
            return abs(effective_on - self.paid_on) <= NEAR
        return today - effective_on <= (UNSTATED if self.amount_fen is None else AMOUNT_ALONE)


@dataclass(frozen=True, slots=True)
class PaymentFound:
    """The payment is on record: what was received, and the debt it was counted on as it stands now."""

    paid_on: date
    amount_fen: int
    debt: DebtView


@dataclass(frozen=True, slots=True)
class TraceView:
    """A payment being looked for, with an answer by the end of ``answer_by``. ``is_new`` the first time it is told."""

    amount_fen: int | None
    paid_on: date | None
    answer_by: date
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class NoDebt:
    """There is no debt here that anything could have been paid on."""


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """Every debt with its last payment, and the payments still being looked for, as of a day in Asia/Shanghai."""

    as_of: date
    debts: tuple[DebtView, ...]
    traces: tuple[TraceView, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A payment on the ledgers, whole, on the debt that got the largest part of it; fen, and the day it counts from."""

    key: str
    debt_id: str
    amount_fen: int
    effective_on: date


def stated_in(values: Iterable[Value], today: date) -> Stated:
    """What a message says, as far as it says one amount and one day; what is vague or said twice is left open."""
    amounts: set[int] = set()
    days: set[date] = set()
    for value in values:
        match value.payload:
            case AmountRange(low_fen=low, high_fen=high, approximate=False) if 0 < low == high:
                amounts.add(low)
            case DateValue(day=date() as day) if day <= today:
                days.add(day)
            case _:
                pass
    return Stated(amounts.pop() if len(amounts) == 1 else None, days.pop() if len(days) == 1 else None)


def working_days_after(day: date, count: int) -> date:
    """The last of so many working days after a day; public holidays and make-up working days are known."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def report_paid(
    deps: Deps, conversation_id: str, said: str, stated: Stated
) -> PaymentFound | TraceView | NoDebt | NotVerified:
    """Look for a payment that the verified borrower reports; one that is not on record is followed from here on.

    Saying it again changes nothing but what was left open before. While it is looked for, notices about the debts
    concerned wait until the answer is due.
    """
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        lock_borrower(session, party.borrower_id)
        owed = portfolio_of(session, deps, party)
        if not owed.debts:
            return NoDebt()
        if found := _find(session, owed.debts, stated, owed.as_of):
            _close_fitting(session, deps, party.borrower_id, found)
            debt = next(debt for debt in owed.debts if debt.debt_id == found.debt_id)
            return PaymentFound(found.effective_on, found.amount_fen, debt)
        known = _open_trace(session, party.borrower_id, stated)
        if known is not None:
            known.amount_fen = known.amount_fen or stated.amount_fen
            known.paid_on = known.paid_on or stated.paid_on
            return _view(known)
        trace = _open(session, deps, party.borrower_id, conversation_id, said, stated, owed.open_debts)
        return _view(trace, is_new=True)


def status(deps: Deps, conversation_id: str) -> PaymentStatus | NotVerified:
    """Return what is on record about payments, for the verified borrower."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        owed = portfolio_of(session, deps, party)
        return PaymentStatus(owed.as_of, owed.debts, tuple(map(_view, _open_traces(session, party.borrower_id))))


def reported_before_proof(deps: Deps, conversation_id: str) -> str | None:
    """Return what was said about a payment just before identity was proved; None if it was only asked about, or not."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or conversation.verified_at is None:
            return None
        last = session.scalar(
            select(Message)
            .where(
                Message.conversation_id == conversation_id,
                Message.author == Author.BORROWER,
                Message.intent.in_((REPORTED, ASKED)),
                Message.created_at <= conversation.verified_at,
                Message.created_at > conversation.verified_at - SAID_LATELY,
            )
            .order_by(Message.seq.desc())
            .limit(1)
        )
        return last.text if last is not None and last.intent == REPORTED else None


def take_up(session: Session, deps: Deps, borrower_id: str, ledger_key: str) -> int:
    """Close the open traces that a payment just booked answers, and plan the notice of it; returns how many."""
    received = [one for one in on_record(session, deps, borrower_id) if one.key == ledger_key]
    closed = [trace for one in received for trace in _close_fitting(session, deps, borrower_id, one)]
    notices = [event_notice(Topic.PAYMENT_FOUND, trace.id, "trace", deps.now()) for trace in closed]
    notice_planning.add(session, borrower_id, notices, deps.now())
    return len(closed)


def on_record(session: Session, deps: Deps, borrower_id: str) -> list[Received]:
    """Return a borrower's payments on the ledgers, the latest first, whoever looks."""
    today = business_date(deps.now())
    debts = session.scalars(select(Debt.id).where(Debt.borrower_id == borrower_id)).all()
    return sorted(_received(session, debts, today), key=lambda one: one.effective_on, reverse=True)


def quiet_until(session: Session, borrower_id: str, debt_ids: Sequence[str]) -> datetime | None:
    """Until when notices about these debts wait because a payment on them is being looked for; None: they need not."""
    waits = [trace.quiet_until for trace in _open_traces(session, borrower_id) if _concerns(trace, debt_ids)]
    return max(waits, default=None)


def is_looked_for(session: Session, borrower_id: str, debt_ids: Sequence[str]) -> bool:
    """Whether a payment that may concern these debts is still being looked for."""
    return any(_concerns(trace, debt_ids) for trace in _open_traces(session, borrower_id))


def ask_persons(deps: Deps, limit: int = 100) -> int:
    """Ask a person about each payment still not found on the day an answer was promised for; returns how many."""
    today = business_date(deps.now())
    with deps.read() as session:
        waiting = session.scalars(
            select(PaymentTrace.id)
            .where(
                PaymentTrace.state == "open",
                PaymentTrace.answer_by <= today,
                PaymentTrace.person_asked_at.is_(None),
            )
            .order_by(PaymentTrace.answer_by, PaymentTrace.id)
            .limit(limit)
        ).all()
    return sum(
        attempted(partial(_ask_person, deps, trace_id), "trace_not_passed_on", trace=trace_id) or False
        for trace_id in waiting
    )


def close(deps: Deps, trace_id: str, operator_id: str) -> bool:
    """End a search by a person's decision; False if it is unknown or over."""
    with deps.begin() as session:
        trace = session.get(PaymentTrace, trace_id)
        if trace is None:
            return False
        lock_borrower(session, trace.borrower_id)
        session.refresh(trace, with_for_update=True)
        if trace.state != "open":
            return False
        notice_planning.touch(session, trace.borrower_id, deps.now())
        trace.state, trace.closed_at, trace.closed_by = "closed", deps.now(), operator_id
        actor = audit.Actor("operator", operator_id)
        audit.record(session, deps.now(), actor, "payment_trace_closed", ("trace", trace.id))
        return True


def recognise(deps: Deps, trace_id: str, ledger_key: str, operator_id: str) -> bool:
    """End a search with a payment on record that a person recognised as the one; the borrower is told of it.

    False if the search is unknown or over, or if the borrower has no such payment.
    """
    with deps.begin() as session:
        trace = session.get(PaymentTrace, trace_id)
        if trace is None:
            return False
        lock_borrower(session, trace.borrower_id)
        session.refresh(trace, with_for_update=True)
        keys = {one.key for one in on_record(session, deps, trace.borrower_id)}
        if trace.state != "open" or ledger_key not in keys:
            return False
        now, actor = deps.now(), audit.Actor("operator", operator_id)
        trace.state, trace.closed_at, trace.closed_by, trace.ledger_key = "found", now, operator_id, ledger_key
        notice_planning.add(
            session, trace.borrower_id, [event_notice(Topic.PAYMENT_FOUND, trace.id, "trace", now)], now
        )
        notice_planning.touch(session, trace.borrower_id, now)
        audit.record(session, now, actor, "payment_trace_found", ("trace", trace.id))
        return True


def _find(session: Session, debts: Sequence[DebtView], stated: Stated, today: date) -> Received | None:
    """The latest payment on record that can be meant."""
    received = _received(session, [debt.debt_id for debt in debts], today)
    fitting = [one for one in received if stated.fits(one.amount_fen, one.effective_on, today)]
    return max(fitting, key=lambda one: one.effective_on, default=None)


def _received(session: Session, debt_ids: Sequence[str], today: date) -> list[Received]:
    """Payments on the ledgers; one divided over several debts counts whole, on the debt with the largest part."""
    parts: dict[str, list[Received]] = {}
    for debt_id in debt_ids:
        for entry in effective_entries(ledger_of(session, debt_id), today):
            if entry.kind is EntryKind.PAYMENT:
                # Only payments that the lender numbered have keys that mean the same on every debt.
                key = entry.key if entry.key.startswith("payment:") else f"{debt_id}:{entry.key}"
                part = Received(entry.key, debt_id, entry.amount_fen, entry.effective_on)
                parts.setdefault(key, []).append(part)
    whole: list[Received] = []
    for same in parts.values():
        largest = max(same, key=lambda part: part.amount_fen)
        total_fen = sum(part.amount_fen for part in same)
        whole.append(Received(largest.key, largest.debt_id, total_fen, largest.effective_on))
    return whole


def _open(
    session: Session,
    deps: Deps,
    borrower_id: str,
    conversation_id: str,
    said: str,
    stated: Stated,
    open_debts: Sequence[DebtView],
) -> PaymentTrace:
    now = deps.now()
    answer_by = working_days_after(business_date(now), ANSWER_WORKING_DAYS)
    trace = PaymentTrace(
        borrower_id=borrower_id,
        debt_id=open_debts[0].debt_id if len(open_debts) == 1 else None,
        conversation_id=conversation_id,
        said_sealed=deps.vault.seal(_SEALED, said),
        amount_fen=stated.amount_fen,
        paid_on=stated.paid_on,
        answer_by=answer_by,
        quiet_until=datetime.combine(answer_by + timedelta(days=1), time.min, tzinfo=SHANGHAI),
        opened_at=now,
    )
    session.add(trace)
    session.flush()
    _put_off_notices(session, trace)
    notice_planning.touch(session, borrower_id, now)
    actor = audit.Actor("borrower", borrower_id)
    audit.record(session, now, actor, "payment_trace_opened", ("trace", trace.id), answer_by=answer_by.isoformat())
    return trace


def _put_off_notices(session: Session, trace: PaymentTrace) -> None:
    """Have what is planned about the debts concerned wait; what has no point any more by then is dropped when due."""
    rows = session.execute(
        select(Instalment.id, Agreement.debt_ids)
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .where(Agreement.borrower_id == trace.borrower_id, Agreement.state == "in_force")
    )
    concerned = [instalment_id for instalment_id, debt_ids in rows if _concerns(trace, debt_ids)]
    later = datetime.combine(trace.answer_by + timedelta(days=1), USUAL_TIME, tzinfo=SHANGHAI)
    # One that is being decided this moment is left to its decision: waiting for it could be waiting in a circle.
    planned = session.scalars(
        select(Reminder)
        .where(Reminder.instalment_id.in_(concerned), Reminder.state == "planned", Reminder.send_at < later)
        .with_for_update(skip_locked=True)
    )
    for reminder in planned:
        reminder.send_at, reminder.rule = later, "trace"


def _concerns(trace: PaymentTrace, debt_ids: Sequence[str]) -> bool:
    return trace.debt_id is None or trace.debt_id in debt_ids


def _open_traces(session: Session, borrower_id: str) -> list[PaymentTrace]:
    return list(
        session.scalars(
            select(PaymentTrace)
            .where(PaymentTrace.borrower_id == borrower_id, PaymentTrace.state == "open")
            .order_by(PaymentTrace.opened_at)
        )
    )


def _open_trace(session: Session, borrower_id: str, stated: Stated) -> PaymentTrace | None:
    """The search that what is stated now can belong to: nothing that both say differs."""
    for trace in _open_traces(session, borrower_id):
        amount_differs = None not in (trace.amount_fen, stated.amount_fen) and trace.amount_fen != stated.amount_fen
        day_differs = None not in (trace.paid_on, stated.paid_on) and trace.paid_on != stated.paid_on
        if not amount_differs and not day_differs:
            return trace
    return None


def _close_fitting(session: Session, deps: Deps, borrower_id: str, received: Received) -> list[PaymentTrace]:
    closed = []
    for trace in _open_traces(session, borrower_id):
        opened_on = business_date(trace.opened_at)
        if not Stated(trace.amount_fen, trace.paid_on).fits(received.amount_fen, received.effective_on, opened_on):
            continue
        trace.state, trace.closed_at, trace.ledger_key = "found", deps.now(), received.key
        audit.record(session, deps.now(), audit.SYSTEM, "payment_trace_found", ("trace", trace.id))
        closed.append(trace)
    return closed


def _ask_person(deps: Deps, trace_id: str) -> bool:
    with deps.begin() as session:
        trace = session.get_one(PaymentTrace, trace_id)
        lock_borrower(session, trace.borrower_id)
        session.refresh(trace)
        if trace.state != "open" or trace.person_asked_at is not None:
            return False
        trace.person_asked_at = deps.now()
        conversation = locked(session, trace.conversation_id)
        if conversation is not None:
            enqueue(session, conversation, QueueReason.PAYMENT_TRACE, deps.now())
        return True


def _view(trace: PaymentTrace, *, is_new: bool = False) -> TraceView:
    return TraceView(trace.amount_fen, trace.paid_on, trace.answer_by, is_new)
