"""Messages come into one spelling, and every character knows where it came from."""

import pytest

from bot.text.normalize import normalize, normalize_text


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("我要還款", "我要还款"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("还\u200b款\ufeff", "还款"),
        ("哈哈哈哈哈", "哈哈"),
        ("求求求求你们", "求求你们"),
        ("快点快点快点快点", "快点快点"),
        ("难受😭😭真的", "难受真的"),
        ("还不上了[流泪][流泪]", "还不上了"),
        ("征信(zhēng xìn)会怎样", "征信会怎样"),
        ("我 要 分 期", "我要分期"),
        ("帐单", "账单"),
    ],
)
def test_noise_is_taken_out(typed: str, read: str) -> None:
    assert normalize_text(typed) == read


@pytest.mark.parametrize("digits", ["10000", "1111", "一一一一", "六六六", "2000000"])
def test_digits_are_never_shortened(digits: str) -> None:
    assert normalize_text(digits) == digits


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("yq两个月了", "逾期两个月了"),
        ("YQ了", "逾期了"),
        ("会上zx吗", "会上征信吗"),
        ("xyk还不起", "信用卡还不起"),
        ("好几个wd", "好几个网贷"),
        ("已经预期三个月", "已经逾期三个月"),
        ("崔收又来电话", "催收又来电话"),
        ("会影响诚信吗", "会影响征信吗"),
        ("能不能减勉", "能不能减免"),
        ("想紫砂", "想自杀"),
        ("聯徵會留紀錄嗎", "征信会留纪录吗"),
        ("唔係我借嘅", "不是我借的"),
        ("冇錢", "没有钱"),
    ],
)
def test_field_spellings_are_put_right(typed: str, read: str) -> None:
    assert normalize_text(typed) == read


@pytest.mark.parametrize(
    "text",
    [
        "收入低于预期收益",
        "做人要讲诚信",
        "剩余期数",
        "还宽限几天吗",
        "直接呗",
        "保证信用良好",
        "微粒贷自动代扣",
        "紫砂壶",
        "反而家人都知道了",
        "这边个人原因",
        "以往贷款",
        "希望贷款",
        "被催受不了",
        "自动结清",
        "账但是",
        "蚊帐",
    ],
)
def test_real_words_that_look_like_misspellings_stay(text: str) -> None:
    assert normalize_text(text) == text


def test_a_grunt_of_agreement_does_not_become_a_refusal() -> None:
    assert "不" not in normalize_text("唔，好吧")


def test_a_message_of_emoji_alone_is_not_empty() -> None:
    result = normalize("👌")

    assert (result.text, result.is_only_symbols) == ("👌", True)


@pytest.mark.parametrize(
    ("text", "expected"), [("[捂脸]", True), ("？？？", True), ("好👌", False), ("", False), ("1", False)]
)
def test_messages_without_words_are_marked(text: str, expected: bool) -> None:
    assert normalize(text).is_only_symbols is expected


def test_offsets_lead_back_to_what_was_typed() -> None:
    typed = "我😭zx花了"
    result = normalize(typed)

    start = result.text.index("征信")
    low, high = result.original_span(start, start + 2)
    assert typed[low:high] == "zx"


def test_a_span_outside_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        normalize("还款").original_span(1, 9)
