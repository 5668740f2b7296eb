"""Files over Telegram: taken only where a case asked for them, and only pictures and papers of a bearable size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_evidence import Upload
from bot.desk.uploads import LARGEST_UPLOAD, UploadKind
from tests.builders.desk import SetClock
from tests.contract.telegram_desk import LI, SWIFT, WANG, Desk, desk_deps
from tests.doubles.telegram_server import TelegramServer

pytestmark = [pytest.mark.timeout(60), pytest.mark.asyncio]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(40)


@dataclass
class Cases:
    """Cases that wait for evidence in some conversations."""

    waiting: set[str] = field(default_factory=set)
    kept: dict[str, Upload] = field(default_factory=dict)
    closed: bool = False

    def awaits(self, conversation_id: str) -> bool:
        return conversation_id in self.waiting

    def keep(self, conversation_id: str, upload: Upload) -> bool:
        if not self.closed:
            self.kept.setdefault(upload.key, upload)
        return not self.closed


@pytest.fixture
def cases() -> Cases:
    return Cases()


@pytest_asyncio.fixture
async def desk(tmp_path: Path, telegram: TelegramServer, cases: Cases) -> AsyncIterator[Desk]:
    clock = SetClock()
    made = Desk(desk_deps(tmp_path, telegram, clock), telegram, clock)
    made.channel = TelegramChannel(made.deps, made.woken.append, SWIFT, keeper=cases)
    cases.waiting.add(made.conversation(LI))
    await made.channel.start()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [(JPEG, None, UploadKind.JPEG), (PNG, "截图.png", UploadKind.PNG), (PDF, "回执.pdf", UploadKind.PDF)],
    ids=["picture", "screenshot", "paper"],
)
async def test_what_a_case_waits_for_is_kept(
    desk: Desk, cases: Cases, content: bytes, name: str | None, kind: UploadKind
) -> None:
    update_id = desk.server.send_file(LI, content, name=name)
    await desk.taken(update_id)

    assert cases.kept == {f"tg:{update_id}": Upload(f"tg:{update_id}", name or "jpeg", kind, content)}
    assert desk.notices(LI) == [desk.deps.wording.one("evidence_kept")]


async def test_what_comes_twice_is_kept_once(desk: Desk, cases: Cases) -> None:
    first = desk.server.send_file(LI, PDF, name="回执.pdf")
    await desk.taken(first)
    desk.server.redeliver(first)
    await desk.taken(desk.server.send_text(LI, "发好了"))

    assert len(cases.kept) == 1
    assert len(desk.notices(LI)) == 1


async def test_nothing_is_even_fetched_where_nobody_asked(desk: Desk, cases: Cases) -> None:
    await desk.taken(desk.server.send_file(WANG, JPEG))

    assert desk.notices(WANG) == [desk.deps.wording.one("unread_picture")]
    assert (desk.server.count("getFile"), cases.kept) == (0, {})


async def test_what_is_too_large_is_not_fetched(desk: Desk, cases: Cases) -> None:
    await desk.taken(desk.server.send_file(LI, PDF, name="合同.pdf", size=LARGEST_UPLOAD + 1))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_too_large")]
    assert desk.server.count("getFile") == 0


async def test_a_size_that_lied_is_found_out(desk: Desk, cases: Cases) -> None:
    await desk.taken(desk.server.send_file(LI, PDF + bytes(LARGEST_UPLOAD), name="合同.pdf", size=10))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_too_large")]
    assert cases.kept == {}


@pytest.mark.parametrize(
    "content", [b"MZ" + bytes(40), b"<svg onload=alert(1)>", b"PK\x03\x04" + bytes(40)], ids=["exe", "svg", "zip"]
)
async def test_a_name_does_not_make_a_picture(desk: Desk, cases: Cases, content: bytes) -> None:
    await desk.taken(desk.server.send_file(LI, content, name="照片.png"))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_unknown_kind")]
    assert cases.kept == {}


async def test_what_telegram_does_not_hand_over_is_asked_for_again(desk: Desk, cases: Cases) -> None:
    desk.server.fail("getFile", 400, "Bad Request: file is too big")
    await desk.taken(desk.server.send_file(LI, JPEG))

    assert desk.notices(LI) == [desk.deps.wording.one("evidence_not_fetched")]


async def test_a_case_that_ended_meanwhile_keeps_nothing_and_says_so(desk: Desk, cases: Cases) -> None:
    cases.closed = True
    await desk.taken(desk.server.send_file(LI, JPEG))

    assert desk.notices(LI) == [desk.deps.wording.one("unread_picture")]


async def test_a_voice_message_is_no_evidence(desk: Desk, cases: Cases) -> None:
    await desk.taken(desk.server.send_voice(LI))

    assert desk.notices(LI) == [desk.deps.wording.one("unread_voice")]
    assert cases.kept == {}
