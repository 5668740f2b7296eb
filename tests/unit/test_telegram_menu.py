"""What a text over Telegram is taken to say, and by what it is known when it comes again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from telegram import CallbackQuery, Chat, Message, Update, User

from bot.channels.telegram_inbound import key_of
from bot.channels.telegram_menu import Menu, Spoken, link_token
from bot.settings import ROOT

MENU = Menu.load(ROOT / "data" / "templates" / "telegram.yml")
TOKEN = "go-" + "a" * 32
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SOMEBODY = User(5001, "演示", is_bot=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/help 我不想活了", "我不想活了"),
        ("/start 我欠的钱被盗刷了", "我欠的钱被盗刷了"),
        ("/start 我不想活了", "我不想活了"),
        ("/start one two", "one two"),
        ("/stop@loopback_desk_bot 我不想活了,别发了", "我不想活了,别发了"),
        ("/plan 分12期", "分12期"),
        ("/human\n我想投诉\n很急", "我想投诉\n很急"),
        ("/help /agree_plan", "agree_plan"),
        ("/helped 我", "helped 我"),
        ("/help我不想活了", "help我不想活了"),
    ],
)
def test_words_behind_a_command_are_what_is_said(text: str, words: str) -> None:
    assert MENU.spoken(text) == Spoken(words)


@pytest.mark.parametrize("text", ["/help", "/HELP", "/help@loopback_desk_bot", "/help \n", "/help /"])
def test_a_command_alone_is_the_command(text: str) -> None:
    assert MENU.spoken(text) == Spoken(MENU.wording.one("say_help"), "/ask_capabilities")


@pytest.mark.parametrize("text", ["/start", "/start ref42", f"/start {TOKEN}"])
def test_a_start_may_bring_what_a_link_gave_it(text: str) -> None:
    assert MENU.spoken(text) == Spoken(MENU.wording.one("say_start"))


@pytest.mark.parametrize(
    ("text", "token"),
    [(f"/start {TOKEN}", TOKEN), (f"/start {TOKEN} 我不想活了", None), (f"/help {TOKEN}", None), ("/start", None)],
)
def test_a_links_token_stands_alone_behind_start(text: str, token: str | None) -> None:
    assert link_token(text) == token


def a_message(number: int, at: datetime = NOW) -> Message:
    return Message(number, at, Chat(5001, "private"), from_user=SOMEBODY, text="在吗")


def test_an_updates_number_used_again_is_another_message() -> None:
    first, other_bot = (
        Update(7, message=a_message(1)),
        Update(7, message=a_message(1, datetime(2027, 1, 1, tzinfo=UTC))),
    )
    later = Update(7, message=a_message(2))
    assert len({key_of(each) for each in (first, later, other_bot)}) == 3
    assert key_of(Update(8, message=a_message(1))) == key_of(first)


def test_a_press_is_known_by_its_own_id() -> None:
    one, two = (Update(7, callback_query=CallbackQuery(name, SOMEBODY, "1", data="x")) for name in ("q1", "q2"))
    assert key_of(one) != key_of(two)
