"""Files sent in from the page: kept with the open case, refused kindly otherwise, never from anywhere else."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from bot.channels import web_evidence
from bot.desk.uploads import LARGEST_UPLOAD
from bot.services import case_files, sealed_files
from bot.services.case_record import seal_for
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.services.web_sessions import open_session
from bot.store.tables import CaseNote
from tests.builders.cases import a_complaint

PICTURE = b"\x89PNG\r\n\x1a\n and the rest of it"
HOST = "http://testserver"


class Browser:
    """A browser with the page open."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.changed: list[str] = []
        opened = open_session(deps)
        self.conversation_id = opened.conversation_id
        app = FastAPI()
        app.include_router(web_evidence.make_router(deps, self.changed.append))
        self.client = TestClient(app, cookies={"desk_session": opened.token}, headers={"Origin": HOST})

    def send(self, content: bytes, name: str = "截图.png", key: str = "key-0001", **headers: str) -> Response:
        named = {"X-Upload-Key": key, "X-File-Name": quote(name), **headers}
        response: Response = self.client.post("/chat/evidence", content=content, headers=named)
        return response

    def kept(self) -> list[tuple[str, str | None]]:
        """Return name and type of the files that are kept."""
        with self.deps.read() as session:
            notes = session.scalars(select(CaseNote).where(CaseNote.kind == "file").order_by(CaseNote.created_at))
            return [(self.deps.vault.unseal(seal_for(n.case_id), n.text_sealed), n.media_type) for n in notes]


@pytest.fixture
def browser(deps: Deps) -> Browser:
    return Browser(deps)


def test_a_file_is_kept_with_the_open_case_and_said_once(browser: Browser) -> None:
    a_complaint(browser.deps, browser.conversation_id)
    answers = [browser.send(PICTURE), browser.send(PICTURE)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert browser.kept() == [("截图.png", "image/png")]
    said = [m.text for m in messages_after(browser.deps, browser.conversation_id, 0) if "已经加密存好" in m.text]
    assert len(said) == 1
    assert browser.changed == [browser.conversation_id] * 2


def test_without_a_case_nothing_is_kept(browser: Browser) -> None:
    answer = browser.send(PICTURE, **{"Accept-Language": "zh-TW"})
    assert answer.status_code == 409
    assert "沒有保存" in answer.json()["text"]
    assert browser.kept() == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"MZ not a picture", 422),
        (b"<svg onload='alert(1)'>", 422),
        (b"%PDF-" + bytes(LARGEST_UPLOAD), 413),
    ],
    ids=["empty", "program", "svg", "large"],
)
def test_what_is_not_taken_is_refused_with_words(browser: Browser, content: bytes, status: int) -> None:
    a_complaint(browser.deps, browser.conversation_id)
    answer = browser.send(content, name="photo.jpg")
    assert answer.status_code == status
    assert answer.json()["text"]
    assert browser.kept() == []


def test_one_case_takes_so_many_files_and_the_same_again(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_files, "MOST_FILES", 2)
    a_complaint(browser.deps, browser.conversation_id)
    statuses = [browser.send(PICTURE + bytes([n]), key=f"key-000{n}").status_code for n in (1, 2, 3, 2)]
    assert statuses == [200, 200, 409, 200]
    assert len(browser.kept()) == 2


def test_another_page_another_session_and_no_session_are_refused(browser: Browser) -> None:
    a_complaint(browser.deps, browser.conversation_id)
    assert browser.send(PICTURE, Origin="https://www.lender.example").status_code == 403
    assert browser.send(PICTURE, Origin="null").status_code == 403
    other = Browser(browser.deps)
    assert other.send(PICTURE).status_code == 409
    browser.client.cookies.clear()
    assert browser.send(PICTURE).status_code == 403
    assert browser.kept() == []


def test_a_strange_name_costs_nothing(browser: Browser) -> None:
    a_complaint(browser.deps, browser.conversation_id)
    assert browser.send(PICTURE, name="../../etc/passwd\u202e<b>" + "长" * 200).status_code == 200
    ((name, _),) = browser.kept()
    assert len(name) == sealed_files.LONGEST_NAME
