"""Every value in a message, in one call: amounts, dates, months, monthly days, percentages, times of day."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.text.alignment import Aligned, unify_characters
from bot.text.amounts import AmountRange, find_amounts
from bot.text.clock import TimeOfDay, find_times_of_day
from bot.text.dates import DateValue, find_dates
from bot.text.lookalikes import mask_lookalikes
from bot.text.numerals import INTEGER, correct_numerals, parse_integer
from bot.text.percents import Percent, find_percents
from bot.text.periods import (
    DayOfMonth,
    MonthCount,
    find_days_of_month,
    find_month_counts,
)
from bot.text.reading import Claims, Reading

SHANGHAI = ZoneInfo("Asia/Shanghai")

Payload = AmountRange | DateValue | MonthCount | DayOfMonth | Percent | TimeOfDay


class ValueKind(StrEnum):
    """What a value measures."""

    AMOUNT = "amount"
    DATE = "date"
    MONTHS = "months"
    DAY_OF_MONTH = "day_of_month"
    PERCENT = "percent"
    TIME_OF_DAY = "time_of_day"


@dataclass(frozen=True, slots=True)
class Value:
    """One value at ``start:end`` (half-open) of the message as it was typed.

    The payload's type follows ``kind``. ``bare`` marks a number that the message does not explain (1500, 六千): a
    form that asked for an amount may take it, free reading should not.
    """

    kind: ValueKind
    start: int
    end: int
    payload: Payload
    bare: bool = False


ALL_KINDS = frozenset(ValueKind)

# Where two kinds read the same words the earlier wins, unless only the later was asked for.
_CALENDAR = (ValueKind.DATE, ValueKind.DAY_OF_MONTH, ValueKind.MONTHS)
_ORDER = (
    ValueKind.DAY_OF_MONTH,
    ValueKind.DATE,
    ValueKind.PERCENT,
    ValueKind.TIME_OF_DAY,
    ValueKind.MONTHS,
)


def extract(text: str, now: datetime, kinds: frozenset[ValueKind] | None = None) -> tuple[Value, ...]:
    """Return the values in ``text``, left to right and without overlaps.

    ``now`` must be aware; dates are counted from its day in Asia/Shanghai. ``kinds`` says what is asked for (None:
    everything) and settles what could be two things: 15号 is the next 15th, but the monthly 15th when only a
    monthly day is wanted; 12 alone is twelve months when only months are (``bare``).

    What only looks like a value (telephone numbers, hotlines, ID digits, ages, ordinals, idioms) is never read;
    what is vague is unresolved or a range, never guessed.

    Raises ValueError when ``now`` is naive; never for any text.
    """
    if now.tzinfo is None or now.utcoffset() is None:
        raise ValueError("now must be timezone-aware")
    asked = ALL_KINDS if kinds is None else kinds
    aligned = unify_characters(Aligned.of(text))
    readable = mask_lookalikes(correct_numerals(aligned.text))
    found = _find_all(readable, now, asked)
    occupied = Claims()
    values: list[Value] = []
    for kind in _precedence(asked):
        claimed = [reading for reading in found[kind]() if occupied.claim(reading.start, reading.end)]
        if kind in asked:
            values += [_located(kind, reading, aligned) for reading in claimed]
    if not values and (count := _bare_count(readable, aligned, asked)):
        values.append(count)
    return tuple(sorted(values, key=lambda value: value.start))


_COUNT_ALONE = re.compile(rf"[ 就要分成改到那嗯大概]{{0,4}}(?P<count>{INTEGER})[ 吧呢啊可以行吗左右,。.!?~]{{0,5}}")


def _bare_count(text: str, aligned: Aligned, asked: frozenset[ValueKind]) -> Value | None:
    """Read a number alone as the answer to 'how many months' or 'which day of the month'."""
    match = _COUNT_ALONE.fullmatch(text) if len(asked) == 1 else None
    number = parse_integer(match["count"]) if match else None
    if match is None or number is None:
        return None
    start, end = aligned.spans[match.start("count")][0], aligned.spans[match.end("count") - 1][1]
    if asked == {ValueKind.MONTHS} and 1 <= number <= 120:
        return Value(ValueKind.MONTHS, start, end, MonthCount(number, number), bare=True)
    if asked == {ValueKind.DAY_OF_MONTH} and 1 <= number <= 31:
        return Value(ValueKind.DAY_OF_MONTH, start, end, DayOfMonth(number), bare=True)
    return None


def _find_all(
    text: str, now: datetime, asked: frozenset[ValueKind]
) -> dict[ValueKind, Callable[[], Iterable[Reading[Payload]]]]:
    today = now.astimezone(SHANGHAI).date()
    wants_date = ValueKind.DATE in asked and ValueKind.MONTHS not in asked
    wants_monthly_day = ValueKind.DAY_OF_MONTH in asked and ValueKind.DATE not in asked
    return {
        ValueKind.AMOUNT: lambda: find_amounts(text),
        ValueKind.DATE: lambda: find_dates(text, today, expected=wants_date),
        ValueKind.MONTHS: lambda: find_month_counts(text),
        ValueKind.DAY_OF_MONTH: lambda: find_days_of_month(text, any_day=wants_monthly_day),
        ValueKind.PERCENT: lambda: find_percents(text),
        ValueKind.TIME_OF_DAY: lambda: find_times_of_day(text),
    }


def _precedence(asked: frozenset[ValueKind]) -> list[ValueKind]:
    """Order the kinds: among those that read a calendar, what was asked for goes first; amounts are what is left."""
    wanted = [kind for kind in _ORDER if kind in _CALENDAR and kind in asked]
    return [*wanted, *(kind for kind in _ORDER if kind not in wanted), ValueKind.AMOUNT]


def _located(kind: ValueKind, reading: Reading[Payload], aligned: Aligned) -> Value:
    start, end = aligned.spans[reading.start][0], aligned.spans[reading.end - 1][1]
    return Value(kind, start, end, reading.payload, reading.bare)
