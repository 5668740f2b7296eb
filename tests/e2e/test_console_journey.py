"""What an operator lives through in the console, with a borrower's page open beside it, against the whole desk."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.services import web_sessions
from tests.e2e.page import ANSWER_MS, ChatPage, ConsolePage
from tests.e2e.people import Person
from tests.running.desk import RunningDesk

pytestmark = [pytest.mark.running, pytest.mark.browser]

NewChat = Callable[..., ChatPage]
LogIn = Callable[..., ConsolePage]
ASKED = "已经请同事来接"


def conversation_of(desk: RunningDesk, chat: ChatPage) -> str:
    """Return the id of the conversation that a page shows."""
    token = next(cookie["value"] for cookie in chat.page.context.cookies() if cookie["name"] == "desk_session")
    found = web_sessions.conversation_of(desk.deps, token)
    assert found is not None
    return found


def row_of(console: ConsolePage, desk: RunningDesk, chat: ChatPage) -> Locator:
    """Return the row of the list that stands for the conversation of a page."""
    return console.page.locator(f'#list .row[data-id="{conversation_of(desk, chat)}"]')


def test_a_queued_borrower_is_taken_answered_and_given_back(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk
) -> None:
    console = a_console("agent-1")
    chat = a_chat()
    chat.say("转人工", answered=ASKED)
    expect(chat.page.locator("#who")).to_contain_text(re.compile("正在为您转接人工客服|您排在第一位|前面还有"))
    row = row_of(console, desk, chat)
    expect(row).to_contain_text("等人接手")  # without a reload
    expect(console.page).to_have_title(re.compile(r"^\(\d+\) "))

    console.open_row(row)
    console.take()
    expect(chat.told("现在由真人同事 测试agent-1 接着和您说，前面的")).to_be_visible(timeout=ANSWER_MS)
    expect(chat.page.locator("#who")).to_contain_text("现在由人工客服回复您")

    console.reply("您好,我是<b>小测</b>,慢慢说。")
    heard = chat.by("operator", "慢慢说")
    expect(heard).to_be_visible(timeout=ANSWER_MS)
    expect(heard.locator(".desk-author")).to_have_text("人工客服")
    expect(heard.locator(".desk-text")).to_have_text("您好,我是<b>小测</b>,慢慢说。")
    chat.type_and_send("会上征信吗")
    expect(console.turn("会上征信吗")).to_be_visible()
    expect(console.turn("会上征信吗")).to_contain_text("由人工回答")
    console.reply("会的,详细的我记在这里。")
    expect(chat.by("operator", "详细的我记在这里")).to_be_visible(timeout=ANSWER_MS)

    console.give_back()
    expect(chat.told("交回给 AI 助手")).to_be_visible(timeout=ANSWER_MS)
    expect(chat.chat).to_have_attribute("data-owner", "bot")
    expect(chat.by("bot", "征信业管理条例")).to_have_count(0)  # what a person had in hand is not answered twice
    chat.say("会上征信吗", answered="征信业管理条例")


def test_a_sign_of_danger_stops_debt_talk_and_alarms_every_operator(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk
) -> None:
    console = a_console("agent-2")
    waiting = a_chat()
    waiting.say("转人工", answered=ASKED)
    chat = a_chat()
    chat.say("我不想活了", answered="12356")
    assert "¥" not in "".join(chat.texts())

    alarm = console.alarm.locator("p.danger").filter(has_text="可能有危险")
    expect(alarm.first).to_be_visible(timeout=ANSWER_MS)
    row = row_of(console, desk, chat)
    expect(row).to_contain_text("危急")
    above = row_of(console, desk, waiting)
    assert _top(row) < _top(above), "danger stands above an ordinary wait"

    console.open_row(row)
    expect(console.bar).to_contain_text("先关心人，不谈账")
    expect(console.card).to_contain_text("情绪危急")


def test_of_two_operators_who_take_at_once_one_gets_the_conversation(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk
) -> None:
    chat = a_chat()
    chat.say("转人工", answered=ASKED)
    address = f"{desk.base}/console/c/{conversation_of(desk, chat)}"
    consoles = [a_console(login, _without_news) for login in ("agent-1", "agent-2")]
    for console in consoles:
        console.page.goto(address)
        expect(console.take_button).to_be_visible()
    for console in consoles:
        console.page.evaluate("document.getElementById('take').requestSubmit()")
    refused = [console.page.get_by_text("没有接手成功") for console in consoles]
    expect(refused[0].or_(consoles[0].give_back_button)).to_be_visible()
    expect(refused[1].or_(consoles[1].give_back_button)).to_be_visible()

    assert sorted(console.give_back_button.count() for console in consoles) == [0, 1]
    assert sorted(words.count() for words in refused) == [0, 1]
    loser = next(console for console in consoles if not console.give_back_button.count())
    expect(loser.reply_box).not_to_be_editable()
    expect(loser.bar).to_contain_text("在跟进")
    expect(chat.by("notice", "接着和您说，前面的")).to_have_count(1)


def test_the_transcript_tells_how_each_message_was_understood(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk, person: Person
) -> None:
    chat = a_chat()
    chat.say("我欠多少钱", answered="登记的手机号")
    chat.say(person.phone, answered="六位验证码")
    chat.say(chat.code(), answered="身份证号的后四位")
    chat.say(person.id_tail, answered="1 笔一共")

    console = a_console("boss")
    console.open_row(row_of(console, desk, chat))
    asked = console.turn("我欠多少钱")
    expect(asked.locator(".intent")).to_have_text("ask_balance")
    expect(asked.get_by_title("把握")).to_have_text(re.compile(r"^\d{1,3}%$"))
    expect(asked.get_by_title("机器人做了什么")).to_contain_text("action_tell_balance")
    expect(console.card).to_contain_text("✓ 已核实")
    expect(console.card).to_contain_text(person.creditor)
    typed = console.page.locator(".turn.borrower .text").all_inner_texts()
    shown = " ".join([*typed, console.card.inner_text()])
    for secret in (person.phone, person.id_tail, chat.code()):
        assert secret not in shown

    chat.type_and_send("会影响征信吗")
    live = console.turn("会影响征信吗")
    expect(live.locator(".intent")).to_have_text("rights/credit_report", timeout=ANSWER_MS)


def test_a_conversation_is_found_taken_and_answered_without_a_mouse(
    a_chat: NewChat, a_console: LogIn, desk: RunningDesk
) -> None:
    console = a_console("agent-1")
    chat = a_chat()
    chat.say("转人工", answered=ASKED)
    row = row_of(console, desk, chat)
    expect(row).to_contain_text("等人接手")
    keys = console.page.keyboard
    for _ in range(console.rows.count()):
        keys.press("j")
        if "picked" in (row.get_attribute("class") or ""):
            break
    keys.press("Enter")
    expect(console.take_button).to_be_visible()
    console.expect_live()
    keys.press("t")
    expect(console.give_back_button).to_be_visible()
    keys.press("r")
    expect(console.reply_box).to_be_focused()
    keys.insert_text("不用鼠标也行")
    keys.press("Control+Enter")
    expect(chat.by("operator", "不用鼠标也行")).to_be_visible(timeout=ANSWER_MS)
    expect(console.turn("不用鼠标也行")).to_be_visible()
    expect(console.reply_box).to_have_value("")


def test_a_wrong_password_is_refused_and_the_console_stays_shut(a_chat: NewChat, desk: RunningDesk) -> None:
    page = a_chat().page
    page.goto(desk.base + "/console/")
    page.get_by_label("账号").fill("agent-2")
    page.get_by_label("密码").fill("not the password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_have_text("账号或密码不对，请再试一次。")
    page.goto(desk.base + "/console/")
    expect(page.get_by_role("button", name="登录")).to_be_visible()


def _without_news(page: Page) -> None:
    """Keep a page from hearing that somebody else was quicker, as a slow line would."""
    page.route("**/console/live", lambda route: route.abort())


def _top(row: Locator) -> float:
    box = row.bounding_box()
    assert box is not None
    return box["y"]
