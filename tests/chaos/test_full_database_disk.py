"""PostgreSQL's own disk is full: borrowers are told what was not stored, and nothing stored is lost or doubled."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg.errors import DiskFull
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from bot.channels.web import make_router
from bot.channels.web_live import LiveConversations
from bot.services.conversations import Stored
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.web_sessions import open_session
from bot.store.migrate import upgrade
from bot.store.tables import Message
from tests.builders.desk import a_desk
from tests.running.postgres import RESTART_SECONDS, running_server

ORIGIN = {"Origin": "http://testserver"}
DISK_MIB = 160
LONG = "我这个月手头紧，能不能晚几天还。" * 40
MOST_SAID = 4_000


@contextmanager
def a_small_disk() -> Iterator[Path]:
    """A file system of its own with little room; only root may make one."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disk that this fills")
    place = Path(tempfile.mkdtemp(prefix="desk-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0711", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def fill(place: Path) -> Path:
    """Take up all the room that is left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4_096, 1):
            try:
                while True:
                    file.write(b"0" * size)
            except OSError:
                pass
    assert shutil.disk_usage(place).free < 8_192
    return filler


def texts(deps: Deps) -> list[str]:
    """What borrowers have said, as it is stored."""
    with deps.read() as session:
        return list(session.scalars(select(Message.text).where(Message.author == "borrower").order_by(Message.seq)))


@dataclass(slots=True)
class Chat:
    """A borrower's conversation, and what was acknowledged in it."""

    deps: Deps
    conversation_id: str
    acknowledged: list[str] = field(default_factory=list)

    def say(self, times: int) -> None:
        """Have so many more messages stored, as a channel does."""
        for number in range(times):
            said = f"第{len(self.acknowledged)}句 {LONG}"
            stored = record_text(self.deps, self.conversation_id, f"key-{number}-{len(self.acknowledged)}", said)
            assert isinstance(stored, Stored)
            self.acknowledged.append(said)


def pages_run_out(chat: Chat) -> None:
    """Store messages until no table can grow by another page; the server goes on serving."""
    with pytest.raises(OperationalError) as failure:
        chat.say(MOST_SAID)
    assert isinstance(failure.value.orig, DiskFull)


def journal_runs_out(chat: Chat) -> None:
    """Use up the pieces of the journal that were made ahead: the server gives up, and cannot come back by itself."""
    admin = create_engine(chat.deps.settings.database_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with suppress(OperationalError), admin.connect() as connection:
        for _ in range(MOST_SAID):
            connection.execute(text("SELECT txid_current(), pg_switch_wal()"))
    with pytest.raises(OperationalError):
        chat.say(MOST_SAID)


def wait_until_it_serves(deps: Deps) -> None:
    """Wait while the server puts itself in order."""
    until = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            texts(deps)
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.mark.parametrize("runs_out", [pages_run_out, journal_runs_out], ids=lambda part: part.__name__)
def test_what_was_not_stored_is_said_and_what_was_acknowledged_is_there(
    runs_out: Callable[[Chat], None], tmp_path: Path
) -> None:
    with a_small_disk() as place, running_server(durable=True, place=place) as server:
        url = server.create("desk")
        upgrade(url)
        deps = a_desk(tmp_path, database_url=url)
        opened = open_session(deps)
        app = FastAPI()
        app.include_router(make_router(deps, LiveConversations(deps), lambda _: None, tmp_path))
        client = TestClient(app, cookies={"desk_session": opened.token}, headers=ORIGIN)
        chat = Chat(deps, opened.conversation_id)
        chat.say(20)
        with client.websocket_connect("/chat/line", headers=ORIGIN) as socket:
            filler = fill(place)
            runs_out(chat)
            frame = {"type": "say", "key": "key-last", "text": LONG}
            socket.send_json(frame)
            told = socket.receive_json()
            assert (told["type"], told["code"], told["key"]) == ("problem", "not_stored", "key-last")
            assert "再发一次" in told["text"]
            filler.unlink()
            server.start()
            wait_until_it_serves(deps)
            for _ in range(2):
                socket.send_json(frame)
                assert socket.receive_json()["type"] == "ack"
        assert texts(deps) == [*chat.acknowledged, LONG]
        deps.database.engine.dispose()
