"""What answers to the negotiation's questions mean, and what must not be read out of them. Amounts in yuan here."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.text.values import Value, extract
from bot.workout.counter import BorrowerProposal
from bot.workout.reading import (
    Budget,
    StatedAmount,
    UnclearAmount,
    read_budget,
    read_essentials,
    read_income,
    read_position,
    read_proposal,
)

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
Means = int | tuple[int, int] | None


def heard(text: str) -> tuple[str, tuple[Value, ...]]:
    normal = normalize_text(text)
    return normal, extract(normal, NOW)


def means(expected: Means) -> StatedAmount | UnclearAmount | None:
    if isinstance(expected, tuple):
        return UnclearAmount(expected[0] * 100, expected[1] * 100)
    return None if expected is None else StatedAmount(expected * 100)


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
    ("3000到4000", (3000, 4000)),
    ("三四千", (3000, 4000)),
    ("几千块", (2000, 9000)),
    ("工资不稳定,有时三千有时五千", (3000, 5000)),
    ("一天200", (4000, 6000)),
    ("日结200块", (4000, 6000)),
    ("年薪10万", (8300, 8400)),
    ("一年8万", (6600, 6700)),
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
    "逾期90天",
    "罚息300",
]


@pytest.mark.parametrize(("text", "expected"), INCOME)
def test_an_income_is_read(text: str, expected: Means) -> None:
    assert read_income(*heard(text), "inform") == means(expected)


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
    ("房贷3500生活费1500", 5000),
    ("每月还房贷3500", 3500),
    ("看病每月600", 600),
    ("除了房租1200还有饭钱900", 2100),
    ("一共3000,其中房租1500", 3000),
    ("房租1500,加起来3000", 3000),
    ("工资4500,房租1500", 1500),
    ("1500到2000", (1500, 2000)),
    ("没有", 0),
    ("没什么开销", 0),
    ("没开销住父母家", 0),
]


@pytest.mark.parametrize(("text", "expected"), ESSENTIALS)
def test_essential_spending_is_read(text: str, expected: Means) -> None:
    assert read_essentials(*heard(text), "inform") == means(expected)


@pytest.mark.parametrize(
    "text", ["工资4500", "没有收入", "还500", "每月能还500", "欠2万", "12月15日", "13900001234", "不知道", "月供2000"]
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
    ("到手8000,房贷3500,孩子学费1500", 8000, 5000),
    ("我工资4500老婆3000,房租1500", 7500, 1500),
    ("底薪3000,提成2000,房租1500", 5000, 1500),
    ("工资6000,还完房贷3500,剩2500", 6000, 3500),
    ("每月工资4000交房租2000", 4000, 2000),
    ("没有收入,开销2000", 0, 2000),
    ("工资4500,没什么开销", 4500, 0),
]


@pytest.mark.parametrize(("text", "income", "essential"), BUDGETS)
def test_income_and_spending_are_read_in_one_breath(text: str, income: int, essential: int) -> None:
    assert read_budget(*heard(text)) == Budget(income * 100, essential * 100)


@pytest.mark.parametrize(
    "text",
    [
        "工资4500",
        "房租1500",
        "工资4500,生活费",
        "收入三四千,开销两千",
        "收入4500,开销2000到3000",
        "工资4500,每月能还800",
        "没有",
        "年薪10万,开销3000",
    ],
)
def test_half_a_budget_or_an_unclear_one_is_none(text: str) -> None:
    assert read_budget(*heard(text)) is None


POSITIONS: list[tuple[str, int]] = [
    ("第二个", 2),
    ("第 2 个", 2),
    ("第2种", 2),
    ("第二套方案", 2),
    ("就第一个吧", 1),
    ("还是第二个吧", 2),
    ("要第三个", 3),
    ("第三个可以", 3),
    ("第一", 1),
    ("第二家", 2),
    ("方案二", 2),
    ("方案2.", 2),
    ("选项3", 3),
    ("二号方案", 2),
    ("选2", 2),
    ("我选 2", 2),
    ("选第二", 2),
    ("选择二吧", 2),
    ("要2", 2),
    ("2", 2),
    ("二", 2),
    ("2号", 2),
    ("2吧", 2),
    ("1.", 1),
    ("最后一个", 3),
    ("最长的", 3),
    ("压力最小那个", 3),
    ("最短的", 1),
    ("中间那个", 2),
]
NO_POSITION = [
    "第四个",
    "选六",
    "0",
    "7",
    "12",
    "2号还",
    "12月2日",
    "第二天还",
    "第二个月开始还",
    "第2期",
    "第二期还不上",
    "第一次逾期",
    "第三方催收",
    "第一时间",
    "第一百",
    "倒数第二个",
    "要2000",
    "要两百",
    "要三千",
    "要2w",
    "就两百",
    "要一万",
    "每月还2000",
    "分2期",
    "选12期",
    "要二十期",
    "3个月",
    "要3个月",
    "就三个月吧",
    "要六个月",
    "就一个月",
    "要3成",
    "方案12",
    "方案一样吗",
    "计划一下",
    "要一起还",
    "要一次性还",
    "要一点时间",
    "要两天",
    "就一句话",
    "我就三张卡",
    "不要第二个",
    "第一个太高了",
    "第一个还不起",
    "第二个每期多少",
    "第二个和第一个有什么区别",
    "第一个第二个都行",
    "最长能分多久",
    "最快什么时候",
    "最后一个月",
    "13900001234",
    "可以",
    "一个都不行",
]


@pytest.mark.parametrize(("text", "position"), POSITIONS)
def test_a_choice_among_three_is_read(text: str, position: int) -> None:
    assert read_position(normalize_text(text), 3) == position


@pytest.mark.parametrize("text", NO_POSITION)
def test_dates_amounts_months_and_questions_choose_nothing(text: str) -> None:
    assert read_position(normalize_text(text), 3) is None


@pytest.mark.parametrize("text", [text for text, _ in POSITIONS])
def test_nothing_is_chosen_when_nothing_is_shown(text: str) -> None:
    assert read_position(normalize_text(text), 0) is None


PROPOSALS: list[tuple[str, int | None, int | None, date | None]] = [
    ("每月800", 800, None, None),
    ("800", 800, None, None),
    ("每个月还800", 800, None, None),
    ("一个月还800", 800, None, None),
    ("800一个月", 800, None, None),
    ("我能还五百", 500, None, None),
    ("最多800", 800, None, None),
    ("月供一千", 1000, None, None),
    ("每期一千二", 1200, None, None),
    ("现在每月还800", 800, None, None),
    ("我工资4500每月能还800", 800, None, None),
    ("第二个方案,每月800", 800, None, None),
    ("18期", None, 18, None),
    ("分18期", None, 18, None),
    ("能不能分三年", None, 36, None),
    ("半年还清", None, 6, None),
    ("分12期每月500", 500, 12, None),
    ("两年,每个月四百", 400, 24, None),
    ("15号还800", 800, None, date(2026, 12, 15)),
    ("每月500分12期,下月15号开始", 500, 12, date(2026, 12, 15)),
    ("不行,我想分18期", None, 18, None),
    ("太多了!每月500行吗", 500, None, None),
    ("还不起 一个月六百差不多", 600, None, None),
]


@pytest.mark.parametrize(("text", "yuan", "months", "first_on"), PROPOSALS)
def test_the_borrowers_own_figures_are_read(
    text: str, yuan: int | None, months: int | None, first_on: date | None
) -> None:
    normal, values = heard(text)
    monthly_fen = None if yuan is None else yuan * 100
    assert read_proposal(values, normal) == BorrowerProposal(monthly_fen, months, first_on)


@pytest.mark.parametrize(
    "text",
    [
        "可以",
        "第二个",
        "每月800到1000",
        "三五百",
        "分6到12期",
        "0元",
        "还2%",
        "下个月开始",
        "15号",
        "13900001234",
        "先还500",
        "一次还3000",
        "明天还500",
        "今天先给200",
        "800太多了",
        "每月800还不起",
        "每月800不行",
        "拿不出800",
        "每月1200,太多了",
        "不行,每月1200太多了",
        "工资4500",
        "房租1500",
    ],
)
def test_what_is_no_clear_monthly_plan_is_not_read_as_one(text: str) -> None:
    normal, values = heard(text)
    assert read_proposal(values, normal) is None


@given(st.text(max_size=80), st.integers(min_value=0, max_value=6))
def test_no_text_makes_a_reader_fail(text: str, count: int) -> None:
    normal, values = heard(text)
    for reader in (read_income, read_essentials):
        found = reader(normal, values, "inform")
        assert not isinstance(found, StatedAmount) or found.fen >= 0
        assert not isinstance(found, UnclearAmount) or 0 <= found.low_fen < found.high_fen
    read_budget(normal, values)
    read_proposal(values, normal)
    position = read_position(normal, count)
    assert position is None or 1 <= position <= count


@given(
    st.lists(
        st.sampled_from(
            ["工资", "房租", "还", "欠", "一共", "4500", "1500元", "一天", "每月", ",", "没有收入", "有时"]
        ),
        max_size=10,
    )
)
def test_piled_up_words_of_money_are_read_without_failing(words: list[str]) -> None:
    normal, values = heard("".join(words))
    income = read_income(normal, values, "inform")
    assert not isinstance(income, StatedAmount) or income.fen >= 0
    read_budget(normal, values)
