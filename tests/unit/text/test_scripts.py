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
