"""What a message means to a negotiation, given what the negotiation has just asked.

Only reading: nothing is decided here. A message that does not answer the question yields None, so that the dialogue
can treat it as whatever else it is and come back to the question afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import MonthCount
from bot.text.values import Value, ValueKind
from bot.workout.counter import BorrowerProposal

T = TypeVar("T")

_ORDINAL = re.compile(
    r"(?:第|方案|选项?|要|就|计划)\s*([一二三四五六两1-6])(?:\s*(?:个|种|项|号|方案|家))?(?![\d期月百千万十块元号日年])"
)
_BARE_ORDINAL = re.compile(r"^\s*([一二三四五六1-6])\s*[号个吧。.]?\s*$")
_NUMBER = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6} | {str(n): n for n in range(1, 7)}
_INCOME = re.compile(r"收入|工资|到手|挣|赚|进账|薪|底薪|退休金|低保|月入|每月有")
_SPENDING = re.compile(r"开销|支出|花销|花费|花掉|要花|生活费|房租|吃饭|必需|必须|水电|奶粉|学费|药费|房贷|基本")
_NOTHING = re.compile(
    r"^(?:.{0,4}(?:没|没有|无)(?:有)?(?:任何|一点|什么|啥)?(?:收入|工资|进账|钱进来|花销|开销|支出)|零|0|没有|没|无)(?:了|的|啊|呀|呢|吧)*[。.!]?$"
)
_MONTHLY = re.compile(r"每个?月|月供|月还|一个?月|每期|月付|个月还|按月")
_QUESTION_OR_OFFER = frozenset(
    {"propose_payment", "promise_to_pay", "report_paid", "ask_payment_status", "request_settlement", "dispute_debt"}
)


@dataclass(frozen=True, slots=True)
class StatedAmount:
    """One clear amount in fen."""

    fen: int


@dataclass(frozen=True, slots=True)
class UnclearAmount:
    """A range or vague figure: it has to be asked again, not guessed."""

    low_fen: int
    high_fen: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Income and essential spending told in one breath, in fen a month."""

    income_fen: int
    essential_fen: int


def read_income(text: str, values: Sequence[Value], intent: str) -> StatedAmount | UnclearAmount | None:
    """Read a monthly income out of an answer to the question about it."""
    return _read_means(text, values, intent, _INCOME, _SPENDING)


def read_essentials(text: str, values: Sequence[Value], intent: str) -> StatedAmount | UnclearAmount | None:
    """Read essential monthly spending; several items (房租1500吃饭1000) are added up."""
    return _read_means(text, values, intent, _SPENDING, _INCOME)


def read_budget(text: str, values: Sequence[Value]) -> Budget | None:
    """Read a message that tells income and spending together, such as 工资6000,房租吃饭要3500."""
    income, spending = _INCOME.search(text), _SPENDING.search(text)
    if income is None or spending is None:
        return None
    first_income = income.start() < spending.start()
    border = spending.start() if first_income else income.start()
    before = [amount for place, amount in _amounts(values) if place < border]
    after = [amount for place, amount in _amounts(values) if place >= border]
    earning, spent = (before, after) if first_income else (after, before)
    if len(earning) != 1 or not spent or any(_is_unclear(amount) for amount in (*earning, *spent)):
        return None
    return Budget(earning[0].low_fen, sum(amount.low_fen for amount in spent))


def read_position(text: str, count: int) -> int | None:
    """Read which of ``count`` shown things is meant: 第二个, 方案二, 选2, or a bare 2."""
    match = _ORDINAL.search(text) or _BARE_ORDINAL.match(text)
    if match:
        position = _NUMBER[match.group(1)]
        return position if position <= count else None
    if count and re.search(r"最后(?:一)?(?:个|种)|最长|最轻松|压力最小", text):
        return count
    return 1 if count and re.search(r"最短|最快", text) else None


def read_proposal(values: Sequence[Value], text: str) -> BorrowerProposal | None:
    """Read the borrower's own figures: so much a month, so many months, from such a day."""
    months = _only([value.payload for value in values if isinstance(value.payload, MonthCount)])
    amounts = [value for value in values if value.kind is ValueKind.AMOUNT]
    amount = _only([value.payload for value in amounts if isinstance(value.payload, AmountRange)])
    day = _only([value.payload for value in values if isinstance(value.payload, DateValue)])
    monthly = (
        amount.low_fen if amount is not None and amount.low_fen == amount.high_fen and amount.low_fen > 0 else None
    )
    span = months.low if months is not None and months.low == months.high and months.low > 0 else None
    if span == 1 and monthly is not None and _MONTHLY.search(text):
        span = None  # 一个月还800 names a monthly amount, not a plan of one month
    first_on: date | None = day.day if day is not None else None
    if monthly is None and span is None:
        return None
    return BorrowerProposal(monthly_fen=monthly, months=span, first_on=first_on)


def _read_means(
    text: str, values: Sequence[Value], intent: str, own: re.Pattern[str], other: re.Pattern[str]
) -> StatedAmount | UnclearAmount | None:
    if _NOTHING.match(text.strip()):
        return StatedAmount(0)
    amounts = [amount for _, amount in _amounts(values)]
    if not amounts or (other.search(text) and not own.search(text)):
        return None
    if not own.search(text) and (intent in _QUESTION_OR_OFFER or "还" in text):
        return None
    if len(amounts) > 1 and not own.search(text):
        return None
    if any(_is_unclear(amount) for amount in amounts):
        return UnclearAmount(sum(a.low_fen for a in amounts), sum(a.high_fen for a in amounts))
    return StatedAmount(sum(amount.low_fen for amount in amounts))


def _amounts(values: Sequence[Value]) -> list[tuple[int, AmountRange]]:
    return [(value.start, value.payload) for value in values if isinstance(value.payload, AmountRange)]


def _is_unclear(amount: AmountRange) -> bool:
    return amount.low_fen != amount.high_fen


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None
