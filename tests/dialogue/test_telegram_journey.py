"""One case over two channels: agreed over Telegram, visible in the web chat."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import true

from bot.services.deliveries import elsewhere
from bot.services.mailboxes import mailbox_of
from tests.builders.people import a_person
from tests.dialogue.conftest import NewChat, NewLine
from tests.dialogue.facts import check_facts
from tests.dialogue.lines import WebLine
from tests.dialogue.proving import prove, shown_code, words
from tests.dialogue.script import Facts
from tests.doubles.telegram_server import TelegramServer
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running

_CODE = re.compile(r"\d{6}")


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
    told = [said.text for said in chat.say("3500")]
    assert [text for text in told if "方案1" in text and "方案2" in text and "方案3" in text], told
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


def link_into_telegram(page: WebLine) -> str:
    """Press the page's button to go on in Telegram; returns what following the link sends."""
    base = page.borrower.base
    cookies = {"desk_session": page.borrower.cookie}
    answer = httpx.post(f"{base}/chat/telegram", cookies=cookies, headers={"Origin": base}, trust_env=False)
    assert answer.status_code == 200, answer.text
    link = answer.json()["url"]
    assert link.startswith("https://t.me/loopback_desk_bot?start=go-")
    return "/start " + link.partition("?start=")[2]


def test_a_case_begun_on_the_page_goes_on_in_telegram_without_asking_who_it_is(
    desk: RunningDesk, telegram_line: NewChat, web_line: NewLine
) -> None:
    person, page, chat = a_person(desk.deps), web_line(), telegram_line()
    prove(page, person)
    page.say("还不上,能不能分期")
    assert "必须花的钱" in words(page.say("6000"))

    asked = words(chat.say(link_into_telegram(page)))
    assert "从网页接过来了" in asked
    assert "验证码" in asked
    assert "登记的手机号，或者姓名" not in asked
    assert "必须花的钱" not in asked, "told before identity was proved"
    assert "后四位" in words(chat.say(shown_code(chat)))
    assert "必须花的钱" in words(chat.say(person.id_tail))
    assert "方案2" in words(chat.say("3500"))
    assert "同意吗" in words(chat.press("方案2"))
    assert "协议已经生效" in words(chat.press("同意"))

    wanted = Facts(agreements=1, instalments=24, reminders=48, hash="shown", negotiation="agreed")
    check_facts(desk, wanted, chat.conversation_id, person, chat.heard)
    page_says = words(page.say("我的下期什么时候还"))
    assert "下一期" in page_says
    assert words(chat.say("/plan")) in page_says
    with desk.deps.read() as session:
        elsewhere_seen = elsewhere(session, person.borrower_id, chat.conversation_id, true())
    assert [each.conversation_id for each in elsewhere_seen] == [page.conversation_id]


def test_the_link_of_an_agreed_plan_leads_to_the_plan(
    telegram_line: NewChat, web_line: NewLine, desk: RunningDesk
) -> None:
    person, page, chat = a_person(desk.deps), web_line(), telegram_line()
    prove(page, person)
    chat.say(link_into_telegram(page))
    chat.say(shown_code(chat))
    assert "本金 ¥12,000.00" in words(chat.say(person.id_tail))


def test_the_key_for_the_number_leads_through_the_same_questions_whoever_presses_it(
    desk: RunningDesk, telegram_cloud: TelegramServer, telegram_line: NewChat
) -> None:
    person = a_person(desk.deps)
    heard = []
    for phone in (person.phone, "13900009999"):
        chat = telegram_line()
        chat.say("我欠多少钱")
        assert chat.shown()[-1].phone_key == "发送我的手机号"
        asked = words(chat.share_phone(phone))
        assert "验证码" in asked
        heard.append([_CODE.sub("", line) for line in asked.splitlines()])
    assert heard[0] == heard[1]


def test_an_unbound_account_is_told_nothing_more_and_gets_no_reminder(
    desk: RunningDesk, telegram_line: NewChat
) -> None:
    person, chat = a_person(desk.deps), telegram_line()
    prove(chat, person)
    assert "已经解绑" in words(chat.say("/unbind"))

    assert "登记的手机号" in words(chat.say("/balance"))
    with desk.deps.read() as session:
        assert mailbox_of(session, desk.deps, person.borrower_id) is None


def test_a_command_in_the_middle_of_proving_identity_does_what_its_words_say(telegram_line: NewChat) -> None:
    chat = telegram_line()
    chat.say("/balance")
    assert "个人信息" in words(chat.say("/privacy"))
    assert "同事" in words(chat.say("/human"))


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
