"""What a database says about who was written to: plain rows, read once, without any code that decides about contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.statement import statement
from bot.services import accounts
from bot.store.tables import (
    Agreement,
    ContactWish,
    Conversation,
    Debt,
    Hold,
    Instalment,
    LedgerEntry,
    Message,
    Negotiation,
    Outbox,
    PlanEvent,
    Promise,
    Reminder,
)
from bot.workout.interest_stop import entries_with_stops

ANSWERS = frozenset({"reply", "fact", "safety"})
"""Purposes of what is said in a chat that the borrower opened. Everything else is a contact."""


@dataclass(frozen=True, slots=True)
class Relived:
    """A span through which the desk's clock ran twice: it had been wrong, or was put back. It then truly was ``truly``.

    Nothing but the scheduler worked while the clock was wrong. Of what is recorded in the span nobody can tell any more
    in which of the two passes it happened, so the rules give it the benefit of the doubt.
    """

    start: datetime
    end: datetime
    truly: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """One outbound message. ``delivered_at`` is when a channel took it, None for the web and what was never taken."""

    message_id: str
    at: datetime
    author: str
    purpose: str
    text: str
    client_key: str | None
    conversation_id: str
    channel: str
    borrower_id: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox."""

    message_id: str
    state: str
    next_attempt_at: datetime
    claimed_until: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Silence:
    """A hold; ``end`` is exclusive, None while it stands. ``is_taken_back``: the borrower asked to hear again."""

    kind: str
    start: datetime
    end: datetime | None
    is_taken_back: bool = False

    def covers(self, instant: datetime) -> bool:
        """Whether it stood at an instant."""
        return self.start <= instant and (self.end is None or instant < self.end)


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment. ``owed_by_then_fen`` adds up the plan as far as this part, so paying that much settles it."""

    instalment_id: str
    due_on: date
    owed_by_then_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An agreement with what was paid on its debts since, as (booked at, fen); ``end`` is None while in force."""

    agreement_id: str
    start: datetime
    end: datetime | None
    parts: tuple[Part, ...]
    payments: tuple[tuple[datetime, int], ...]

    def paid_fen(self, instant: datetime) -> int:
        """What had been booked by an instant."""
        return sum(fen for at, fen in self.payments if at <= instant)


@dataclass(slots=True)
class Case:
    """Everything about contact with one borrower."""

    borrower_id: str
    said: list[Said] = field(default_factory=list)
    wrote: list[datetime] = field(default_factory=list)
    paid: list[datetime] = field(default_factory=list)
    notices: list[Reminder] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    disputed: list[tuple[str, Silence]] = field(default_factory=list)
    """Debts under a dispute of their own: what is said of other debts goes on."""
    wish: ContactWish | None = None
    plans: list[Plan] = field(default_factory=list)
    promises: dict[str, Promise] = field(default_factory=dict)
    debts: dict[str, Debt] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    """Ids of notices about a debt on which nothing was owed when they were sent."""
    relived: Sequence[Relived] = ()

    def moments(self, instant: datetime) -> tuple[datetime, ...]:
        """When something recorded at ``instant`` may truly have happened."""
        return (instant, *(span.truly for span in self.relived if span.start <= instant < span.end))

    @property
    def contacts(self) -> list[Said]:
        """What was said unasked, in time."""
        return [each for each in self.said if each.purpose not in ANSWERS]


@dataclass(frozen=True, slots=True)
class Records:
    """A whole database: cases by borrower, messages of conversations that are bound to nobody, and deliveries."""

    cases: Mapping[str, Case]
    strangers: tuple[Said, ...]
    deliveries: Mapping[str, Delivery]
    inbound: Mapping[str, Sequence[datetime]]
    opened: Mapping[str, datetime]


def read_records(session: Session, relived: Sequence[Relived] = ()) -> Records:
    """Read everything. What ended in a span that was lived twice counts as ended when the span began."""
    cases: defaultdict[str, Case] = defaultdict(lambda: Case(""))
    owners: dict[str, str | None] = {}
    channels: dict[str, str] = {}
    opened: dict[str, datetime] = {}
    for row in session.execute(
        select(Conversation.id, Conversation.borrower_id, Conversation.channel, Conversation.created_at)
    ):
        owners[row.id], channels[row.id], opened[row.id] = row.borrower_id, row.channel, row.created_at
    deliveries, sent_at = _deliveries(session)
    inbound: defaultdict[str, list[datetime]] = defaultdict(list)
    strangers: list[Said] = []
    messages = select(
        Message.id,
        Message.created_at,
        Message.author,
        Message.purpose,
        Message.text,
        Message.client_key,
        Message.conversation_id,
    ).order_by(Message.created_at, Message.seq)
    for each in session.execute(messages):
        borrower_id = owners[each.conversation_id]
        if each.author == "borrower":
            inbound[each.conversation_id].append(each.created_at)
            if borrower_id is not None:
                cases[borrower_id].wrote.append(each.created_at)
            continue
        said = Said(
            each.id,
            each.created_at,
            each.author,
            each.purpose,
            each.text,
            each.client_key,
            each.conversation_id,
            channels[each.conversation_id],
            borrower_id,
            sent_at.get(each.id),
        )
        strangers.append(said) if borrower_id is None else cases[borrower_id].said.append(said)
    _read_accounts(session, cases)
    for notice in session.scalars(select(Reminder).order_by(Reminder.decided_at)):
        cases[notice.borrower_id].notices.append(notice)
    for hold in session.scalars(select(Hold)):
        concerned = {hold.borrower_id, owners.get(hold.conversation_id or "")} - {None}
        ends = [at for at in (_ended(hold.lifted_at, relived), hold.until) if at is not None]
        for borrower_id in concerned:
            assert borrower_id is not None
            is_taken_back = hold.kind in ("opt_out", "pause") and hold.lifted_at is not None and hold.lifted_by is None
            silence = Silence(hold.kind, hold.placed_at, min(ends, default=None), is_taken_back)
            if hold.kind == "dispute" and hold.debt_id is not None:
                cases[borrower_id].disputed.append((hold.debt_id, silence))
            else:
                cases[borrower_id].silences.append(silence)
    for wish in session.scalars(select(ContactWish)):
        cases[wish.borrower_id].wish = wish
    for borrower_id, case in cases.items():
        case.borrower_id, case.relived = borrower_id, relived
        _read_settled(session, case)
    return Records(dict(cases), tuple(strangers), deliveries, dict(inbound), opened)


def _deliveries(session: Session) -> tuple[dict[str, Delivery], dict[str, datetime]]:
    deliveries: dict[str, Delivery] = {}
    sent_at: dict[str, datetime] = {}
    for row in session.scalars(select(Outbox)):
        deliveries[row.message_id] = Delivery(
            row.message_id, row.state, row.next_attempt_at, row.claimed_until, row.last_error
        )
        if row.state == "sent" and row.sent_at is not None:
            sent_at[row.message_id] = row.sent_at
    return deliveries, sent_at


def _read_accounts(session: Session, cases: Mapping[str, Case]) -> None:
    payments: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
    owners: dict[str, str] = {}
    for debt in session.scalars(select(Debt)):
        cases[debt.borrower_id].debts[debt.id] = debt
        owners[debt.id] = debt.borrower_id
    booked = select(LedgerEntry.debt_id, LedgerEntry.booked_at, LedgerEntry.amount_fen)
    for debt_id, booked_at, amount_fen in session.execute(booked.where(LedgerEntry.kind == "payment")):
        payments[debt_id].append((booked_at, amount_fen))
        cases[owners[debt_id]].paid.append(booked_at)
    for promise in session.scalars(select(Promise)):
        cases[promise.borrower_id].promises[promise.id] = promise
    ended = dict(
        session.execute(
            select(PlanEvent.agreement_id, PlanEvent.recorded_at).where(PlanEvent.kind.in_(("completed", "broken")))
        ).all()
    )
    parts: defaultdict[str, list[Instalment]] = defaultdict(list)
    for part in session.scalars(select(Instalment).order_by(Instalment.number)):
        parts[part.agreement_id].append(part)
    replaced = dict(
        session.execute(
            select(Negotiation.replaces_agreement_id, Agreement.accepted_at)
            .join(Agreement, Agreement.negotiation_id == Negotiation.id)
            .where(Negotiation.replaces_agreement_id.is_not(None))
        ).all()
    )
    for row in session.scalars(select(Agreement).order_by(Agreement.accepted_at)):
        end = ended.get(row.id) or replaced.get(row.id)
        made = [each for debt_id in row.debt_ids for each in payments[debt_id] if each[0] > row.accepted_at]
        total, dated = 0, []
        for part in parts[row.id]:
            total += part.amount_fen
            dated.append(Part(part.id, part.due_on, total))
        cases[row.borrower_id].plans.append(Plan(row.id, row.accepted_at, end, tuple(dated), tuple(made)))


def _ended(instant: datetime | None, relived: Sequence[Relived]) -> datetime | None:
    if instant is None:
        return None
    return min([span.start for span in relived if span.start <= instant < span.end], default=instant)


def _read_settled(session: Session, case: Case) -> None:
    """Note which notices about a debt were sent when nothing was owed on it, by the ledger as it stood then."""
    for notice in case.notices:
        kind, _, debt_id = (notice.subject or "").partition(":")
        if notice.state != "sent" or notice.decided_at is None or kind != "debt" or debt_id not in case.debts:
            continue
        day, moments = business_date(notice.decided_at), case.moments(notice.decided_at)
        booked = [
            entry for entry in accounts.ledger_of(session, debt_id) if all(entry.booked_at <= at for at in moments)
        ]
        terms, debt = accounts.terms_of(case.debts[debt_id].contract), case.debts[debt_id]
        counted = entries_with_stops(terms, booked, debt.due_on, day)
        if statement(terms, counted, debt.due_on, day).balances.total_fen <= 0:
            case.settled.add(notice.id)


def inside(clock: time, start: time, end: time) -> bool:
    """Whether a wall-clock time lies from ``start`` until before ``end``, across midnight where ``end`` is earlier."""
    return start <= clock < end if start <= end else clock >= start or clock < end
