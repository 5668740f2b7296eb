"""Files over Telegram: taken only where a case asked for them, and only pictures and papers of a bearable size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.cases.course import CaseAct
from bot.channels.telegram import TelegramChannel
from bot.desk.uploads import LARGEST_UPLOAD
from bot.services import case_desk, case_files, cases
from bot.services.case_desk import Acted
from bot.store.tables import CaseNote
from tests.builders.cases import a_complaint, somebody
from tests.builders.counting import value
from tests.builders.desk import SetClock
from tests.contract.telegram_desk import LI, SWIFT, WANG, Desk, desk_deps
from tests.doubles.telegram_server import TelegramServer

pytestmark = [pytest.mark.timeout(60), pytest.mark.asyncio]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(40)


@pytest_asyncio.fixture
async def desk(tmp_path: Path, telegram: TelegramServer) -> AsyncIterator[Desk]:
    """A desk at which one chat has complained."""
    clock = SetClock()
    made = Desk(desk_deps(tmp_path, telegram, clock), telegram, clock)
    made.channel = TelegramChannel(made.deps, made.woken.append, SWIFT)
    a_complaint(made.deps, made.conversation(LI))
    await made.channel.start()
    yield made
    await made.stop()


def kept(desk: Desk) -> list[tuple[str, str, bytes]]:
    """Name, media type and content of the files with cases, as the desk reads them."""
    reader = somebody(desk.deps, login="reader")
    with desk.deps.read() as session:
        notes = session.scalars(select(CaseNote).where(CaseNote.kind == "file").order_by(CaseNote.created_at)).all()
    found = []
    for note in notes:
        media_type, content = case_files.file_of(desk.deps, reader, note.case_id, note.id) or ("", b"")
        found.append((desk.deps.vault.unseal(f"case:{note.case_id}", note.text_sealed), media_type, content))
    return found


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [(JPEG, None, "image/jpeg"), (PNG, "截图.png", "image/png"), (PDF, "回执.pdf", "application/pdf")],
    ids=["picture", "screenshot", "paper"],
)
async def test_what_belongs_to_a_case_is_kept_with_it(desk: Desk, content: bytes, name: str | None, kind: str) -> None:
    await desk.taken(desk.server.send_file(LI, content, name=name))

    assert kept(desk) == [(name or "jpeg", kind, content)]
    assert desk.notices(LI) == [desk.deps.wording.one("evidence_kept")]


async def test_what_comes_twice_is_kept_once(desk: Desk) -> None:
    first = desk.server.send_file(LI, PDF, name="回执.pdf")
    await desk.taken(first)
    desk.server.redeliver(first)
    await desk.taken(desk.server.send_text(LI, "发好了"))

    assert len(kept(desk)) == 1
    assert len(desk.notices(LI)) == 1


async def test_nothing_is_even_fetched_where_nobody_asked(desk: Desk) -> None:
    await desk.taken(desk.server.send_file(WANG, JPEG))

    assert desk.notices(WANG) == [desk.deps.wording.one("unread_picture")]
    assert (desk.server.count("getFile"), kept(desk)) == (0, [])


async def test_what_is_too_large_is_not_fetched(desk: Desk) -> None:
    await desk.taken(desk.server.send_file(LI, PDF, name="合同.pdf", size=LARGEST_UPLOAD + 1))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_too_large")]
    assert desk.server.count("getFile") == 0


async def test_a_size_that_lied_is_found_out(desk: Desk) -> None:
    await desk.taken(desk.server.send_file(LI, PDF + bytes(LARGEST_UPLOAD), name="合同.pdf", size=10))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_too_large")]
    assert kept(desk) == []


@pytest.mark.parametrize(
    "content", [b"MZ" + bytes(40), b"<svg onload=alert(1)>", b"PK\x03\x04" + bytes(40)], ids=["exe", "svg", "zip"]
)
async def test_a_name_does_not_make_a_picture(desk: Desk, content: bytes) -> None:
    counted = value("desk_uploads_refused_total", channel="telegram", reason="unknown_kind")
    await desk.taken(desk.server.send_file(LI, content, name="照片.png"))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_unknown_kind")]
    assert kept(desk) == []
    assert value("desk_uploads_refused_total", channel="telegram", reason="unknown_kind") == counted + 1


async def test_what_telegram_does_not_hand_over_is_asked_for_again(desk: Desk) -> None:
    desk.server.fail("getFile", 400, "Bad Request: file is too big")
    await desk.taken(desk.server.send_file(LI, JPEG))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_not_fetched")]


async def test_a_case_that_is_over_keeps_nothing(desk: Desk) -> None:
    [case] = cases.progress(desk.deps, desk.conversation(LI)).cases
    cases.withdraw(desk.deps, desk.conversation(LI), case.case_id)
    await desk.taken(desk.server.send_file(LI, JPEG))

    assert desk.notices(LI) == [desk.deps.wording.one("unread_picture")]
    assert kept(desk) == []


async def test_what_the_desk_asked_for_is_answered_by_a_file(desk: Desk) -> None:
    [case] = cases.progress(desk.deps, desk.conversation(LI)).cases
    boss = somebody(desk.deps)
    asked = case_desk.act(desk.deps, boss, case.case_id, CaseAct.ASK_BORROWER, "请发一张通话记录的截图，谢谢。")
    assert isinstance(asked, Acted)
    await desk.taken(desk.server.send_file(LI, PNG, name="截图.png"))

    [case] = cases.progress(desk.deps, desk.conversation(LI)).cases
    assert (case.state.value, len(kept(desk))) == ("in_review", 1)


async def test_a_voice_message_is_no_evidence(desk: Desk) -> None:
    await desk.taken(desk.server.send_voice(LI))

    assert desk.notices(LI) == [desk.deps.wording.one("unread_voice")]
    assert kept(desk) == []
