"""A person takes a waiting conversation in the console, speaks to the borrower, and gives it back to the bot."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from bot.store.tables import Message
from tests.builders.people import a_person
from tests.dialogue.conftest import NewChat, NewLine
from tests.dialogue.lines import Line
from tests.dialogue.proving import prove, words
from tests.running.desk import PASSWORD, RunningDesk

pytestmark = pytest.mark.running


class Console:
    """An operator's browser."""

    def __init__(self, desk: RunningDesk, login: str) -> None:
        self._http = httpx.Client(base_url=desk.base, headers={"Origin": desk.base}, follow_redirects=True)
        form = {"csrf": self._csrf("/console/login"), "login": login, "password": PASSWORD, "onward": ""}
        page = self._http.post("/console/login", data=form)
        assert page.status_code == 200, page.text
        assert "/console/logout" in page.text, "not logged in"

    def page(self, conversation_id: str = "") -> str:
        """Return the inbox, or a conversation, as its HTML."""
        path = f"/console/c/{conversation_id}" if conversation_id else "/console/?show=all"
        return self._http.get(path).raise_for_status().text

    def act(self, conversation_id: str, act: str, csrf: str | None = None, **form: str) -> int:
        """Send a form of the conversation's page; returns the status it ended with."""
        token = self._csrf(f"/console/c/{conversation_id}") if csrf is None else csrf
        return self._http.post(f"/console/c/{conversation_id}/{act}", data={"csrf": token, **form}).status_code

    def reply(self, conversation_id: str, text: str) -> int:
        """Write to the borrower."""
        return self.act(conversation_id, "reply", text=text, key=str(uuid4()))

    def close(self) -> None:
        """Close the browser."""
        self._http.close()

    def _csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self._http.get(path).text)
        assert found, f"no form on {path}"
        return found.group(1)


@pytest.fixture
def console(desk: RunningDesk) -> Callable[[str], Console]:
    return lambda login: Console(desk, login)


@pytest.fixture(params=["web", "telegram"])
def line(request: pytest.FixtureRequest, web_line: NewLine, telegram_line: NewChat) -> Line:
    return web_line() if request.param == "web" else telegram_line()


def handling_of(desk: RunningDesk, line: Line, text: str) -> tuple[str, bool]:
    """Return how a message was handled, and whether the engine was asked about it."""
    with desk.deps.begin() as session:
        message = session.scalars(
            select(Message)
            .where(Message.conversation_id == line.conversation_id, Message.text == text)
            .order_by(Message.seq.desc())
        ).first()
        assert message is not None, f"{text!r} is not stored"
        return message.handling, message.understanding is not None


def test_a_person_takes_replies_and_gives_back(
    desk: RunningDesk, line: Line, console: Callable[[str], Console]
) -> None:
    prove(line, a_person(desk.deps))
    line.say("还不上,能不能分期")
    assert "已经请同事来接" in words(line.say("转人工"))
    operator = console("agent-1")
    assert line.conversation_id in operator.page()

    assert operator.act(line.conversation_id, "take") == 200
    told = line.wait_for("接着和您说，前面的")
    assert "测试agent-1" in told.text
    assert operator.reply(line.conversation_id, "您好,我看到您的情况了,先别急。") == 200
    line.wait_for("您好,我看到您的情况了,先别急。")

    assert line.say("我一个月到手6000") == [], "the bot spoke while a person answered"
    assert handling_of(desk, line, "我一个月到手6000") == ("held", False)
    assert operator.reply(line.conversation_id, "好的,我记下了。") == 200
    page = operator.page(line.conversation_id)
    assert "我一个月到手6000" in page
    assert "request_human" in page

    assert operator.act(line.conversation_id, "give-back") == 200
    line.wait_for("已经把对话交回给 AI 助手")
    assert "每个月到手的收入" in words(line.say("我想分期")), "the negotiation was forgotten"
    assert "必须花的钱" in words(line.say("6000"))
    assert handling_of(desk, line, "6000") == ("handled", True)
    operator.close()


def test_the_reply_is_shown_as_a_persons(
    desk: RunningDesk, web_line: NewLine, console: Callable[[str], Console]
) -> None:
    line = web_line()
    line.say("转人工")
    operator = console("agent-1")
    operator.act(line.conversation_id, "take")
    assert operator.reply(line.conversation_id, "我在的。") == 200
    assert line.wait_for("我在的。").author == "operator"
    assert line.borrower.owner == "human"
    operator.close()


def test_only_one_of_two_operators_speaks(
    desk: RunningDesk, web_line: NewLine, console: Callable[[str], Console]
) -> None:
    line = web_line()
    line.say("转人工")
    first, second = console("agent-1"), console("agent-2")
    assert first.act(line.conversation_id, "take") == 200
    assert second.act(line.conversation_id, "take") == 409
    assert second.reply(line.conversation_id, "我也来说一句") == 409
    assert first.reply(line.conversation_id, "由我来跟您说") == 200
    line.wait_for("由我来跟您说")
    assert "我也来说一句" not in words(line.heard)
    first.close()
    second.close()


def test_nothing_changes_without_the_token_of_the_page(
    desk: RunningDesk, web_line: NewLine, console: Callable[[str], Console]
) -> None:
    line = web_line()
    line.say("转人工")
    operator = console("agent-1")
    assert operator.act(line.conversation_id, "take", csrf="made-up") == 403
    assert "排队" not in words(line.say("会上征信吗"))
    assert line.borrower.owner == "queued"
    operator.close()
