"""What a borrower asks for beyond so much a month: a lump first, interest forgiven, one payment, a later start.

Texts are normalised and values extracted as for ``bot.workout.reading``; wording and script make no difference, only
the facts named do. Falls back to ``read_proposal`` for plain figures.
"""

import re
from collections.abc import Sequence
from datetime import date

from bot.lending.schedule import add_months
from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import MonthCount
from bot.text.values import Value
from bot.workout.counter import BorrowerProposal
from bot.workout.reading import read_proposal

_FIRST = re.compile(
    r"(?:手[上头里](?:现在|目前)?(?:只)?有|先(?:还|付|给|交|存|处理)|首付|首期(?:付|还)?|(?:现在|目前|手[上头里])(?:只)?(?:能|可以|有|就)?"
    r"(?:拿出来?|拿得出|还|付|凑|凑出))[^\d,。了过]{0,4}$"
)
_REST = re.compile(r"剩|余下|其余|后面|慢慢|再分|别的|以后再|尾款")
_FORGIVE = r"(?:免除?|减免|不要|不算|去掉|取消|抹掉?|停)"
_NO_INTEREST = re.compile(
    rf"(?:利息|罚息|息费)(?:和|跟|、|,)?(?:利息|罚息|费用|违约金)?(?:能不能|可不可以|能|可以|要|给我|帮我)?"
    rf"(?:全部?|都|全都|一律)?(?:给我|帮我)?{_FORGIVE}|(?:免|减)(?:掉|除|了)?(?:全部|所有)?(?:利息|罚息|息费)|免息"
    r"|[只就]还本金|只认本金"
)
_INTEREST_STAYS = re.compile(r"免不了|不能免|没[有法]免|不免|免得|哪能免")
_ONCE = re.compile(r"一次(?:性)?[^\d,。]{0,6}(?:还|付|结|清|处理)|一笔(?:还|付|结)清|(?:还|付|结)清[^\d]{0,3}一次")
_WAIT = re.compile(r"(?:缓|延期?|推迟|推后|晚|宽限|暂停|暂缓|停息?|停还|(?<![不超])过|等)(?:个|了|我|到|上|一下|再)?$")
_ALREADY = re.compile(r"已经?[^,。]{0,4}$")
_THEN = re.compile(r"(?:个月|年|月)?(?:之后|以后|后|再|才)")
_FROM_MONTH = re.compile(r"(明年)?(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?(?:再|才)?(?:开始|起)")
_MONTH_NUMBER = {name: number for number, name in enumerate((*"一二三四五六七八九十", "十一", "十二"), start=1)}


def read_wish(values: Sequence[Value], text: str, today: date) -> BorrowerProposal | None:
    """Read everything a borrower may ask of a plan; ``today`` is the day in Asia/Shanghai. None: nothing was asked.

    A lump counts as one only where the rest is spoken of or an instalment is named: 先还500 alone is a part payment.
    """
    waive = bool(_NO_INTEREST.search(text)) and not _INTEREST_STAYS.search(text)
    if _ONCE.search(text):
        return _one_payment(values, waive=waive)
    start, waited = _later_start(values, text, today)
    lump = _lump(values, text)
    taken = [value for value in (waited, lump) if value is not None]
    # What has been read is blanked, not cut out: the other values keep their places.
    left = _blanked(text, taken, lump)
    named = read_proposal([value for value in values if value not in taken], left)
    lump_fen = _clear_fen(lump)
    if lump_fen is not None and named is None and not _REST.search(text):
        lump_fen = None
    if named is None and lump_fen is None and not waive and start is None:
        return None
    return BorrowerProposal(
        monthly_fen=named.monthly_fen if named else None,
        months=named.months if named else None,
        first_on=start or (named.first_on if named else None),
        lump_fen=lump_fen,
        waive_interest=waive,
    )


def _one_payment(values: Sequence[Value], *, waive: bool) -> BorrowerProposal | None:
    """One payment of a figure that is clear; without one nothing can be answered yet."""
    fens = [_clear_fen(value) for value in values if isinstance(value.payload, AmountRange)]
    if len(fens) != 1 or fens[0] is None:
        return None
    days = [value.payload.day for value in values if isinstance(value.payload, DateValue)]
    return BorrowerProposal(settle_fen=fens[0], first_on=days[0] if len(days) == 1 else None, waive_interest=waive)


def _lump(values: Sequence[Value], text: str) -> Value | None:
    """The amount said to be paid first, if exactly one is."""
    found = [value for value in values if isinstance(value.payload, AmountRange) and _FIRST.search(text[: value.start])]
    return found[0] if len(found) == 1 else None


def _clear_fen(value: Value | None) -> int | None:
    if value is None or not isinstance(value.payload, AmountRange):
        return None
    amount = value.payload
    return amount.low_fen if amount.low_fen == amount.high_fen and amount.low_fen > 0 else None


def _blanked(text: str, taken: Sequence[Value], lump: Value | None) -> str:
    characters = list(text)
    for value in taken:
        first = _FIRST.search(text[: value.start]) if value is lump else None
        since = first.start() if first else value.start
        characters[since : value.end] = " " * (value.end - since)
    return "".join(characters)


def _later_start(values: Sequence[Value], text: str, today: date) -> tuple[date | None, Value | None]:
    """The day on which paying is to begin, and the value it was read from if that was a number of months."""
    for value in values:
        if not isinstance(value.payload, MonthCount) or value.payload.low != value.payload.high:
            continue
        if _WAIT.search(text[: value.start]):
            is_past = _ALREADY.search(text[: value.start])
            return None if is_past else add_months(today, value.payload.low), value
    for value in values:
        if isinstance(value.payload, DateValue) and value.payload.day and _THEN.match(text, value.end):
            return value.payload.day, None
    match = _FROM_MONTH.search(text)
    if match is None:
        return None, None
    month = _MONTH_NUMBER.get(match[2]) or int(match[2])
    ahead = (month - today.month) % 12 or 12
    if match[1] and today.month + ahead <= 12:
        ahead += 12
    return add_months(today, ahead), None
