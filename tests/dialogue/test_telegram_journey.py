"""One case over two channels: agreed over Telegram, visible in the web chat."""

from __future__ import annotations

import pytest

from tests.builders.people import a_person
from tests.dialogue.conftest import NewChat, NewLine
from tests.dialogue.facts import check_facts
from tests.dialogue.proving import prove, shown_code, words
from tests.dialogue.script import Facts
from tests.doubles.telegram_server import TelegramServer
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


def test_a_plan_agreed_over_telegram_is_the_same_case_in_the_web_chat(
    desk: RunningDesk, telegram_line: NewChat, web_line: NewLine
) -> None:
    person, chat = a_person(desk.deps), telegram_line()

    assert "登记的手机号" in words(chat.say("我欠多少钱"))
    assert "验证码" in words(chat.say(person.phone))
    assert "后四位" in words(chat.say(shown_code(chat)))
    statement = words(chat.say(person.id_tail))
    assert "本金 ¥12,000.00" in statement
    assert "每个月到手的收入" in words(chat.press("想分期"))
    chat.say("6000")
    assert "方案2" in words(chat.say("3500"))
    assert "同意吗" in words(chat.press("方案2"))
    agreed = words(chat.press("同意"))
    assert "协议已经生效" in agreed
    next_over_telegram = words(chat.say("我的下期什么时候还"))
    assert "下一期" in next_over_telegram

    wanted = Facts(agreements=1, instalments=24, reminders=48, hash="shown", negotiation="agreed")
    check_facts(desk, wanted, chat.conversation_id, person, chat.heard)

    page = web_line()
    assert next_over_telegram not in words(page.say("我的下期什么时候还")), "told before identity was proved"
    page.say("取消")
    prove(page, person)
    assert words(page.say("我的下期什么时候还")) == next_over_telegram
    assert "已经有方案在执行了" in words(page.say("我想分期"))


def test_a_negotiation_begun_over_telegram_goes_on_in_the_web_chat(
    desk: RunningDesk, telegram_line: NewChat, web_line: NewLine
) -> None:
    person, chat, page = a_person(desk.deps), telegram_line(), web_line()
    prove(chat, person)
    chat.say("还不上,能不能分期")
    chat.say("6000")
    prove(page, person)
    assert "必须花的钱" in words(page.say("我想分期"))
    assert "方案1" in words(page.say("3500"))


def test_a_button_cannot_be_pressed_twice_nor_from_another_chat(
    desk: RunningDesk, telegram_cloud: TelegramServer, telegram_line: NewChat
) -> None:
    mine, other = telegram_line(), telegram_line()
    mine.say("你好")
    sent = next(each for each in mine.shown() if each.buttons)
    data = sent.buttons[0][1]
    mine.press("查我欠多少")
    telegram_cloud.press_data(mine.chat_id, sent.message_id, data)
    mine.wait_for("这个按钮已经用过了")
    telegram_cloud.press_data(other.chat_id, sent.message_id, data)
    other.wait_for("这个按钮已经用不了了")
