"""Two gateways, of which one has lost its engine: the other answers, and nobody is told of trouble without need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.channels import turns as runner_module
from bot.channels.rasa_client import EngineDown, EngineTurn, RasaClient, Trouble
from bot.channels.turns import TurnRunner
from bot.services.conversations import Reply
from bot.services.deps import Deps
from bot.services.turns import Claimed, Understanding
from bot.store.tables import Message
from tests.builders.desk import Said, Talk, a_conversation

ANSWER = EngineTurn((Reply("您好"),), Understanding(intent="greet"))


class Engine(RasaClient):
    """An engine that is there or not, and takes too long so many times."""

    def __init__(self, *, is_there: bool, late: int = 0) -> None:
        super().__init__("http://127.0.0.1:1", "secret", 1)
        self.is_there = is_there
        self.asked = 0
        self.late = late

    async def turn(self, claimed: Claimed) -> EngineTurn:
        self.asked += 1
        if not self.is_there:
            raise EngineDown("ConnectError", Trouble.ABSENT)
        if self.asked <= self.late:
            await asyncio.sleep(0.05)
            raise EngineDown("ReadTimeout", Trouble.LATE)
        return ANSWER

    async def is_ready(self) -> bool:
        return self.is_there


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(runner_module, "OTHERS_FIRST_SECONDS", 1.0)


def a_gateway(deps: Deps, engine: Engine) -> TurnRunner:
    return TurnRunner(deps, engine, lambda _id, _on: None, lambda _id: None)


def authors(deps: Deps, conversation_id: str) -> list[str]:
    with deps.read() as session:
        mine = select(Message.author).where(Message.conversation_id == conversation_id).order_by(Message.seq)
        return list(session.scalars(mine))


def a_question(deps: Deps) -> str:
    return a_conversation(deps, Talk(said=(Said("在吗", handling="pending"),)))


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not in time")


async def test_a_gateway_that_has_an_engine_answers_for_one_that_has_none(deps: Deps) -> None:
    away = Engine(is_there=False)
    first, second = a_gateway(deps, away), a_gateway(deps, Engine(is_there=True))
    chat = a_question(deps)
    try:
        first.wake(chat)
        await until(lambda: "notice" in authors(deps, chat))
        second.start()
        await until(lambda: "bot" in authors(deps, chat))
        later = a_question(deps)
        first.wake(later)
        await until(lambda: "bot" in authors(deps, later))
    finally:
        await first.stop()
        await second.stop()
    assert authors(deps, chat) == ["borrower", "notice", "bot"]
    assert authors(deps, later) == ["borrower", "bot"], "told of trouble that was none of theirs"
    assert away.asked == 1


async def test_where_nobody_else_answers_the_borrower_is_told_and_answered_later(deps: Deps) -> None:
    engine = Engine(is_there=False)
    only = a_gateway(deps, engine)
    chat = a_question(deps)
    try:
        only.start()
        await until(lambda: "notice" in authors(deps, chat))
        later = a_question(deps)
        await until(lambda: "notice" in authors(deps, later))
        engine.is_there = True
        await until(lambda: "bot" in authors(deps, chat) and "bot" in authors(deps, later))
    finally:
        await only.stop()
    assert authors(deps, chat) == ["borrower", "notice", "bot"]


async def test_an_answer_that_is_late_is_waited_for_by_the_gateway_whose_engine_makes_it(deps: Deps) -> None:
    slow, other = Engine(is_there=True, late=3), Engine(is_there=True)
    first, second = a_gateway(deps, slow), a_gateway(deps, other)
    chat = a_question(deps)
    try:
        first.wake(chat)
        await until(lambda: slow.asked > 0)
        second.start()
        await until(lambda: "bot" in authors(deps, chat))
    finally:
        await first.stop()
        await second.stop()
    assert authors(deps, chat) == ["borrower", "bot"]
    assert (slow.asked, other.asked) == (4, 0)
