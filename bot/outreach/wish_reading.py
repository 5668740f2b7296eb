"""Reading what somebody says about being written to. Only reading: nothing is changed here. Pure.

Texts are normalised (``bot.text.normalize``) and values extracted from that same text (``bot.text.values``). What has
two readings is asked about, what cannot be is refused with what comes nearest; neither is guessed or dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.clock import business_date
from bot.outreach import wish_words as words
from bot.outreach.gate import Limits
from bot.outreach.wish_change import (
    MOST_DAYS_BEFORE,
    AskWhy,
    Change,
    Channel,
    Impossible,
    Nothing,
    Obstacle,
    Question,
    Reset,
    Resume,
    Show,
    Stop,
    Unclear,
    WishChange,
)
from bot.outreach.wish_hours import read_hours
from bot.outreach.wish_pause import read_pause
from bot.text.dates import DateValue
from bot.text.numerals import parse_integer
from bot.text.periods import DayOfMonth
from bot.text.values import Value

_LAST_DAY = 31
_MARKS = ",。;!? "


@dataclass(frozen=True, slots=True)
class _Found:
    """One wish as it was found: a value, or why there is none."""

    day_of_month: int | None = None
    days_before: int | None = None
    channel: Channel | None = None
    per_seven_days: int | None = None
    trouble: Impossible | Unclear | None = None


def read_contact_wish(
    values: Sequence[Value], plain_text: str, now: datetime, limits: Limits | None = None
) -> WishChange:
    """Return what a message asks about reminders. Total: never raises for any text.

    ``values`` are those of ``plain_text``, ``now`` is aware. ``limits`` give the hours that can be wished for.
    """
    limits = limits or Limits()
    text = plain_text
    if words.WHY_AGAIN.search(text):
        return AskWhy()
    if not text or _is_kept(text):
        return Nothing()
    rest = _without_calls(text)
    refuses = words.NO_CONTACT.search(rest) is not None or words.STOP.search(rest) is not None
    if refuses and (words.NOT_TO_OTHERS.search(text) or words.FROM_NOW.search(text)):
        return Stop()
    change = _read_change(values, text, limits, refuses=refuses)
    if change.quiet is None and change.day_of_month is None and not _is_about(change.beside, Obstacle.DAYS_OF_WEEK):
        pause = read_pause(values, text, business_date(now), refuses=refuses)
        wants_a_day = _is_about(change.beside, Obstacle.ONE_DAY_ONLY) and not words.CONTACT_AGAIN.search(text)
        if pause is not None and not wants_a_day:
            return pause
    if not change.says_nothing and not (change == Change(per_seven_days=1) and words.STOP.search(text)):
        return change
    if words.RESET.search(text):
        return Reset()
    if words.RESUME.search(text) and not re.search(rf"{words.NOT}(?:给我)?(?:恢复|重新|再)", text):
        return Resume()
    if change.beside is not None and not (refuses and _gives_way(change.beside)):
        return change.beside
    if refuses:
        return Stop()
    return Show() if words.SHOW.search(text) or words.ONCE_A_DAY.search(text) else Nothing()


def _without_calls(text: str) -> str:
    """不用打电话, 短信就行: the desk makes no calls, so that where more is said this refuses nothing."""
    rest = words.NO_CALLS.sub("", text)
    return rest if words.STAYS_WELCOME.search(rest) else text


def _is_about(trouble: Impossible | Unclear | None, why: Obstacle) -> bool:
    return isinstance(trouble, Impossible) and trouble.why is why


def _is_kept(text: str) -> bool:
    """短信别停啊: what is, is to stay."""
    return bool(words.NOT_STOPPING.search(text)) and not words.STOP.search(words.NOT_STOPPING.sub("", text))


def _gives_way(trouble: Impossible | Unclear) -> bool:
    """Whether a refusal of contact in the same message says more than this trouble."""
    if isinstance(trouble, Unclear):
        return trouble.what is not Question.HOUR
    return trouble.why not in (Obstacle.HOUR_CLOSED, Obstacle.DAYS_OF_WEEK, Obstacle.ONE_DAY_ONLY)


def _read_change(values: Sequence[Value], text: str, limits: Limits, *, refuses: bool) -> Change:
    hours = read_hours(values, text, limits)
    found = [
        _monthly_day(values, text),
        _days_before(text),
        _channel(text),
        _how_often(text, limits, refuses=refuses),
    ]
    troubles = [trouble for trouble in (hours.trouble, *(each.trouble for each in found)) if trouble is not None]
    troubles.sort(key=lambda trouble: _is_about(trouble, Obstacle.ONE_DAY_ONLY))
    return Change(
        quiet=hours.quiet,
        send_at=hours.send_at,
        day_of_month=found[0].day_of_month,
        days_before=found[1].days_before,
        channel=found[2].channel,
        per_seven_days=found[3].per_seven_days,
        beside=troubles[0] if troubles else None,
    )


def _monthly_day(values: Sequence[Value], text: str) -> _Found:
    monthly = [
        value
        for value in values
        if isinstance(value.payload, DayOfMonth)
        and not _refused_at(text, value)
        and not words.OTHER_EVENT.match(text, value.end)
    ]
    days = {payload.day for value in monthly if isinstance(payload := value.payload, DayOfMonth)}
    if len(days) > 1:
        return _Found(trouble=Unclear(Question.DAY_OF_MONTH))
    if not days and (written := words.MONTHLY_NUMBER.search(text)):
        number = parse_integer(written["day"])
        if number is not None and 1 <= number <= _LAST_DAY:
            return _Found(day_of_month=number)
    if days:
        (day,) = days
        return _Found(day_of_month=_LAST_DAY if day == "last" else day)
    if words.EVERY_WEEKDAY.search(text):
        return _Found(trouble=Impossible(Obstacle.DAYS_OF_WEEK))
    return _single_day(values, text)


def _single_day(values: Sequence[Value], text: str) -> _Found:
    """25号提醒我: one day, or every month? 改到25号 moves what comes every month."""
    if words.LATER_TODAY.search(text):
        return _Found(trouble=Impossible(Obstacle.ONE_DAY_ONLY))
    named = [value for value in values if isinstance(value.payload, DateValue) and not _refused_at(text, value)]
    asked = [value for value in named if _is_wanted(text, value)]
    asked = [value for value in asked if value.payload != DateValue(None)] or asked
    if words.DAYS_BEFORE.search(text):
        return _Found()
    if not asked:
        return _Found(trouble=Unclear(Question.DAY_OF_MONTH)) if words.PAY_DAY.search(text) else _Found()
    if len(asked) > 1:
        return _Found(trouble=Unclear(Question.DAY_OF_MONTH))
    value = asked[0]
    number = words.DAY_NUMBER.search(text[value.start : value.end].strip())
    day = parse_integer(number.group()[:-1]) if number else None
    if day is None and re.search(r"月(?:底|末|最后)", text[value.start : value.end]):
        day = _LAST_DAY
    moved = (
        words.SHIFTED.search(text[max(0, value.start - 6) : value.start])
        or words.MONTHLY.search(text)
        or any(_refused_at(text, each) for each in values if isinstance(each.payload, DateValue))
    )
    if day is not None and moved:
        return _Found(day_of_month=day)
    return _Found(trouble=Impossible(Obstacle.ONE_DAY_ONLY, day=day))


def _is_wanted(text: str, value: Value) -> bool:
    """Whether a notice is wished for on a day, and nothing else falls on it (10号发工资)."""
    if words.OTHER_EVENT.match(text, value.end):
        return False
    start = max(text.rfind(mark, 0, value.start) for mark in _MARKS) + 1
    ends = [place for mark in _MARKS if (place := text.find(mark, value.end)) >= 0]
    clause = text[start : min(ends, default=len(text))]
    if words.NO_CONTACT.search(clause):
        return False
    is_alone = clause.strip() == text[value.start : value.end].strip()
    return words.SENDING.search(text[value.end :] if is_alone else clause) is not None


def _refused_at(text: str, value: Value) -> bool:
    """1号别提醒, 从1号改到5号: this day is not the one that is wished for."""
    if words.MOVED_FROM.search(text[: value.start]) and words.SHIFTED.match(text, value.end):
        return True
    return (
        words.NO_CONTACT.match(text, value.end) is not None
        or re.search(rf"{words.NOT}(?:再)?(?:在)?$", text[: value.start]) is not None
    )


def _days_before(text: str) -> _Found:
    text = words.FROM_BEFORE.sub("", text)
    if words.SEVERAL_DAYS_BEFORE.search(text):
        return _Found(trouble=Unclear(Question.DAYS_BEFORE))
    counts: set[int] = set()
    for match in words.DAYS_BEFORE.finditer(text):
        if match["eve"]:
            counts.add(1)
            continue
        too_early = words.TOO_EARLY.match(text, match.end()) or words.NOT_SO_EARLY.search(text[: match.start()])
        if match["enough"] and not re.search(r"提前|提早|早|前", text):
            continue
        count = parse_integer(match["count"] or match["enough"])
        if count is not None and not too_early:
            counts.add(count * (7 if match["unit"] in ("周", "星期", "礼拜") else 1))
    if words.ON_THE_DAY.search(text) and not re.search(r"(?:当天|当日)(?:来不及|太晚)", text):
        counts.add(0)
    if len(counts) > 1:
        return _Found(trouble=Unclear(Question.DAYS_BEFORE))
    if counts:
        (days,) = counts
        if days > MOST_DAYS_BEFORE:
            return _Found(trouble=Impossible(Obstacle.TOO_MANY_DAYS_BEFORE))
        return _Found(days_before=days)
    if words.EARLIER.search(text) and re.search(r"提醒|通知|告诉|发|叫|喊|说", text):
        return _Found(trouble=Unclear(Question.DAYS_BEFORE))
    return _Found()


def _channel(text: str) -> _Found:
    if words.OTHER_NUMBER.search(text):
        return _Found(trouble=Impossible(Obstacle.OTHER_NUMBER))
    wanted: set[Channel] = set()
    refused: set[Channel] = set()
    for clause in re.split(r"[,。;!? ]", text):
        named = [(match, channel) for pattern, channel in words.CHANNELS for match in pattern.finditer(clause)]
        alone = len({channel for _, channel in named}) == 1
        barred = alone and (words.NO_CONTACT.search(clause) or words.STOP.search(clause)) is not None
        for match, channel in named:
            before, after = clause[: match.start()], clause[match.end() :]
            if barred or words.REJECTED_BEFORE.search(before) or words.REJECTED_AFTER.match(after):
                refused.add(channel)
            elif words.WANTED.search(text) and not (channel is Channel.OTHER and re.search(r"再[^,。]{0,4}$", before)):
                wanted.add(channel)
    wanted -= refused
    if len(wanted) == 1:
        (channel,) = wanted
        if channel is Channel.OTHER:
            return _Found(trouble=Impossible(Obstacle.CHANNEL_CLOSED))
        return _Found(channel=channel)
    return _Found(trouble=Unclear(Question.CHANNEL)) if wanted or refused - {Channel.OTHER} else _Found()


def _how_often(text: str, limits: Limits, *, refuses: bool) -> _Found:
    if weekly := words.FEWER_A_WEEK.search(text):
        count = parse_integer(weekly["count"] or weekly["count2"] or weekly["count3"])
        if count is not None and 1 <= count <= limits.per_seven_days:
            return _Found(per_seven_days=count)
        return _Found(trouble=Impossible(Obstacle.NO_MORE_OFTEN)) if count else _Found()
    if words.FEWER_A_MONTH.search(text):
        return _Found(trouble=Unclear(Question.DAY_OF_MONTH))
    if words.FEWER.search(text):
        return _Found(per_seven_days=1)
    if words.MORE_OFTEN.search(text) and not refuses:
        return _Found(trouble=Impossible(Obstacle.NO_MORE_OFTEN))
    return _Found()
