"""A whole journey over Telegram, whichever way updates come, while Telegram slows down, refuses and lets in again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from bot.store.tables import Conversation, Satisfaction
from tests.builders.people import a_person
from tests.dialogue.conftest import NewChat
from tests.dialogue.facts import check_facts
from tests.dialogue.lines import TelegramLine
from tests.dialogue.proving import shown_code, words
from tests.dialogue.script import Facts
from tests.doubles.telegram_server import TelegramServer
from tests.running.desk import RunningDesk

pytestmark = [pytest.mark.running, pytest.mark.timeout(600)]

SECRET = "loopback-secret-of-thirty-two-letters-or-more"
BLOCKED = "Forbidden: bot was blocked by the user"


@pytest.fixture(scope="module", params=["polling", "webhook"])
def way(request: pytest.FixtureRequest, desk: RunningDesk, telegram_cloud: TelegramServer) -> Iterator[str]:
    """How updates reach the desk while a test runs."""
    if request.param == "polling":
        yield request.param
        return
    with desk.gateway_with(DESK_TELEGRAM_WEBHOOK_SECRET=SECRET, DESK_PUBLIC_ORIGIN=desk.base):
        telegram_cloud.wait_until(lambda: bool(telegram_cloud.webhook.url), timeout=30)
        yield request.param
    telegram_cloud.wait_until(lambda: not telegram_cloud.webhook.url, timeout=30)


def is_unreachable(desk: RunningDesk, chat: TelegramLine) -> bool:
    with desk.deps.read() as session:
        return session.get_one(Conversation, chat.conversation_id).unreachable_at is not None


def test_a_whole_journey_through_flood_control_and_a_block(
    way: str, desk: RunningDesk, telegram_cloud: TelegramServer, telegram_line: NewChat
) -> None:
    person, chat = a_person(desk.deps), telegram_line()
    polls = telegram_cloud.count("getUpdates")

    def slow_down(method: str, text: str = "") -> None:
        telegram_cloud.fail(method, 429, "Too Many Requests", retry_after=1, chat_id=chat.chat_id, text=text)

    slow_down("sendMessage")
    assert "登记的手机号" in words(chat.say("我欠多少钱"))
    slow_down("sendMessage", "验证码")
    chat.share_phone(person.phone)
    chat.say(shown_code(chat))
    assert "本金 ¥12,000.00" in words(chat.say(person.id_tail))
    chat.press("想分期")
    chat.say("6000")
    slow_down("sendMessage", "方案1")
    told = [said.text for said in chat.say("3500")]
    assert [("方案1" in text, "哪个方案合适" in text) for text in told][-2:] == [(True, False), (False, True)], told
    assert "同意吗" in words(chat.press("方案2"))
    slow_down("sendDocument")
    agreed = chat.press("同意")
    assert "协议已经生效" in words(agreed)
    files = [sent.file.name for sent in chat.shown() if sent.file is not None]
    assert any(name.endswith(".pdf") for name in files), files

    chat.press("4分")
    with desk.deps.read() as session:
        mine = select(Satisfaction.score).where(Satisfaction.conversation_id == chat.conversation_id)
        assert session.scalars(mine).all() == [4]

    telegram_cloud.fail("sendMessage", 403, BLOCKED, chat_id=chat.chat_id)
    assert chat.say("我的下期什么时候还") == []
    desk.wait_until(lambda: is_unreachable(desk, chat), 10, "the block to be on record")
    assert "下一期" in words(chat.say("我的下期什么时候还"))
    assert not is_unreachable(desk, chat)

    shown = [sent.text for sent in chat.shown()]
    assert len([text for text in shown if "协议已经生效" in text]) == 1
    wanted = Facts(agreements=1, instalments=24, reminders=48, hash="shown", negotiation="agreed")
    check_facts(desk, wanted, chat.conversation_id, person, chat.heard)
    assert (telegram_cloud.count("getUpdates") > polls) is (way == "polling")
    if way == "webhook":
        assert set(telegram_cloud.webhook.statuses) == {200}


def test_groups_edits_stickers_and_strangers_numbers_meet_the_same_desk(
    way: str, desk: RunningDesk, telegram_cloud: TelegramServer, telegram_line: NewChat
) -> None:
    assert way
    chat = telegram_line()
    first = telegram_cloud.send_text(chat.chat_id, "你好")
    chat.wait_for("您好，我在")
    telegram_cloud.send_sticker(chat.chat_id)
    chat.wait_for("表情收到啦")
    telegram_cloud.share_contact(chat.chat_id, "+8613900001111", user_id=chat.chat_id + 1)
    chat.wait_for("这张名片不是您自己的")
    before = len(chat.shown())
    telegram_cloud.redeliver(first)
    edited = telegram_cloud.edit_text(chat.chat_id, 101, "我欠多少")
    telegram_cloud.wait_until(lambda: telegram_cloud.confirmed(edited))
    group = -chat.chat_id
    telegram_cloud.send_group_text(group, "大家好")
    telegram_cloud.wait_until(lambda: group in telegram_cloud.left_chats)
    assert len(chat.shown()) == before
