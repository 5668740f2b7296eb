"""Times of day on the clock: 20:30, 晚上8点半, 下午三点一刻, 8pm."""

import re
from dataclasses import dataclass
from datetime import time

from bot.text.numerals import DIGITS, parse_integer
from bot.text.reading import Reading


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time of day on a 24-hour clock, without a date; the writer's local time."""

    value: time


_MINUTES_A_DAY = 24 * 60
_LINK = re.compile(r" ?(?:到|至|~|-{1,2}|—{1,2}|–) ?")
_HOUR_WORDS = (
    r"(?P<part>凌晨|清晨|大清早|一大早|早上|早晨|清早|上午|上昼|中午|正午|晌午|下午|下昼|晏昼|傍晚|黄昏|晚上|晚间|今晚"
    r"|明晚|后晚|昨晚|今早|明早|夜里|夜晚|半夜|午夜|深夜|夜间|晚(?!黑)|早|晚黑|午后|am|pm)?"
)
# 差五分八点 and 八点差一刻 are before the hour.
_MINUTES_SHORT = rf"差(?:一刻钟?|(?:\d{{1,2}}|[{DIGITS}十]{{1,3}})分钟?)"
_TIME = re.compile(
    rf"{_HOUR_WORDS} ?(?:的|大概|大约|差不多|约)?(?:(?P<short>{_MINUTES_SHORT}) ?)?"
    rf"(?:(?<![\d:.])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::\d{{2}})?(?![\d:])"
    rf"|(?<![\d.:])(?P<hour_cn>\d{{1,2}}|(?<![{DIGITS}十第百千万])(?:二十[一二三四]?|十[一二]?|十[三四五六七八九]"
    rf"|[一二两三四五六七八九])|零(?=点(?![{DIGITS}\d半])))(?P<dot>点钟?|时(?![间候长段代常])|:00)"
    rf"(?P<tail>整|半|一刻|三刻|{_MINUTES_SHORT}"
    rf"|(?P<minute_cn>零?\d{{1,2}}(?!\d|[个万千百%])|[{DIGITS}十]{{1,3}}(?![个万千百]))分?)?"
    r"|(?P<hour_en>(?<![\d.:])\d{1,2})(?::(?P<minute_en>\d{2}))? ?(?=am|pm))"
    r" ?(?P<after>am|pm)?"
)
_NIGHT = frozenset(
    ["晚上", "晚间", "今晚", "明晚", "后晚", "昨晚", "夜里", "夜晚", "半夜", "午夜", "深夜", "夜间", "晚", "晚黑"]
)
_EVENING = _NIGHT | frozenset(["下午", "下昼", "晏昼", "傍晚", "黄昏", "午后", "pm"])
# After these a number with 点 is a point or 'a little', not an hour.
_NOT_HOURS = re.compile(
    r"建议|要求|意见|要说|疑问|问题|想法|都不|也不|没|不|儿|用|小|声明|说明|希望|都|也|[.五六七八九]?[%万]"
)


def find_times_of_day(text: str) -> list[Reading[TimeOfDay]]:
    """Return the clock times in ``text``; one without 上午 or 下午 is read as written. Never raises."""
    readings = []
    last_end, last_part = 0, None
    for match in _TIME.finditer(text):
        part = match["part"] or match["after"]
        if part is None and last_end and _LINK.fullmatch(text, last_end, match.start()):
            # 下午3点到5点: the second hour shares the part of the day.
            part = last_part
        value = _time(match, text, part)
        if value is not None:
            # 今晚 is a day as well; its characters belong to the date.
            start = match.end("part") if match["part"] and match["part"][0] in "今明后昨" else match.start()
            readings.append(Reading(start, match.end(), TimeOfDay(value)))
            last_end, last_part = match.end(), part
    return readings


def _time(match: re.Match[str], text: str, part: str | None) -> time | None:
    hour = parse_integer(match["hour"] or match["hour_cn"] or match["hour_en"])
    minute = _minute(match)
    if hour is None or minute is None or not -59 <= minute <= 59 or not 0 <= hour <= 24:
        return None
    if match["hour_cn"] and not _is_hour(match, text):
        return None
    # The day does not matter: five to midnight is 23:55.
    since_midnight = (_clock_hour(hour, part) * 60 + minute) % _MINUTES_A_DAY
    return time(*divmod(since_midnight, 60))


def _is_hour(match: re.Match[str], text: str) -> bool:
    """一点 and 两点 also mean 'a little' and 'two points', so they need a part of the day or 钟, 半."""
    if match["part"] or match["after"] or match["tail"] or match["dot"].endswith("钟"):
        return not (
            match["part"] in ("早", "晚") and match["hour_cn"] == "一" and not match["tail"] and match["dot"] == "点"
        )
    if match["hour_cn"] in ("一", "两", "二") or _NOT_HOURS.match(text, match.end()):
        return False
    return text[max(0, match.start() - 1) : match.start()] not in tuple("有差降涨少多加个")


def _minute(match: re.Match[str]) -> int | None:
    """Return the minutes after the hour; below zero when some are short of it (差五分八点)."""
    tail = match["tail"]
    if match["short"] or (tail and tail[0] == "差"):
        short = parse_integer(re.sub("[差分钟]", "", match["short"] or tail).replace("一刻", "15"))
        return -short if short is not None and 0 < short < 60 and not (match["short"] and tail) else None
    if figures := match["minute"] or match["minute_en"]:
        return int(figures)
    if tail is None or tail == "整":
        return 0
    if tail == "半":
        return 30
    if tail.endswith("刻"):
        return 15 if tail == "一刻" else 45
    return parse_integer(match["minute_cn"].lstrip("零〇"))


def _clock_hour(hour: int, part: str | None) -> int:
    if part in ("中午", "正午", "晌午"):
        return hour + 12 if hour <= 3 else hour
    if part == "am":
        return 0 if hour == 12 else hour
    if part in _NIGHT:
        return hour if hour < 5 or hour > 12 else 0 if hour == 12 else hour + 12
    if part in _EVENING and hour < 12:
        return hour + 12
    if part == "凌晨" and hour == 12:
        return 0
    return hour
