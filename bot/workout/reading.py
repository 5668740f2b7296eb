"""What a message means to a negotiation, given what the negotiation has just asked.

Only reading: nothing is decided here. A message that does not answer the question yields None, so that the dialogue
can treat it as whatever else it is and come back to the question afterwards. Texts are normalised
(``bot.text.normalize``), and values are those that ``bot.text.values.extract`` found in the same text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import MonthCount
from bot.text.values import Value
from bot.workout.counter import BorrowerProposal
from bot.workout.told import AmountRole, amounts_told

T = TypeVar("T")

_N = r"([一二三四五六两1-6])"
_CHOICE_ENDS = r"(?=$|[吧,。.!?~ 啊呀哦嘛了]|可以|行|好|合适)"
_ORDINAL = re.compile(
    rf"第 ?{_N} ?(?:个(?!月)|种|项|号|套|家|笔|方案)|第 ?{_N}{_CHOICE_ENDS}"
    rf"|(?:方案|选项|计划|套餐) ?{_N}(?![\d一二三四五六七八九十百期个年月样下般直起])"
    rf"|(?:要|就|选|选择|定) ?{_N}(?:号(?:方案)?)?{_CHOICE_ENDS}|(?<!\d){_N}号方案|^ ?{_N} ?[号吧。.!]{{0,3}}$"
)
# Talking about an offer is not choosing it.
_NOT_CHOSEN = re.compile(
    r"不要|不行|不想|不选|不合适|不能|不可以|太|什么|怎么|区别|不同|多少|多久|不上|不起|不了|倒数|比"
)
_LONGEST = re.compile(r"最后(?:一)?(?:个(?!月)|种|家)|最长(?:的|那|吧|$)|最轻松|压力最小")
_SHORTEST = re.compile(r"最[短快](?:的|那|吧|$)")
_MIDDLE = re.compile(r"中间(?:的|那|$)")
_NUMBER = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6} | {str(n): n for n in range(1, 7)}

_MONTHLY = re.compile(r"每个?月|月供|月还|一个?月|每期|月付|个月还|按月")
_ONE_OFF = re.compile(r"先还|先付|先给|一次|今天|明天|后天|今晚|马上|立刻|首付")
_TOO_MUCH = re.compile(r"太[多高贵]|不[起了上]|拿不出|做不到|(?<!行)不行|承受不|(?<!够)不够")
_BY_THE_DAY = re.compile(r"(?:[一每][天日周]|[一每]个?(?:小时|星期|礼拜))(?:能|大概|差不多|也就|就|只|有|是|给)*$")
"""Words in front of what somebody earns a day: 一天200 is no instalment."""
_CLAUSE_END = re.compile(r"[,，。.!！;；?？~ \n]")


def read_position(text: str, count: int) -> int | None:
    """Read which of ``count`` shown things is chosen: 第二个, 方案二, 选2, 最长的, or a bare 2."""
    if not count or _NOT_CHOSEN.search(text):
        return None
    named = {_NUMBER[next(filter(None, match.groups()))] for match in _ORDINAL.finditer(text)}
    if named:
        position = named.pop()
        return position if not named and position <= count else None
    if _LONGEST.search(text):
        return count
    if count % 2 and _MIDDLE.search(text):
        return (count + 1) // 2
    return 1 if _SHORTEST.search(text) else None


def read_proposal(values: Sequence[Value], text: str) -> BorrowerProposal | None:
    """Read the borrower's own figures: so much a month, so many months, from such a day.

    What is paid once (先还500), what is said to be too much, and income told beside it are no proposal.
    """
    if _is_turned_down(text, values):
        return None
    months = _only([value.payload for value in values if isinstance(value.payload, MonthCount)])
    offered = [told for told in amounts_told(text, values) if told.role in (None, AmountRole.DEBT)]
    amount = _only([told.amount for told in offered if _BY_THE_DAY.search(told.before) is None])
    day = _only([value.payload for value in values if isinstance(value.payload, DateValue)])
    is_monthly = _MONTHLY.search(text) is not None
    monthly_fen = amount.low_fen if amount is not None and not _is_unclear(amount) and amount.low_fen > 0 else None
    if _ONE_OFF.search(text) and not is_monthly:
        monthly_fen = None
    span = months.low if months is not None and months.low == months.high and months.low > 0 else None
    if span == 1 and monthly_fen is not None and is_monthly:
        span = None  # 一个月还800 names a monthly amount, not a plan of one month
    if monthly_fen is None and span is None:
        return None
    return BorrowerProposal(monthly_fen=monthly_fen, months=span, first_on=day.day if day is not None else None)


def _is_turned_down(text: str, values: Sequence[Value]) -> bool:
    """Whether the figures named are called too much.

    A refusal that ends before the clause of the first figure is about something else: 不行,我每个月只能还500.
    """
    figures = [value.start for value in values if isinstance(value.payload, AmountRange | MonthCount)]
    clause = max((match.end() for match in _CLAUSE_END.finditer(text, 0, min(figures))), default=0) if figures else 0
    return _TOO_MUCH.search(text, clause) is not None


def _is_unclear(amount: AmountRange) -> bool:
    return amount.low_fen != amount.high_fen


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None
