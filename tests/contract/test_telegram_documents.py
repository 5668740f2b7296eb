"""Documents over Telegram: a file as a file, a picture as a picture, each once, to the verified borrower only."""

from __future__ import annotations

import asyncio

import pytest

from bot.services import document_store, identity
from bot.services.conversations import Author, QuickReply, Reply, document_payload, locked, say
from bot.services.document_store import DocumentKind, NewDocument
from tests.builders.desk import a_borrower
from tests.contract.telegram_desk import LI, Desk
from tests.doubles.telegram_server import SentFile

pytestmark = [
    pytest.mark.timeout(60),
    # The library warns about its own attributes each time Telegram names a delay.
    pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning"),
]

PAPER = NewDocument(DocumentKind.AGREEMENT, "XY1", b"%PDF-1.3 paper")
PICTURE = NewDocument(DocumentKind.SCHEDULE, "XY1", b"\x89PNG picture", (720, 1400))


def hand_over(desk: Desk, made: NewDocument, text: str, *buttons: str) -> None:
    """Let the bot hand a document to the chat's borrower, as an action does: among the buttons."""
    conversation_id = desk.conversation(LI)
    with desk.deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        assert conversation.borrower_id is not None
        kept = document_store.keep(session, desk.deps, made, conversation.borrower_id, conversation_id)
        replies = (QuickReply("文件", document_payload(kept.id)), *(QuickReply(title, "/thank") for title in buttons))
        say(session, desk.deps, conversation, Reply(text, replies), author=Author.BOT)


async def verified(desk: Desk) -> None:
    await desk.open(LI)
    borrower = a_borrower(desk.deps)
    with desk.deps.begin() as session:
        identity.bind(session, desk.deps, desk.conversation(LI), borrower)


@pytest.mark.asyncio
class TestDocuments:
    async def test_a_paper_arrives_as_a_file_with_its_words_and_buttons(self, desk: Desk) -> None:
        await verified(desk)
        hand_over(desk, PAPER, "这是协议全文。", "谢谢")
        sent = await desk.shown(LI, "这是协议全文。")
        await desk.stop()

        assert sent.file == SentFile("document", "协议 XY1.pdf", PAPER.content)
        assert [title for title, _ in sent.buttons] == ["谢谢"]
        [row] = desk.outbox(LI)
        assert (row.state, row.channel_message_id) == ("sent", str(sent.message_id))

    async def test_a_picture_arrives_as_a_picture_and_the_order_is_kept(self, desk: Desk) -> None:
        await verified(desk)
        hand_over(desk, PAPER, "这是协议全文。")
        hand_over(desk, PICTURE, "做成了一张图。")
        desk.write(LI, "还有别的吗?")
        await desk.shown(LI, "还有别的吗?")
        await desk.stop()

        shown = [(sent.text, sent.file.kind if sent.file else None) for sent in desk.server.messages(LI)][2:]
        assert shown == [("这是协议全文。", "document"), ("做成了一张图。", "photo"), ("还有别的吗?", None)]

    async def test_flood_control_sends_it_later_and_once(self, desk: Desk) -> None:
        await verified(desk)
        desk.server.fail("sendDocument", 429, retry_after=3, chat_id=LI)
        hand_over(desk, PAPER, "这是协议全文。")
        await desk.until(lambda: desk.server.count("sendDocument", LI) >= 1)
        await desk.round()
        assert len(desk.server.messages(LI)) == 2
        desk.after(3)
        await desk.shown(LI, "这是协议全文。")
        await desk.stop()

        assert [sent.file is not None for sent in desk.server.messages(LI)][2:] == [True]

    async def test_a_text_too_long_for_a_caption_comes_first_and_is_not_repeated(self, desk: Desk) -> None:
        await verified(desk)
        desk.server.fail("sendDocument", 429, retry_after=3, chat_id=LI)
        hand_over(desk, PAPER, "长" * 1_025, "谢谢")
        await desk.until(lambda: desk.server.count("sendDocument", LI) >= 1)
        await desk.round()
        desk.after(3)
        await desk.until(lambda: any(sent.file for sent in desk.server.messages(LI)))
        await desk.stop()

        text, file = desk.server.messages(LI)[2:]
        assert (text.text, text.file, text.buttons) == ("长" * 1_025, None, [])
        assert (file.text, [title for title, _ in file.buttons]) == ("", ["谢谢"])

    async def test_neither_it_nor_its_words_leave_once_the_chat_is_no_longer_that_borrowers(self, desk: Desk) -> None:
        await verified(desk)
        await desk.stop()
        hand_over(desk, PAPER, "这是协议全文。")
        await asyncio.to_thread(identity.release_binding, desk.deps, desk.conversation(LI), "not_the_borrower")
        await desk.start()
        desk.write(LI, "还有别的吗?")
        await desk.shown(LI, "还有别的吗?")

        assert [sent for sent in desk.server.messages(LI) if sent.file or sent.text == "这是协议全文。"] == []
