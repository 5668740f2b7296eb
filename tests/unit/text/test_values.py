"""All kinds together: who wins where readings meet, and what is never read."""

from datetime import UTC, date, datetime

import pytest

from bot.text.amounts import AmountRange
from bot.text.dates import DateValue
from bot.text.periods import DayOfMonth, MonthCount
from bot.text.values import SHANGHAI, ValueKind, extract

NOW = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)


def kinds_and_words(text: str, *asked: ValueKind) -> list[tuple[str, str]]:
    return [(v.kind.value, text[v.start : v.end]) for v in extract(text, NOW, frozenset(asked) or None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15号还1500", [("date", "15号"), ("amount", "1500")]),
        ("下周三下午3点给我回电话", [("date", "下周三"), ("time_of_day", "下午3点")]),
        ("今晚8点前转500", [("date", "今晚"), ("time_of_day", "8点"), ("amount", "500")]),
        ("每月15号还800分24期", [("day_of_month", "每月15号"), ("amount", "800"), ("months", "24期")]),
        ("打八折一次性还5000", [("percent", "八折"), ("amount", "5000")]),
        ("年利率24%分36期", [("percent", "24%"), ("months", "36期")]),
        ("三個月後還清", [("date", "三個月後")]),
        ("宽限两个月", [("months", "两个月")]),
        ("还996元", [("amount", "996元")]),
        ("12378到12379元", [("amount", "12378到12379元")]),
        ("两千一定还", [("amount", "两千")]),
        ("欠了２千５", [("amount", "２千５")]),
        ("还500月底再还", [("amount", "500"), ("date", "月底")]),
        ("欠996,怎么办", [("amount", "996")]),
        ("¥44,996,000.00", [("amount", "¥44,996,000.00")]),
        ("还五百后,再等等", [("amount", "五百")]),
        ("住3栋502,欠1200", [("amount", "1200")]),
        ("3单元500块", [("amount", "500块")]),
        ("每月3号、18号", [("day_of_month", "每月3号"), ("day_of_month", "18号")]),
        ("2020年底借的", [("date", "2020年底")]),
    ],
)
def test_a_message_with_several_values_gives_each_once(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds_and_words(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "13800138000", "138-0013-8000", "打12378投诉", "我要打110",
        "10086", "身份证后四位1234", "尾号6688的卡", "订单号20261121003",
        "验证码998877", "6222 0212 3456 7890 123", "第二个方案", "方案二", "选2",
        "1号方案", "十有八九", "百分百还", "千万别打", "万一呢",
        "一万个不愿意", "我今年35", "四十五岁", "90后", "两个孩子",
        "3号楼501室", "民法典第675条", "iPhone15", "5G", "三分之一",
        "500美元", "7x24小时", "五险一金", "一分钱都没有", "芝麻分650",
        "家住3栋502", "6单元1203", "B座1801", "我是九五后", "零零后没钱",
        "天天996,累", "生日是5月3号", "微信号abc12345", "a@example.com", "一块去",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_value_is_left_alone_by_every_form(text: str) -> None:
    assert extract(text, NOW) == ()
    for kind in ValueKind:
        assert extract(text, NOW, frozenset({kind})) == ()


def test_a_form_that_asks_for_a_monthly_day_reads_a_plain_day_so() -> None:
    (value,) = extract("15号", NOW, frozenset({ValueKind.DAY_OF_MONTH}))
    assert value.payload == DayOfMonth(15)
    (value,) = extract("15号", NOW)
    assert value.payload == DateValue(date(2026, 12, 15))


def test_an_amount_form_does_not_take_the_day_of_a_date() -> None:
    assert extract("12月15号", NOW, frozenset({ValueKind.AMOUNT})) == ()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (ValueKind.AMOUNT, AmountRange(1200, 1200, False)),
        (ValueKind.MONTHS, MonthCount(12, 12)),
        (ValueKind.DAY_OF_MONTH, DayOfMonth(12)),
    ],
)
def test_a_number_alone_answers_the_question_that_was_asked(kind: ValueKind, payload: object) -> None:
    (value,) = extract("12", NOW, frozenset({kind}))
    assert (value.payload, value.bare) == (payload, True)


def test_spans_are_those_of_the_message_as_typed() -> None:
    text = "\u200b先還😭２０００塊吧"
    (value,) = extract(text, NOW)
    assert text[value.start : value.end] == "２０００塊"


def test_today_is_the_day_in_shanghai() -> None:
    late_in_london = datetime(2026, 11, 21, 17, tzinfo=UTC)
    (value,) = extract("今天", late_in_london)
    assert value.payload == DateValue(date(2026, 11, 22))


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        extract("今天", NOW.replace(tzinfo=None))
