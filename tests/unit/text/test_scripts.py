"""Scripts are told apart, replies converted, names folded."""

import pytest

from bot.text.scripts import Script, detect_script, fold_name, to_script, to_simplified


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("我想问一下还款", Script.HANS),
        ("我想問一下還款", Script.HANT),
        ("係唔係可以分期", Script.HANT),
        ("催收電話一直打给我", Script.HANT),
        ("没钱了", Script.HANS),
    ],
)
def test_a_message_with_telling_characters_has_a_script(text: str, script: Script) -> None:
    assert detect_script(text) is script


@pytest.mark.parametrize("text", ["", "你好", "1500", "ok", "😭😭", "以后再回", "后天上午在家里"])
def test_a_message_both_scripts_write_alike_has_none(text: str) -> None:
    assert detect_script(text) is None


def test_traditional_reply_keeps_digits_signs_and_addresses() -> None:
    reply = to_script("您的账单¥1,234.50，12月15日前还款：https://desk.example/pay?a=1", Script.HANT)

    assert reply == "您的帳單¥1,234.50，12月15日前還款：https://desk.example/pay?a=1"


def test_reply_keeps_words_of_the_law_as_they_are() -> None:
    assert to_script("诉讼程序", Script.HANT) == "訴訟程序"


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("方案先不签", "方案先不簽"),
        ("（银发〔2016〕111号）", "（銀發〔2016〕111號）"),
        ("也写明了每个方案", "也寫明了每個方案"),
        ("不是只有一次，别只截内容，想再了解一点", "不是只有一次，別只截內容，想再了解一點"),
        ("卡里、本金里、合同里", "卡裡、本金裡、合同裡"),
        ("手头能松一点", "手頭能鬆一點"),
        ("周几发，一周最多一次", "週幾發，一週最多一次"),
        ("回复“恢复提醒”，同事尽快答复", "回覆「恢復提醒」，同事儘快答覆"),
        ("说“我点‘同意’了”", "說「我點『同意』了」"),
    ],
)
def test_traditional_reply_has_the_right_characters_and_quotation_marks(simplified: str, traditional: str) -> None:
    assert to_script(simplified, Script.HANT) == traditional


def test_traditional_reply_keeps_a_label_that_hangs_on_something() -> None:
    assert to_script("标签", Script.HANT) == "標籤"


def test_simplified_reply_is_left_alone() -> None:
    assert to_script("您的账单已更新", Script.HANS) == "您的账单已更新"


@pytest.mark.parametrize("text", ["\ud800欠款", "a\x00貳"])
def test_what_the_converter_cannot_take_does_not_raise(text: str) -> None:
    assert len(to_simplified(text)) == len(text)


@pytest.mark.parametrize("written", ["欧阳 测试", "歐陽·測試", "欧阳•测试", "歐陽測試", "歐　陽測試"])
def test_one_name_has_one_key_however_it_is_written(written: str) -> None:
    assert fold_name(written) == "欧阳测试"


def test_names_in_latin_letters_fold_by_case() -> None:
    assert fold_name("ＡＢＣ Bank") == "abcbank"
