"""The words around notices by e-mail and text message: what a stranger may read, and what everybody must find."""

from __future__ import annotations

from string import Template

import pytest

from bot.channels.letter_words import LetterWords
from bot.outreach.tone import ToneGate
from bot.services.wording import Wording
from bot.settings import ROOT
from bot.text.scripts import Script

WORDING = Wording.load(ROOT / "data" / "templates" / "delivery.yml")
WORDS = LetterWords(WORDING, "示例银行")
SEEN_FIRST = ("email_from", "email_subject", "sms_text", "page_title", "page_hello")


@pytest.mark.parametrize("name", sorted(WORDING.texts))
def test_a_stranger_learns_nothing_of_a_debt(name: str) -> None:
    text = WORDING.texts[name][0]
    assert not any(word in text for word in ("欠", "债", "还款", "逾期", "催", "¥", "元", "分期"))
    assert ToneGate.load(ROOT / "data" / "outreach" / "tone.yml").check(text) == ()


@pytest.mark.parametrize("name", SEEN_FIRST)
def test_what_is_seen_first_names_the_lender_and_the_ai(name: str) -> None:
    text = WORDING.texts[name][0]
    assert "${lender}" in text
    assert "AI" in text


def test_a_letter_and_a_text_message_lead_to_the_chat_to_a_person_and_to_a_way_to_stop() -> None:
    letter = WORDS.in_script(
        "email_around", Script.HANS, text="正文", chat="https://desk.example.cn/", link="https://s.cn/n/x"
    )
    assert letter.startswith("正文\n")
    assert "转人工" in letter
    assert "不想再收到提醒" in letter
    assert "https://s.cn/n/x" in letter.splitlines()
    assert "https://desk.example.cn/" in letter.splitlines()
    assert Template(WORDING.texts["sms_text"][0]).get_identifiers() == ["lender", "link"]


def test_words_are_converted_and_what_is_filled_in_is_not() -> None:
    letter = WORDS.in_script("email_around", Script.HANT, text="头发", chat="https://头发.cn/", link="x")
    assert letter.startswith("头发\n")
    assert "打開聊天頁面" in letter
    assert "https://头发.cn/" in letter
