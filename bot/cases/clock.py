"""By when a case has to be answered, and when somebody is alarmed before that. Days are calendar days in Asia/Shanghai.

The days of the rule are counted as calendar days, the day of receipt not among them (Civil Code art. 201). A last day
that nobody works on is not put off, though art. 203 would allow it: the answer is then due on the working day before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from bot.cases.kinds import Family

COMPLAINT_DAYS = (15, 30, 60)
"""Simple, complex, special circumstances: 银行业保险业消费投诉处理管理办法 (银保监会令 2020 年第 3 号), rule C2."""

DISPUTE_DAYS = (15, 30)
"""No rule sets one for a dispute with the lender itself: ours, not longer than for a complaint (†)."""

DATA_DAYS = (15, 30)
"""Personal Information Protection Law art. 50 asks for a timely answer and names no days: ours, rule P5 (†)."""

SOON = 3
"""So many working days before an answer is due somebody is alarmed for the first time."""

_DAY = timedelta(days=1)


class Alarm(StrEnum):
    """How near the end of the clock is; each is raised once, in this order."""

    NONE = "none"
    SOON = "soon"
    LAST_DAY = "last_day"
    OVERDUE = "overdue"


def most_extensions(family: Family) -> int:
    """How often the time for an answer may be extended."""
    return len(_days(family)) - 1


def due_on(family: Family, received_on: date, extensions: int) -> date:
    """Return the last day for an answer, counted from the day of receipt.

    Raises:
        ValueError: the rule knows no such number of extensions.
    """
    if not 0 <= extensions <= most_extensions(family):
        raise ValueError(f"{family.value}: no {extensions} extensions")
    return received_on + timedelta(days=_days(family)[extensions])


def act_by(last_day: date, is_working_day: Callable[[date], bool]) -> date:
    """Return the last working day on or before the last day for an answer: when it is due within the desk."""
    while not is_working_day(last_day):
        last_day -= _DAY
    return last_day


def alarm_on(last_day: date, today: date, is_working_day: Callable[[date], bool]) -> Alarm:
    """Return how near the end is on a day."""
    if today > last_day:
        return Alarm.OVERDUE
    end = act_by(last_day, is_working_day)
    if today >= end:
        return Alarm.LAST_DAY
    soon, left = end, SOON
    while left:
        soon -= _DAY
        left -= is_working_day(soon)
    return Alarm.SOON if today >= soon else Alarm.NONE


def is_worse(alarm: Alarm, than: Alarm) -> bool:
    """Whether an alarm comes after another."""
    order = tuple(Alarm)
    return order.index(alarm) > order.index(than)


def _days(family: Family) -> tuple[int, ...]:
    return {Family.COMPLAINT: COMPLAINT_DAYS, Family.DISPUTE: DISPUTE_DAYS, Family.DATA: DATA_DAYS}[family]
