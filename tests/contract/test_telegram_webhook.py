"""Telegram calling the desk, over HTTP on loopback: who may, what is confirmed, in which order it is taken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from bot.channels.telegram_inbound import KINDS
from bot.channels.telegram_webhook import LONGEST_UPDATE, PATH, SECRET_HEADER, chat_of, make_router
from tests.builders.desk import SetClock
from tests.contract.telegram_desk import LI, WANG, Desk, database_away, desk_deps
from tests.doubles.telegram_server import TelegramServer

pytestmark = [pytest.mark.timeout(60), pytest.mark.asyncio]

SECRET = "loopback-secret-of-thirty-two-letters-or-more"


@asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[None]:
    """Serve an application on loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture
async def desk(tmp_path: Path, telegram: TelegramServer) -> AsyncIterator[Desk]:
    clock, port = SetClock(), a_port()
    deps = desk_deps(tmp_path, telegram, clock, webhook_secret=SECRET, public_origin=f"http://127.0.0.1:{port}")
    made = Desk(deps, telegram, clock)
    await made.start()
    app = FastAPI()
    assert made.channel is not None
    router = made.channel.router()
    assert router is not None
    app.include_router(router)
    async with served(app, port):
        yield made
    await made.stop()


async def brought(desk: Desk, update: dict[str, Any], secret: str | None = SECRET) -> int:
    """Bring an update as somebody on the network would, and return the status."""
    headers = {SECRET_HEADER.encode(): secret.encode()} if secret is not None else {}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(desk.deps.settings.origin + PATH, json=update, headers=headers)
    assert answer.content == b""
    return answer.status_code


def a_text(update_id: int, text: str, chat_id: int = LI) -> dict[str, Any]:
    chat = {"id": chat_id, "type": "private", "first_name": "演示"}
    sender = {"id": chat_id, "is_bot": False, "first_name": "演示"}
    message = {"message_id": update_id, "date": 1_790_000_000, "chat": chat, "from": sender, "text": text}
    return {"update_id": update_id, "message": message}


class TestWhatTelegramBrings:
    async def test_it_is_told_where_with_which_secret_and_for_which_kinds(self, desk: Desk) -> None:
        await desk.until(lambda: bool(desk.server.webhook.url))

        assert desk.server.webhook.url == desk.deps.settings.origin + PATH
        assert desk.server.webhook.secret == SECRET
        assert desk.server.webhook.kinds == list(KINDS)
        assert desk.server.count("getUpdates") == 0

    async def test_a_text_is_stored_and_answers_go_out(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "我还不上了"))

        assert desk.said_by_borrower(LI) == ["我还不上了"]
        assert desk.woken == [desk.conversation(LI)]
        await desk.open(LI)

    async def test_what_comes_twice_acts_once(self, desk: Desk) -> None:
        first = desk.server.send_text(LI, "我要分期")
        await desk.taken(first)
        desk.server.redeliver(first)
        await desk.until(lambda: desk.server.webhook.statuses.count(200) == 2)

        assert desk.said_by_borrower(LI) == ["我要分期"]
        assert len(desk.woken) == 1

    async def test_what_could_not_be_stored_is_brought_again(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        with database_away(monkeypatch):
            update_id = desk.server.send_text(LI, "还在吗")
            await desk.until(lambda: desk.server.webhook.statuses.count(503) >= 2)
            assert not desk.server.confirmed(update_id)
        await desk.taken(update_id)

        assert desk.said_by_borrower(LI) == ["还在吗"]

    async def test_what_came_late_is_stored_as_well_and_acts_once(self, desk: Desk) -> None:
        assert await brought(desk, a_text(52, "第二句")) == 200
        assert await brought(desk, a_text(51, "第一句")) == 200
        assert await brought(desk, a_text(52, "第二句")) == 200

        assert desk.said_by_borrower(LI) == ["第二句", "第一句"]

    async def test_many_at_once_lose_nothing_and_double_nothing(self, desk: Desk) -> None:
        updates = [a_text(n, f"第{n}句", LI if n % 2 else WANG) for n in range(1, 25)]
        statuses = await asyncio.gather(*(brought(desk, update) for update in [*updates, *updates]))

        assert set(statuses) == {200}
        assert sorted(desk.said_by_borrower(LI)) == sorted(f"第{n}句" for n in range(1, 25, 2))
        assert sorted(desk.said_by_borrower(WANG)) == sorted(f"第{n}句" for n in range(2, 25, 2))

    async def test_a_webhook_that_somebody_took_away_is_set_again(self, desk: Desk) -> None:
        await desk.until(lambda: bool(desk.server.webhook.url))
        desk.server.webhook.url = ""
        await desk.until(lambda: bool(desk.server.webhook.url))


class TestWhatOthersBring:
    @pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET + "x", "秘密"])
    async def test_without_the_secret_nothing_is_read(self, desk: Desk, secret: str | None) -> None:
        assert await brought(desk, a_text(1, "我是王先生"), secret) == 403
        assert desk.said_by_borrower(LI) == []

    async def test_what_is_no_update_is_not_asked_for_again(self, desk: Desk) -> None:
        async with httpx.AsyncClient(trust_env=False, headers={SECRET_HEADER: SECRET}) as client:
            url = desk.deps.settings.origin + PATH
            answers = [
                await client.post(url, content=body)
                for body in (b"", b"[]", b'"x"', b"{", b'{"update_id": "1"}', b"\xff", b"[" * 100_000)
            ]
            too_long = await client.post(url, content=b" " * (LONGEST_UPDATE + 1))
            wrong_way = await client.get(url)

        assert {answer.status_code for answer in answers} == {200}
        assert (too_long.status_code, wrong_way.status_code) == (413, 405)

    async def test_an_odd_update_costs_itself_only(self, desk: Desk) -> None:
        assert await brought(desk, {"update_id": 1, "message": {"chat": 3}}) == 200
        assert await brought(desk, a_text(2, "你好")) == 200

        assert desk.said_by_borrower(LI) == ["你好"]


async def test_a_chats_updates_are_taken_one_after_the_other_and_hold_up_no_other_chat() -> None:
    events: list[tuple[str, int]] = []
    release = asyncio.Event()

    async def take(raw: dict[str, Any]) -> None:
        events.append(("begun", raw["update_id"]))
        if raw["update_id"] == 1:
            await release.wait()
        events.append(("done", raw["update_id"]))

    app = FastAPI()
    app.include_router(make_router(SECRET, take, lambda: False))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://desk", headers={SECRET_HEADER: SECRET}
    ) as client:
        first = asyncio.create_task(client.post(PATH, json=a_text(1, "一")))
        while not events:
            await asyncio.sleep(0.01)
        second = asyncio.create_task(client.post(PATH, json=a_text(2, "二")))
        await client.post(PATH, json=a_text(3, "三", WANG))
        assert events == [("begun", 1), ("begun", 3), ("done", 3)]
        release.set()
        await asyncio.gather(first, second)

    assert events[3:] == [("done", 1), ("begun", 2), ("done", 2)]


async def test_while_the_desk_stops_updates_are_left_with_telegram() -> None:
    taken: list[dict[str, Any]] = []

    async def take(raw: dict[str, Any]) -> None:
        taken.append(raw)

    app = FastAPI()
    app.include_router(make_router(SECRET, take, lambda: True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        answer = await client.post(PATH, json=a_text(1, "一"), headers={SECRET_HEADER: SECRET})

    assert (answer.status_code, taken) == (503, [])


@pytest.mark.parametrize(
    ("update", "chat_id"),
    [
        ({"update_id": 1, "message": {"chat": {"id": 7}}}, 7),
        ({"update_id": 1, "callback_query": {"message": {"chat": {"id": -8}}}}, -8),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": 9}}}, 9),
        ({"update_id": 1, "callback_query": {"message": None, "inline_message_id": "x"}}, 0),
        ({"update_id": 1, "message": {"chat": {"id": "7"}}}, 0),
        ({"update_id": 1}, 0),
    ],
)
async def test_the_chat_of_an_update_is_found(update: dict[str, Any], chat_id: int) -> None:
    assert chat_of(update) == chat_id
