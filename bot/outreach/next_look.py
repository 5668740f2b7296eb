"""When a borrower's notices are to be planned again though nothing has happened. Pure.

A plan stays as it is until a fact changes, a notice is decided, or one of the days below comes: whoever has none of
these ahead need not be looked at. That nothing is overlooked is a property test
(``tests/property/test_notice_planning.py``): on every night before the next look the plan is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from bot.clock import SHANGHAI, business_date, local
from bot.outreach.facts import Facts
from bot.outreach.gate import Limits
from bot.outreach.ladder import Ladder
from bot.outreach.notice import PlannedNotice, Topic
from bot.outreach.planning import FOR_GOOD, HORIZON, NO_LADDER, is_written_about, step_days
from bot.outreach.slots import SendingTime
from bot.outreach.wishes import ContactWishes

SMALL_HOURS = time(2, 0)
"""When borrowers are planned again, Asia/Shanghai: a day has begun, and nobody is written to yet."""

LONGEST = timedelta(days=28)
"""Whoever has something ahead is looked at so often in any case, so that an error in the records does not last."""

_DAY = timedelta(days=1)


def next_look(
    facts: Facts,
    plan: tuple[PlannedNotice, ...],
    wishes: ContactWishes,
    ladder: Ladder,
    now: datetime,
    limits: Limits | None = None,
) -> datetime | None:
    """Return the small hours (aware) in which time alone may have changed ``plan``, made of these facts at ``now``.

    None when time alone changes nothing any more; what else could is a change of the facts.
    """
    if facts.holds & FOR_GOOD:
        return None
    times = SendingTime.of(wishes, limits or Limits())
    ahead = [at for at in _turns(facts, plan, wishes, ladder, times, now) if at > now]
    if not ahead and not plan:
        return None
    return small_hours_from(min([*ahead, now + LONGEST]))


def small_hours_from(instant: datetime) -> datetime:
    """Return the first small hours that are not before an instant (aware)."""
    day = local(instant).date()
    at = datetime.combine(day, SMALL_HOURS, tzinfo=SHANGHAI)
    return at if at >= instant else at + _DAY


def _turns(
    facts: Facts,
    plan: tuple[PlannedNotice, ...],
    wishes: ContactWishes,
    ladder: Ladder,
    times: SendingTime,
    now: datetime,
) -> Iterator[datetime]:
    """Yield instants, past ones too, at which something that the plan is made of turns."""
    if facts.changes_at is not None:
        yield facts.changes_at
    for part in facts.instalments:
        yield _begin(part.due_on + _DAY)  # it is late now, and the place after it is free
    for quiet in (*(part.quiet_until for part in facts.instalments), *(debt.quiet_until for debt in facts.debts)):
        if quiet is not None:
            yield quiet
    yield from _of_pause(facts, plan, now)
    if not facts.holds & NO_LADDER:
        yield from _of_ladder(facts, wishes, ladder, times, now)
    elif any(is_written_about(debt, ladder) and debt.due_on >= business_date(now) for debt in facts.debts):
        yield from (_begin(debt.due_on + _DAY) for debt in facts.debts)


def _of_pause(facts: Facts, plan: tuple[PlannedNotice, ...], now: datetime) -> Iterator[datetime]:
    pause = facts.pause
    if pause is None:
        return
    yield pause.ends_at
    told = f"resumed:{pause.hold_id}" in facts.done or any(notice.topic is Topic.RESUMED for notice in plan)
    if not told:  # no place was free for the words that have to come first: there may be one tomorrow
        yield _begin(business_date(now) + _DAY)


def _of_ladder(
    facts: Facts, wishes: ContactWishes, ladder: Ladder, times: SendingTime, now: datetime
) -> Iterator[datetime]:
    last_day = ladder.days[-1] + ladder.days_late
    # Who left notices unanswered has one step ahead, the first; the words after a pause need something to follow them.
    waits_for_a_step = facts.unanswered > 0 or facts.pause is not None
    for debt in facts.debts:
        if not is_written_about(debt, ladder) or (business_date(now) - debt.due_on).days > last_day:
            continue
        yield _begin(debt.due_on + _DAY)
        yield _begin(debt.due_on + (max(debt.grace_days, 0) + 1) * _DAY)
        yield _begin(debt.due_on + (last_day + 1) * _DAY)
        for _, on in step_days(debt, wishes, ladder, now):
            yield times.on(on) - HORIZON
            if waits_for_a_step:
                yield times.on(on + ladder.days_late * _DAY) + timedelta(seconds=1)  # too late for it from now on
        if wishes.day_of_month is not None:
            yield _begin((business_date(now).replace(day=1) + 31 * _DAY).replace(day=1))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=SHANGHAI)
