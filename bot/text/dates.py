"""Calendar days as borrowers write them, read against an explicit today.

Rules: weeks start on Monday, 下周 is the next Monday-week; a bare day of the month (15号) is the next one still to
come unless the clause is clearly about the past; 月底 and 年底 are last days; X之前 is X; N天后 adds N days, half a
month being 15; what is vague (过几天, 下个月) or impossible (2月30号) is unresolved, never guessed.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.text.date_patterns import (
    AFTER_FEAST,
    ALONE,
    BARE_DAY,
    COMPACT,
    FEAST,
    FEASTS,
    FULL,
    FUTURE,
    ISO,
    JOIN,
    LATER,
    MONTH_DAY,
    MONTH_ONLY,
    MONTH_PART,
    MONTH_SHIFTS,
    PASSING,
    PAST,
    PAST_BEFORE,
    RELATIVE_DAY,
    RELATIVE_MONTH,
    TODAY_WORDS,
    TWO_DAYS,
    VAGUE,
    WEAK,
    WEAK_ALONE,
    WEAK_CUE,
    WEEK,
    WEEKDAYS,
    WHOLE_WEEK,
    YEAR_PART,
)
from bot.text.numerals import parse_integer
from bot.text.reading import Claims, Reading


@dataclass(frozen=True, slots=True)
class DateValue:
    """A calendar day in the borrower's time zone; ``day`` is None when it was vague or impossible (unresolved)."""

    day: date | None


_UNRESOLVED = DateValue(None)


def find_dates(text: str, today: date, *, expected: bool = False) -> list[Reading[DateValue]]:
    """Return the days named in ``text`` (unified characters) as seen from ``today``; overlaps are the caller's.

    With ``expected`` (a form asked for a day) 宽限三天 is today and three days, and 12-15 alone is a day; otherwise
    only spans that say when they end (三天后, 三天内) are. Days joined by 到, 或 and the like are one unresolved
    reading. Never raises.
    """
    found: list[Reading[DateValue]] = []
    claims = Claims()
    for pattern, resolve in _RULES:
        for match in pattern.finditer(text):
            value = resolve(match, text, today)
            if value is not None and claims.claim(match.start(), match.end()):
                found.append(Reading(match.start(), match.end(), value))
    if not any(reading.payload.day for reading in found):
        # 过几天, 等宽裕了: a day named in the same message explains them.
        vague = [match for match in VAGUE.finditer(text) if claims.claim(match.start(), match.end())]
        found += [Reading(match.start(), match.end(), _UNRESOLVED) for match in vague]
    if expected and not found:
        found = _expected_days(text, today)
    return _joined(text, sorted(found, key=lambda r: r.start))


def _expected_days(text: str, today: date) -> list[Reading[DateValue]]:
    if weak := WEAK_ALONE.fullmatch(text):
        value = _weak_day(weak, today, past=False)
        return [] if value is None else [Reading(weak.start("month"), weak.end("day"), value)]
    alone = ALONE.fullmatch(text)
    matches = [alone] if alone else PASSING.finditer(text)
    return [Reading(m.start("count"), m.end(), _after_span(m, today, 1)) for m in matches]


def _joined(text: str, readings: list[Reading[DateValue]]) -> list[Reading[DateValue]]:
    """Make one unresolved reading of days offered as alternatives or as the ends of a range."""
    joined: list[Reading[DateValue]] = []
    for reading in readings:
        if joined and JOIN.fullmatch(text, joined[-1].end, reading.start):
            joined[-1] = Reading(joined[-1].start, reading.end, _UNRESOLVED)
        else:
            joined.append(reading)
    return joined


Resolver = Callable[[re.Match[str], str, date], DateValue | None]


def _make(year: int, month: int, day: int) -> DateValue:
    try:
        return DateValue(date(year, month, day))
    except ValueError:
        return _UNRESOLVED


def _is_past(match: re.Match[str], text: str) -> bool:
    """Tell whether the clause around a day looks back."""
    after = re.split(r"[,。!?;\n]", text[match.end() : match.end() + 16], maxsplit=1)[0]
    before = re.split(r"[,。!?;\n]", text[max(0, match.start() - 8) : match.start()])[-1]
    if FUTURE.search(after):
        return "已经" in before or "已经" in after
    return PAST.search(after) is not None or (PAST_BEFORE.search(before) is not None and not FUTURE.search(before))


def _year(text: str, today: date) -> int | None:
    shifts = {"今": 0, "本": 0, "明": 1, "后": 2, "去": -1, "前": -2, "大前": -3}
    if text in shifts:
        return today.year + shifts[text]
    if text.startswith("民国"):
        text = text.removeprefix("民国")
        return int(text) + 1911
    value = parse_integer(text)
    if value is None:
        return None
    if value < 100:
        return 2000 + value
    # Years of the Republic, as Taiwan counts them.
    return value + 1911 if value < 200 else value


def _last_day(year: int, month: int) -> DateValue:
    return _make(year, month, monthrange(year, month)[1]) if 1 <= month <= 12 else _UNRESOLVED


def _part_of_month(year: int, month: int, part: str) -> DateValue:
    """底 and 末 are the last day; 初, 中 and the ten-day thirds name no day."""
    is_last = part.strip("月的") in ("底", "末", "尾", "最后一天", "最后一日")
    return _last_day(year, month) if is_last else _UNRESOLVED


def _full(match: re.Match[str], text: str, today: date) -> DateValue | None:
    year, month = _year(match["year"], today), parse_integer(match["month"])
    if year is None or month is None:
        return None
    if match["part"]:
        return _part_of_month(year, month, match["part"])
    day = parse_integer(match["day"]) if match["day"] else None
    return _make(year, month, day) if day is not None else _UNRESOLVED


def _numeric(match: re.Match[str], text: str, today: date) -> DateValue | None:
    return _make(int(match["year"]), int(match["month"]), int(match["day"]))


def _compact(match: re.Match[str], text: str, today: date) -> DateValue | None:
    value = _numeric(match, text, today)
    return value if value is not None and value.day is not None else None


def _month_day(match: re.Match[str], text: str, today: date) -> DateValue | None:
    month = parse_integer(match["month"])
    if month is None:
        return None
    if not 1 <= month <= 12:
        return _UNRESOLVED
    past = _is_past(match, text)
    if match["part"]:
        value = _part_of_month(today.year, month, match["part"])
        if value.day is None:
            return _UNRESOLVED
        return _part_of_month(_nearest_year(value.day, today, past), month, match["part"])
    day = parse_integer(match["day"])
    if day is None or not 1 <= day <= monthrange(2024, month)[1]:
        return _UNRESOLVED
    return _nearest(month, day, today, past)


def _nearest(month: int, day: int, today: date, past: bool) -> DateValue:
    """Return the day of that name that comes next, or came last; unresolved where that year has no 29 February."""
    is_missing = (month, day) == (2, 29) and not isleap(today.year)
    return _make(_nearest_year(date(today.year, month, 28 if is_missing else day), today, past), month, day)


def _nearest_year(this_year: date, today: date, past: bool) -> int:
    """Return the year in which that day comes next, or came last."""
    if past:
        return today.year if this_year <= today else today.year - 1
    return today.year if this_year >= today else today.year + 1


def _month_only(match: re.Match[str], text: str, today: date) -> DateValue | None:
    month = parse_integer(match["month"])
    return _UNRESOLVED if month is not None and 1 <= month <= 12 else None


def _weak(match: re.Match[str], text: str, today: date) -> DateValue | None:
    """12/15 is a day when it can be one; 12-15 and 12.15, being ranges and sums as well, need a cue."""
    after = text[match.end() :][:6].strip()
    if match["mark"] is None:
        if match["sep"] == "." and not WEAK_CUE.match(after):
            return None
        # 3-5还 may be a range of anything.
        if match["sep"] == "-" and not after.startswith(("之前", "以前", "前")):
            return None
    return _weak_day(match, today, past=_is_past(match, text))


def _weak_day(match: re.Match[str], today: date, *, past: bool) -> DateValue | None:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= monthrange(2024, month)[1]):
        return None
    return _nearest(month, day, today, past)


def _shift_month(today: date, months: int) -> tuple[int, int]:
    index = today.year * 12 + today.month - 1 + months
    return index // 12, index % 12 + 1


def _relative_month(match: re.Match[str], text: str, today: date) -> DateValue | None:
    year, month = _shift_month(today, MONTH_SHIFTS[match["which"]])
    if match["part"]:
        return _part_of_month(year, month, match["part"])
    if match["day"]:
        day = parse_integer(match["day"])
        return None if day is None else _make(year, month, day)
    if match["which"] in ("这", "本", "今", "当", "上", "上上"):
        # 这个月还不上 and 上个月 name a time, not a day anyone waits for.
        return None
    return _UNRESOLVED


def _month_part(match: re.Match[str], text: str, today: date) -> DateValue | None:
    if text[match.end() : match.end() + 1] in ("国", "东", "部"):
        return None
    return _part_of_month(today.year, today.month, match["part"])


def _bare_day(match: re.Match[str], text: str, today: date) -> DateValue | None:
    day = parse_integer(match["day"])
    if match["second"]:
        second = parse_integer(match["second"])
        return _UNRESOLVED if day is not None and second is not None and 1 <= day <= 31 and second <= 31 else None
    if day is None or day > 39:
        return None
    if not 1 <= day <= 31:
        return _UNRESOLVED
    step = -1 if _is_past(match, text) else 1
    for months in range(12):
        year, month = _shift_month(today, step * months)
        if day <= monthrange(year, month)[1]:
            candidate = date(year, month, day)
            if (candidate <= today) if step < 0 else (candidate >= today):
                return DateValue(candidate)
    return _UNRESOLVED


def _year_part(match: re.Match[str], text: str, today: date) -> DateValue | None:
    year = _year(match["year"].removesuffix("年"), today) if match["year"] else today.year
    if year is None or match["part"].strip("年") in ("初", "中"):
        return _UNRESOLVED
    return DateValue(date(year, 12, 31))


def _relative_day(match: re.Match[str], text: str, today: date) -> DateValue | None:
    word = match.group().replace("大后日", "大后天").replace("大前日", "大前天").replace("聽日", "明天")
    return DateValue(today + timedelta(days=TODAY_WORDS[word]))


def _unresolved(match: re.Match[str], text: str, today: date) -> DateValue | None:
    return _UNRESOLVED


def _week(match: re.Match[str], text: str, today: date) -> DateValue | None:
    which = (match["which"] or "").removesuffix("个")
    monday = today - timedelta(days=today.weekday())
    shift = {"下下": 14, "下": 7, "这": 0, "本": 0, "上": -7, "上上": -14}.get(which)
    if match["weekday"] == "末":
        # Saturday or Sunday: two days.
        return _UNRESOLVED
    offset = WEEKDAYS[match["weekday"]]
    if shift is not None:
        return DateValue(monday + timedelta(days=shift + offset))
    day = monday + timedelta(days=offset)
    if _is_past(match, text):
        return DateValue(day if day <= today else day - timedelta(days=7))
    return DateValue(day if day >= today else day + timedelta(days=7))


def _whole_week(match: re.Match[str], text: str, today: date) -> DateValue | None:
    return _UNRESOLVED if match["which"] in ("下", "下下") else None


def _later(match: re.Match[str], text: str, today: date) -> DateValue | None:
    mark = match["mark"]
    if mark in ("前", "以前", "之前"):
        if match["unit"] == "年":
            # 五年前 names no day.
            return _UNRESOLVED
        return _after_span(match, today, -1)
    return _after_span(match, today, 1)


def _after_span(match: re.Match[str], today: date, sign: int) -> DateValue:
    """Add a span to today; one that is a range or open (两三天, 几天, 十来天) names no day."""
    count_text, unit = match["count"], match["unit"]
    if match["count2"] or match["more"] or any(c in count_text for c in "几来"):
        return _UNRESOLVED
    if count_text == "半":
        days = {"个月": 15, "月": 15}.get(unit)
        return (
            DateValue(today + timedelta(days=sign * days))
            if days
            else (_add_months(today, 6 * sign) if unit == "年" else _UNRESOLVED)
        )
    pair = re.fullmatch(r"[一二两三四五六七八][二两三四五六七八九]", count_text)
    count = None if pair else parse_integer(count_text)
    if count is None or count > 3660:
        return _UNRESOLVED
    if "小时" in unit:
        return DateValue(today + timedelta(days=sign * count // 24)) if count % 24 == 0 else _UNRESOLVED
    if unit in ("天", "日"):
        return DateValue(today + timedelta(days=sign * count)) if not match["half"] else _UNRESOLVED
    if "星期" in unit or "礼拜" in unit or unit == "周":
        return DateValue(today + timedelta(days=sign * 7 * count)) if count < 520 else _UNRESOLVED
    if count > 120:
        return _UNRESOLVED
    if unit == "个半月":
        base = _add_months(today, sign * count).day
        return DateValue(base + timedelta(days=sign * 15)) if base else _UNRESOLVED
    if unit == "年":
        return _add_months(today, sign * (12 * count + (6 if match["half"] else 0)))
    return _add_months(today, sign * count)


def _add_months(today: date, months: int) -> DateValue:
    year, month = _shift_month(today, months)
    return _make(year, month, min(today.day, monthrange(year, month)[1])) if 1 <= year <= 9999 else _UNRESOLVED


def _feast(match: re.Match[str], text: str, today: date) -> DateValue | None:
    if AFTER_FEAST.match(text, match.end()):
        return _UNRESOLVED
    month, day = FEASTS[match.group().replace("国庆节", "国庆").replace("圣诞节", "圣诞")]
    return _nearest(month, day, today, _is_past(match, text))


# Earlier rules win where two would read the same characters.
_RULES: tuple[tuple[re.Pattern[str], Resolver], ...] = (
    (FULL, _full),
    (ISO, _numeric),
    (COMPACT, _compact),
    (MONTH_DAY, _month_day),
    (RELATIVE_MONTH, _relative_month),
    (YEAR_PART, _year_part),
    (LATER, _later),
    (FEAST, _feast),
    (TWO_DAYS, _unresolved),
    (RELATIVE_DAY, _relative_day),
    (WEEK, _week),
    (WHOLE_WEEK, _whole_week),
    (MONTH_PART, _month_part),
    (BARE_DAY, _bare_day),
    (WEAK, _weak),
    (MONTH_ONLY, _month_only),
)
