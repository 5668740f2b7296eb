"""What answers say of a month's budget, and what must not be read out of them. Amounts in yuan here."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.text.values import Value, extract
from bot.workout.budget import IncomeKind, IncomeTold, Rhythm
from bot.workout.budget_reading import (
    Amount,
    StatedAmount,
    UnclearAmount,
    income_told,
    names_money_in_hand,
    read_budget,
    read_essentials,
    read_income,
    read_income_kinds,
    read_other_debts,
    read_rhythm,
    won_t_say,
)

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
Means = int | tuple[int, int] | None


def heard(text: str) -> tuple[str, tuple[Value, ...]]:
    normal = normalize_text(text)
    return normal, extract(normal, NOW)


def yuan(found: Amount | None) -> Means:
    if isinstance(found, UnclearAmount):
        return found.low_fen // 100, found.high_fen // 100
    return None if found is None else found.fen // 100


INCOME: list[tuple[str, Means]] = [
    ("4500", 4500),
    ("四千五", 4500),
    ("4500块", 4500),
    ("大概4500", 4500),
    ("4500左右吧", 4500),
    ("月入八千", 8000),
    ("工资5k", 5000),
    ("1.2万", 12000),
    ("每个月到手4500", 4500),
    ("4500一个月", 4500),
    ("每月4500", 4500),
    ("税后4500元", 4500),
    ("低保800", 800),
    ("现在靠低保,一个月六百", 600),
    ("退休金3200多", 3200),
    ("两口子一共9000", 9000),
    ("底薪3000提成2000", 5000),
    ("4500工资", 4500),
    ("我工资4500老婆工资3000", 7500),
    ("我工资4500老婆3000,房租1500", 7500),
    ("工资3000奖金1000,加起来4000", 4000),
    ("每月15号发工资4500", 4500),
    ("工资4500,15号发", 4500),
    ("工资4500还了3000", 4500),
    ("工资4500,欠3万", 4500),
    ("没有固定收入,大概2000", 2000),
    ("没有", 0),
    ("没", 0),
    ("无", 0),
    ("0", 0),
    ("零", 0),
    ("0元", 0),
    ("暂时没有", 0),
    ("没有收入", 0),
    ("零收入", 0),
    ("收入0", 0),
    ("没啥收入了", 0),
    ("暂时没有收入来源", 0),
    ("我现在没有收入,靠父母", 0),
    ("3000到4000", 3000),
    ("三四千", 3000),
    ("不固定,三四千", 3000),
    ("这个月没收入", 0),
    ("几千块", (2000, 9000)),
    ("工资不稳定,有时三千有时五千", 3000),
    ("一天200", 4000),
    ("日结200块", 4000),
    ("日结一天200左右", 4000),
    ("日结一天200左右,房租1500吃饭1000,养两个孩子,另外花呗每月还800", 4000),
    ("3800,房租1200", 3800),
    ("日结,一个月3000", 3000),
    ("周结每月4000", 4000),
    ("月薪5000全年无休", 5000),
    ("一年到头每月3000", 3000),
    ("跑外卖一天150", 3000),
    ("每周800", 3200),
    ("周薪900", 3600),
    ("半个月1500", 3000),
    ("低保800,打零工一天100", 2800),
    ("年薪10万", 8300),
    ("一年8万", 6600),
]
NO_INCOME = [
    "每月还800",
    "每月能还800",
    "我每个月只能还500",
    "还500",
    "月供800",
    "每期800",
    "分期付800",
    "欠3万",
    "欠了30000怎么办",
    "借了5000",
    "房租1500",
    "每月开销2000",
    "没什么开销",
    "13900001234",
    "打我电话13900001234",
    "12月15日",
    "15号发工资",
    "工资还没发",
    "时薪20",
    "24期",
    "可以",
    "不方便说",
    "为什么要问",
    "利息怎么这么高",
    "没有收入证明",
    "我4500老婆3000",
    "尾号4500的卡",
    "每月还800,房租1500",
    "每期500,工资还没发",
    "4000 3000,房租1500",
    "逾期90天",
    "罚息300",
]


@pytest.mark.parametrize(("text", "expected"), INCOME)
def test_an_income_is_read(text: str, expected: Means) -> None:
    assert yuan(read_income(*heard(text), "inform")) == expected


@pytest.mark.parametrize("text", NO_INCOME)
def test_what_is_no_income_is_not_read_as_one(text: str) -> None:
    assert read_income(*heard(text), "inform") is None


@pytest.mark.parametrize("intent", ["propose_payment", "promise_to_pay", "report_paid", "request_settlement"])
@pytest.mark.parametrize("text", ["每月800", "800", "每个月800块"])
def test_an_offer_is_not_read_as_an_income(text: str, intent: str) -> None:
    assert read_income(*heard(text), intent) is None


@pytest.mark.parametrize("intent", ["propose_payment", "inform", "state_hardship"])
def test_an_amount_called_income_is_one_whatever_the_classifier_thinks(intent: str) -> None:
    assert read_income(*heard("我工资就4500"), intent) == StatedAmount(4500_00)


ESSENTIALS: list[tuple[str, Means]] = [
    ("2000", 2000),
    ("大概要3000", 3000),
    ("一千五左右", 1500),
    ("一个月最少要两千", 2000),
    ("房租1500吃饭1000", 2500),
    ("吃饭一千,房租八百", 1800),
    ("1500房租,1000吃饭", 2500),
    ("房租1500,吃饭1000,水电200", 2700),
    ("孩子学费2000奶粉800", 2800),
    ("房贷3500生活费1500", 1500),
    ("吃饭一天50块", 1500),
    ("伙食每周300", 1500),
    ("看病每月600", 600),
    ("除了房租1200还有饭钱900", 2100),
    ("一共3000,其中房租1500", 3000),
    ("房租1500,加起来3000", 3000),
    ("工资4500,房租1500", 1500),
    ("1500到2000", 2000),
    ("没有", 0),
    ("没什么开销", 0),
    ("没开销住父母家", 0),
]


@pytest.mark.parametrize(("text", "expected"), ESSENTIALS)
def test_essential_spending_is_read(text: str, expected: Means) -> None:
    assert yuan(read_essentials(*heard(text), "inform")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "工资4500",
        "没有收入",
        "还500",
        "每月能还500",
        "欠2万",
        "12月15日",
        "13900001234",
        "不知道",
        "月供2000",
        "每月还房贷3500",
    ],
)
def test_what_is_no_spending_is_not_read_as_it(text: str) -> None:
    assert read_essentials(*heard(text), "inform") is None


BUDGETS: list[tuple[str, int, int]] = [
    ("工资6000,房租吃饭要3500", 6000, 3500),
    ("收入4500,开销3000", 4500, 3000),
    ("开销3000收入4500", 4500, 3000),
    ("每月到手5000,房租1500吃饭1000", 5000, 2500),
    ("房租1500吃饭1000,工资4500", 4500, 2500),
    ("月入6000 花掉4000", 6000, 4000),
    ("4500工资,1500房租", 4500, 1500),
    ("我一个月挣5000,要花4000左右", 5000, 4000),
    ("到手8000,房贷3500,孩子学费1500", 8000, 1500),
    ("我工资4500老婆3000,房租1500", 7500, 1500),
    ("底薪3000,提成2000,房租1500", 5000, 1500),
    ("年薪10万,开销3000", 8300, 3000),
    ("每月工资4000交房租2000", 4000, 2000),
    ("没有收入,开销2000", 0, 2000),
    ("工资4500,没什么开销", 4500, 0),
]


@pytest.mark.parametrize(("text", "income", "essential"), BUDGETS)
def test_income_and_spending_are_read_in_one_breath(text: str, income: int, essential: int) -> None:
    found = read_budget(*heard(text))
    assert (yuan(found.income), yuan(found.essentials)) == (income, essential)


WHOLE: list[tuple[str, Means, Means, Means]] = [
    ("月收入6000，房租1500吃饭1000，养两个孩子，另外还房贷1200", 6000, 2500, 1200),
    ("工资6000,还完房贷3500,剩2500", 6000, None, 3500),
    ("到手8000,房贷3500,孩子学费1500", 8000, 1500, 3500),
    ("网贷每月还800", None, None, 800),
    ("花呗500借呗300", None, None, 800),
    ("车贷月供2100,工资9000", 9000, None, 2100),
    ("上班挣5000,没别家贷款", 5000, None, 0),
    ("收入三四千,开销两千", 3000, 2000, None),
    ("收入4500,开销2000到3000", 4500, 3000, None),
    ("几千块工资,开销2000", (2000, 9000), 2000, None),
    ("欠花呗3万", None, None, None),
    ("工资4500,每月能还800", 4500, None, None),
    ("4500", None, None, None),
    ("没有", None, None, None),
    ("就这个", None, None, None),
    ("就这个吧", None, None, None),
    ("3000,就这个数", None, None, None),
    ("就这一个方案", None, None, None),
    ("只欠这一笔", None, None, 0),
]


@pytest.mark.parametrize(("text", "income", "essentials", "others"), WHOLE)
def test_what_is_named_is_read_and_nothing_else(text: str, income: Means, essentials: Means, others: Means) -> None:
    found = read_budget(*heard(text))
    assert (yuan(found.income), yuan(found.essentials), yuan(found.other_debts)) == (income, essentials, others)


OTHERS: list[tuple[str, Means]] = [
    ("没有", 0),
    ("都没有", 0),
    ("就你们一家", 0),
    ("别的都没有", 0),
    ("1200", 1200),
    ("每月还1200", 1200),
    ("花呗500借呗300", 800),
    ("花呗500,网贷300,一共800", 800),
    ("房贷3000,网贷500", 3500),
    ("一千到一千五", 1500),
    ("每周还200", 1000),
    ("还欠3万", None),
    ("我每月能还800", None),
    ("分12期还800行不行", None),
    ("我一个月最多300", None),
    ("每月顶多500,再多拿不出", None),
    ("只能拿三百", None),
    ("别家每月最多300", 300),
    ("不想说", None),
    ("不清楚", None),
]


@pytest.mark.parametrize(("text", "expected"), OTHERS)
def test_what_goes_to_others_is_read(text: str, expected: Means) -> None:
    assert yuan(read_other_debts(*heard(text))) == expected


@pytest.mark.parametrize("text", ["不想说", "不方便说", "不清楚", "不知道", "算不清", "记不清了", "说不准", "跳过"])
def test_who_does_not_know_or_wish_to_say_is_understood(text: str) -> None:
    assert won_t_say(normalize_text(text))


@pytest.mark.parametrize("text", ["没有", "1200", "就我一个", "说一下方案"])
def test_an_answer_is_no_refusal(text: str) -> None:
    assert not won_t_say(normalize_text(text))


def test_how_an_income_was_put_is_kept_for_whoever_looks_at_it() -> None:
    text, values = heard("日结一天200到300")
    found = read_income(text, values, "inform")
    assert isinstance(found, StatedAmount)
    assert income_told(found, text) == IncomeTold((IncomeKind.GIG,), Rhythm.DAILY, 200_00, 6_000_00)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("工资3000,低保800", (IncomeKind.WAGE, IncomeKind.BENEFIT)),
        ("跑外卖一天150", (IncomeKind.GIG,)),
        ("摆摊一个月三千", (IncomeKind.BUSINESS,)),
        ("退休金3200", (IncomeKind.PENSION,)),
        ("爸妈每月给1000", (IncomeKind.FAMILY,)),
        ("4500", ()),
    ],
)
def test_where_income_comes_from_is_read(text: str, kinds: tuple[IncomeKind, ...]) -> None:
    assert read_income_kinds(normalize_text(text)) == kinds


@pytest.mark.parametrize(
    ("text", "rhythm"),
    [
        ("是一年的", Rhythm.YEARLY),
        ("一天的", Rhythm.DAILY),
        ("每周", Rhythm.WEEKLY),
        ("是一个月的", Rhythm.MONTHLY),
        ("不是一年的,是一个月的", Rhythm.MONTHLY),
        ("应该是按年算的吧", Rhythm.YEARLY),
        ("半个月", Rhythm.HALF_MONTHLY),
        ("日结", Rhythm.DAILY),
        ("不是一天的", None),
        ("我一天到晚找活干", None),
        ("对", None),
    ],
)
def test_a_rhythm_named_alone_is_read(text: str, rhythm: Rhythm | None) -> None:
    assert read_rhythm(normalize_text(text)) is rhythm


@given(low=st.integers(10, 999), more=st.integers(1, 999))
def test_of_a_range_the_careful_end_counts_and_of_too_wide_a_one_none(low: int, more: int) -> None:
    text = f"{low}0元到{low + more}0元"
    earned, spent = read_income(*heard(text), "inform"), read_essentials(*heard(text), "inform")
    if more > low:
        assert isinstance(earned, UnclearAmount)
        assert isinstance(spent, UnclearAmount)
    else:
        assert (yuan(earned), yuan(spent)) == (low * 10, (low + more) * 10)


@pytest.mark.parametrize("text", ["我手上有8000", "手头就2000块", "卡里还有500", "存款3万"])
def test_money_in_hand_is_no_income(text: str) -> None:
    assert names_money_in_hand(normalize_text(text))


@pytest.mark.parametrize("text", ["8000", "每个月到手8000", "手上工资6000", "手机号13800000001", "没有存款"])
def test_what_comes_every_month_is_no_money_in_hand(text: str) -> None:
    assert not names_money_in_hand(normalize_text(text))
