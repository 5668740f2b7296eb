"""What a message means to a negotiation, given what the negotiation has just asked.

Only reading: nothing is decided here. A message that does not answer the question yields None, so that the dialogue
can treat it as whatever else it is and come back to the question afterwards. Texts are normalised
(``bot.text.normalize``), and values are those that ``bot.text.values.extract`` found in the same text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import MonthCount
from bot.text.values import Value
from bot.workout.counter import BorrowerProposal

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

_EARNED = (
    r"收入|工资|到手|挣|赚|进账|月薪|年薪|周薪|日薪|底薪|薪水|退休金|养老金|失业金|低保|补助|补贴"
    r"|月入|提成|奖金|兼职|外快|每月有"
)
_SPENT = (
    r"开销|开支|支出|花销|花费|花掉|要花|生活费|房租|租金|吃饭|饭钱|伙食|必需|必须|水电|物业|话费|交通|奶粉|学费|药费|药钱|看病|房贷"
    r"|车贷|社保|赡养|抚养|基本"
)
_OWED = r"欠|借|逾期|本金|利息|额度|罚|剩|月供|每期|还(?!有|要|得|是|需|差|算)"
_ROLE_WORDS = re.compile(rf"(?P<income>{_EARNED})|(?P<spending>{_SPENT})|(?P<debt>{_OWED})")
_ROLE_BEHIND = re.compile(rf"(?:元|块钱?)?(?:左右|多)?的?(?:(?P<income>{_EARNED})|(?P<spending>{_SPENT}))")
_NOT_MEANS = re.compile(r"月供|每期|分期|\d期|付|交|还(?!有|要|得|是|需|差|算)")
_TOTAL = re.compile(r"(?:一共|总共|加起来|合计|总计|共计|全部|加一起)[^\d]{0,4}$")
_WAVERS = re.compile(r"有时|有的时候|时多时少|好的时候|差的时候|淡季|旺季")
_END = r"(?:了|的|啊|呀|呢|吧|哦|,|。|\.|!)*"
_NOTHING = re.compile(rf"^ ?(?:暂时|现在|目前|真的)?(?:没有?|无|零|0)(?:元|块)?{_END}$")
_NO = r"(?:没有?|无|零|0)(?:任何|一点|一分|什么|啥|固定|稳定|的)*"
_NO_INCOME = re.compile(
    rf"{_NO}(?:收入|工资|进账|钱进来)(?!证明|流水|卡|条|单|高|多)|(?:收入|工资)(?:是|为|就是|:|=)?(?:0|零)(?![\d.])"
)
_NO_SPENDING = re.compile(rf"{_NO}(?:开销|开支|支出|花销|花费)(?!大)|(?:开销|开支|支出)(?:是|为|:|=)?(?:0|零)(?![\d.])")
_MONTHLY = re.compile(r"每个?月|月供|月还|一个?月|每期|月付|个月还|按月")
_ONE_OFF = re.compile(r"先还|先付|先给|一次|今天|明天|后天|今晚|马上|立刻|首付")
_TOO_MUCH = re.compile(r"太[多高贵]|不[起了上]|拿不出|做不到|(?<!行)不行|承受不|(?<!够)不够")
_CLAUSE_END = re.compile(r"[,，。.!！;；?？~ \n]")
_QUESTION_OR_OFFER = frozenset(
    {"propose_payment", "promise_to_pay", "report_paid", "ask_payment_status", "request_settlement", "dispute_debt"}
)


@dataclass(frozen=True, slots=True)
class StatedAmount:
    """One clear amount in fen a month."""

    fen: int


@dataclass(frozen=True, slots=True)
class UnclearAmount:
    """A range, a vague figure or one that is not by the month: it has to be asked again, not guessed. Fen a month."""

    low_fen: int
    high_fen: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Income and essential spending told in one breath, in fen a month."""

    income_fen: int
    essential_fen: int


class _Role(Enum):
    """What an amount is said to be."""

    INCOME = auto()
    SPENDING = auto()
    DEBT = auto()


@dataclass(frozen=True, slots=True)
class _Told:
    """An amount with its role (None when no word tells it) and the words in front of and behind it."""

    amount: AmountRange
    role: _Role | None
    before: str
    behind: str


@dataclass(frozen=True, slots=True)
class _Span:
    """How a figure that is not by the month turns into a rough month: times ``low`` to ``high``, over ``divisor``."""

    words: re.Pattern[str]
    low: int
    high: int
    divisor: int = 1


_SPANS = (
    _Span(re.compile(r"年(?:薪|入|收入)|[一每全]年"), 1, 1, 12),
    _Span(re.compile(r"周薪|[一每]周|[一每]个?星期"), 4, 5),
    _Span(re.compile(r"日(?:薪|结|入)|[一每][天日]"), 20, 30),
)
_BY_THE_HOUR = re.compile(r"时薪|[一每]个?(?:小时|钟头)")
_ROUND_FEN = 100_00


def read_income(text: str, values: Sequence[Value], intent: str) -> StatedAmount | UnclearAmount | None:
    """Read a monthly income out of an answer to the question about it; several (底薪3000提成2000) are added up."""
    return _read_means(text, values, intent, _Role.INCOME, _NO_INCOME)


def read_essentials(text: str, values: Sequence[Value], intent: str) -> StatedAmount | UnclearAmount | None:
    """Read essential monthly spending; several items (房租1500吃饭1000) are added up."""
    return _read_means(text, values, intent, _Role.SPENDING, _NO_SPENDING)


def read_budget(text: str, values: Sequence[Value]) -> Budget | None:
    """Read a message that tells income and spending together, such as 工资6000,房租吃饭要3500."""
    told = _told(text, values)
    income = _monthly([entry for entry in told if entry.role is _Role.INCOME])
    essential = _monthly([entry for entry in told if entry.role is _Role.SPENDING])
    if income is None and essential is not None and _NO_INCOME.search(text):
        income = StatedAmount(0)
    if essential is None and income is not None and _NO_SPENDING.search(text):
        essential = StatedAmount(0)
    if isinstance(income, StatedAmount) and isinstance(essential, StatedAmount):
        return Budget(income.fen, essential.fen)
    return None


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
    amount = _only([told.amount for told in _told(text, values) if told.role in (None, _Role.DEBT)])
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


def _read_means(
    text: str, values: Sequence[Value], intent: str, own: _Role, nothing: re.Pattern[str]
) -> StatedAmount | UnclearAmount | None:
    if _NOTHING.match(text):
        return StatedAmount(0)
    told = _told(text, values)
    mine = [entry for entry in told if entry.role is own]
    if mine:
        total = [entry for entry in told if entry.role in (None, own) and _TOTAL.search(entry.before)]
        return _monthly(total if len(total) == 1 else mine)
    if nothing.search(text) and all(entry.role is not None for entry in told):
        return StatedAmount(0)
    # A lone figure answers the question, unless it is about something else.
    if len(told) != 1 or told[0].role is not None or intent in _QUESTION_OR_OFFER or _NOT_MEANS.search(text):
        return None
    return _monthly(told)


def _told(text: str, values: Sequence[Value]) -> list[_Told]:
    """Tell for each amount, left to right, what it is: by the words before it, else behind it, else as the last one."""
    amounts = [(value, value.payload) for value in values if isinstance(value.payload, AmountRange)]
    told: list[_Told] = []
    cursor, last = 0, None
    for place, (value, amount) in enumerate(amounts):
        until = amounts[place + 1][0].start if place + 1 < len(amounts) else len(text)
        before, behind = text[cursor : value.start], text[value.end : until]
        role = _last_role(before)
        cursor = value.end
        if role is None or role is _Role.DEBT:
            match = _ROLE_BEHIND.match(text, value.end, until)
            # In 4500工资,1500房租 the words stand behind; in 工资4500,房租1500 the next amount has them.
            if match and (until == len(text) or match.end() < until):
                role = _role(match)
                cursor = match.end()
        last = role or last
        told.append(_Told(amount, last, before, behind))
    return told


def _last_role(words: str) -> _Role | None:
    found = None
    for match in _ROLE_WORDS.finditer(words):
        found = _role(match)
    return found


def _role(match: re.Match[str]) -> _Role:
    return {"income": _Role.INCOME, "spending": _Role.SPENDING, "debt": _Role.DEBT}[match.lastgroup or "debt"]


def _monthly(told: Sequence[_Told]) -> StatedAmount | UnclearAmount | None:
    """Add amounts up to a month's figure; None when there are none, or one cannot be turned into a month's."""
    bounds = [_month_bounds(entry) for entry in told]
    known = [bound for bound in bounds if bound is not None]
    if not known or len(known) < len(bounds):
        return None
    if len(known) > 1 and any(_WAVERS.search(entry.before) for entry in told):
        low_fen, high_fen = min(low for low, _ in known), max(high for _, high in known)
    else:
        low_fen, high_fen = sum(low for low, _ in known), sum(high for _, high in known)
    return StatedAmount(low_fen) if low_fen == high_fen else UnclearAmount(low_fen, high_fen)


def _month_bounds(told: _Told) -> tuple[int, int] | None:
    near = told.before[-6:] + "|" + told.behind[:5]
    low_fen, high_fen = told.amount.low_fen, told.amount.high_fen
    if _BY_THE_HOUR.search(near):
        return None
    for span in _SPANS:
        if span.words.search(near):
            low_fen = low_fen * span.low // span.divisor // _ROUND_FEN * _ROUND_FEN
            high_fen = -(-high_fen * span.high // span.divisor // _ROUND_FEN) * _ROUND_FEN
            return low_fen, max(high_fen, low_fen + _ROUND_FEN)
    return low_fen, high_fen


def _is_unclear(amount: AmountRange) -> bool:
    return amount.low_fen != amount.high_fen


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None
