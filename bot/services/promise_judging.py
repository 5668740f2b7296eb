"""What became of promises to pay, read from the ledgers by a sweep of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from functools import partial

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.lending.ledger import EntryKind, effective_entries
from bot.services import audit, heartbeats, notice_planning
from bot.services.accounts import ledger_of, lock_borrower
from bot.services.deps import Deps
from bot.services.one_by_one import attempted
from bot.store import tables
from bot.workout.promise import PaymentMade, PromiseState, PromiseToPay, judged, paid_towards

JUDGED_UP_TO = "promise_judging"
"""The heartbeat that says up to when payments have been looked at."""

_JUDGED = tuple(state.value for state in PromiseState)
_LOOKED_AT = func.coalesce(tables.Promise.judged_at, tables.Promise.made_at)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one sweep found, by count; ``open`` ones were looked at and still run."""

    kept: int = 0
    partly_kept: int = 0
    broken: int = 0
    open: int = 0


def sweep(deps: Deps, limit: int = 100) -> Judged:
    """Judge the promises whose day is over, and those on whose debts something was paid; one transaction each.

    A payment booked late but effective in time still keeps a promise that had been found broken. Nobody is written to.
    """
    now = deps.now()
    with deps.read() as session:
        paid = session.scalars(_paid(heartbeats.since(session, JUDGED_UP_TO, now)).limit(limit)).all()
        over = session.scalars(_over(now).limit(limit)).all()
        due = list(dict.fromkeys((*paid, *over)))
    counts = dict.fromkeys(_JUDGED, 0)
    failed: set[str] = set()
    for promise_id in due:
        state = attempted(partial(_judged_now, deps, promise_id), "promise_not_judged", promise=promise_id)
        if state is None:
            failed.add(promise_id)
        elif state in counts:
            counts[state] += 1
    if len(paid) < limit and failed.isdisjoint(paid):  # else there may be more that were paid before now
        heartbeats.beat_at(deps, JUDGED_UP_TO, now)
    return Judged(**counts)


def supersede_notices(session: Session, deps: Deps, promise: tables.Promise, why: str) -> None:
    """Call off what is still planned about a promise, inside an open transaction."""
    session.execute(
        update(tables.Reminder)
        .where(tables.Reminder.key.startswith(f"promise:{promise.id}:"), tables.Reminder.state == "planned")
        .values(state="superseded", rule=why, decided_at=deps.now())
        .execution_options(synchronize_session=False)
    )


def _over(now: datetime) -> Select[str]:
    """Promises whose day is over and that nobody has looked at today, found by ``ix_promise_due``."""
    promise, today = tables.Promise, business_date(now)
    midnight = datetime.combine(today, time(), tzinfo=SHANGHAI)
    return (
        select(promise.id)
        .where(promise.state == PromiseState.OPEN.value, promise.due_on < today, midnight > _LOOKED_AT)
        .order_by(promise.due_on)
    )


def _paid(since: datetime | None) -> Select[str]:
    """Promises of borrowers for whom something was booked after the last look, of what was booked ``since``."""
    promise, entry = tables.Promise, tables.LedgerEntry
    booked = (
        select(promise.id)
        .join(tables.Debt, tables.Debt.borrower_id == promise.borrower_id)
        .join(entry, entry.debt_id == tables.Debt.id)
        .where(
            promise.state.in_(_JUDGED),
            entry.kind.in_((EntryKind.PAYMENT.value, EntryKind.REVERSAL.value)),
            entry.booked_at > _LOOKED_AT,
        )
        .distinct()
    )
    return booked if since is None else booked.where(entry.booked_at > since)


def _judged_now(deps: Deps, promise_id: str) -> str:
    with deps.begin() as session:
        return _judge(session, deps, promise_id)


def _judge(session: Session, deps: Deps, promise_id: str) -> str:
    """Judge one promise and return its state; one that was replaced since it was found is left alone."""
    borrower_id = session.scalars(select(tables.Promise.borrower_id).where(tables.Promise.id == promise_id)).one()
    lock_borrower(session, borrower_id)
    row = session.get_one(tables.Promise, promise_id, with_for_update=True)
    if row.state not in _JUDGED:
        return row.state
    if row.amount_fen is None or row.due_on is None or row.made_at is None:
        raise ValueError(f"promise {promise_id} was judged before it was made")
    promise = PromiseToPay(row.amount_fen, business_date(row.made_at), row.due_on, row.grace_days)
    today = business_date(deps.now())
    payments = [
        PaymentMade(entry.effective_on, entry.amount_fen)
        for debt_id in row.debt_ids
        for entry in effective_entries(ledger_of(session, debt_id), today)
        if entry.kind is EntryKind.PAYMENT
        # What had been booked when the promise was made is not what was promised.
        and (entry.booked_at > row.made_at or entry.effective_on > promise.made_on)
    ]
    state, now = judged(promise, payments, today), deps.now()
    row.paid_fen, row.judged_at = paid_towards(promise, payments), now
    if state.value != row.state:
        row.state = state.value
        audit.record(session, now, audit.SYSTEM, f"promise_{state.value}", ("promise", row.id), paid_fen=row.paid_fen)
        supersede_notices(session, deps, row, state.value)
        notice_planning.touch(session, borrower_id, now)
    return state.value
