"""What happens at the gateway is counted once, under the right name: turns, messages, deliveries, refused files."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.channels import web_evidence
from bot.channels.delivery import Lane, Later, Never, Outcome, PushChannel, Taken, Unclear
from bot.channels.rasa_client import EngineDown, EngineTurn, RasaClient, Trouble
from bot.channels.turns import TurnRunner
from bot.channels.web import make_router
from bot.channels.web_live import LiveConversations
from bot.services import turns as turns_service
from bot.services.conversations import Reply
from bot.services.deps import Deps
from bot.services.mailboxes import EMAIL
from bot.services.outbox import OutboxItem
from bot.services.turns import MAX_ATTEMPTS, Claimed, Understanding
from bot.services.web_sessions import open_session
from bot.store.tables import Message
from tests.builders.cases import a_complaint
from tests.builders.counting import grows
from tests.builders.desk import Said, Talk, a_conversation, a_desk
from tests.contract.one_way_desk import SWIFT, OneWayDesk, at_work

PATIENT_SECONDS = 180
"""A disk that has a lot to write can keep a commit waiting for longer than anybody expects."""

TURN = "desk_turn_seconds_count"
ANSWER = EngineTurn((Reply("您好"),), Understanding(intent="greet"))


class Engine(RasaClient):
    """An engine that answers as told."""

    def __init__(self, deps: Deps, ends: EngineTurn | EngineDown, *, meanwhile: bool = False) -> None:
        super().__init__("http://127.0.0.1:1", "secret", 1)
        self._deps, self._ends, self._meanwhile = deps, ends, meanwhile

    async def turn(self, claimed: Claimed) -> EngineTurn:
        if self._meanwhile:
            turns_service.record_turn(self._deps, claimed.message_id, (Reply("您好"),), Understanding())
        if isinstance(self._ends, EngineDown):
            raise self._ends
        return self._ends

    async def is_ready(self) -> bool:
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Deps:
    return a_desk(tmp_path)


async def answered(deps: Deps, engine: Engine, conversation_id: str) -> None:
    runner = TurnRunner(deps, engine, lambda _id, _on: None, lambda _id: None)
    runner.wake(conversation_id)
    async with asyncio.timeout(PATIENT_SECONDS):
        while any(task.get_name().startswith("turns-") for task in asyncio.all_tasks()):
            await asyncio.sleep(0.01)
    await runner.stop()
    await engine.close()


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        (ANSWER, "answered"),
        (EngineDown("ConnectError", Trouble.ABSENT), "engine_absent"),
        (EngineDown("HTTPStatusError", Trouble.FAILED), "engine_failed"),
    ],
)
async def test_a_turn_is_counted_by_how_it_ended(desk: Deps, ends: EngineTurn | EngineDown, outcome: str) -> None:
    chat = a_conversation(desk, Talk(said=(Said("在吗", handling="pending"),)))
    with grows((TURN, outcome)):
        await answered(desk, Engine(desk, ends), chat)


async def test_an_answer_that_was_late_is_counted_as_late_and_as_an_answer(desk: Deps) -> None:
    class Late(Engine):
        async def turn(self, claimed: Claimed) -> EngineTurn:
            if claimed.attempts == 1:
                raise EngineDown("ReadTimeout", Trouble.LATE)
            return ANSWER

    chat = a_conversation(desk, Talk(said=(Said("在吗", handling="pending"),)))
    with grows((TURN, "engine_late"), (TURN, "answered")):
        await answered(desk, Late(desk, ANSWER), chat)


async def test_a_turn_that_another_process_was_faster_with_is_not_an_answer(desk: Deps) -> None:
    chat = a_conversation(desk, Talk(said=(Said("在吗", handling="pending"),)))
    with grows((TURN, "overtaken")):
        await answered(desk, Engine(desk, ANSWER, meanwhile=True), chat)


async def test_a_message_that_is_given_up_is_counted_as_that(desk: Deps) -> None:
    chat = a_conversation(desk, Talk(said=(Said("在吗", handling="pending"),)))
    with desk.begin() as session:
        session.query(Message).one().attempts = MAX_ATTEMPTS
    with grows((TURN, "given_up")):
        await answered(desk, Engine(desk, ANSWER), chat)


@pytest.mark.parametrize(
    ("ends", "recorded", "outcome"),
    [
        (Taken("m-1"), ("sent", None), "sent"),
        (Later("busy", timedelta(hours=1)), ("pending", "busy"), "delayed"),
        (Later("busy", timedelta(hours=25)), ("dead", "gave_up:busy"), "given_up"),
        (Never("gone"), ("dead", "gone"), "undeliverable"),
        (Unclear("answer_lost"), ("unknown", "answer_lost"), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_a_delivery_is_counted_by_how_it_ended(
    tmp_path: Path, ends: Outcome, recorded: tuple[str, str | None], outcome: str
) -> None:
    desk = OneWayDesk(tmp_path)
    desk.deps.settings.smtp_host = "mail.example.cn"
    desk.register()
    desk.notify()

    def send(_: OutboxItem) -> Outcome:
        return ends

    with grows(("desk_deliveries_total", f"{EMAIL} {outcome}")):
        async with at_work(PushChannel(desk.deps, Lane(EMAIL), send, pace=SWIFT)):
            await desk.recorded(recorded)


def test_a_message_from_the_page_is_counted_once_however_often_it_is_sent(desk: Deps, tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(make_router(desk, LiveConversations(desk), lambda _: None, tmp_path))
    opened = open_session(desk)
    with grows(("desk_messages_received_total", "web")):
        client = TestClient(app, cookies={"desk_session": opened.token}, base_url="http://testserver")
        with client.websocket_connect("/chat/line", headers={"Origin": "http://testserver"}) as socket:
            for _ in range(2):
                socket.send_json({"type": "say", "key": "key-0001", "text": "我想分期"})
                assert socket.receive_json()["type"] == "ack"
            socket.send_json({"type": "say", "key": "key-0002", "text": " "})
            assert socket.receive_json()["type"] == "problem"


def test_a_file_that_is_not_taken_is_counted_with_the_reason(desk: Deps) -> None:
    app, opened = FastAPI(), open_session(desk)
    app.include_router(web_evidence.make_router(desk, lambda _: None))
    client = TestClient(app, cookies={"desk_session": opened.token}, headers={"Origin": "http://testserver"})

    def send(content: bytes) -> int:
        return client.post("/chat/evidence", content=content, headers={"X-Upload-Key": "key-0001"}).status_code

    with grows(("desk_uploads_refused_total", "web no_case")):
        assert send(b"%PDF-1.7") == 409
    a_complaint(desk, opened.conversation_id)
    with grows(("desk_uploads_refused_total", "web unknown_kind")):
        assert send(b"MZ") == 422
    with grows():
        assert send(b"%PDF-1.7") == 200
