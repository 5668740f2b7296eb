"""Numbers of months and days of the month."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.text.numerals import DIGITS, FIGURES, INTEGER, parse_integer
from bot.text.reading import Reading


@dataclass(frozen=True, slots=True)
class MonthCount:
    """A number of months, or the two ends of a range (24到36期)."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """The day on which something happens every month: 1 to 31, or the last one whichever it is."""

    day: int | Literal["last"]


_MAX_MONTHS = 600
_LINK = r" ?(?:到|至|~|-{1,2}|—{1,2}|–|或者?|、) ?"
# 九个多月 and 十来期 are read as 9 and 10.
_MORE = r"[多来]"
_COUNT_UNIT = r"(?:个月|期(?![限间待货权])|个?季度|年(?![级代轻龄前后化底末初]|以?前|以?后|\d{1,2}月))"
_NOT_AFTER = r"(?<![\d.第])(?<![零〇一二两三四五六七八九十百千万这那上下每前后某当首末同隔])"
_PAIR = r"(?:[一二两三四五六七八][二两三四五六七八九](?=个|期|年))"
_MONTHS = re.compile(
    rf"{_NOT_AFTER}(?:"
    rf"(?P<half_year>半年)(?![前后]|以[前后]|之[前后])"
    rf"|(?P<low>{INTEGER})(?:(?P<low_unit>个月|期|个?季度|年)?{_LINK}(?P<high>{INTEGER}))? ?"
    rf"(?:{_MORE}(?=个|期))?个?(?P<unit>{_COUNT_UNIT}|个{_MORE}(?:月|季度))"
    rf"(?P<half>半)?(?!大)(?:零?(?P<extra>{INTEGER})个月)?(?![前后]|以[前后]|之[前后])"
    rf"|(?P<contracted>[俩仨])个?月(?![前后]|以[前后]|之[前后])"
    r")"
)
_PER_MONTH = re.compile(
    rf"(?:[,最多少只能可以也就才大概差不约得要够,]|还|付|交|给|拿|挣|赚|工资|收入|发|存|扣|到手|有"
    rf"|入){{0,8}} ?¥?(?:{FIGURES}|[{DIGITS}十几]+[百千万]|[百千万]把)"
)
_EXTENDING = re.compile(
    r"(?:宽限|延期?|推迟|推后|推|缓|晚|迟|拖|给我?|分|分成|再|过|等|停|逾期|要|暂缓|延长|顺延|往后)(?:个|了|我|到|成"
    r"|一下|它|他)?$"
)
_CALENDAR_YEAR = re.compile(r"借|办|开|就|的时候|那|欠|\d{1,2}月|[一二三四五六七八九十]{1,2}月|年")


def find_month_counts(text: str) -> list[Reading[MonthCount]]:
    """Return how many months are spoken of: 12期, 半年 (6), 一年半 (18), 24到36期. Never raises."""
    readings = []
    for match in _MONTHS.finditer(text):
        if match["half_year"]:
            months: MonthCount | None = MonthCount(6, 6)
        elif match["contracted"]:
            months = MonthCount(2, 2) if match["contracted"] == "俩" else MonthCount(3, 3)
        else:
            months = _month_count(match, text)
        if months is not None and 0 < months.low <= months.high <= _MAX_MONTHS:
            readings.append(Reading(match.start(), match.end(), months))
    return readings


def _month_count(match: re.Match[str], text: str) -> MonthCount | None:
    unit, low_text = match["unit"], match["low"]
    size = 12 if unit == "年" else 3 if "季" in unit else 1
    if match["half"] and size != 12:
        return None
    if size == 12 and match["high"] is None and _is_calendar_year(low_text, text[match.end() :][:8]):
        return None
    if match["high"] is None and _is_per_month(match, text):
        return None
    if match["high"] is None and re.fullmatch(_PAIR, low_text + unit[:1]) is None and len(low_text) == 2:
        pair = re.fullmatch(r"([一二两三四五六七八])([二两三四五六七八九])", low_text)
        if pair:
            low, high = parse_integer(pair[1]), parse_integer(pair[2])
            if low is None or high is None or not low < high <= low + 2:
                return None
            return MonthCount(low * size, high * size)
    low = parse_integer(low_text)
    high = parse_integer(match["high"]) if match["high"] else low
    if low is None or high is None:
        return None
    low_size = size
    if match["low_unit"]:
        low_size = 12 if match["low_unit"] == "年" else 3 if "季" in match["low_unit"] else 1
    extra = (6 if match["half"] else 0) + ((parse_integer(match["extra"]) or 0) if match["extra"] else 0)
    return MonthCount(low * low_size + (extra if match["high"] is None else 0), high * size + extra)


def _is_calendar_year(number: str, following: str) -> bool:
    """Tell 2019年 and 19年借的 from 10年."""
    if not number.isdecimal():
        return len(number) >= 3 and not any(c in "十百" for c in number)
    value = int(number)
    return value > 50 or (len(number) == 2 and value >= 10 and _CALENDAR_YEAR.match(following) is not None)


def _is_per_month(match: re.Match[str], text: str) -> bool:
    """一个月还800 says how much a month, not for how long."""
    if match["low"] not in ("一", "1") or match["unit"] != "个月":
        return False
    if _EXTENDING.search(text, max(0, match.start() - 8), match.start()):
        return False
    before = text[max(0, match.start() - 1) : match.start()]
    return _PER_MONTH.match(text, match.end()) is not None or before in tuple("元块千百万0123456789kw")


_DAY_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十廿卅]{1,4})"
_DAY = rf"(?P<day>{_DAY_NUMBER})"
_DAY_ENDS = r"(?=$|[,。!?;~ 吧呢啊呀吗么嘛行可好能])"
_MONTHLY = r"(?:每个?月|每月份|月月|按月|逢|每一个月)"
_LAST = r"(?:月底|月末|月尾|底(?!薪)|末|最后一天|最后一日|尾)"
_DAY_NAMES = (
    r"(?:还款日?期?|账单日?|帐单日?|扣款日?|发薪日?|出账日?|记账日?|缴款日?|工资日|结算日|到期日|发工资日?|扣费日?)"
)
_DAY_NAMES_IN_FULL = r"(?:还款|账单|帐单|扣款|发薪|出账|记账|缴款|工资|结算|到期|扣费)日期?"
_DAYS = re.compile(
    rf"{_MONTHLY}(?:的|都|在|是|固定|大概|发工资|还款日?|:)?(?:的|是|在)?(?:(?P<last>{_LAST})"
    rf"|{_DAY} ?[号日](?!线))"
    rf"|{_MONTHLY}?{_DAY_NAMES}(?:期|子|能不能|可以|可不可以|能|帮我|是|都是|为|在|改|调|换|挪|移|定|设|成|到|每月"
    rf"|每个月|的|[:,]){{0,6}}"
    rf"(?:(?P<last2>月底|月末|月尾)|(?P<day2>{_DAY_NUMBER}) ?[号日])"
    # 还款日改15行吗: after such a name a number needs no 号.
    rf"|{_DAY_NAMES_IN_FULL}(?:能不能|可以|可不可以|能|帮我|是|为|在|改|调|换|挪|移|推|定|设|成|到|{_MONTHLY}|的|[:,]"
    rf"){{0,6}}(?P<day3>{_DAY_NUMBER}){_DAY_ENDS}"
)
_AND = re.compile(r" ?(?:到|至|-|~|、|和|跟|或者?) ?")
_SIGNED_DAY = re.compile(rf"{_DAY} ?[号日]")
_PLAIN_DAY = re.compile(
    rf"(?<![\d月路街第.])(?<![一二三四五六七八九十])(?P<last>每?个?月底|月末|月尾)"
    rf"|(?<![\d月路街第.]){_DAY} ?[号日](?!线|楼|店|方案|子)"
    rf"|{_MONTHLY}(?:的|在|是)?(?P<day2>{_DAY_NUMBER}){_DAY_ENDS}"
)


def find_days_of_month(text: str, *, any_day: bool = False) -> list[Reading[DayOfMonth]]:
    """Return the monthly days in ``text``: 每月15号, 每月最后一天, 还款日改到20号.

    With ``any_day`` (a form asked for such a day) a plain 15号 or 月底 counts as well. Both ends of a range and all
    days of a list (每月3号到5号, 5号和20号) are returned. Never raises.
    """
    matches = [found for match in _DAYS.finditer(text) for found in (match, *_days_beside(match, text))]
    readings = [_day_reading(match) for match in matches]
    if any_day and not readings:
        readings = [_day_reading(match) for match in _PLAIN_DAY.finditer(text)]
    return [reading for reading in readings if reading is not None]


def _days_beside(match: re.Match[str], text: str) -> list[re.Match[str]]:
    """Return the days that share the words of the first one: 18号 in 每月3号、18号."""
    beside: list[re.Match[str]] = []
    link = _AND.match(text, match.end())
    while link and (found := _SIGNED_DAY.match(text, link.end())):
        beside.append(found)
        link = _AND.match(text, found.end())
    return beside


def _day_reading(match: re.Match[str]) -> Reading[DayOfMonth] | None:
    """Read a match by the groups that took part: any ``last``, else the one number among the ``day`` groups."""
    words = match.groupdict()
    if words.get("last") or words.get("last2"):
        return Reading(match.start(), match.end(), DayOfMonth("last"))
    day_text = next((word for name, word in words.items() if name.startswith("day") and word), None)
    day = parse_integer(day_text) if day_text else None
    if day is None or not 1 <= day <= 31:
        return None
    return Reading(match.start(), match.end(), DayOfMonth(day))
