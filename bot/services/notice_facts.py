"""What is on record about borrowers, read for the planner of notices: a page of them at a time, in a few queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, Date, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from bot.clock import business_date
from bot.lending.ledger import EntryKind
from bot.lending.limitation import limitation_ends_on
from bot.outreach.facts import EndedPause, Facts, InstalmentAhead, OpenDebt, OpenQuote, PromiseAhead, Standing
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.outreach.planning import HORIZON
from bot.services import payoff_quotes
from bot.services.contact import last_answers
from bot.store import tables
from bot.store.base import UtcDateTime
from bot.workout.promise import PromiseState
from bot.workout.servicing import InstalmentState

LOOK_BACK = timedelta(days=100)
"""How far back notices are read: longer than any step of the ladder is apart from the next."""

SHORTEST_PAUSE = timedelta(days=1)
"""A hold lifted sooner was a slip: nobody noticed that anything had stopped."""

PASSED_ON = "F3"
"""The rule under which a notice gives way to a person, after two without an answer."""

_PAUSES = frozenset(
    {
        HoldKind.DISPUTE,
        HoldKind.COMPLAINT,
        HoldKind.DISTRESS,
        HoldKind.INCAPACITY,
        HoldKind.MINOR,
        HoldKind.PAUSE,
        HoldKind.PERSON,
        HoldKind.OPT_OUT,
    }
)
_BY_EVENT = frozenset({Topic.ENDING, Topic.COMPLETED, Topic.PAYMENT_FOUND, Topic.CASE, Topic.APPROVAL, Topic.CALL})
"""Notices that answer an event, and calls: they tell nobody that the others begin again."""
_OWN = frozenset({HoldKind.PAUSE, HoldKind.OPT_OUT})
_SETTLED = tuple(state.value for state in InstalmentState if state.is_settled)


@dataclass(frozen=True, slots=True)
class _Trace:
    debt_id: str | None
    quiet_until: datetime


@dataclass(slots=True)
class _Read:
    """The rows of one borrower."""

    deceased: bool = False
    plans: list[tuple[str, Collection[str]]] = field(default_factory=list)
    parts: list[tuple[str, str, date]] = field(default_factory=list)
    promises: list[PromiseAhead] = field(default_factory=list)
    debts: list[OpenDebt] = field(default_factory=list)
    disputed: set[str] = field(default_factory=set)
    quotes: list[OpenQuote] = field(default_factory=list)
    payoffs: dict[str, OpenQuote] = field(default_factory=dict)
    """By debt."""
    holds: set[HoldKind] = field(default_factory=set)
    pause: EndedPause | None = None
    resumed_own_at: datetime | None = None
    """When the borrower asked for notices again: no end of a pause before that is news."""
    traces: list[_Trace] = field(default_factory=list)
    last_contact_at: datetime | None = None
    notices: list[tables.Reminder] = field(default_factory=list)
    turns: list[datetime] = field(default_factory=list)
    """When one of these rows says something else though nobody touches it."""


def facts_of(session: Session, borrower_ids: Sequence[str], now: datetime) -> dict[str, Facts]:
    """Return what notices are planned from, for each of some borrowers, inside an open transaction.

    What is owed is the sum of what is booked: interest since the last booking is left out, so a debt is taken for
    smaller than it is, never for larger. Whoever sends looks at the exact balance.
    """
    found: dict[str, _Read] = {borrower_id: _Read() for borrower_id in borrower_ids}
    _read_deaths(session, found)
    _read_plans(session, found)
    _read_promises(session, found)
    _read_holds(session, found, now)
    _read_debts(session, found, now)
    _read_quotes(session, found, now)
    _read_traces(session, found, now)
    _read_notices(session, found, now)
    _read_contacts(session, found)
    return {borrower_id: _facts(read, now) for borrower_id, read in found.items()}


def is_owned(notice: tables.Reminder) -> bool:
    """Whether a notice is the planner's to move and to call off; the others answer an event and stand by themselves."""
    topic = Topic(notice.topic or Topic.PLAN)
    if topic is Topic.LATE:
        return notice.stage == "D+1"
    return topic not in _BY_EVENT


def _facts(read: _Read, now: datetime) -> Facts:
    covered = {debt_id for _, debt_ids in read.plans for debt_id in debt_ids}
    of_plan = dict(read.plans)
    sent = [notice for notice in read.notices if notice.state == "sent" and notice.decided_at is not None]
    passed_on = [notice for notice in read.notices if notice.state == "superseded" and notice.rule == PASSED_ON]
    last = read.last_contact_at
    resumed = [notice.decided_at for notice in sent if notice.topic == Topic.RESUMED and notice.decided_at is not None]
    counted = [notice.send_at + LOOK_BACK for notice in (*sent, *passed_on)]
    return Facts(
        instalments=tuple(
            InstalmentAhead(part_id, due_on, _quiet_until(read, of_plan[agreement_id]))
            for agreement_id, part_id, due_on in read.parts
        ),
        promises=tuple(read.promises),
        debts=tuple(
            replace(debt, quiet_until=_quiet_until(read, (debt.debt_id,)))
            for debt in read.debts
            if debt.debt_id not in covered and debt.debt_id not in read.disputed
        ),
        quotes=(
            *read.quotes,
            *(
                read.payoffs[debt.debt_id]
                for debt in read.debts
                if debt.debt_id in read.payoffs and debt.debt_id not in read.disputed
            ),
        ),
        pause=read.pause if not (read.holds & _PAUSES) - {HoldKind.PAUSE} else None,
        holds=frozenset(read.holds | ({HoldKind.DECEASED} if read.deceased else set())),
        standing=tuple(
            Standing(at, Topic(notice.topic or Topic.PLAN))
            for notice in read.notices
            if (at := _stands_at(notice, now)) is not None
        ),
        done=frozenset(
            notice.key
            for notice in read.notices
            # That notices begin again has to be said some day: a refusal does not settle it.
            if notice.state == "sent"
            or (notice.state == "refused" and notice.topic != Topic.RESUMED)
            or notice in passed_on
        ),
        last_contact_at=last,
        unanswered=sum(last is None or notice.decided_at > last for notice in sent if notice.decided_at is not None),
        person_asked=any(last is None or (at := notice.decided_at) is None or at > last for notice in passed_on),
        resumed_at=max(resumed, default=None),
        changes_at=min((at for at in (*read.turns, *counted) if at > now), default=None),
    )


def _stands_at(notice: tables.Reminder, now: datetime) -> datetime | None:
    """When a notice went out, or goes out whatever is planned now; None where it is still to be placed, or is over."""
    if notice.state == "sent":
        return notice.decided_at
    if notice.state != "planned":
        return None
    if notice.send_at <= now or notice.rule is not None or not is_owned(notice):
        return max(notice.send_at, now)
    return None


def _quiet_until(read: _Read, debt_ids: Collection[str]) -> datetime | None:
    waits = [trace.quiet_until for trace in read.traces if trace.debt_id is None or trace.debt_id in debt_ids]
    return max(waits, default=None)


_WHOSE: BindParameter[str] = bindparam("borrower_ids", expanding=True)
_NOW = bindparam("now", type_=UtcDateTime)
_LATELY = bindparam("lately", type_=UtcDateTime)

# Written once: putting these together takes longer than asking them, and they are asked for everybody every night.
_DEAD = select(tables.Borrower.id).where(tables.Borrower.id.in_(_WHOSE), tables.Borrower.deceased.is_(True))
_IN_FORCE = and_(tables.Agreement.borrower_id.in_(_WHOSE), tables.Agreement.state == "in_force")
_PLANS = select(tables.Agreement.id, tables.Agreement.borrower_id, tables.Agreement.debt_ids).where(_IN_FORCE)
_PARTS = (
    select(tables.Agreement.borrower_id, tables.Agreement.id, tables.Instalment.id, tables.Instalment.due_on)
    .join(tables.Instalment, tables.Instalment.agreement_id == tables.Agreement.id)
    .where(_IN_FORCE, tables.Instalment.state.not_in(_SETTLED))
    .order_by(tables.Instalment.due_on, tables.Instalment.id)
)
_PROMISES = select(
    tables.Promise.borrower_id, tables.Promise.id, tables.Promise.due_on, tables.Promise.grace_days
).where(
    tables.Promise.borrower_id.in_(_WHOSE),
    tables.Promise.state == PromiseState.OPEN.value,
    tables.Promise.due_on.is_not(None),
)
_ENDS_AT = case(
    (tables.Hold.lifted_at.is_(None), tables.Hold.until),
    (tables.Hold.until < tables.Hold.lifted_at, tables.Hold.until),
    else_=tables.Hold.lifted_at,
)


def _open_or_news(whose: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """A hold that stands, or a pause since whose end nothing was sent: its end is still to be told, however late."""
    told = exists().where(
        tables.Reminder.borrower_id == whose,
        tables.Reminder.state == "sent",
        tables.Reminder.topic.in_([topic.value for topic in Topic if topic not in _BY_EVENT]),
        tables.Reminder.decided_at >= _ENDS_AT,
    )
    ended = and_(tables.Hold.kind.in_([kind.value for kind in _PAUSES]), ~told)
    return or_(_ENDS_AT.is_(None), _ENDS_AT > _NOW, ended)


_HOLDS = (  # each has an index to itself; one with "or" has none
    select(tables.Hold.borrower_id, tables.Hold).where(
        tables.Hold.borrower_id.in_(_WHOSE), _open_or_news(tables.Hold.borrower_id)
    ),
    select(tables.Conversation.borrower_id, tables.Hold)
    .join(tables.Conversation, tables.Conversation.id == tables.Hold.conversation_id)
    .where(
        tables.Conversation.borrower_id.in_(_WHOSE),
        tables.Hold.borrower_id.is_(None),
        _open_or_news(tables.Conversation.borrower_id),
    ),
)
_DEBTS = (
    select(tables.Debt, tables.Contract.grace_days, tables.Creditor.kind)
    .join(tables.Contract, tables.Contract.id == tables.Debt.contract_id)
    .join(tables.Product, tables.Product.id == tables.Contract.product_id)
    .join(tables.Creditor, tables.Creditor.id == tables.Product.creditor_id)
    .where(tables.Debt.borrower_id.in_(_WHOSE))
    .order_by(tables.Debt.due_on, tables.Debt.id)
)
_LOWERS = (EntryKind.PAYMENT.value, EntryKind.WAIVER.value)
_UNDONE = aliased(tables.LedgerEntry)
_SIGNED = case(
    (
        tables.LedgerEntry.kind == EntryKind.REVERSAL.value,
        case((_UNDONE.kind.in_(_LOWERS), tables.LedgerEntry.amount_fen), else_=-tables.LedgerEntry.amount_fen),
    ),
    (tables.LedgerEntry.kind.in_(_LOWERS), -tables.LedgerEntry.amount_fen),
    else_=tables.LedgerEntry.amount_fen,
)
_OWED = (
    select(tables.LedgerEntry.debt_id, func.sum(_SIGNED))
    .join(tables.Debt, tables.Debt.id == tables.LedgerEntry.debt_id)
    .outerjoin(_UNDONE, and_(_UNDONE.debt_id == tables.LedgerEntry.debt_id, _UNDONE.key == tables.LedgerEntry.reverses))
    .where(tables.Debt.borrower_id.in_(_WHOSE))
    .group_by(tables.LedgerEntry.debt_id)
)
"""What is booked as owed on each debt, in fen: charges less payments and waivers, reversals undone."""
_OFFERS = (
    select(tables.Negotiation.borrower_id, tables.Negotiation.id, func.max(tables.Offer.expires_at))
    .join(tables.Offer, tables.Offer.negotiation_id == tables.Negotiation.id)
    .where(tables.Negotiation.active_key.in_(_WHOSE))
    .group_by(tables.Negotiation.borrower_id, tables.Negotiation.id)
)
"""Offers of negotiations that are open: there are none that the borrower did not ask for."""
_PAYOFFS = select(tables.QuotedPayoff).where(
    tables.QuotedPayoff.borrower_id.in_(_WHOSE),
    tables.QuotedPayoff.good_through >= bindparam("today", type_=Date),
    payoff_quotes.is_the_last(),
)
_TRACES = select(tables.PaymentTrace.borrower_id, tables.PaymentTrace.debt_id, tables.PaymentTrace.quiet_until).where(
    tables.PaymentTrace.borrower_id.in_(_WHOSE),
    tables.PaymentTrace.state == "open",
    tables.PaymentTrace.quiet_until > _NOW,
)
_NOTICES = select(tables.Reminder).where(
    tables.Reminder.borrower_id.in_(_WHOSE),
    or_(tables.Reminder.state == "planned", tables.Reminder.send_at > _LATELY),
)


def _read_deaths(session: Session, found: dict[str, _Read]) -> None:
    for borrower_id in session.scalars(_DEAD, {"borrower_ids": list(found)}):
        found[borrower_id].deceased = True


def _read_plans(session: Session, found: dict[str, _Read]) -> None:
    for agreement_id, borrower_id, debt_ids in session.execute(_PLANS, {"borrower_ids": list(found)}):
        found[borrower_id].plans.append((agreement_id, frozenset(debt_ids)))
    for borrower_id, agreement_id, part_id, due_on in session.execute(_PARTS, {"borrower_ids": list(found)}):
        found[borrower_id].parts.append((agreement_id, part_id, due_on))


def _read_promises(session: Session, found: dict[str, _Read]) -> None:
    for borrower_id, promise_id, due_on, grace_days in session.execute(_PROMISES, {"borrower_ids": list(found)}):
        if due_on is not None:
            found[borrower_id].promises.append(PromiseAhead(promise_id, due_on, due_on + timedelta(days=grace_days)))


def _read_holds(session: Session, found: dict[str, _Read], now: datetime) -> None:
    for query in _HOLDS:
        for borrower_id, row in session.execute(query, {"borrower_ids": list(found), "now": now}):
            if borrower_id is not None:
                _take_hold(found[borrower_id], row, now)
    for read in found.values():
        if read.pause is not None and read.resumed_own_at is not None and read.pause.ends_at <= read.resumed_own_at:
            read.pause = None


def _take_hold(read: _Read, row: tables.Hold, now: datetime) -> None:
    kind = HoldKind(row.kind)
    if row.lifted_at is None and (row.until is None or row.until > now):
        if kind is HoldKind.DISPUTE and row.debt_id is not None:
            read.disputed.add(row.debt_id)  # the rest of the account goes on
        else:
            read.holds.add(kind)
    if row.until is not None:
        read.turns.append(row.until)
    if kind in _OWN and row.lifted_at is not None and row.lifted_by is None:
        read.resumed_own_at = max(row.lifted_at, read.resumed_own_at or row.lifted_at)
    pause = _pause(row, kind)
    if pause is not None and (read.pause is None or pause.ends_at > read.pause.ends_at):
        read.pause = pause


def _pause(row: tables.Hold, kind: HoldKind) -> EndedPause | None:
    """The pause that a hold was, if its end is known and is news to the borrower."""
    ends_at = min((at for at in (row.lifted_at, row.until) if at is not None), default=None)
    if kind not in _PAUSES or ends_at is None or ends_at - row.placed_at < SHORTEST_PAUSE:
        return None
    taken_back = kind in _OWN and row.lifted_at is not None and row.lifted_by is None
    return None if taken_back and row.lifted_at == ends_at else EndedPause(row.id, ends_at, kind is HoldKind.PAUSE)


def _read_debts(session: Session, found: dict[str, _Read], now: datetime) -> None:
    owed = {debt_id: int(total) for debt_id, total in session.execute(_OWED, {"borrower_ids": list(found)})}
    ahead = business_date(now + HORIZON)
    for row, grace_days, creditor_kind in session.execute(_DEBTS, {"borrower_ids": list(found)}):
        if owed.get(row.id, 0) <= 0:
            continue
        ends_on = limitation_ends_on(row.due_on if row.limitation_known else None, row.last_demand_on, ahead)
        runs = ends_on is not None and ahead <= ends_on
        if runs and ends_on is not None:
            found[row.borrower_id].turns.append(now + (ends_on + timedelta(days=1) - ahead))
        found[row.borrower_id].debts.append(OpenDebt(row.id, row.due_on, owed[row.id], creditor_kind, runs, grace_days))


def _read_quotes(session: Session, found: dict[str, _Read], now: datetime) -> None:
    for borrower_id, negotiation_id, expires_at in session.execute(_OFFERS, {"borrower_ids": list(found)}):
        if expires_at > now:
            last_day = business_date(expires_at - timedelta(seconds=1))
            found[borrower_id].quotes.append(OpenQuote(f"negotiation:{negotiation_id}", last_day))
    for row in session.scalars(_PAYOFFS, {"borrower_ids": list(found), "today": business_date(now)}):
        quote = OpenQuote(f"{payoff_quotes.SUBJECT}:{row.id}", row.good_through)
        found[row.borrower_id].payoffs[row.debt_id] = quote


def _read_traces(session: Session, found: dict[str, _Read], now: datetime) -> None:
    for borrower_id, debt_id, quiet_until in session.execute(_TRACES, {"borrower_ids": list(found), "now": now}):
        found[borrower_id].traces.append(_Trace(debt_id, quiet_until))
        found[borrower_id].turns.append(quiet_until)


def _read_notices(session: Session, found: dict[str, _Read], now: datetime) -> None:
    for row in session.scalars(_NOTICES, {"borrower_ids": list(found), "lately": now - LOOK_BACK}):
        found[row.borrower_id].notices.append(row)


def _read_contacts(session: Session, found: dict[str, _Read]) -> None:
    """When each borrower last answered: wrote, paid, or was spoken with on the phone (F3)."""
    for borrower_id, at in last_answers(session, list(found)).items():
        found[borrower_id].last_contact_at = at
