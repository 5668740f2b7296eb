"""Numbers of months, monthly days, percentages, times of day."""

from decimal import Decimal

import pytest

from bot.text.clock import find_times_of_day
from bot.text.percents import find_percents
from bot.text.periods import find_days_of_month, find_month_counts


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("分12期", 12, 12),
        ("二十四个月", 24, 24),
        ("半年", 6, 6),
        ("一年半", 18, 18),
        ("一年零三个月", 15, 15),
        ("1年6个月", 18, 18),
        ("三个季度", 9, 9),
        ("俩月", 2, 2),
        ("24到36期", 24, 36),
        ("三五个月", 3, 5),
        ("两三年", 24, 36),
        ("1到2年", 12, 24),
        ("宽限一个月", 1, 1),
        ("十来期", 10, 10),
        ("20多期吧", 20, 20),
        ("九个多月", 9, 9),
        ("十来个月", 10, 10),
        ("三个多季度", 9, 9),
    ],
)
def test_months_are_counted(text: str, low: int, high: int) -> None:
    assert [(r.payload.low, r.payload.high) for r in find_month_counts(text)] == [(low, high)]


@pytest.mark.parametrize(
    "text",
    [
        "第3期",
        "每期",
        "上个月",
        "下一期",
        "2019年借的",
        "19年借的",
        "三年前",
        "三个月后",
        "九个多月后",
        "用了十来年",
        "一个月还800",
        "六个半月",
        "六年级",
        "2个月大的孩子",
        "分期",
    ],
)
def test_other_uses_of_months_and_years_are_left_alone(text: str) -> None:
    assert find_month_counts(text) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("每月15号", 15),
        ("每个月十号", 10),
        ("每月最后一天", "last"),
        ("每月月底", "last"),
        ("还款日改到20号", 20),
        ("账单日是8号", 8),
        ("还款日改15行吗", 15),
        ("扣款日改到每个月十四", 14),
        ("账单日5", 5),
        ("还款日期是廿五", 25),
    ],
)
def test_monthly_days_are_found(text: str, day: int | str) -> None:
    assert [r.payload.day for r in find_days_of_month(text)] == [day]


def test_a_plain_day_is_monthly_only_when_asked_for() -> None:
    assert find_days_of_month("15号") == []
    assert [r.payload.day for r in find_days_of_month("15号", any_day=True)] == [15]


@pytest.mark.parametrize("text", ["每月15", "每个月十五吧", "每月在十五"])
def test_a_monthly_number_without_a_sign_is_a_day_only_when_asked_for(text: str) -> None:
    assert find_days_of_month(text) == []
    assert [r.payload.day for r in find_days_of_month(text, any_day=True)] == [15]


@pytest.mark.parametrize(
    "text", ["还款20", "发薪日20万", "工资日2000", "还款日10天后", "每月500", "到期日12/5", "结算日3次"]
)
def test_a_number_of_something_else_is_no_monthly_day(text: str) -> None:
    assert find_days_of_month(text, any_day=True) == []


@pytest.mark.parametrize("text", ["每月3号到5号", "每月3号、5号", "扣款日3号和5号"])
def test_all_days_of_a_range_or_a_list_are_returned(text: str) -> None:
    assert [r.payload.day for r in find_days_of_month(text)] == [3, 5]


def test_there_is_no_32nd() -> None:
    assert find_days_of_month("每月32号", any_day=True) == []


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("18%", "18"),
        ("百分之三点五", "3.5"),
        ("千分之五", "0.5"),
        ("万分之五", "0.05"),
        ("日息万五", "0.05"),
        ("0.5‰", "0.05"),
        ("18趴", "18"),
        ("36个点", "36"),
        ("两分利", "2"),
        ("月息1分5", "1.5"),
        ("两厘", "0.2"),
        ("八折", "80"),
        ("八五折", "85"),
        ("8.5折", "85"),
        ("八点五折", "85"),
        ("打对折", "50"),
        ("减三成", "30"),
        ("还一半", "50"),
        ("利率24", "24"),
        ("千分之一一天", "0.1"),
        ("百分之三十六一年", "36"),
        ("百分之二一个月", "2"),
        ("万分之五点五一天", "0.055"),
        ("百分之二十一", "21"),
        ("百分之二十一年化", "21"),
        ("三趴半", "3.5"),
        ("一分二的息", "1.2"),
        ("还两成", "20"),
        ("两成五", "25"),
        ("减掉三成", "30"),
        ("还个六成行吗", "60"),
    ],
)
def test_percentages_are_read_as_said(text: str, percent: str) -> None:
    assert [r.payload.value for r in find_percents(text)] == [Decimal(percent)]


@pytest.mark.parametrize("text", ["10-20%", "10%到20%", "百分之十到二十"])
def test_both_ends_of_a_percentage_range_are_returned(text: str) -> None:
    assert [r.payload.value for r in find_percents(text)] == [10, 20]


@pytest.mark.parametrize("text", ["八成是假的", "九成新", "一成不变", "折腾", "三分钟", "骨折"])
def test_words_that_share_a_character_are_no_percentages(text: str) -> None:
    assert find_percents(text) == []


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("晚上8点", "20:00"),
        ("下午3点半", "15:30"),
        ("下午三点一刻", "15:15"),
        ("上午十点", "10:00"),
        ("中午12点", "12:00"),
        ("中午一点", "13:00"),
        ("晚上12点", "00:00"),
        ("凌晨12点半", "00:30"),
        ("半夜两点", "02:00"),
        ("20:30", "20:30"),
        ("8:30pm", "20:30"),
        ("12am", "00:00"),
        ("8点零5分", "08:05"),
        ("两点钟", "02:00"),
        ("24点", "00:00"),
        ("零点", "00:00"),
        ("午夜12点", "00:00"),
        ("晏昼两点", "14:00"),
        ("差五分八点", "07:55"),
        ("晚上差一刻九点", "20:45"),
        ("下午五点差十分", "16:50"),
        ("凌晨差五分十二点", "23:55"),
    ],
)
def test_clock_times_are_on_24_hours(text: str, clock: str) -> None:
    assert [r.payload.value.strftime("%H:%M") for r in find_times_of_day(text)] == [clock]


def test_the_end_of_a_span_shares_the_part_of_the_day() -> None:
    assert [r.payload.value.hour for r in find_times_of_day("下午3点到5点")] == [15, 17]


@pytest.mark.parametrize(
    "text", ["少一点", "早一点", "两点建议", "25:00", "8:61", "差一点", "差五分", "差三分钟", "有时候", "零点五"]
)
def test_points_and_little_bits_are_no_hours(text: str) -> None:
    assert find_times_of_day(text) == []
