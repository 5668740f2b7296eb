"""Saving the conversation: everything that may be read now, nothing that is withheld, only one's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.channels.web import make_router
from bot.channels.web_live import LiveConversations
from bot.services import web_sessions
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.transcript import transcript
from tests.builders.desk import SetClock, a_borrower
from tests.builders.documents import prove


@pytest.fixture
def chat(deps: Deps) -> str:
    return web_sessions.open_session(deps).conversation_id


def told(deps: Deps, chat: str, text: str, author: Author = Author.BOT) -> None:
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply(text), author=author)


def test_it_has_every_message_in_order_with_time_and_author(deps: Deps, chat: str, clock: SetClock) -> None:
    clock.move(timedelta(minutes=5))
    record_text(deps, chat, "key-0001", "会上征信吗")
    told(deps, chat, "会。", Author.OPERATOR)
    made = transcript(deps, chat)
    assert made is not None
    assert made.name == "对话记录 2026-11-21.txt"
    assert made.text.endswith("2026-11-21 12:05 您\n会上征信吗\n\n2026-11-21 12:05 人工客服\n会。\n")
    assert made.text.count("不是真人") == 1


def test_what_is_withheld_stays_withheld(deps: Deps, chat: str, clock: SetClock) -> None:
    prove(deps, chat, a_borrower(deps))
    record_text(deps, chat, "key-0001", "我的手机是13800000001")
    told(deps, chat, "您一共欠 ¥12,000.00")
    whole = transcript(deps, chat)
    assert whole is not None
    assert "¥12,000.00" in whole.text
    assert "13800000001" in whole.text

    clock.move(timedelta(hours=1))
    later = transcript(deps, chat)
    assert later is not None
    assert "¥" not in later.text
    assert "13800000001" not in later.text
    assert "要核对身份后才能看" in later.text


def test_it_is_in_the_borrowers_script(deps: Deps, chat: str) -> None:
    record_text(deps, chat, "key-0001", "會不會上徵信")
    made = transcript(deps, chat)
    assert made is not None
    assert made.name.startswith("對話記錄")
    assert "核對身份" in made.text


def test_nobody_unknown_has_one(deps: Deps) -> None:
    assert transcript(deps, "0" * 32) is None


def test_only_the_session_itself_gets_it(deps: Deps) -> None:
    app = FastAPI()
    app.include_router(make_router(deps, LiveConversations(deps), lambda _: None, Path("nowhere")))
    one, other = web_sessions.open_session(deps), web_sessions.open_session(deps)
    record_text(deps, one.conversation_id, "key-0001", "只有我知道")
    mine = TestClient(app, cookies={"desk_session": one.token}).get("/chat/transcript")
    assert "只有我知道" in mine.text
    assert "对话记录" in unquote(mine.headers["content-disposition"])
    assert mine.headers["cache-control"] == "no-store"
    assert "只有我知道" not in TestClient(app, cookies={"desk_session": other.token}).get("/chat/transcript").text
    assert TestClient(app).get("/chat/transcript").status_code == 403
