"""What a message says of a month's budget: income, essential spending, other debts.

Only reading: nothing is decided here, and a message that says nothing of the sort yields None. Texts and values are as
for ``bot.workout.told``. A sum in another rhythm is brought to a month by the rules of ``bot.workout.budget``; of a
range the careful end counts, the lower one of what comes in and the higher one of what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.text.values import Value
from bot.workout.budget import IncomeKind, IncomeTold, Rhythm, income_a_month, spending_a_month
from bot.workout.told import AmountRole, Told, amounts_told

_NOT_MEANS = re.compile(r"月供|每期|分期|\d期|付|交|还(?!有|要|得|是|需|差|算)")
_CLAUSE_END = re.compile(r"[,。;!?、\n]")
_TOTAL = re.compile(r"(?:一共|总共|加起来|合计|总计|共计|全部|加一起)[^\d]{0,4}$")
_WAVERS = re.compile(r"有时|有的时候|时多时少|好的时候|差的时候|淡季|旺季")
_END = r"(?:了|的|啊|呀|呢|吧|哦|,|。|\.|!)*"
_NOTHING = re.compile(rf"^ ?(?:暂时|现在|目前|真的|都|就)?(?:没有?|无|零|0)(?:元|块)?{_END}$")
_NO = r"(?:没有?|无|零|0)(?:任何|一点|一分|什么|啥|固定|稳定|的)*"
_NO_INCOME = re.compile(
    rf"{_NO}(?:收入|工资|进账|钱进来)(?!证明|流水|卡|条|单|高|多)|(?:收入|工资)(?:是|为|就是|:|=)?(?:0|零)(?![\d.])"
)
_NO_SPENDING = re.compile(rf"{_NO}(?:开销|开支|支出|花销|花费)(?!大)|(?:开销|开支|支出)(?:是|为|:|=)?(?:0|零)(?![\d.])")
_NO_OTHER_DEBTS = re.compile(
    r"(?:没有?|无|不欠|没欠)(?:任何|什么|啥|了|过)*(?:别家|别的|别人|其[他它]|外债|网贷|房贷|车贷)(?!证明)"
    r"|(?:别家|别的|其[他它])(?:的|地方|平台|贷款|债|家)*(?:都|也|就)?(?:没有?|不欠|没欠)|(?:就|只)(?:有|欠)?(?:这|你们)(?:里|儿)?一?家"
    r"|(?:就|只)欠?(?:有)?(?:这|你们)(?:里|儿)?一?[笔个](?:债|账|贷款|欠款|平台)|(?:就|只)欠(?:这|你们)(?:里|儿)?一?[笔个]"
)
_OFFERED_HERE = re.compile(r"[能可]以?(?:够)?还|最多还|还(?:给)?你们|分期|\d期")
_IN_HAND = re.compile(r"(?:手上|手头|手里|身上|卡里|卡上|存款|积蓄|现有|余额)[^,。]{0,6}\d")
_EVERY_MONTH = re.compile(r"每月|每个月|一个月|月薪|月入|工资|收入|到手")
_AT_MOST = re.compile(r"(?:我|月)[^,。]{0,4}(?:最多|顶多|至多|只能)|只能(?:拿|给|出)|拿得出")
_OWED_IN_ALL = re.compile(r"欠|借了|本金|逾期|额度")
_QUESTION_OR_OFFER = frozenset(
    {"propose_payment", "promise_to_pay", "report_paid", "ask_payment_status", "request_settlement", "dispute_debt"}
)
_WON_T_SAY = re.compile(
    r"不想说|不方便|不便|不愿|不说了?(?:$|[,。吧])|不告诉|不透露|隐私|保密|不清楚|不知道|不晓得|说不[清准上好]|算不[清出]|记不[清得]|没算过"
    r"|不好说|不确定|跳过|随便"
)
_NEAR_BEFORE, _NEAR_BEHIND = 6, 5
"""So many characters before and behind an amount a word may tell its rhythm."""

_TOO_WIDE = 2
"""A range whose upper end is more than so many times the lower one says too little to reckon with."""

_RHYTHMS: tuple[tuple[Rhythm, re.Pattern[str]], ...] = (
    (Rhythm.MONTHLY, re.compile(r"月(?:薪|入)|每个?月|(?<!半)一个月")),
    (Rhythm.YEARLY, re.compile(r"年(?:薪|入|收入)|[一每全]年")),
    (Rhythm.HALF_MONTHLY, re.compile(r"[一每]?半个?月|半月")),
    (Rhythm.WEEKLY, re.compile(r"周薪|周结|[一每]周|[一每]个?(?:星期|礼拜)")),
    (Rhythm.DAILY, re.compile(r"日(?:薪|结|入)|[一每][天日]")),
)
_FILLER = re.compile(r"不是[^,。是]*|应该|这个?|那个?|就|是|按|的|数|算|收入|工资|到手|吧|啊|呀|哦|嗯|对|[,。! ]")
"""What an answer that names a rhythm alone may hold beside it; 不是一年的 names the one that it is not."""
_NAMED_ALONE: tuple[tuple[Rhythm, re.Pattern[str]], ...] = (
    (Rhythm.MONTHLY, re.compile(r"[一每]?个?月|月[薪入]")),
    (Rhythm.YEARLY, re.compile(r"[一每全]?年|年[薪入]")),
    (Rhythm.HALF_MONTHLY, re.compile(r"[一每]?半个?月")),
    (Rhythm.WEEKLY, re.compile(r"[一每]?周|周[薪结]|[一每]?个?(?:星期|礼拜)")),
    (Rhythm.DAILY, re.compile(r"[一每]?[天日]|日[薪结入]")),
)
_BY_THE_HOUR = re.compile(r"时薪|[一每]个?(?:小时|钟头)")

_RELATIVE = r"(?:父母|爸妈|家里|老公|老婆|儿子|女儿|孩子)"
_KINDS: tuple[tuple[IncomeKind, re.Pattern[str]], ...] = (
    (IncomeKind.WAGE, re.compile(r"工资|薪|提成|奖金|上班")),
    (
        IncomeKind.GIG,
        re.compile(r"日结|零工|散工|临时工|跑单|外卖|滴滴|网约车|代驾|快递|计件|兼职|跑车|工地"),
    ),
    (IncomeKind.BUSINESS, re.compile(r"生意|开店|店里|摆摊|摊子|营业|网店")),
    (IncomeKind.PENSION, re.compile(r"退休|养老金")),
    (IncomeKind.BENEFIT, re.compile(r"低保|失业金|补助|补贴|救济|救助")),
    (
        IncomeKind.FAMILY,
        re.compile(rf"靠{_RELATIVE}|{_RELATIVE}(?:每个?月)?给"),
    ),
)


@dataclass(frozen=True, slots=True)
class StatedAmount:
    """One figure to reckon with, in fen a month.

    ``each_fen`` is what was said where ``rhythm`` is not the month, None where several rhythms were named.
    ``range_fen`` holds the two ends, a month each, where a range was named.
    """

    fen: int
    rhythm: Rhythm = Rhythm.MONTHLY
    each_fen: int | None = None
    range_fen: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class UnclearAmount:
    """A figure so vague that it has to be asked again, not guessed. Fen a month."""

    low_fen: int
    high_fen: int


Amount = StatedAmount | UnclearAmount


@dataclass(frozen=True, slots=True)
class BudgetTold:
    """What a message says of a budget in so many words; None is what it says nothing of.

    ``is_whole``: income and several items of spending stand together, so that their sum is all that is spent.
    """

    income: Amount | None = None
    essentials: Amount | None = None
    other_debts: Amount | None = None
    is_whole: bool = False


def read_budget(text: str, values: Sequence[Value]) -> BudgetTold:
    """Read every figure whose words say what it is: 工资6000,房租1500吃饭1000,房贷1200. Bare figures are left alone."""
    told = amounts_told(text, values)
    income, essentials = _of(told, AmountRole.INCOME), _of(told, AmountRole.SPENDING)
    if income is None and _NO_INCOME.search(text):
        income = StatedAmount(0)
    if essentials is None and _NO_SPENDING.search(text):
        essentials = StatedAmount(0)
    others = [entry for entry in told if entry.role is AmountRole.ELSEWHERE and not _OWED_IN_ALL.search(entry.before)]
    other_debts = _monthly(others, AmountRole.ELSEWHERE)
    if other_debts is None and _NO_OTHER_DEBTS.search(text):
        other_debts = StatedAmount(0)
    items = sum(entry.role is AmountRole.SPENDING for entry in told)
    return BudgetTold(income, essentials, other_debts, is_whole=income is not None and items > 1)


def read_income(text: str, values: Sequence[Value], intent: str) -> Amount | None:
    """Read a monthly income out of an answer to the question about it; several (底薪3000提成2000) are added up."""
    return _read_means(text, values, intent, AmountRole.INCOME, _NO_INCOME)


def read_essentials(text: str, values: Sequence[Value], intent: str) -> Amount | None:
    """Read essential monthly spending; several items (房租1500吃饭1000) are added up."""
    return _read_means(text, values, intent, AmountRole.SPENDING, _NO_SPENDING)


def read_other_debts(text: str, values: Sequence[Value]) -> Amount | None:
    """Read what goes to other debts each month out of an answer to the question about it; several are added up."""
    if _NOTHING.match(text):
        return StatedAmount(0)
    told = amounts_told(text, values)
    if _OFFERED_HERE.search(text):
        return None
    if _AT_MOST.search(text) and not any(entry.role is AmountRole.ELSEWHERE for entry in told):
        return None
    if not told:
        return StatedAmount(0) if _NO_OTHER_DEBTS.search(text) else None
    mine = [entry for entry in told if entry.role in (None, AmountRole.ELSEWHERE, AmountRole.DEBT)]
    mine = [entry for entry in mine if not _OWED_IN_ALL.search(entry.before)]
    total = [entry for entry in mine if _TOTAL.search(entry.before)]
    return _monthly(total if len(total) == 1 else mine, AmountRole.ELSEWHERE)


def names_money_in_hand(text: str) -> bool:
    """Whether a sum is what somebody has now, and nothing that comes every month."""
    return _IN_HAND.search(text) is not None and _EVERY_MONTH.search(text) is None


def read_income_kinds(text: str) -> tuple[IncomeKind, ...]:
    """Read where income comes from, in a fixed order; empty where nothing says it."""
    return tuple(kind for kind, words in _KINDS if words.search(text))


def read_rhythm(text: str) -> Rhythm | None:
    """Read the rhythm that is named alone, as an answer to whether a sum is a month's."""
    named = _FILLER.sub("", text)
    return next((rhythm for rhythm, words in _NAMED_ALONE if words.fullmatch(named)), None)


def won_t_say(text: str) -> bool:
    """Whether an answer says that the borrower does not know or does not wish to say."""
    return _WON_T_SAY.search(text) is not None


def income_told(amount: StatedAmount, text: str) -> IncomeTold:
    """How an income was put in an answer."""
    high_fen = amount.range_fen[1] if amount.range_fen is not None else None
    return IncomeTold(read_income_kinds(text), amount.rhythm, amount.each_fen, high_fen)


def _read_means(
    text: str, values: Sequence[Value], intent: str, own: AmountRole, nothing: re.Pattern[str]
) -> Amount | None:
    if _NOTHING.match(text):
        return StatedAmount(0)
    told = amounts_told(text, values)
    if (mine := _of(told, own)) is not None:
        return mine
    if nothing.search(text) and all(entry.role is not None for entry in told):
        return StatedAmount(0)
    # A figure that no word names answers the question, alone or beside others that are named, unless it is an offer.
    unnamed = [entry for entry in told if entry.role is None]
    if len(unnamed) != 1 or intent in _QUESTION_OR_OFFER:
        return None
    about = text if len(told) == 1 else unnamed[0].before + _CLAUSE_END.split(unnamed[0].behind, 1)[0]
    return None if _NOT_MEANS.search(about) else _monthly(unnamed, own)


def _of(told: Sequence[Told], own: AmountRole) -> Amount | None:
    mine = [entry for entry in told if entry.role is own]
    if not mine:
        return None
    total = [entry for entry in told if entry.role in (None, own) and _TOTAL.search(entry.before)]
    return _monthly(total if len(total) == 1 else mine, own)


def _monthly(told: Sequence[Told], own: AmountRole) -> Amount | None:
    """Add amounts up to a month's figure; None when there are none, or one cannot be brought to a month."""
    rhythms = [_rhythm(entry) for entry in told]
    if not told or None in rhythms:
        return None
    known = [rhythm for rhythm in rhythms if rhythm is not None]
    bounds = [_bounds(entry, rhythm, own) for entry, rhythm in zip(told, known, strict=True)]
    if len(bounds) > 1 and any(_WAVERS.search(entry.before) for entry in told):
        low_fen, high_fen = min(low for low, _ in bounds), max(high for _, high in bounds)
    else:
        low_fen, high_fen = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    if high_fen > _TOO_WIDE * low_fen:
        return UnclearAmount(low_fen, high_fen)
    rhythm = known[0] if len(set(known)) == 1 else Rhythm.MIXED
    each = told[0].amount if len(told) == 1 and rhythm is not Rhythm.MONTHLY else None
    return StatedAmount(
        low_fen if own is AmountRole.INCOME else high_fen,
        rhythm,
        None if each is None else each.low_fen if own is AmountRole.INCOME else each.high_fen,
        (low_fen, high_fen) if low_fen != high_fen else None,
    )


def _rhythm(told: Told) -> Rhythm | None:
    """The rhythm whose word stands nearest to the amount: 日结,一个月3000 is a month's."""
    before, behind = told.before[-_NEAR_BEFORE:], told.behind[:_NEAR_BEHIND]
    if _BY_THE_HOUR.search(f"{before}|{behind}"):
        return None
    near = [(len(before) - match.end(), rhythm) for rhythm, words in _RHYTHMS for match in words.finditer(before)]
    near += [(match.start(), rhythm) for rhythm, words in _RHYTHMS for match in words.finditer(behind)]
    return min(near, key=lambda found: found[0], default=(0, Rhythm.MONTHLY))[1]


def _bounds(told: Told, rhythm: Rhythm, own: AmountRole) -> tuple[int, int]:
    a_month = income_a_month if own is AmountRole.INCOME else spending_a_month
    return a_month(rhythm, told.amount.low_fen), a_month(rhythm, told.amount.high_fen)
