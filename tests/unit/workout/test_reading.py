"""What answers to the negotiation's questions mean, and what must not be read out of them. Amounts in yuan here."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.text.values import Value, extract
from bot.workout.budget_reading import (
    StatedAmount,
    UnclearAmount,
    read_budget,
    read_essentials,
    read_income,
    read_other_debts,
)
from bot.workout.counter import BorrowerProposal
from bot.workout.household_reading import read_dependants
from bot.workout.reading import (
    read_position,
    read_proposal,
)

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


def heard(text: str) -> tuple[str, tuple[Value, ...]]:
    normal = normalize_text(text)
    return normal, extract(normal, NOW)


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
    ("每天挣150,每月能还300", 300, None, None),
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
        "一天200,花呗每月还800",
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
    read_other_debts(normal, values)
    read_dependants(normal, asked=True)
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
