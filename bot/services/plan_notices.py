"""The notices of a plan's course: planned here, decided and sent by ``bot.services.reminders`` through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.outreach.notice import LATE_AFTER_DAYS, Topic, event_notice, late_notice
from bot.outreach.slots import SendingTime
from bot.outreach.wishes import ContactWishes
from bot.services import contact, notice_planning, payment_traces
from bot.services.deps import Deps
from bot.store.tables import Agreement, Instalment, Reminder


def plan_instalments(session: Session, deps: Deps, agreement: Agreement) -> None:
    """Plan the notices of a plan just agreed, inside a transaction that locked its borrower."""
    notice_planning.replan(session, deps, [agreement.borrower_id])


def plan_late(
    session: Session, deps: Deps, agreement: Agreement, instalment: Instalment, *, ending: bool = False
) -> None:
    """Plan the notice of a late instalment, once; ``ending``: the plan may end. It waits while a payment is sought."""
    now = deps.now()
    wishes = contact.wishes_of(session, agreement.borrower_id) or ContactWishes()
    send_at = SendingTime.of(wishes, deps.limits).on(instalment.due_on + timedelta(days=LATE_AFTER_DAYS))
    quiet = payment_traces.quiet_until(session, agreement.borrower_id, agreement.debt_ids)
    at = max(at for at in (send_at, now, quiet) if at)
    notice = late_notice(instalment.id, instalment.due_on, at, ending=ending)
    notice_planning.add(session, agreement.borrower_id, [notice], now)
    notice_planning.touch(session, agreement.borrower_id, now)


def plan_thanks(session: Session, deps: Deps, agreement: Agreement) -> None:
    """Plan the thanks for a completed plan."""
    notice = event_notice(Topic.COMPLETED, agreement.id, "agreement", deps.now())
    notice_planning.add(session, agreement.borrower_id, [notice], deps.now())
    notice_planning.touch(session, agreement.borrower_id, deps.now())


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
