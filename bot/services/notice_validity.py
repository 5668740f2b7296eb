"""Whether a notice still has a point when it falls due: the facts read again, exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.delinquency import days_past_due
from bot.lending.limitation import LimitationStatus
from bot.outreach.ladder import Ladder
from bot.outreach.notice import LATE_AFTER_DAYS, Topic
from bot.services import payoff_quotes
from bot.services.accounts import DebtView, debt_views
from bot.services.deps import Deps
from bot.services.proof import Purpose
from bot.store import tables
from bot.workout.promise import PromiseState
from bot.workout.servicing import InstalmentState

_DAY_AFTER = "D+1"
_Row = TypeVar("_Row", tables.Instalment, tables.Agreement, tables.Promise)


def has_point(session: Session, deps: Deps, reminder: tables.Reminder) -> bool:
    """Whether there is anything left to say, inside an open transaction: no for what is paid, over, or of a past day.

    A tick that comes late says nothing that has become untrue: a notice of a due date dies with that day, the one of
    the day after when the next takes its place, a step of the ladder when its days of delay are over or the debt has
    moved on to another stage.
    """
    return with_point(session, deps, [reminder]) == {reminder.id}


def with_point(session: Session, deps: Deps, reminders: Sequence[tables.Reminder]) -> set[str]:
    """Return the ids of those of some notices in which anything is left to say, as ``has_point`` tells it."""
    today = business_date(deps.now())
    read = _read(session, reminders, today)
    return {reminder.id for reminder in reminders if _has_point(session, read, deps.ladder, reminder, today)}


@dataclass(frozen=True, slots=True)
class _Read:
    """What some notices are about, by the ids in their subjects."""

    parts: Mapping[str, tables.Instalment]
    agreements: Mapping[str, tables.Agreement]
    promises: Mapping[str, tables.Promise]
    debts: Mapping[str, DebtView]
    offers_end: Mapping[str, datetime]
    """When the offers of negotiations that are open end."""
    payoffs: Mapping[str, tables.QuotedPayoff]
    """Payoff quotes that are the last of their debts."""
    planned: Mapping[str, Collection[str]]
    """The notices that are planned, by borrower."""


def _read(session: Session, reminders: Sequence[tables.Reminder], today: date) -> _Read:
    about: defaultdict[Topic, set[str]] = defaultdict(set)
    part_ids: set[str | None] = set()
    borrower_ids: set[str] = set()
    for reminder in reminders:
        topic = Topic(reminder.topic or Topic.PLAN)
        if topic is Topic.RESUMED:
            borrower_ids.add(reminder.borrower_id)
        elif topic in (Topic.PLAN, Topic.LATE, Topic.ENDING):
            part_ids.add(reminder.instalment_id)
        elif topic in (Topic.PROMISE, Topic.OVERDUE, Topic.DUE, Topic.QUOTE):
            about[topic].add(_subject(reminder))
    parts = _fresh(session, tables.Instalment, part_ids - {None})
    payoffs = payoff_quotes.last_quotes(session, about[Topic.QUOTE])
    debt_ids = about[Topic.OVERDUE] | about[Topic.DUE] | {quote.debt_id for quote in payoffs.values()}
    return _Read(
        parts,
        _fresh(session, tables.Agreement, {part.agreement_id for part in parts.values()}),
        _fresh(session, tables.Promise, about[Topic.PROMISE]),
        debt_views(session, Purpose.NOTICE, sorted(debt_ids), today) if debt_ids else {},
        _offers_end(session, about[Topic.QUOTE]),
        payoffs,
        _planned(session, borrower_ids),
    )


def _fresh(session: Session, table: type[_Row], ids: Collection[str | None]) -> dict[str, _Row]:
    """Rows by id as they are stored now, whatever the session has seen of them before."""
    if not ids:
        return {}
    found = session.scalars(select(table).where(table.id.in_(ids)).execution_options(populate_existing=True))
    return {row.id: row for row in found}


def _offers_end(session: Session, negotiation_ids: Collection[str]) -> dict[str, datetime]:
    if not negotiation_ids:
        return {}
    negotiation, offer = tables.Negotiation, tables.Offer
    rows = session.execute(
        select(negotiation.id, func.max(offer.expires_at))
        .join(offer, offer.negotiation_id == negotiation.id)
        .where(negotiation.id.in_(negotiation_ids), negotiation.active_key.is_not(None))
        .group_by(negotiation.id)
    )
    return {row[0]: row[1] for row in rows}


def _planned(session: Session, borrower_ids: Collection[str]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    if borrower_ids:
        planned = select(tables.Reminder.borrower_id, tables.Reminder.id).where(
            tables.Reminder.borrower_id.in_(borrower_ids), tables.Reminder.state == "planned"
        )
        for borrower_id, reminder_id in session.execute(planned):
            found[borrower_id].add(reminder_id)
    return found


def _has_point(session: Session, read: _Read, ladder: Ladder, reminder: tables.Reminder, today: date) -> bool:
    match Topic(reminder.topic or Topic.PLAN):
        case Topic.COMPLETED | Topic.PAYMENT_FOUND | Topic.CASE | Topic.APPROVAL | Topic.CALL:
            return True
        case Topic.PLAN | Topic.LATE | Topic.ENDING as topic:
            return _instalment_is_open(read, reminder, topic, today)
        case Topic.PROMISE:
            promise = read.promises.get(_subject(reminder))
            return promise is not None and promise.state == PromiseState.OPEN and not _is_over(reminder, today)
        case Topic.OVERDUE:
            return _step_holds(read.debts.get(_subject(reminder)), ladder, reminder, today)
        case Topic.DUE:
            debt = read.debts.get(_subject(reminder))
            return debt is not None and _may_be_spoken_of(debt, 1) and not _is_over(reminder, today)
        case Topic.QUOTE:
            if (quote := read.payoffs.get(_subject(reminder))) is not None:
                return payoff_quotes.still_holds(session, quote, read.debts.get(quote.debt_id), today)
            ends_at = read.offers_end.get(_subject(reminder))
            stand = ends_at is not None and business_date(ends_at - timedelta(seconds=1)) == reminder.due_on
            return stand and not _is_over(reminder, today)
        case Topic.DOCUMENT:
            return not _is_over(reminder, today)
        case Topic.RESUMED:
            # To say that notices begin again and then send none is noise.
            return bool(set(read.planned.get(reminder.borrower_id, ())) - {reminder.id})


def _subject(reminder: tables.Reminder) -> str:
    """The id in ``subject``; older notices have it in their key only."""
    return (reminder.subject or reminder.key).split(":")[1]


def _is_over(reminder: tables.Reminder, today: date) -> bool:
    return reminder.due_on is not None and reminder.due_on < today


def _instalment_is_open(read: _Read, reminder: tables.Reminder, topic: Topic, today: date) -> bool:
    if reminder.instalment_id is None:
        return False
    part = read.parts[reminder.instalment_id]
    if read.agreements[part.agreement_id].state != "in_force" or InstalmentState(part.state).is_settled:
        return False
    if topic is Topic.PLAN:
        return part.due_on >= today
    return reminder.stage != _DAY_AFTER or today < part.due_on + timedelta(days=LATE_AFTER_DAYS)


def _step_holds(debt: DebtView | None, ladder: Ladder, reminder: tables.Reminder, today: date) -> bool:
    if debt is None or not _may_be_spoken_of(debt, ladder.least_owed_fen):
        return False
    late = days_past_due(debt.due_on, today, debt.statement.balances.total_fen)
    if late == 0 or ladder.stage_of(late) is None:
        return False
    if reminder.due_on is not None and today > reminder.due_on + timedelta(days=ladder.days_late):
        return False
    reminder.stage = ladder.stage_of(late)
    return True


def _may_be_spoken_of(debt: DebtView, least_owed_fen: int) -> bool:
    return (
        debt.statement.balances.total_fen >= least_owed_fen
        and debt.plan_number is None
        and not debt.disputed
        and debt.limitation is LimitationStatus.RUNNING
    )
