"""No room is left on the disk: whoever is concerned is told, nothing is half written, and it goes on with room again.

The limit on the size of files is the process's own, so each of these runs in a process of its own.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from bot import logs
from bot.channels import web_evidence
from bot.channels.web import make_router
from bot.channels.web_live import LiveConversations
from bot.release.shelf import Shelf
from bot.services import backups, documents
from bot.services.backups import BackupError
from bot.services.deps import Deps
from bot.services.document_store import DocumentView
from bot.services.web_sessions import open_session
from bot.store.migrate import upgrade
from bot.store.tables import Document, Message
from tests.builders.accounts import a_debt_of, verified
from tests.builders.cases import a_complaint
from tests.builders.desk import a_borrower, a_desk
from tests.builders.models import a_model

PAPER = b"%PDF-1.7" + b"0" * 200_000
ORIGIN = {"Origin": "http://testserver"}


@contextmanager
def no_room(at_most: int) -> Iterator[None]:
    """Let no file of this process become larger than so many bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def in_a_process(what: Callable[[Path], None], folder: Path) -> None:
    """Run a part of a test where its limits hurt nobody else; its assertions fail the test.

    Its log goes to a file, as a supervised process's does: there is no more room for that than for anything else.
    """
    with get_context("fork").Pool(1, _as_a_process, (folder / "process.log",)) as pool:
        pool.apply_async(what, (folder,)).get(timeout=120)


def _as_a_process(log: Path) -> None:
    sys.stdout = log.open("a")
    logs.configure(as_json=True)


def a_desk_on_disk(folder: Path) -> Deps:
    """A desk on SQLite, whose journal has no room for another page once no file may grow."""
    url = f"sqlite:///{folder / 'desk.sqlite3'}"
    upgrade(url)
    return a_desk(folder, database_url=url)


def count(deps: Deps, table: Any) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _talking(folder: Path) -> None:
    deps = a_desk_on_disk(folder)
    opened = open_session(deps)
    a_complaint(deps, opened.conversation_id)
    app = FastAPI()
    app.include_router(make_router(deps, LiveConversations(deps), lambda _: None, folder))
    app.include_router(web_evidence.make_router(deps, lambda _: None))
    client = TestClient(app, cookies={"desk_session": opened.token}, headers=ORIGIN, raise_server_exceptions=False)
    said, frame = count(deps, Message), {"type": "say", "key": "key-0001", "text": "我想分期"}
    sent = {"content": PAPER, "headers": {"X-Upload-Key": "key-0002"}}
    with client.websocket_connect("/chat/line", headers=ORIGIN) as socket:
        with no_room(0):
            socket.send_json(frame)
            told = socket.receive_json()
            assert client.post("/chat/evidence", **sent).status_code >= 500
        assert (told["type"], told["code"], told["key"]) == ("problem", "not_stored", "key-0001")
        assert "再发一次" in told["text"]
        assert count(deps, Message) == said
        socket.send_json(frame)
        assert socket.receive_json()["type"] == "ack"
    assert client.post("/chat/evidence", **sent).status_code == 200


def _papers(folder: Path) -> None:
    deps = a_desk_on_disk(folder)
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id)
    chat = verified(deps, borrower_id)
    with no_room(0):
        assert _made(deps, chat) is None
    assert count(deps, Document) == 0
    assert _made(deps, chat) is not None


def _made(deps: Deps, conversation_id: str) -> DocumentView | None:
    """Ask for a paper as the action does, which says that it did not work whichever way it failed."""
    try:
        made = documents.statement(deps, conversation_id)
    except OperationalError:
        return None
    return made if isinstance(made, DocumentView) else None


def _backup(folder: Path) -> None:
    deps = a_desk_on_disk(folder)
    target = folder / "kept" / "backup"
    target.parent.mkdir()
    with no_room(4_096), pytest.raises(BackupError):
        backups.take(deps, target)
    assert list(target.parent.iterdir()) == []
    assert backups.take(deps, target).manifest.total > 0


def _models(folder: Path) -> None:
    models = folder / "models"
    models.mkdir()
    for name in ("aaaa", "bbbb"):
        a_model(models, name)
    shelf, at = Shelf(models), datetime(2026, 11, 22, 4, tzinfo=UTC)
    shelf.promote("aaaa", at)
    before = {path.name: path.read_bytes() for path in models.iterdir()}
    with no_room(0), pytest.raises(OSError, match="large"):
        shelf.promote("bbbb", at)
    assert shelf.served_fingerprint() == "aaaa"
    assert {path.name: path.read_bytes() for path in models.iterdir()} == before


@pytest.mark.parametrize("part", [_talking, _papers, _backup, _models], ids=lambda part: part.__name__.strip("_"))
def test_it_is_said_and_nothing_is_half_written(part: Callable[[Path], None], tmp_path: Path) -> None:
    in_a_process(part, tmp_path)
