"""Whether a notice still has a point when it falls due: the facts read again, exactly, for one borrower."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.delinquency import days_past_due
from bot.lending.limitation import LimitationStatus
from bot.outreach.notice import LATE_AFTER_DAYS, Topic
from bot.services.accounts import DebtView, build_portfolio
from bot.services.deps import Deps
from bot.store import tables
from bot.workout.promise import PromiseState
from bot.workout.servicing import InstalmentState

_DAY_AFTER = "D+1"


def has_point(session: Session, deps: Deps, reminder: tables.Reminder) -> bool:
    """Whether there is anything left to say, inside an open transaction: no for what is paid, over, or of a past day.

    A tick that comes late says nothing that has become untrue: a notice of a due date dies with that day, the one of
    the day after when the next takes its place, a step of the ladder when its days of delay are over or the debt has
    moved on to another stage.
    """
    today = business_date(deps.now())
    match Topic(reminder.topic or Topic.PLAN):
        case Topic.COMPLETED | Topic.PAYMENT_FOUND:
            return True
        case Topic.PLAN | Topic.LATE | Topic.ENDING as topic:
            return _instalment_is_open(session, reminder, topic, today)
        case Topic.PROMISE:
            promise = session.get(tables.Promise, _subject(reminder))
            return promise is not None and promise.state == PromiseState.OPEN and not _is_over(reminder, today)
        case Topic.OVERDUE:
            return _step_holds(session, deps, reminder, today)
        case Topic.DUE:
            debt = _debt(session, deps, reminder)
            return debt is not None and _may_be_spoken_of(debt, 1) and not _is_over(reminder, today)
        case Topic.QUOTE:
            return _offers_stand(session, deps, reminder) and not _is_over(reminder, today)
        case Topic.DOCUMENT:
            return not _is_over(reminder, today)
        case Topic.RESUMED:
            return _anything_ahead(session, reminder)


def _subject(reminder: tables.Reminder) -> str:
    """The id in ``subject``; older notices have it in their key only."""
    return (reminder.subject or reminder.key).split(":")[1]


def _is_over(reminder: tables.Reminder, today: date) -> bool:
    return reminder.due_on is not None and reminder.due_on < today


def _instalment_is_open(session: Session, reminder: tables.Reminder, topic: Topic, today: date) -> bool:
    if reminder.instalment_id is None:
        return False
    part = session.get_one(tables.Instalment, reminder.instalment_id, populate_existing=True)
    agreement = session.get_one(tables.Agreement, part.agreement_id, populate_existing=True)
    if agreement.state != "in_force" or InstalmentState(part.state).is_settled:
        return False
    if topic is Topic.PLAN:
        return part.due_on >= today
    return reminder.stage != _DAY_AFTER or today < part.due_on + timedelta(days=LATE_AFTER_DAYS)


def _step_holds(session: Session, deps: Deps, reminder: tables.Reminder, today: date) -> bool:
    debt = _debt(session, deps, reminder)
    if debt is None or not _may_be_spoken_of(debt, deps.ladder.least_owed_fen):
        return False
    late = days_past_due(debt.due_on, today, debt.statement.balances.total_fen)
    if late == 0 or deps.ladder.stage_of(late) is None:
        return False
    if reminder.due_on is not None and today > reminder.due_on + timedelta(days=deps.ladder.days_late):
        return False
    reminder.stage = deps.ladder.stage_of(late)
    return True


def _may_be_spoken_of(debt: DebtView, least_owed_fen: int) -> bool:
    return (
        debt.statement.balances.total_fen >= least_owed_fen
        and debt.plan_number is None
        and not debt.disputed
        and debt.limitation is LimitationStatus.RUNNING
    )


def _debt(session: Session, deps: Deps, reminder: tables.Reminder) -> DebtView | None:
    owed = build_portfolio(session, deps, reminder.borrower_id)
    return next((debt for debt in owed.debts if debt.debt_id == _subject(reminder)), None)


def _offers_stand(session: Session, deps: Deps, reminder: tables.Reminder) -> bool:
    """Whether the negotiation is open and its offers still end on the day that the notice is about."""
    negotiation = session.get(tables.Negotiation, _subject(reminder), populate_existing=True)
    if negotiation is None or negotiation.active_key is None:
        return False
    ends_at = session.scalar(
        select(func.max(tables.Offer.expires_at)).where(tables.Offer.negotiation_id == negotiation.id)
    )
    return ends_at is not None and business_date(ends_at - timedelta(seconds=1)) == reminder.due_on


def _anything_ahead(session: Session, reminder: tables.Reminder) -> bool:
    """Whether any other notice is planned: to say that notices begin again and then send none is noise."""
    other = select(tables.Reminder.id).where(
        tables.Reminder.borrower_id == reminder.borrower_id,
        tables.Reminder.state == "planned",
        tables.Reminder.id != reminder.id,
    )
    return session.scalar(other.limit(1)) is not None
