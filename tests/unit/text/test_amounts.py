"""Sums of money in all their spellings."""

import pytest

from bot.text.alignment import Aligned, unify_characters
from bot.text.amounts import AmountRange, find_amounts
from bot.text.lookalikes import mask_lookalikes
from bot.text.numerals import correct_numerals
from bot.text.reading import Reading


def read(text: str) -> list[Reading[AmountRange]]:
    return find_amounts(unify_characters(Aligned.of(text)).text)


def yuan(text: str) -> tuple[str, ...]:
    """Write what was read as 'low' or 'low..high', to the fen."""
    written = []
    for reading in read(text):
        low, high = (f"{fen // 100}.{fen % 100:02}" for fen in (reading.payload.low_fen, reading.payload.high_fen))
        written.append(low if low == high else f"{low}..{high}")
    return tuple(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("两千五", "2500.00"),
        ("一万二", "12000.00"),
        ("三百五", "350.00"),
        ("一千零五", "1005.00"),
        ("一千零五十", "1050.00"),
        ("一万五千八", "15800.00"),
        ("十二万三", "123000.00"),
        ("三千八百八", "3880.00"),
        ("一百二十万", "1200000.00"),
        ("两仟", "2000.00"),
        ("壹仟贰佰元整", "1200.00"),
        ("貳萬叁仟元", "23000.00"),
        ("1.5w", "15000.00"),
        ("3k", "3000.00"),
        ("1k5", "1500.00"),
        ("1w2", "12000.00"),
        ("1万零500", "10500.00"),
        ("2个w", "20000.00"),
        ("一点五万", "15000.00"),
        ("¥2,500", "2500.00"),
        ("￥８００", "800.00"),
        ("2500塊", "2500.00"),
        ("2,500.50元", "2500.50"),
        ("RMB 500", "500.00"),
        ("二零零零元", "2000.00"),
        ("五千蚊", "5000.00"),
        ("3皮", "30000.00"),
        ("还千五", "1500.00"),
        ("六白块", "600.00"),
        ("五十九万一千", "591000.00"),
        ("300快", "300.00"),
    ],
)
def test_one_sum_is_read_to_the_fen(text: str, expected: str) -> None:
    assert yuan(correct_numerals(text)) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12块5", "12.50"),
        ("12块50", "12.50"),
        ("三块五毛", "3.50"),
        ("五毛", "0.50"),
        ("块六毛二", "1.62"),
        ("1200元5角3分", "1200.53"),
        ("二十块零五毛", "20.50"),
        ("一块钱", "1.00"),
    ],
)
def test_jiao_and_fen_are_read(text: str, expected: str) -> None:
    assert yuan(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("两三千", "2000.00..3000.00"),
        ("三五百块", "300.00..500.00"),
        ("一千二三", "1200.00..1300.00"),
        ("十几万", "110000.00..190000.00"),
        ("500到600", "500.00..600.00"),
        ("500-800元", "500.00..800.00"),
        ("1到2万", "10000.00..20000.00"),
        ("三到五百", "300.00..500.00"),
        ("2~3k", "2000.00..3000.00"),
        ("八百到一千", "800.00..1000.00"),
        ("三千五千", "3000.00..5000.00"),
        ("千儿八百", "800.00..1000.00"),
    ],
)
def test_a_range_keeps_both_ends(text: str, expected: str) -> None:
    assert yuan(text) == (expected,)


@pytest.mark.parametrize(
    "text", ["十来万", "千把块", "两千多块", "一千出头", "三百左右", "大概五百", "上千块", "两三千"]
)
def test_rough_sums_say_so(text: str) -> None:
    (reading,) = read(text)
    assert reading.payload.approximate


def test_an_exact_sum_is_not_rough() -> None:
    assert read("还500元") == [Reading(1, 5, AmountRange(50_000, 50_000, False))]


@pytest.mark.parametrize("text", ["1500", "六千", "1500吧", "大概三千左右", "八百行吗"])
def test_a_number_that_nothing_explains_is_bare(text: str) -> None:
    (reading,) = read(text)
    assert reading.bare


@pytest.mark.parametrize("text", ["先还1500", "工资六千", "每月800行不行", "最多一千五", "¥1500", "500块"])
def test_a_number_with_money_words_is_not_bare(text: str) -> None:
    (reading,) = read(text)
    assert not reading.bare


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5000一个月", "5000.00"), ("两千一个月", "2000.00"), ("每月还800分24期", "800.00"), ("三千一次性还", "3000.00")],
)
def test_what_follows_a_sum_is_not_drawn_into_it(text: str, expected: str) -> None:
    assert yuan(mask_lookalikes(text)) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("先还一两万周转", "10000.00..20000.00"),
        ("还五百周五再还", "500.00"),
        ("欠5000年底还清", "5000.00"),
        ("转了500支付宝", "500.00"),
        ("还1000部分", "1000.00"),
        ("借了3000平台的", "3000.00"),
        ("扣了500系统错了", "500.00"),
        ("还了500后又扣", "500.00"),
        ("欠一千本月的", "1000.00"),
        ("工资5000月供多少", "5000.00"),
        ("小两千周转", "2000.00"),
    ],
)
def test_a_word_that_only_begins_like_a_counter_does_not_hide_the_sum(text: str, expected: str) -> None:
    assert yuan(mask_lookalikes(text)) == (expected,)


@pytest.mark.parametrize("text", ["借2020年底", "欠2020年前", "欠20家里的", "300名下岗", "1000人家庭", "欠12回头"])
def test_years_and_small_counts_stay_counts_before_such_words(text: str) -> None:
    assert yuan(text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2~3k先还着", "2000.00..3000.00"),
        ("3到5千先还着", "3000.00..5000.00"),
        ("1-2w的话看看", "10000.00..20000.00"),
        ("4、5千", "4000.00..5000.00"),
        ("两、三千块", "2000.00..3000.00"),
        ("3、5千", "3000.00..5000.00"),
    ],
)
def test_the_unit_of_the_upper_end_counts_for_both(text: str, expected: str) -> None:
    assert yuan(text) == (expected,)


def test_items_of_a_list_are_no_range() -> None:
    assert yuan("还2、8千") == ("8000.00",)


@pytest.mark.parametrize(("text", "expected"), [("百五", "150.00"), ("千二行不行", "1200.00"), ("我百八先", "180.00")])
def test_a_sum_with_its_one_dropped_answers_alone_as_bare(text: str, expected: str) -> None:
    assert yuan(text) == (expected,)
    assert [reading.bare for reading in read(text)] == [True]


@pytest.mark.parametrize("text", ["畀住百五先", "俾返千二你"])
def test_cantonese_words_for_giving_are_about_money(text: str) -> None:
    assert [reading.bare for reading in read(text)] == [False]


@pytest.mark.parametrize("text", ["万五", "百五十家", "0512", "007"])
def test_a_rate_a_count_and_a_code_alone_are_no_sums(text: str) -> None:
    assert yuan(text) == ()


@pytest.mark.parametrize("text", ["1万25", "12.345元", "一千二百三十四百", "9" * 30 + "元", "百亿亿元", "千五百块"])
def test_what_could_be_two_sums_or_none_is_not_guessed(text: str) -> None:
    assert yuan(text) == ()


@pytest.mark.parametrize(
    "text", ["一块去", "欠了8家", "打了20个电话", "三个孩子", "3楼", "650分", "第3名", "12期", "两张卡", "60天"]
)
def test_counted_things_are_not_money(text: str) -> None:
    assert yuan(text) == ()
