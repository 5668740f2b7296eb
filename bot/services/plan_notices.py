"""The notices of a plan's course: planned here, decided and sent by ``bot.services.reminders`` through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.outreach.gate import Purpose
from bot.services import payment_traces
from bot.services.deps import Deps
from bot.services.reminders import SEND_TIME, Topic
from bot.store.tables import Agreement, Instalment, Reminder

LATE_AFTER = timedelta(days=3)
"""Days after a due date before a late instalment is mentioned: the lender's file may take that long to arrive."""


def plan_late(
    session: Session, deps: Deps, agreement: Agreement, instalment: Instalment, *, ending: bool = False
) -> None:
    """Plan the notice of a late instalment, once; ``ending``: the plan may end. It waits while a payment is sought."""
    topic = Topic.ENDING if ending else Topic.LATE
    key = f"{topic.value}:{instalment.id}"
    if session.scalar(select(Reminder.id).where(Reminder.key == key)):
        return
    send_at = datetime.combine(instalment.due_on + LATE_AFTER, SEND_TIME, tzinfo=SHANGHAI)
    quiet = payment_traces.quiet_until(session, agreement.borrower_id, agreement.debt_ids)
    _plan(session, deps, agreement, key, topic, max(at for at in (send_at, deps.now(), quiet) if at), instalment)


def plan_thanks(session: Session, deps: Deps, agreement: Agreement) -> None:
    """Plan the thanks for a completed plan."""
    _plan(session, deps, agreement, f"{Topic.COMPLETED.value}:{agreement.id}", Topic.COMPLETED, deps.now())


def told_of_ending_at(session: Session, instalment_ids: Sequence[str]) -> datetime | None:
    """When the borrower was last told, over any of these instalments, that the plan may end; None if never."""
    return session.scalar(
        select(func.max(Reminder.decided_at)).where(
            Reminder.instalment_id.in_(instalment_ids), Reminder.topic == Topic.ENDING, Reminder.state == "sent"
        )
    )


def supersede(session: Session, deps: Deps, instalment_ids: Sequence[str], why: str) -> None:
    """Drop what is still planned about these instalments.

    One that is being decided this moment is left to its decision, which sees the new state: waiting for it could be
    waiting in a circle.
    """
    planned = session.scalars(
        select(Reminder)
        .where(Reminder.instalment_id.in_(instalment_ids), Reminder.state == "planned")
        .with_for_update(skip_locked=True)
    )
    for reminder in planned:
        reminder.state, reminder.rule, reminder.decided_at = "superseded", why, deps.now()


def _plan(
    session: Session,
    deps: Deps,
    agreement: Agreement,
    key: str,
    topic: Topic,
    send_at: datetime,
    instalment: Instalment | None = None,
) -> None:
    session.add(
        Reminder(
            key=key,
            borrower_id=agreement.borrower_id,
            instalment_id=instalment.id if instalment else None,
            purpose=Purpose.PLAN_NOTICE.value,
            topic=topic.value,
            due_on=instalment.due_on if instalment else None,
            send_at=send_at,
            created_at=deps.now(),
        )
    )
    session.flush()
