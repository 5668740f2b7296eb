"""Going on over another channel, against both databases: one link, one chat, nothing proved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.channels import telegram_link
from bot.identity.levels import Level
from bot.services import identity
from bot.services.channel_links import AWAITED, LIFE, follow, is_token, make_link
from bot.services.conversations import Problem, Stored, conversation_for
from bot.services.deps import Deps
from bot.services.identity import Step
from bot.services.web_sessions import OpenedSession, open_session
from bot.store.tables import ChannelLink, Conversation
from tests.builders.accounts import shown_code
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once

TAIL = "0014"


@pytest.fixture
def page(deps: Deps, borrower: str) -> str:
    conversation_id = open_session(deps).conversation_id
    prove(deps, conversation_id, borrower)
    return conversation_id


@pytest.fixture
def chat(deps: Deps) -> str:
    return conversation_for(deps, "telegram", "5001")


def prove(deps: Deps, conversation_id: str, borrower_id: str) -> None:
    with deps.begin() as session:
        conversation = session.get_one(Conversation, conversation_id)
        conversation.borrower_id, conversation.verified_at = borrower_id, deps.now()


def followed(deps: Deps, chat: str, token: str, key: str = "tg:1") -> Stored | Problem:
    return follow(deps, chat, key, token, "从网页接着说")


def test_a_followed_link_spares_the_first_question_and_no_other(
    deps: Deps, page: str, chat: str, borrower: str
) -> None:
    assert isinstance(followed(deps, chat, make_link(deps, page)), Stored)
    assert identity.who(deps, chat).level is Level.ANONYMOUS

    assert identity.start(deps, chat).step is Step.CODE
    assert identity.answer_code(deps, chat, shown_code(deps, chat)).step is Step.ID_TAIL
    assert identity.who(deps, chat).level is Level.ANONYMOUS
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.DONE
    assert identity.who(deps, chat).borrower_id == borrower


def test_a_link_made_by_nobody_known_asks_who_it_is(deps: Deps, chat: str) -> None:
    followed(deps, chat, make_link(deps, open_session(deps).conversation_id))

    assert identity.start(deps, chat).step is Step.CLAIM


def test_whom_a_link_was_of_is_forgotten_after_a_while(deps: Deps, clock: SetClock, page: str, chat: str) -> None:
    followed(deps, chat, make_link(deps, page))
    clock.move(AWAITED)

    assert identity.start(deps, chat).step is Step.CLAIM


def test_a_stranger_who_says_so_is_not_taken_for_the_borrower_again(deps: Deps, page: str, chat: str) -> None:
    followed(deps, chat, make_link(deps, page))
    identity.start(deps, chat)
    identity.release_binding(deps, chat, "wrong_person")

    assert identity.progress(deps, chat).step is Step.CLAIM
    assert identity.start(deps, chat).step is Step.CLAIM


def test_whoever_is_verified_here_as_somebody_else_has_to_prove_it_again(deps: Deps, page: str, chat: str) -> None:
    other = a_borrower(deps, "李四", "13800000002", "110101199001010030")
    prove(deps, chat, other)
    followed(deps, chat, make_link(deps, page))

    assert identity.who(deps, chat).level is Level.BOUND
    assert identity.start(deps, chat).step is Step.CODE


def test_a_link_is_followed_once_whoever_tries_at_the_same_moment(deps: Deps, page: str) -> None:
    token = make_link(deps, page)
    chats = [conversation_for(deps, "telegram", str(number)) for number in range(6000, 6004)]
    results = at_once(4, lambda turn: followed(deps, chats[turn], token))

    assert sum(isinstance(result, Stored) for result in results) == 1
    assert [result for result in results if not isinstance(result, Stored)] == [Problem.STALE_LINK] * 3


def test_the_same_update_again_is_no_second_use(deps: Deps, page: str, chat: str) -> None:
    token = make_link(deps, page)
    first, second = followed(deps, chat, token), followed(deps, chat, token)

    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    assert (first.repeated, second.repeated) == (False, True)


def test_a_new_link_ends_the_one_before(deps: Deps, page: str, chat: str) -> None:
    old, new = make_link(deps, page), make_link(deps, page)

    assert followed(deps, chat, old) is Problem.STALE_LINK
    assert isinstance(followed(deps, chat, new), Stored)
    with deps.read() as session:
        assert session.scalar(select(func.count()).select_from(ChannelLink)) == 1


def test_a_link_ends_to_the_second(deps: Deps, clock: SetClock, page: str, chat: str) -> None:
    token = make_link(deps, page)
    clock.move(LIFE - timedelta(seconds=1))
    assert isinstance(followed(deps, chat, token), Stored)
    late = make_link(deps, page)
    clock.move(LIFE)
    assert followed(deps, chat, late, "tg:2") is Problem.STALE_LINK


def test_a_token_fits_into_a_start_parameter_and_is_told_from_other_words(deps: Deps, page: str) -> None:
    token = make_link(deps, page)

    assert is_token(token)
    assert len(token) <= 64
    assert not any(is_token(text) for text in ("", "go-", "leaflet", token[:-1], token + "x", f"{token}\n"))


class Channel:
    """A Telegram channel that knows its name, or not yet."""

    def __init__(self, username: str | None) -> None:
        self.username = username


class TestThePagesRoute:
    def post(
        self, deps: Deps, session: OpenedSession | None, origin: str | None, name: str | None = "desk_bot"
    ) -> tuple[int, dict[str, Any]]:
        app = FastAPI()
        app.include_router(telegram_link.make_router(deps, Channel(name)))
        client = TestClient(app, cookies={"desk_session": session.token} if session else {})
        headers = {"Origin": origin} if origin is not None else {}
        answer = client.post("/chat/telegram", headers={**headers, "Accept-Language": "zh-TW"})
        return answer.status_code, answer.json()

    def test_the_browsers_own_conversation_gets_a_link(self, deps: Deps, chat: str) -> None:
        status, body = self.post(deps, open_session(deps), deps.settings.origin)

        assert status == 200
        link, _, token = body["url"].partition("?start=")
        assert link == "https://t.me/desk_bot"
        assert isinstance(followed(deps, chat, token), Stored)

    @pytest.mark.parametrize("origin", [None, "https://evil.example.cn", "null", ""])
    def test_another_page_gets_none(self, deps: Deps, origin: str | None) -> None:
        status, body = self.post(deps, open_session(deps), origin)

        assert (status, list(body)) == (403, ["text"])

    def test_nobody_gets_one_without_a_session(self, deps: Deps) -> None:
        assert self.post(deps, None, deps.settings.origin)[0] == 403

    def test_while_telegram_is_away_it_says_so(self, deps: Deps) -> None:
        status, body = self.post(deps, open_session(deps), deps.settings.origin, name=None)

        assert (status, body) == (503, {"text": "Telegram 那邊暫時連不上，請過一會兒再試。這裡可以繼續聊。"})
