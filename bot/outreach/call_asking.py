"""Reading when somebody wants to be called: 明天下午给我打电话, 晚上七点以后, 不用打了. Pure.

Texts are normalised (``bot.text.normalize``) and values extracted from that same text (``bot.text.values``). Regional
words have been exchanged by then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.clock import SHANGHAI, business_date
from bot.text.clock import TimeOfDay
from bot.text.dates import DateValue
from bot.text.numerals import INTEGER, parse_integer
from bot.text.values import Value

_NO_CALL = re.compile(
    r"(?:不用|不要|不必|不需要|别|甭|无需|先不)[^,。;!?]{0,4}(?:打|回电|来电|电话)|取消[^,。;!?]{0,4}(?:回电|电话|通话)"
    r"|(?:回电|电话)[^,。;!?]{0,3}(?:取消|算了|不用了|不要了)"
)
_THEN = re.compile(
    r"(?<!自己)(?<!我)(?:再?打(?!我?(?:就|投诉|报警|试试)|给?你|过去)|再(?:来电|回电|联系)|[改换](?:成|到|个)?)"
)
"""Words behind a refusal with which another time is wanted: 三点别打,改五点."""
_ELSE = re.compile(r"[,。;!?](?:请|就|可以)?(?:打(?:给)?我(?:的|自己|本人|手机)|打(?:手机|座机|这个|另))")
"""Another phone or person is wanted: 不要打我老公电话,打我的."""
_LATER = re.compile(rf"(?:过|等|再过)?(?P<hours>{INTEGER}|半)(?:个)?(?P<unit>小时|钟头|分钟)(?:以后|之后|后|再)")
_PARTS: tuple[tuple[re.Pattern[str], time], ...] = (
    (re.compile(r"中午|正午|午休"), time(12)),
    (re.compile(r"上午|早上|早晨"), time(10)),
    (re.compile(r"下午|午后"), time(14)),
    (re.compile(r"傍晚|下班"), time(18)),
    (re.compile(r"晚上|晚间|今晚|明晚|夜里"), time(19)),
)
_MORNING_ENDS = time(8)
_NOON = 12
_MOST_AHEAD = 24 * 60


@dataclass(frozen=True, slots=True)
class CallAsked:
    """When a call is wanted. ``at`` (aware) where a time was named, ``on`` where only a day was, neither for any time.

    ``is_refused``: no call is wanted any more.
    """

    at: datetime | None = None
    on: date | None = None
    is_refused: bool = False


def read_call_asked(values: Sequence[Value], plain_text: str, now: datetime) -> CallAsked:
    """Return when a message asks to be called. Total: never raises for any text. ``now`` is aware.

    A time without a day is the next one to come; 3点 without a part of the day is in the afternoon, for at three in the
    morning nobody wants to be called.
    """
    dated = [value.payload.day for value in values if isinstance(value.payload, DateValue) and value.payload.day]
    if (refused := _NO_CALL.search(plain_text)) is not None:
        values = [value for value in values if value.start >= refused.end()]
        plain_text = plain_text[refused.end() :]
        if not _is_another_call(values, plain_text):
            return CallAsked(is_refused=True)
    if (span := _span(plain_text)) is not None:
        return CallAsked(at=now + span)
    today = business_date(now)
    days = [value.payload.day for value in values if isinstance(value.payload, DateValue) and value.payload.day]
    day = next((day for day in days or dated if day >= today), None)
    clock = _clock(values, plain_text)
    if clock is None:
        return CallAsked(on=day)
    at = datetime.combine(day or today, clock, tzinfo=SHANGHAI)
    if day is None and at < now:
        at += timedelta(days=1)
    return CallAsked(at=at)


def _is_another_call(values: Sequence[Value], behind: str) -> bool:
    """Whether what stands behind a refusal asks for a call at another time, or to another phone."""
    named = any(isinstance(value.payload, DateValue) for value in values) or _clock(values, behind) is not None
    return (named and _THEN.search(behind) is not None) or _ELSE.search(behind) is not None


def _clock(values: Sequence[Value], text: str) -> time | None:
    said = next((value.payload.value for value in values if isinstance(value.payload, TimeOfDay)), None)
    part = next((clock for pattern, clock in _PARTS if pattern.search(text)), None)
    if said is None:
        return part
    afternoon = part is None and said < _MORNING_ENDS
    return said.replace(hour=said.hour + _NOON) if afternoon and said.hour < _NOON else said


def _span(text: str) -> timedelta | None:
    match = _LATER.search(text)
    if match is None:
        return None
    if match["hours"] == "半":
        return timedelta(minutes=30)
    count = parse_integer(match["hours"])
    if count is None or not 0 < count <= _MOST_AHEAD:
        return None
    return timedelta(minutes=count) if match["unit"] == "分钟" else timedelta(hours=count)
