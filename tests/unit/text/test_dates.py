"""Days as borrowers name them, seen from Saturday 2026-11-21."""

from datetime import date

import pytest

from bot.text.dates import find_dates

TODAY = date(2026, 11, 21)


def days(text: str, today: date = TODAY, *, expected: bool = False) -> list[date | None]:
    return [reading.payload.day for reading in find_dates(text, today, expected=expected)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今天", "2026-11-21"),
        ("明晚", "2026-11-22"),
        ("大后天", "2026-11-24"),
        ("前天", "2026-11-19"),
        ("听日", "2026-11-22"),
        ("下周三", "2026-11-25"),
        ("周三", "2026-11-25"),
        ("周六", "2026-11-21"),
        ("礼拜天", "2026-11-22"),
        ("下下周一", "2026-11-30"),
        ("上周五", "2026-11-13"),
        ("月底", "2026-11-30"),
        ("下个月底", "2026-12-31"),
        ("年底之前", "2026-12-31"),
        ("明年年底", "2027-12-31"),
        ("20号之前", "2026-12-20"),
        ("21号", "2026-11-21"),
        ("25号", "2026-11-25"),
        ("31号", "2026-12-31"),
        ("廿五号", "2026-11-25"),
        ("下个月十五号", "2026-12-15"),
        ("下下个月5号", "2027-01-05"),
        ("上个月15号", "2026-10-15"),
        ("12月15", "2026-12-15"),
        ("十二月三号", "2026-12-03"),
        ("3月5号", "2027-03-05"),
        ("明年3月1号", "2027-03-01"),
        ("2027年1月5日", "2027-01-05"),
        ("二零二七年一月五号", "2027-01-05"),
        ("民国116年1月5日", "2027-01-05"),
        ("2026-12-15", "2026-12-15"),
        ("2026.12.1", "2026-12-01"),
        ("20261215", "2026-12-15"),
        ("12/15", "2026-12-15"),
        ("12.15前还", "2026-12-15"),
        ("3天后", "2026-11-24"),
        ("十天之内", "2026-12-01"),
        ("半个月后", "2026-12-06"),
        ("一个半月后", "2027-01-05"),
        ("两个礼拜后", "2026-12-05"),
        ("三个月后", "2027-02-21"),
        ("48小时内", "2026-11-23"),
        ("元旦前", "2027-01-01"),
        ("2027年底", "2027-12-31"),
        ("2025年年底借的", "2025-12-31"),
        ("今个月底", "2026-11-30"),
        ("周五还剩下的", "2026-11-27"),
    ],
)
def test_a_named_day_is_found(text: str, day: str) -> None:
    assert days(text) == [date.fromisoformat(day)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("15号已经还了", "2026-11-15"),
        ("10号还了500", "2026-11-10"),
        ("26号被扣款了", "2026-10-26"),
        ("3月5号借的", "2026-03-05"),
        ("周三还过了", "2026-11-18"),
    ],
)
def test_a_past_clause_looks_back(text: str, day: str) -> None:
    assert days(text) == [date.fromisoformat(day)]


@pytest.mark.parametrize("text", ["15号发工资", "15号发了工资就还", "15号能还", "15号之前还"])
def test_a_promise_looks_ahead(text: str) -> None:
    assert days(text) == [date(2026, 12, 15)]


@pytest.mark.parametrize(
    "text",
    [
        "过几天", "改天", "下个月", "下周", "周末", "月初",
        "下月初", "三五天后", "过完年", "春节后", "等发工资", "20多号",
        "5号到10号", "15、16号", "下周三或者周四", "明后天", "2月30号",
        "11月31日", "13月5号", "32号", "三个工作日内", "五年前",
    ],
)  # fmt: skip
def test_a_vague_or_impossible_day_is_unresolved(text: str) -> None:
    assert days(text) == [None]


def test_a_named_day_explains_the_vague_one() -> None:
    assert days("15号发工资就还，等手头宽裕些") == [date(2026, 12, 15)]


@pytest.mark.parametrize("text", ["88号", "1号方案", "3号楼", "每周五", "每月15号的话", "3-5", "23/11", "上个月没还"])
def test_what_is_no_day_gives_none(text: str) -> None:
    assert days(text) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [("宽限三天", "2026-11-24"), ("再给我一周", "2026-11-28"), ("半个月", "2026-12-06"), ("11-30", "2026-11-30"),
     ("12.20行不行", "2026-12-20"), ("改到12.10吧", "2026-12-10"), ("推到12-8可以吗", "2026-12-08")],
)  # fmt: skip
def test_an_expected_day_may_be_a_span_or_short(text: str, day: str) -> None:
    assert days(text) == []
    assert days(text, expected=True) == [date.fromisoformat(day)]


@pytest.mark.parametrize("text", ["先还12.20元", "分3-5期", "12.20和500", "99.5行吗"])
def test_an_expected_day_is_not_seen_in_sums_and_counts(text: str) -> None:
    assert days(text, expected=True) == []


def test_months_are_added_to_the_last_day_they_have() -> None:
    assert days("一个月后", date(2027, 1, 31)) == [date(2027, 2, 28)]


def test_the_29th_of_february_needs_a_leap_year() -> None:
    assert days("2月29号", date(2028, 1, 5)) == [date(2028, 2, 29)]
    assert days("2月29号", TODAY) == [None]


@pytest.mark.parametrize(
    ("text", "today", "day"),
    [
        ("12/31还", date(2026, 12, 29), date(2026, 12, 31)),
        ("1/30还", date(2027, 1, 29), date(2027, 1, 30)),
        ("7/31还款", date(2026, 7, 30), date(2026, 7, 31)),
        ("7/31已经还了", date(2026, 7, 30), date(2025, 7, 31)),
        ("2/29", date(2028, 2, 29), date(2028, 2, 29)),
        ("2月29号", date(2028, 2, 29), date(2028, 2, 29)),
        ("2/29", date(2027, 3, 1), date(2028, 2, 29)),
        ("2/29已经还了", date(2029, 1, 10), date(2028, 2, 29)),
        ("2/29", TODAY, None),
    ],
)
def test_a_day_at_the_end_of_a_month_is_of_the_nearest_year_that_fits(text: str, today: date, day: date | None) -> None:
    assert days(text, today) == [day]


def test_weeks_start_on_monday() -> None:
    sunday = date(2026, 11, 22)
    assert days("下周一", sunday) == [date(2026, 11, 23)]
    assert days("周日", sunday) == [sunday]
