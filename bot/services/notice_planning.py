"""Which borrowers' notices are to be planned, and planning them: what the planner says is written down, once.

Everything that changes what a notice can be about calls ``touch`` in its own transaction, or is found by
``bot.services.notice_news``. A sweep plans again whoever was touched, and whoever has come to a day on which time alone
may change the plan (``bot.outreach.next_look``); what falls due meanwhile is planned anew before it is decided
(``replan_if_due``). What has fallen due already is the business of ``bot.services.reminders``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from bot.outreach.next_look import next_look, small_hours_from
from bot.outreach.notice import PlannedNotice, Topic
from bot.outreach.planning import plan_notices
from bot.outreach.wishes import ContactWishes
from bot.services.accounts import lock_borrower
from bot.services.contact import wishes_of_all
from bot.services.deps import Deps
from bot.services.notice_facts import LOOK_BACK, facts_of, is_owned
from bot.services.notices_due import touch
from bot.store import tables
from bot.store.base import new_id
from bot.store.many import insert_new

__all__ = ["PAGE", "REPLANNED", "Planned", "add", "replan", "replan_if_due", "sweep", "touch"]

REPLANNED = "replanned"
"""The rule under which a notice is called off because the plan has it no more."""

PAGE = 200
PUT_OFF = timedelta(hours=1)
"""How long somebody waits whose notices could not be planned."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Planned:
    """What one sweep did, by count: borrowers looked at, notices added or moved, notices called off."""

    borrowers: int = 0
    planned: int = 0
    superseded: int = 0

    def __add__(self, other: Planned) -> Planned:
        return Planned(
            self.borrowers + other.borrowers, self.planned + other.planned, self.superseded + other.superseded
        )


def sweep(deps: Deps, limit: int = 5_000) -> Planned:
    """Plan again whoever is due, at most ``limit`` borrowers, a page in each transaction.

    Several sweepers share the pages between them. Where a page fails its borrowers are planned one by one, and only
    those with whom it fails again are put off by ``PUT_OFF``: nobody keeps the others from being planned.
    """
    done = Planned()
    while done.borrowers < limit:
        size = min(PAGE, limit - done.borrowers)
        try:
            with deps.begin() as session:
                page = _claim(session, deps.now(), size)
                made = replan(session, deps, page) if page else Planned()
        except Exception as error:
            log.error("notice_page_failed", kind=type(error).__name__, exc_info=error)
            made = _sweep_one_by_one(deps, size)
        if not made.borrowers:
            break
        done += made
    return done


def _sweep_one_by_one(deps: Deps, size: int) -> Planned:
    done = Planned()
    with deps.begin() as session:
        page = _claim(session, deps.now(), size)
    for borrower_id in page:
        try:
            with deps.begin() as session:
                lock_borrower(session, borrower_id)
                done += replan(session, deps, [borrower_id])
        except Exception as error:
            log.error("notices_not_planned", borrower=borrower_id, kind=type(error).__name__, exc_info=error)
            with deps.begin() as session:
                session.get_one(tables.Borrower, borrower_id).notices_due_at = deps.now() + PUT_OFF
            done += Planned(borrowers=1)
    return done


def replan(session: Session, deps: Deps, borrower_ids: Sequence[str]) -> Planned:
    """Bring the stored notices of some borrowers up to date with the facts, inside a transaction that locked them."""
    now = deps.now()
    session.flush()
    facts = facts_of(session, borrower_ids, now)
    # What is stored and makes no sense has the gate refuse everything; planning goes on, or nothing would say so.
    wishes = {
        borrower_id: wish or ContactWishes() for borrower_id, wish in wishes_of_all(session, borrower_ids).items()
    }
    plans = {
        borrower_id: plan_notices(facts[borrower_id], wishes[borrower_id], deps.ladder, now, deps.limits)
        for borrower_id in borrower_ids
    }
    planned, superseded = _write(session, plans, now)
    looks: defaultdict[datetime | None, list[str]] = defaultdict(list)
    for borrower_id, plan in plans.items():
        look = next_look(facts[borrower_id], plan, wishes[borrower_id], deps.ladder, now, deps.limits)
        looks[look].append(borrower_id)
    for due_at, whose in looks.items():
        session.execute(
            update(tables.Borrower)
            .where(tables.Borrower.id.in_(whose))
            .values(notices_due_at=due_at)
            .execution_options(synchronize_session=False)
        )
    return Planned(len(borrower_ids), planned, superseded)


def look_tonight(session: Session, borrower_ids: Sequence[str], now: datetime) -> None:
    """Have some borrowers looked at in the next small hours: a notice of theirs was decided, or put off.

    Their rows are held by the transaction.
    """
    tonight = small_hours_from(now)
    borrower = tables.Borrower
    session.execute(
        update(borrower)
        .where(borrower.id.in_(borrower_ids), or_(borrower.notices_due_at.is_(None), borrower.notices_due_at > tonight))
        .values(notices_due_at=tonight)
        .execution_options(synchronize_session=False)
    )


def replan_if_due(session: Session, deps: Deps, borrower_ids: Sequence[str]) -> None:
    """Plan those of some borrowers again whose facts have changed, inside a transaction that holds their rows."""
    borrower = tables.Borrower
    due = session.scalars(
        select(borrower.id).where(borrower.id.in_(borrower_ids), borrower.notices_due_at <= deps.now())
    )
    if changed := due.all():
        replan(session, deps, changed)


def add(session: Session, borrower_id: str, notices: Iterable[PlannedNotice], now: datetime) -> int:
    """Write notices down as planned, each once for its key; returns how many are new."""
    return _insert(session, [_row(borrower_id, notice, now) for notice in notices])


def _insert(session: Session, rows: list[dict[str, object]]) -> int:
    if not rows:
        return 0
    session.flush()
    return insert_new(session, tables.Reminder, rows, "key")


def _claim(session: Session, now: datetime, size: int) -> list[str]:
    """Lock a page of borrowers who are due; whoever another process holds is left to the next round."""
    return list(
        session.scalars(
            select(tables.Borrower.id)
            .where(tables.Borrower.notices_due_at <= now)
            .order_by(tables.Borrower.notices_due_at)
            .limit(size)
            .with_for_update(key_share=True, skip_locked=True)
        )
    )


def _row(borrower_id: str, notice: PlannedNotice, now: datetime) -> dict[str, object]:
    kind, _, subject_id = notice.subject.partition(":")
    return {
        "id": new_id(),
        "key": notice.key,
        "borrower_id": borrower_id,
        "instalment_id": subject_id if kind == "instalment" else None,
        "purpose": notice.purpose.value,
        "topic": notice.topic.value,
        "subject": notice.subject,
        "stage": notice.stage,
        "due_on": notice.due_on,
        "send_at": notice.send_at,
        "state": "planned",
        "created_at": now,
    }


def _write(session: Session, plans: dict[str, tuple[PlannedNotice, ...]], now: datetime) -> tuple[int, int]:
    """Add what is new, move what moved, take up again what had been called off, call off what is wanted no more.

    A notice that has fallen due, and one that the gate put off, are left alone: they are decided when their time comes.
    So is one that another transaction holds: waiting for it could be waiting in a circle.
    """
    notice = tables.Reminder
    stored: dict[str, dict[str, tables.Reminder]] = defaultdict(dict)
    rows = session.scalars(
        select(notice)
        .where(
            notice.borrower_id.in_(plans),
            or_(
                notice.state.in_(("planned", "superseded")),
                and_(notice.state == "refused", notice.topic == Topic.RESUMED),
            ),
            or_(notice.state == "planned", notice.send_at > now - LOOK_BACK, notice.topic == Topic.RESUMED),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        stored[row.borrower_id][row.key] = row
    new: list[dict[str, object]] = []
    changed = superseded = 0
    for borrower_id, plan in plans.items():
        wanted = {each.key: each for each in plan}
        known = stored[borrower_id]
        for key, row in known.items():
            if row.state != "planned" or row.send_at <= now or row.rule is not None or not is_owned(row):
                continue
            if key not in wanted:
                row.state, row.rule, row.decided_at = "superseded", REPLANNED, now
                superseded += 1
        for key, each in wanted.items():
            if key in known:
                changed += _renew(known[key], each, now)
            else:
                new.append(_row(borrower_id, each, now))
    return changed + _insert(session, new), superseded


def _renew(row: tables.Reminder, notice: PlannedNotice, now: datetime) -> bool:
    """Let a stored notice say what the plan says; whether that changed anything."""
    if row.state == "planned":
        is_left_alone = row.send_at <= now or row.rule is not None
        is_same = (row.send_at, row.stage, row.purpose) == (notice.send_at, notice.stage, notice.purpose.value)
        if is_left_alone or is_same:
            return False
    row.state, row.rule, row.decided_at, row.claimed_until = "planned", None, None, None
    row.send_at, row.stage, row.purpose = notice.send_at, notice.stage, notice.purpose.value
    return True
