"""Numbers as people write them in Chinese: figures, characters, both mixed, and the spoken short forms.

Everything here expects text from ``alignment.unify_characters`` (half-width, lower-case, Simplified). All
arithmetic is in ``Decimal``.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_DIGIT_VALUES = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", range(10), strict=True)),
    "○": 0,
    "两": 2,
    "俩": 2,
    "仨": 3,
}
_UNIT_VALUES = {
    "十": 10,
    "拾": 10,
    "百": 100,
    "佰": 100,
    "千": 1000,
    "仟": 1000,
    "k": 1000,
}
_MYRIAD_VALUES = {"万": 10_000, "w": 10_000, "皮": 10_000, "亿": 100_000_000}
_ALL_UNITS = {**_UNIT_VALUES, **_MYRIAD_VALUES}

DIGITS = "零〇○一二两三四五六七八九壹贰叁肆伍陆柒捌玖"
# Bounded, so that a page of digits is refused at once instead of being tried from every position.
FIGURES = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,8})?(?!\.?\d)"
# A whole number small enough for a day, a month, an hour or a count, in figures or characters.
INTEGER = r"(?:\d{1,4}|[零〇○一二两俩三仨四五六七八九十百廿卅]{1,7})"

_TENS = {"廿": "二十", "卅": "三十"}
_TOKEN = re.compile(rf"{FIGURES}|.")

# Longer than any sum of money; keeps hostile input cheap.
_MAX_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number with its place in the text.

    ``low`` equals ``high`` unless a range was said (两三千, 十几). ``approximate`` marks ranges and words such as
    多 and 来. ``has_unit`` tells that it carries 十, 百, 千, 万 and the like.
    """

    start: int
    end: int
    low: Decimal
    high: Decimal
    approximate: bool
    has_unit: bool


def parse_integer(text: str) -> int | None:
    """Read a whole number in figures or characters (31, 三十一, 廿五, 二零二六); None when it is not one."""
    if text.isdecimal():
        return int(text) if len(text) <= 9 else None
    for short, full in _TENS.items():
        text = text.replace(short, full)
    value = parse_number(text)
    if value is None or value != value.to_integral_value():
        return None
    return int(value)


def parse_number(text: str) -> Decimal | None:
    """Read one exact number; None when the characters are not one, or could be two different ones.

    Spoken short forms: 两千五 is 2500, 一万二 is 12000, 三百五 is 350, 1k5 is 1500; with 零 nothing is shortened
    (一千零五 is 1005). 一点五万 is 15000.
    """
    if not text or len(text) > _MAX_LENGTH:
        return None
    tokens = _TOKEN.findall(text)
    if all(token in _DIGIT_VALUES for token in tokens):
        return Decimal("".join(str(_DIGIT_VALUES[token]) for token in tokens))
    return _parse_tokens(tokens)


def _figures(token: str) -> Decimal | None:
    return Decimal(token.replace(",", "")) if token[0].isdecimal() and token[0].isascii() else None


def _parse_tokens(tokens: list[str]) -> Decimal | None:
    if not tokens:
        return None
    if "点" in tokens and not any(token in _ALL_UNITS for token in tokens[tokens.index("点") :]):
        return _parse_decimal(tokens)
    top = _top_unit(tokens)
    if top is None:
        return _parse_digit(tokens)
    unit = _ALL_UNITS[tokens[top]]
    multiplier = _parse_multiplier(tokens[:top], unit)
    if multiplier is None:
        return None
    rest = _parse_rest(tokens[top + 1 :], unit)
    return None if rest is None else multiplier * unit + rest


def _top_unit(tokens: list[str]) -> int | None:
    """Return where the largest unit stands; of equal ones the last, so that 万 in 千万 multiplies what precedes."""
    best: int | None = None
    for index, token in enumerate(tokens):
        value = _ALL_UNITS.get(token, 0)
        if value and (best is None or value >= _ALL_UNITS[tokens[best]]):
            best = index
    return best


def _parse_multiplier(tokens: list[str], unit: int) -> Decimal | None:
    if not tokens:
        return Decimal(1) if unit == 10 else None
    if "点" in tokens:
        return _parse_decimal(tokens)
    if unit >= 10_000:
        if _top_unit(tokens) is not None and any(token in _MYRIAD_VALUES for token in tokens):
            # 五千万亿 and its like are not sums of money.
            return None
        value = _parse_tokens(tokens)
    else:
        value = _parse_digit(tokens[1:] if len(tokens) == 2 and tokens[0] in "零〇○" else tokens)
    return value if value else None


def _parse_rest(tokens: list[str], unit: int) -> Decimal | None:
    """Read what follows a unit; a lone digit stands for the next smaller place."""
    if not tokens:
        return Decimal(0)
    if tokens[0] in ("零", "〇", "○"):
        while tokens and tokens[0] in ("零", "〇", "○"):
            tokens = tokens[1:]
        value = _parse_tokens(tokens) if tokens else None
        return value if value is not None and value < unit else None
    if len(tokens) == 1:
        if tokens[0] in _DIGIT_VALUES:
            return Decimal(_DIGIT_VALUES[tokens[0]]) * unit / 10
        return _figures_after(tokens[0], unit)
    if not any(token in _ALL_UNITS for token in tokens):
        return None
    value = _parse_tokens(tokens)
    return value if value is not None and value < unit else None


def _figures_after(token: str, unit: int) -> Decimal | None:
    """Read figures after a unit: 1万2 and 1万2000 and 1万500 are clear, 1万25 could be either of two sums."""
    value = _figures(token)
    if value is None or not token.isdecimal():
        return None
    places = len(str(unit)) - 1
    if len(token) == 1:
        return value * unit / 10
    if len(token) == places or (len(token) == places - 1 and len(token) >= 3):
        return value
    return None


def _parse_digit(tokens: list[str]) -> Decimal | None:
    if len(tokens) != 1:
        return None
    if tokens[0] in _DIGIT_VALUES:
        return Decimal(_DIGIT_VALUES[tokens[0]])
    return _figures(tokens[0])


def _parse_decimal(tokens: list[str]) -> Decimal | None:
    point = tokens.index("点")
    whole = _parse_tokens(tokens[:point])
    fraction = tokens[point + 1 :]
    if whole is None or not fraction or not all(token in _DIGIT_VALUES for token in fraction):
        return None
    return whole + Decimal("0." + "".join(str(_DIGIT_VALUES[token]) for token in fraction))


_MISHEARD = (
    (
        re.compile(r"(?<=[\d一二两三四五六七八九几])白(?=[块元圆快多来]|左右|$|[一二三四五六七八九]十)"),
        "百",
    ),
    (
        re.compile(r"(?<=[\d一二两三四五六七八九几])前(?=[块元圆快]|[一二三四五六七八九]百)"),
        "千",
    ),
    (
        re.compile(r"(?<=[\d十百千万零一二两三四五六七八九])快(?=钱|[五六七八九]毛|$|[,。!?~ 吧呢吗行])"),
        "块",
    ),
    (re.compile(r"(?<=[\d十百千万])[园员](?=[,。!?~ 吧呢吗行]|$)"), "元"),
)


def correct_numerals(text: str) -> str:
    """Return ``text``, as long as before, with misheard units put right beside numbers: 8白块, 两前块, 500快."""
    for pattern, right in _MISHEARD:
        text = pattern.sub(right, text)
    return text


# 两千一个月 is 2000 a month, not 2100 months.
_NEXT_COUNT = rf"(?<=[百千万wk])[{DIGITS}](?:个月|个星期|个礼拜|[期天年次周])"
_RUN = re.compile(
    # A number begins with a figure, a digit, 十, or 几 before a unit ...
    rf"(?:(?<!\d)(?<!\d\.){FIGURES}|[{DIGITS}]|[十拾](?!分)|几(?=[十百千万]))"
    # ... and goes on with units and digits; a Latin unit must not be the beginning of a word (5km).
    rf"(?: ?(?:(?<!\d)(?!{_NEXT_COUNT})[{DIGITS}]|[十拾百佰千仟亿]|万(?!分)|皮(?=嘢|[^\u4e00-\u9fff]|$)|个?w(?![a-z])"
    rf"|k(?![a-z])"
    rf"|(?<=[十百千万wk零]){FIGURES}|[多来余](?=[十百千万亿wk])|几(?=[十百千万])|(?<=十)几"
    rf"|(?<=[{DIGITS}十])点(?=[{DIGITS}]+[百千万亿元块])|(?<=[百千万])几(?![个天次年月])))*"
)
_PAIR = re.compile(r"([一二两三四五六七八])([二两三四五六七八九])(?![一二两三四五六七八九零〇])")
_MORE = re.compile(r"[多来余 个]")
_ROUGH_WORD = re.compile(r"[多来余几]")


def find_numerals(text: str) -> list[Numeral]:
    """Return the numbers of ``text`` from left to right; runs of characters that are not a number are left out."""
    numerals = []
    for match in _RUN.finditer(text):
        numeral = _read_run(match.group(), match.start(), match.end())
        if numeral is not None:
            numerals.append(numeral)
    return numerals


_TWO_IN_A_ROW = re.compile(r"([一二两三四五六七八九][百千万])([一二两三四五六七八九]([百千万]))")


def _two_in_a_row(run: str) -> tuple[Decimal, Decimal] | None:
    """Read 八百一千 and 三千五千: two sums side by side are the ends of a range."""
    match = _TWO_IN_A_ROW.fullmatch(run)
    if match is None:
        return None
    low, high = parse_number(match[1]), parse_number(match[2])
    return (low, high) if low is not None and high is not None and low < high <= low * 3 else None


def _read_run(run: str, start: int, end: int) -> Numeral | None:
    if len(run) > _MAX_LENGTH:
        return None
    rough = _ROUGH_WORD.search(run) is not None
    plain = _MORE.sub("", run)
    has_unit = any(c in _ALL_UNITS for c in plain)
    low_text, high_text = plain, plain
    if "几" in plain:
        first, last = ("一", "九") if re.search(r"[十百千万]几", plain) else ("二", "九")
        low_text, high_text = plain.replace("几", first), plain.replace("几", last)
    pair = _PAIR.search(plain)
    if pair and has_unit and _DIGIT_VALUES[pair[1]] < _DIGIT_VALUES[pair[2]] <= _DIGIT_VALUES[pair[1]] + 2:
        low_text = low_text[: pair.start()] + pair[1] + low_text[pair.end() :]
        high_text = high_text[: pair.start()] + pair[2] + high_text[pair.end() :]
        rough = True
    low, high = parse_number(low_text), parse_number(high_text)
    if low is None and (ends := _two_in_a_row(plain)):
        low, high = ends
        rough = True
    if low is None or high is None or low > high:
        return None
    return Numeral(start, end, low, high, rough, has_unit)
