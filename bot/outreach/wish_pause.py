"""Reading until when somebody wants to be left alone. Pure; see ``wish_reading``."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from bot.outreach import wish_words as words
from bot.outreach.wish_change import Pause
from bot.text.dates import DateValue
from bot.text.numerals import parse_integer
from bot.text.values import Value

OPEN_END = timedelta(days=14)
"""A pause without an end lasts so long; the day is said back, and a later one can be named (†)."""

_LONGEST_MONTHS = 120
_TODAY = re.compile(r"今天|今日|今儿|今晚")
_TWO_DAYS = re.compile(r"这两天|这两日|今明两天")
_THIS_WEEK = re.compile(r"(?:这|本|今)(?:个)?(?:周|星期|礼拜)(?![一二三四五六日天1-7])")
_NEXT_WEEK = re.compile(r"下(?:个)?(?:周|星期|礼拜)(?![一二三四五六日天末1-7])")
_THIS_MONTH = re.compile(r"(?:这|本|今)(?:个)?月(?!底|末|[一二三\d])|当月")
_NEXT_MONTH = re.compile(r"(?<!下)(?:下(?:个)?月|次月)(?!底|末|初[一二三]|[一二三四五六七八九十\d])")
_THIS_YEAR = re.compile(r"今年(?!底|末)")
_NEXT_YEAR = re.compile(r"明年|开年|来年")
_THROUGH = re.compile(rf" ?(?:也|都|一整个?|整个|全部?|先|就)?{words.NOT}")
_UNTIL = re.compile(r"^ ?(?:号|日)?(?:之前|以前|前|为止|再|之后|以后|后|先|都|别|不|莫|$)")


def read_pause(values: Sequence[Value], text: str, today: date, *, refuses: bool) -> Pause | None:
    """Return until when to be silent, or None when no pause was asked for.

    ``refuses`` says that the message also says not to write. The pause ends at the beginning of the day it names, so
    that 这周别发 ends on Monday. Without a day (过几天再说) it has an open end.
    """
    again = words.CONTACT_AGAIN.search(text) is not None
    pauses = words.PAUSE.search(text) is not None
    if not (refuses or again or pauses) or words.FROM_NOW.search(text) or words.LATER_TODAY.search(text):
        return None
    until = _named_period(text, today) or _named_day(values, text, today, again=again, pauses=pauses)
    if until is None:
        until = _span(text, today)
    if until is not None:
        return Pause(until) if until > today else None
    return (
        Pause(today + OPEN_END, is_open_end=True) if _has_open_end(values, text, again=again, pauses=pauses) else None
    )


def _named_period(text: str, today: date) -> date | None:
    """这周 and 下个月 as periods: silent through 这周 and 下周别发, up to 下周再说."""
    monday = today - timedelta(days=today.weekday())
    if _THIS_WEEK.search(text):
        return monday + timedelta(days=7)
    if week := _NEXT_WEEK.search(text):
        return monday + timedelta(days=14 if _THROUGH.match(text, week.end()) else 7)
    if month := _NEXT_MONTH.search(text):
        return _first_of_month(today, 2 if _THROUGH.match(text, month.end()) else 1)
    if _THIS_MONTH.search(text):
        return _first_of_month(today, 1)
    if _NEXT_YEAR.search(text) or _THIS_YEAR.search(text):
        return date(today.year + 1, 1, 1)
    if _TWO_DAYS.search(text):
        return today + timedelta(days=2)
    if _TODAY.search(text):
        return today + timedelta(days=1)
    return None


def _named_day(values: Sequence[Value], text: str, today: date, *, again: bool, pauses: bool) -> date | None:
    """Up to a day that is named as an end; through a day that is only named (明天别发)."""
    for value in values:
        if not isinstance(value.payload, DateValue) or value.payload.day is None:
            continue
        day = value.payload.day
        written = text[value.start : value.end]
        is_end = again or pauses or re.search(r"前|到|内$|后$", written) or _UNTIL.match(text[value.end :])
        if re.match(r"^ ?(?:之前|以前|前|为止)", text[value.end :]) or (
            is_end and not _only_that_day(written, text, value)
        ):
            return day
        return day + timedelta(days=1)
    return None


def _only_that_day(written: str, text: str, value: Value) -> bool:
    """明天别发, 周五不要发: that day only."""
    spoken_of = re.search(r"明|后天|周|星期|礼拜", written) is not None and not re.search(r"[前到内后]$", written)
    return (
        spoken_of
        and not words.CONTACT_AGAIN.search(text, value.end)
        and not re.match(r"^ ?(?:之前|以前|前)", text[value.end :])
    )


def _span(text: str, today: date) -> date | None:
    match = words.SILENT_SPAN.search(text)
    if match is None:
        return None
    written, unit = match["count"] or match["count2"], (match["unit"] or match["unit2"]).removeprefix("个")
    if written == "半":
        return today + timedelta(days=15) if "月" in unit else _later_month(today, 6) if unit == "年" else None
    count = parse_integer(written)
    if count is None or not 1 <= count <= _LONGEST_MONTHS:
        return None
    if unit in ("天", "日"):
        return today + timedelta(days=count)
    if unit in ("周", "星期", "礼拜"):
        return today + timedelta(days=7 * count)
    if unit == "半月":
        return _later_month(today, count) + timedelta(days=15)
    return _later_month(today, count * (12 if unit == "年" else 1))


def _has_open_end(values: Sequence[Value], text: str, *, again: bool, pauses: bool) -> bool:
    if words.OPEN_END.search(text):
        return True
    unresolved = any(isinstance(value.payload, DateValue) and value.payload.day is None for value in values)
    if words.PAUSE_UNTIL_LATER.search(text):
        return True
    return (again or pauses) and (unresolved or re.search(r"先|等|现在|好了|完", text) is not None)


def _first_of_month(today: date, months: int) -> date:
    return _later_month(today.replace(day=1), months)


def _later_month(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month that has no such day."""
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, index + 1, min(day.day, calendar.monthrange(year, index + 1)[1]))
