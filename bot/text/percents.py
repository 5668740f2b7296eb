"""Percentages in every way borrowers say them: %, 趴, 百分之, 万分之, 分利, 厘, 折, 成."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from bot.text.numerals import DIGITS, FIGURES, parse_number
from bot.text.reading import Claims, Reading


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage as said, never annualised: 万分之五 is 0.05, 八折 is 80 (the share still paid)."""

    value: Decimal


# 千分之一一天 is a thousandth a day: the second 一 counts the days.
_PER_TIME = r"(?!一(?:天|日|年(?![化利息])|期|次|周|个月|季度))"
_CHARACTERS = (
    rf"(?:[{DIGITS}十百](?:{_PER_TIME}[{DIGITS}十百]){{0,5}}(?:点[{DIGITS}](?:{_PER_TIME}[{DIGITS}]){{0,3}})?)"
)
_NUMBER = rf"(?:{FIGURES}|{_CHARACTERS})"
_ALONE_BEFORE = rf"(?<![\d.{DIGITS}十百])"
_TENTH = "[一二两三四五六七八九1-9]"
_PER = {"百": Decimal(1), "千": Decimal("0.1"), "万": Decimal("0.01")}
_RATE_WORDS = (
    r"(?:年化|年利率|利率|月利率|日利率|费率|年息|apr|irr)(?:是|到|才|都|要|有|高达|超过|超|为|:|达到| |的|快){0,3}"
)
_LINK = r" ?(?:到|至|~|-|—|–) ?"
_FIRST_OF_RANGE = re.compile(rf"(?<![\d.{DIGITS}])({_NUMBER}){_LINK}$")
_SECOND_OF_RANGE = re.compile(rf"{_LINK}(?P<second>{_NUMBER})(?![{DIGITS}十百千万\d%元块])")


def _times(factor: Decimal) -> Callable[[re.Match[str]], Decimal | None]:
    def read(match: re.Match[str]) -> Decimal | None:
        value = parse_number(match["n"].replace("点", ".") if match["n"][0].isdecimal() else match["n"])
        return None if value is None else value * factor

    return read


def _points(match: re.Match[str]) -> Decimal | None:
    """18%, 18趴, 3个点; 三趴半 is 3.5."""
    value = _times(Decimal(1))(match)
    return value + Decimal("0.5") if value is not None and match["half"] else value


def _of_base(match: re.Match[str]) -> Decimal | None:
    value = parse_number(match["n"])
    return None if value is None else value * _PER[match["base"]]


def _interest_fen(match: re.Match[str]) -> Decimal | None:
    """两分利 is 2 per cent; the half after it (一分五, 一分半) is tenths."""
    whole = parse_number(match["n"])
    half = match["half"]
    tenths = Decimal(5) if half == "半" else parse_number(half) if half else Decimal(0)
    return None if whole is None or tenths is None else whole + tenths / 10


def _fold(match: re.Match[str]) -> Decimal | None:
    """八折 is 80; 八五折, 85折, 8.5折 and 八点五折 are 85; 对折 is 50."""
    text = match["n"]
    if text == "对":
        return Decimal(50)
    value = parse_number(text)
    if value is None or value <= 0:
        return None
    return value if len(text) == 2 else value * 10


def _tenths(match: re.Match[str]) -> Decimal | None:
    value = parse_number(match["n"])
    return None if value is None else value * 10 + (5 if match["half"] else 0)


def _one_half(match: re.Match[str]) -> Decimal | None:
    return Decimal(50)


# Earlier rules win where two would read the same characters.
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Decimal | None]], ...] = (
    (re.compile(rf"(?P<base>[百千万])分之(?P<n>{_NUMBER})"), _of_base),
    (re.compile(rf"(?<![\d.])(?P<n>{FIGURES}) ?‰"), _times(_PER["千"])),
    (
        re.compile(
            rf"(?P<n>(?<![\d.]){FIGURES}|(?<![{DIGITS}十百]){_CHARACTERS}) ?(?:%|趴|pa(?![a-z])|个百分点|个点(?!钟)"
            rf"|percent)(?P<half>半)?"
        ),
        _points,
    ),
    (
        re.compile(rf"(?:(?<=日息)|(?<=日利率)|(?<=利息))万(?P<n>{_TENTH}(?:[.点]\d)?)(?![{DIGITS}\d千百元块])"),
        _times(_PER["万"]),
    ),
    (re.compile(rf"{_ALONE_BEFORE}万(?P<n>{_TENTH}(?:[.点]\d)?)(?=利息|的利|的日|日息|每天|一天)"), _times(_PER["万"])),
    (
        re.compile(rf"{_ALONE_BEFORE}(?P<n>{FIGURES}|[{DIGITS}])分(?P<half>[半{DIGITS}\d])?(?=的?利|的?息|月息)"),
        _interest_fen,
    ),
    (
        re.compile(
            rf"(?:月息|月利率?|月利息|利息|利率)(?:是|要|才|收|有)?(?P<n>{FIGURES}"
            rf"|[{DIGITS}])分(?P<half>[半{DIGITS}\d])?(?![钟之])"
        ),
        _interest_fen,
    ),
    (re.compile(rf"{_ALONE_BEFORE}(?P<n>{FIGURES}|[{DIGITS}])厘(?!米)"), _times(_PER["千"])),
    (
        re.compile(rf"{_ALONE_BEFORE}(?P<n>\d(?:\.\d)?|\d\d|[{DIGITS}](?:点[{DIGITS}]|[{DIGITS}])?|对)折(?!腾|磨)"),
        _fold,
    ),
    (
        re.compile(
            rf"(?:(?<=[还付减免打降让剩少首只])(?:掉|了|个|我|他)?|(?<=^)|(?<=[,。! ]))"
            rf"{_ALONE_BEFORE}(?P<n>{_TENTH})成(?P<half>半|五)?"
            r"(?=$|[,。!?~ 吧行可呢左的]|本金|利息|欠款|首付|以)"
        ),
        _tenths,
    ),
    (re.compile(rf"{_ALONE_BEFORE}(?P<n>{_TENTH})成(?P<half>半|五)?(?=本金|利息|的?欠款|首付)"), _tenths),
    (re.compile(r"(?<=[还付交给减免少打])(?:掉|了|个|我)?(?:一半|对半)(?!会|天|是)"), _one_half),
    (
        re.compile(
            rf"{_RATE_WORDS}(?P<n>\d{{1,3}}(?:\.\d+)?"
            rf"|[{DIGITS}十百]{{2,4}})(?![\d%个年月天元块万千百分厘号点成折趴{DIGITS}])"
        ),
        _times(Decimal(1)),
    ),
)


def find_percents(text: str) -> list[Reading[Percent]]:
    """Return the percentages in ``text``: 18%, 18趴, 百分之十八, 千分之五, 两分利, 八折, 三成.

    Both ends of a range (10-20%, 百分之三十到四十) are returned. Never raises.
    """
    readings: list[Reading[Percent]] = []
    claims = Claims()
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            value = read(match) if claims.is_free(match.start(), match.end()) else None
            if value is not None:
                claims.claim(match.start(), match.end())
                readings.append(_reading(match.start(), match.end(), value))
                readings += _other_end(match, text)
    return sorted(readings, key=lambda r: r.start)


def _reading(start: int, end: int, value: Decimal) -> Reading[Percent]:
    return Reading(start, end, Percent(value if value % 1 else value.quantize(Decimal(1))))


def _other_end(match: re.Match[str], text: str) -> list[Reading[Percent]]:
    """Return the end of a range that does not carry the sign itself."""
    if "base" in match.groupdict():
        second = _SECOND_OF_RANGE.match(text, match.end())
        value = parse_number(second["second"]) if second else None
        if second is None or value is None:
            return []
        return [_reading(second.start("second"), second.end(), value * _PER[match["base"]])]
    if not match.group().endswith("%"):
        return []
    first = _FIRST_OF_RANGE.search(text, max(0, match.start() - 12), match.start())
    value = parse_number(first[1]) if first else None
    if first is None or value is None:
        return []
    return [_reading(first.start(1), first.end(1), value)]
