"""Processes die in the middle of a conversation: nothing is lost, nothing is doubled, and the borrower hears of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from websockets.exceptions import ConnectionClosed

from bot.services.agreements import AgreementView
from bot.store.tables import Message, Negotiation, Reminder
from tests.builders.accounts import a_plan
from tests.builders.people import a_person
from tests.dialogue.conftest import NewLine
from tests.dialogue.lines import WebLine, settled
from tests.dialogue.proving import prove, words
from tests.running.desk import RunningDesk

pytestmark = [pytest.mark.running, pytest.mark.timeout(240)]

BACK_WITHIN = 120.0


@pytest.fixture(autouse=True)
def whole_again(desk: RunningDesk) -> Iterator[None]:
    """Leave the desk as it was found: running."""
    yield
    desk.wait_until(desk.is_ready, BACK_WITHIN, "the desk to be ready again")


def answers_to(desk: RunningDesk, line: WebLine, text: str) -> tuple[list[str], list[str]]:
    """Return the bot's answers to a message and the notices about it, both as stored. The message is there once."""
    with desk.deps.begin() as session:
        mine = select(Message).where(Message.conversation_id == line.conversation_id)
        (message,) = session.scalars(mine.where(Message.text == text)).all()
        replies = session.scalars(mine.where(Message.in_reply_to == message.id).order_by(Message.seq)).all()
        notices = session.scalars(mine.where(Message.client_key.like(f"engine_%:{message.id}"))).all()
        return [reply.text for reply in replies], [notice.text for notice in notices]


def send(line: WebLine, text: str) -> str:
    """Say something without waiting for an answer; returns the key."""
    key = uuid4().hex
    line.borrower.send({"type": "say", "key": key, "text": text})
    line.borrower.listen(0.3)
    return key


def test_the_engine_dies_between_two_messages(desk: RunningDesk, web_line: NewLine) -> None:
    line = web_line()
    prove(line, a_person(desk.deps))
    line.say("还不上,能不能分期")
    desk.kill("rasa")
    send(line, "会上征信吗")
    desk.wait_until(lambda: settled(desk, line.conversation_id), BACK_WITHIN, "the second message to be answered")

    answers, notices = answers_to(desk, line, "会上征信吗")
    assert sum("征信业管理条例" in answer for answer in answers) == 1
    assert "每个月到手的收入" in answers[-1], "the open question was forgotten with the process"
    assert len(notices) == 1
    assert "不用重发" in notices[0]
    assert any(each.startswith("rasa ended") for each in desk.announced)
    assert "必须花的钱" in words(line.say("6000"))


def test_the_action_server_dies_in_the_middle_of_a_plan(desk: RunningDesk, web_line: NewLine) -> None:
    line, person = web_line(), a_person(desk.deps)
    prove(line, person)
    line.say("还不上,能不能分期")
    desk.kill("actions")
    send(line, "6000")
    desk.wait_until(lambda: settled(desk, line.conversation_id), BACK_WITHIN, "the income to be answered")

    answers, notices = answers_to(desk, line, "6000")
    assert len(notices) <= 1
    assert any(each.startswith("actions ended") for each in desk.announced)
    if not any("必须花的钱" in answer for answer in answers):
        assert answers, "neither answered nor told why not"
        assert "必须花的钱" in words(line.say("收入6000"))
    assert "方案1" in words(line.say("3500"))
    with desk.deps.begin() as session:
        (negotiation,) = session.scalars(select(Negotiation).where(Negotiation.borrower_id == person.borrower_id))
        assert (negotiation.monthly_income_fen, negotiation.monthly_essential_fen) == (600_000, 350_000)


def test_a_turn_that_the_gateway_no_longer_waits_for_is_handled_once_and_its_answer_kept(
    desk: RunningDesk, web_line: NewLine
) -> None:
    line, person = web_line(), a_person(desk.deps)
    prove(line, person)
    line.say("还不上,能不能分期")
    body = {"sender": line.conversation_id, "message_id": uuid4().hex, "text": "6000", "payload": None}
    secret = {"x-desk-secret": desk.settings.rasa_secret.get_secret_value()}
    turn = f"{desk.settings.rasa_url}/webhooks/gateway/turn"
    with desk.paused("actions"), pytest.raises(httpx.ReadTimeout):
        httpx.post(turn, json=body, headers=secret, timeout=1)
    answer = httpx.post(turn, json=body, headers=secret, timeout=30).json()

    assert "必须花的钱" in "".join(message["text"] for message in answer["messages"])
    with desk.deps.begin() as session:
        (negotiation,) = session.scalars(select(Negotiation).where(Negotiation.borrower_id == person.borrower_id))
        assert (negotiation.monthly_income_fen, negotiation.monthly_essential_fen) == (600_000, None)


def test_the_gateway_dies_and_the_page_comes_back(desk: RunningDesk, web_line: NewLine) -> None:
    line = web_line()
    prove(line, a_person(desk.deps))
    key = send(line, "会上征信吗")
    desk.kill("gateway")
    reconnect(desk, line)
    line.borrower.send({"type": "say", "key": key, "text": "会上征信吗"})
    desk.wait_until(lambda: settled(desk, line.conversation_id), BACK_WITHIN, "the message to be answered")
    line.wait_for("征信业管理条例")

    answers, _ = answers_to(desk, line, "会上征信吗")
    assert sum("征信业管理条例" in answer for answer in answers) == 1
    assert len({said.seq for said in line.heard}) == len(line.heard), "a message was shown twice"
    assert "合计 ¥" in words(line.say("我欠多少钱")), "identity was forgotten with the process"


def reconnect(desk: RunningDesk, line: WebLine) -> None:
    """Do what the page does once the gateway is back: open the socket again and catch up."""
    desk.wait_until(lambda: any(each.startswith("gateway ended") for each in desk.announced), 30, "the announcement")
    with contextlib.suppress(ConnectionClosed, OSError):
        line.borrower.disconnect()
    desk.wait_until(desk.is_ready, BACK_WITHIN, "the gateway to be back")
    line.borrower.connect()


def test_a_due_notice_waits_for_a_borrower_who_is_away(desk: RunningDesk, web_line: NewLine) -> None:
    line = web_line()
    prove(line, a_person(desk.deps))
    plan = a_plan(desk.deps, line.conversation_id)
    line.borrower.disconnect()
    reminder_id = fall_due(desk, plan)
    desk.wait_until(lambda: state_of(desk, reminder_id) == "sent", 30, "the notice to be sent")

    line.borrower.connect()
    notice = line.wait_for(text_of(desk, reminder_id))
    assert notice.author == "bot"
    assert "¥" not in notice.text, "a notice tells nothing before identity is proved"
    line.say("谢谢")
    shown = [said for said in line.heard if said.text == notice.text]
    assert len(shown) == 1, "the notice came more than once"
    assert "下一期" in words(line.say("我的下期什么时候还"))


def fall_due(desk: RunningDesk, plan: AgreementView) -> str:
    """Make the first notice of a plan due a minute ago; returns its id."""
    with desk.deps.begin() as session:
        reminder = session.scalars(
            select(Reminder)
            .where(Reminder.due_on == plan.instalments[0].due_on, Reminder.state == "planned")
            .order_by(Reminder.created_at.desc(), Reminder.send_at)
        ).first()
        assert reminder is not None, "the plan has no notices"
        reminder.send_at = desk.deps.now() - timedelta(minutes=1)
        return reminder.id


def text_of(desk: RunningDesk, reminder_id: str) -> str:
    """Return what a sent notice said."""
    with desk.deps.begin() as session:
        sent = select(Message).join(Reminder, Reminder.message_id == Message.id).where(Reminder.id == reminder_id)
        return session.scalars(sent).one().text


def state_of(desk: RunningDesk, reminder_id: str) -> str:
    with desk.deps.begin() as session:
        reminder = session.get_one(Reminder, reminder_id)
        return reminder.state
