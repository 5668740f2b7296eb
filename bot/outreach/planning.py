"""Which notices lie ahead of a borrower. Pure: the same facts at the same time give the same notices and keys.

The planner places notices so that the gate will hardly ever have to put one off: at least a day apart, at most three in
seven days. Where they would collide, the one that matters less is moved if it can be, else left out
(``docs/reminders.md``). The gate stays the judge: it is asked when a notice falls due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum

from bot.clock import business_date, local
from bot.outreach.facts import Facts, OpenDebt
from bot.outreach.gate import HoldKind, Limits, Purpose
from bot.outreach.ladder import Ladder
from bot.outreach.notice import (
    LATE_AFTER_DAYS,
    PlannedNotice,
    Topic,
    instalment_notice,
    late_notice,
    promise_notice,
    stage_before,
)
from bot.outreach.slots import SendingTime, Slots
from bot.outreach.wishes import ContactWishes
from bot.outreach.workdays import is_working_day, next_working_day

HORIZON = timedelta(days=35)
"""How far ahead steps of the ladder are planned; everything else is planned as far as its due dates reach."""

DAYS_BEFORE = (3, 1)
"""Days before a due date on which it is announced (F4), unless the borrower wishes otherwise."""

AFTER_RESUMED = timedelta(days=3)
"""How long after the words that notices begin again the ladder begins."""

AFTER_PROMISE = timedelta(days=3)
"""How long after a promise's last day the ladder rests: the payment may be on its way."""

_RESUMED_MAY_WAIT = timedelta(days=14)
_DAY = timedelta(days=1)
_THIRTY_DAYS = timedelta(days=30)
FOR_GOOD = frozenset({HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR})
"""Holds under which nothing is planned at all: the person cannot be spoken to."""

NO_LADDER = FOR_GOOD | {
    HoldKind.OPT_OUT,
    HoldKind.PLAN,
    HoldKind.DISPUTE,
    HoldKind.COMPLAINT,
    HoldKind.DISTRESS,
    HoldKind.PERSON,
    HoldKind.PAYMENT_SOUGHT,
}
"""Holds under which no step of the ladder is planned."""


class _Rank(IntEnum):
    """What matters more is placed first."""

    RESUMED = 0
    PROMISE = 1
    DAY_BEFORE = 2
    DAYS_BEFORE = 3
    LATE = 4
    QUOTE = 5
    DOCUMENT = 6
    DUE_DAY = 7
    DAY_AFTER = 8
    LADDER = 9


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A notice with its rank and the last instant it may be moved to. ``shown`` False keeps its place only."""

    notice: PlannedNotice
    rank: _Rank
    latest: datetime
    shown: bool = True

    @property
    def order(self) -> tuple[int, datetime, date, str]:
        # Of two for the same moment the one about the nearer day: there is less time to speak of it later.
        return (self.rank, self.notice.send_at, self.notice.due_on or date.max, self.notice.key)


def plan_notices(
    facts: Facts, wishes: ContactWishes, ladder: Ladder, now: datetime, limits: Limits | None = None
) -> tuple[PlannedNotice, ...]:
    """Return the notices that lie ahead of ``now`` (aware), in order of their time.

    Holds with an open end do not keep notices of a plan from being planned: the gate refuses them when they fall due,
    and says by which rule. A ladder is not planned under them at all.
    """
    if facts.holds & FOR_GOOD:
        return ()
    limits = limits or Limits()
    times = SendingTime.of(wishes, limits)
    slots = Slots((notice.at for notice in facts.standing), limits, wishes)
    wanted = [
        *_instalments(facts, wishes, times, now),
        *_promises(facts, wishes, times),
        *_due_dates(facts, wishes, times, ladder, now),
        *_quotes(facts, times),
        *_documents(facts, times),
        *_ladder(facts, wishes, ladder, times, now, limits),
    ]
    wanted = [each for each in wanted if each.notice.key not in facts.done]
    placed: list[PlannedNotice] = []
    resumed = _place(_resumed(facts, times, now), slots, now) if wanted and facts.pause is not None else None
    if resumed is not None and facts.pause is not None:
        placed.append(resumed)
        wanted = [
            moved
            for each in wanted
            if (moved := _after_resumed(each, resumed.send_at, facts.pause.ends_at)) is not None
        ]
    elif facts.pause is not None and f"resumed:{facts.pause.hold_id}" not in facts.done:
        wanted = [each for each in wanted if each.rank is not _Rank.LADDER]  # no place for the word: it comes first
    steps = [notice.at for notice in facts.standing if notice.topic is Topic.OVERDUE]
    for each in sorted(wanted, key=lambda one: one.order):
        if each.rank is _Rank.LADDER:
            notice = _place_step(each, slots, now, steps, ladder.per_thirty_days)
        else:
            notice = _place(each, slots, now)
        if notice is not None and each.shown:
            placed.append(notice)
    return tuple(sorted(placed, key=lambda notice: (notice.send_at, notice.key)))


def _days_before(due_on: date, wishes: ContactWishes) -> tuple[int, ...]:
    if wishes.days_before is not None:
        return (wishes.days_before,)
    if wishes.day_of_month is not None:
        wished = _wished_day(due_on, wishes.day_of_month)
        if wished > due_on:
            wished = _wished_day(due_on.replace(day=1) - _DAY, wishes.day_of_month)
        return ((due_on - wished).days,)
    return DAYS_BEFORE


def _wished_day(in_month: date, day_of_month: int) -> date:
    """The wished day of a month, or its last one where the month is shorter."""
    last = (in_month.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY
    return in_month.replace(day=min(day_of_month, last.day))


def _instalments(facts: Facts, wishes: ContactWishes, times: SendingTime, now: datetime) -> Iterator[_Wanted]:
    usual = wishes.days_before is None and wishes.day_of_month is None
    today = business_date(now)
    for part in facts.instalments:
        quiet = part.quiet_until or now
        for days in (*_days_before(part.due_on, wishes), *((0,) if usual else ())):
            at = times.on(part.due_on - timedelta(days=days))
            rank = {0: _Rank.DUE_DAY, 1: _Rank.DAY_BEFORE}.get(days, _Rank.DAYS_BEFORE)
            if at >= quiet:
                yield _Wanted(instalment_notice(part.instalment_id, part.due_on, days, at), rank, at)
        # Servicing plans this one, once it knows whether the plan may end: here it only keeps its place.
        at = times.on(part.due_on + timedelta(days=LATE_AFTER_DAYS))
        if part.due_on >= today:
            yield _Wanted(late_notice(part.instalment_id, part.due_on, at), _Rank.LATE, at, shown=False)
        at = times.on(part.due_on + _DAY)
        if usual and part.due_on < today and at >= quiet:
            notice = late_notice(part.instalment_id, part.due_on, at, days=1)
            yield _Wanted(notice, _Rank.DAY_AFTER, at)


def _promises(facts: Facts, wishes: ContactWishes, times: SendingTime) -> Iterator[_Wanted]:
    days = wishes.days_before if wishes.days_before is not None else 1
    for promise in facts.promises:
        at = times.on(promise.due_on - timedelta(days=days))
        yield _Wanted(promise_notice(promise.promise_id, promise.due_on, days, at), _Rank.PROMISE, at)


def _due_dates(
    facts: Facts, wishes: ContactWishes, times: SendingTime, ladder: Ladder, now: datetime
) -> Iterator[_Wanted]:
    if facts.holds & {HoldKind.PLAN, HoldKind.OPT_OUT}:
        return
    for debt in facts.debts:
        if debt.due_on < business_date(now) or not is_written_about(debt, ladder):
            continue
        for days in _days_before(debt.due_on, wishes):
            at = times.on(debt.due_on - timedelta(days=days))
            notice = PlannedNotice(
                key=f"due:{debt.debt_id}:D-{days}",
                topic=Topic.DUE,
                purpose=Purpose.DUE_NOTICE,
                subject=f"debt:{debt.debt_id}",
                stage=stage_before(days),
                due_key=f"debt:{debt.debt_id}" if days else None,
                due_on=debt.due_on,
                send_at=at,
            )
            if at >= (debt.quiet_until or now):
                yield _Wanted(notice, _Rank.DAY_BEFORE if days == 1 else _Rank.DAYS_BEFORE, at)


def _quotes(facts: Facts, times: SendingTime) -> Iterator[_Wanted]:
    for quote in facts.quotes:
        yield _on_day_before(Topic.QUOTE, quote.subject, quote.last_day, times, _Rank.QUOTE)


def _documents(facts: Facts, times: SendingTime) -> Iterator[_Wanted]:
    for awaited in facts.documents:
        subject = f"document:{awaited.document_id}"
        yield _on_day_before(Topic.DOCUMENT, subject, awaited.by, times, _Rank.DOCUMENT)


def _on_day_before(topic: Topic, subject: str, last_day: date, times: SendingTime, rank: _Rank) -> _Wanted:
    at = times.on(last_day - _DAY)
    notice = PlannedNotice(
        key=f"{topic.value}:{subject.partition(':')[2]}:{last_day.isoformat()}",
        topic=topic,
        purpose=Purpose.PLAN_NOTICE,
        subject=subject,
        stage=None,
        due_key=subject,
        due_on=last_day,
        send_at=at,
    )
    return _Wanted(notice, rank, at)


def _ladder(
    facts: Facts, wishes: ContactWishes, ladder: Ladder, times: SendingTime, now: datetime, limits: Limits
) -> list[_Wanted]:
    """The steps of one debt, the oldest that has steps ahead: no notice names a debt, so one ladder speaks for all."""
    silent = facts.unanswered >= limits.unanswered_before_pause
    if facts.holds & NO_LADDER or (silent and facts.person_asked):
        return []
    today, last_day = business_date(now), ladder.days[-1] + ladder.days_late
    overdue = [
        debt
        for debt in facts.debts
        if is_written_about(debt, ladder) and max(debt.grace_days, 0) < (today - debt.due_on).days <= last_day
    ]
    if not overdue:
        return []
    lead = min(overdue, key=lambda debt: (debt.due_on, debt.debt_id))
    waits = [now]
    if facts.last_contact_at is not None:
        waits.append(facts.last_contact_at + timedelta(days=ladder.quiet_days_after_contact))
    if facts.resumed_at is not None:
        waits.append(facts.resumed_at + AFTER_RESUMED)
    waits += [times.on(promise.last_day) + AFTER_PROMISE for promise in facts.promises]
    waits += [debt.quiet_until for debt in overdue if debt.quiet_until is not None]
    if facts.pause is not None:
        waits.append(facts.pause.ends_at)
    steps = [
        _step(lead, key, on, times, max(waits), ladder)
        for key, on in step_days(lead, wishes, ladder, now)
        if times.on(on) <= now + HORIZON
    ]
    ahead = [step for step in steps if step is not None and step.notice.key not in facts.done]
    # Whoever leaves two unanswered hears from a person next: one step stays, to call that person when it falls due.
    return ahead[:1] if silent else ahead


def is_written_about(debt: OpenDebt, ladder: Ladder) -> bool:
    """Whether a debt is one that notices may be about."""
    return (
        debt.limitation_runs and debt.owed_fen >= ladder.least_owed_fen and debt.creditor_kind in ladder.creditor_kinds
    )


def step_days(debt: OpenDebt, wishes: ContactWishes, ladder: Ladder, now: datetime) -> Iterator[tuple[str, date]]:
    """Yield the key and the day of each step: those of the ladder, or of the wished day in this and two more months."""
    if wishes.day_of_month is None:
        for days in ladder.days:
            yield str(days), debt.due_on + timedelta(days=days)
        return
    month = local(now).date().replace(day=1)
    for _ in range(3):
        on = _wished_day(month, wishes.day_of_month)
        if ladder.days[0] <= (on - debt.due_on).days <= ladder.days[-1]:
            yield f"{on:%Y-%m}", on
        month = (month + timedelta(days=31)).replace(day=1)


def _step(
    debt: OpenDebt, key: str, on: date, times: SendingTime, not_before: datetime, ladder: Ladder
) -> _Wanted | None:
    at = _on_working_day(max(times.on(on), times.after(not_before)), times)
    latest = times.on(on + timedelta(days=ladder.days_late))
    stage = ladder.stage_of((business_date(at) - debt.due_on).days)
    if at > latest or stage is None:
        return None
    notice = PlannedNotice(
        key=f"overdue:{debt.debt_id}:{key}",
        topic=Topic.OVERDUE,
        purpose=Purpose.COLLECTION,
        subject=f"debt:{debt.debt_id}",
        stage=stage,
        due_key=None,
        due_on=on,
        send_at=at,
    )
    return _Wanted(notice, _Rank.LADDER, latest)


def _on_working_day(at: datetime, times: SendingTime) -> datetime:
    day = business_date(at)
    return at if is_working_day(day) else times.on(next_working_day(day))


def _resumed(facts: Facts, times: SendingTime, now: datetime) -> _Wanted | None:
    pause = facts.pause
    key = f"resumed:{pause.hold_id}" if pause is not None else ""
    if pause is None or key in facts.done:
        return None
    at = times.after(max(pause.ends_at, now + timedelta(seconds=1)))
    of_plan = HoldKind.PLAN in facts.holds or bool(facts.instalments)
    notice = PlannedNotice(
        key=key,
        topic=Topic.RESUMED,
        purpose=Purpose.PLAN_NOTICE if of_plan else Purpose.COLLECTION,
        subject=f"hold:{pause.hold_id}",
        stage="pause" if pause.own else None,
        due_key=None,
        due_on=None,
        send_at=at if of_plan else _on_working_day(at, times),
    )
    return _Wanted(notice, _Rank.RESUMED, at + _RESUMED_MAY_WAIT)


def _after_resumed(wanted: _Wanted, resumed_at: datetime, pause_ends_at: datetime) -> _Wanted | None:
    """Let a notice follow the words that notices begin again; None where it cannot wait so long."""
    wait = AFTER_RESUMED if wanted.rank is _Rank.LADDER else _DAY
    if not pause_ends_at <= wanted.notice.send_at < resumed_at + wait:
        return wanted
    later = resumed_at + wait
    return replace(wanted, notice=replace(wanted.notice, send_at=later)) if later <= wanted.latest else None


def _place(
    wanted: _Wanted | None, slots: Slots, now: datetime, is_crowded: Callable[[datetime], bool] = lambda _: False
) -> PlannedNotice | None:
    """Take the first free place, day by day; None where there is none in time. Collection waits for a working day."""
    if wanted is None:
        return None
    at, collects = wanted.notice.send_at, wanted.notice.purpose is Purpose.COLLECTION
    while at <= wanted.latest:
        is_open = not collects or is_working_day(business_date(at))
        if at > now and is_open and not is_crowded(at) and slots.fits(at):
            slots.take(at)
            return replace(wanted.notice, send_at=at)
        at += _DAY
    return None


def _place_step(
    wanted: _Wanted, slots: Slots, now: datetime, steps: list[datetime], per_thirty_days: int
) -> PlannedNotice | None:
    """Place a step of the ladder: not too many of them within thirty days."""

    def is_crowded(at: datetime) -> bool:
        around = [*(step for step in steps if abs(step - at) < _THIRTY_DAYS), at]
        return any(sum(end - _THIRTY_DAYS < one <= end for one in around) > per_thirty_days for end in around)

    placed = _place(wanted, slots, now, is_crowded)
    if placed is not None:
        steps.append(placed.send_at)
    return placed
