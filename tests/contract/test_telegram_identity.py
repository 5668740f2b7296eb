"""Who is at the other end of a chat: shared numbers, links from the web page, the sign that an answer comes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.channels import telegram_typing
from bot.services import identity
from bot.services.channel_links import CONTINUE, LIFE, make_link
from bot.services.conversations import SHARE_PHONE, Author, QuickReply, Reply, locked, say
from bot.services.identity import Step
from bot.services.turns import claim_next
from bot.services.web_sessions import open_session
from bot.text.scripts import Script
from tests.contract.telegram_desk import LI, WANG, Desk

pytestmark = [pytest.mark.timeout(60), pytest.mark.asyncio]


def ask_for_the_number(desk: Desk, chat_id: int) -> None:
    with desk.deps.begin() as session:
        conversation = locked(session, desk.conversation(chat_id))
        assert conversation is not None
        reply = Reply("请发一下手机号。", (QuickReply("发送我的手机号", SHARE_PHONE),))
        say(session, desk.deps, conversation, reply, author=Author.BOT)
    desk.nudge()


class TestTheKeyForTheNumber:
    async def test_it_stands_where_the_number_is_asked_for(self, desk: Desk) -> None:
        ask_for_the_number(desk, LI)
        sent = await desk.shown(LI, "请发一下手机号。")

        assert (sent.phone_key, sent.buttons) == ("发送我的手机号", [])

    @pytest.mark.parametrize("number", ["+8613800138000", "8613800138000", "+86 138 0013 8000", "008613800138000"])
    async def test_the_senders_own_number_is_taken_as_if_typed(self, desk: Desk, number: str) -> None:
        await desk.taken(desk.server.share_contact(LI, number, user_id=LI))

        claimed = claim_next(desk.deps, desk.conversation(LI), desk.deps.fresh)
        assert claimed is not None
        assert (claimed.text, claimed.payload) == ("我要核对身份，我的手机号是13800138000", None)
        assert desk.woken == [desk.conversation(LI)]
        assert desk.notices(LI) == []

    @pytest.mark.parametrize("owner", [None, WANG])
    async def test_nobody_elses_number_counts(self, desk: Desk, owner: int | None) -> None:
        await desk.taken(desk.server.share_contact(LI, "+8613800138000", user_id=owner))

        await desk.shown(LI, desk.deps.wording.one("contact_of_another"))
        assert desk.said_by_borrower(LI) == []

    @pytest.mark.parametrize("number", ["+14155552671", "14155552671", "+85291234567", "", "86138001380001"])
    async def test_a_number_from_elsewhere_is_not_read_as_a_mainland_one(self, desk: Desk, number: str) -> None:
        await desk.taken(desk.server.share_contact(LI, number, user_id=LI))

        await desk.shown(LI, desk.deps.wording.one("contact_elsewhere"))
        assert desk.said_by_borrower(LI) == []


class TestComingFromTheWebPage:
    async def test_the_link_goes_on_here_in_the_pages_script(self, desk: Desk) -> None:
        token = make_link(desk.deps, open_session(desk.deps, Script.HANT).conversation_id)
        await desk.taken(desk.server.send_text(LI, f"/start {token}"))

        claimed = claim_next(desk.deps, desk.conversation(LI), desk.deps.fresh)
        assert claimed is not None
        assert (claimed.text, claimed.payload) == ("从网页接着说", CONTINUE)
        desk.write(LI, "请说")
        desk.nudge()
        await desk.shown(LI, "請說")

    async def test_it_works_once_and_a_repeated_update_draws_no_complaint(self, desk: Desk) -> None:
        token = make_link(desk.deps, open_session(desk.deps).conversation_id)
        first = desk.server.send_text(LI, f"/start {token}")
        await desk.taken(first)
        desk.server.redeliver(first)
        await desk.taken(desk.server.send_text(WANG, f"/start {token}"))

        assert desk.notices(LI) == []
        assert desk.notices(WANG) == [desk.deps.wording.one("problem_stale_link")]
        assert desk.said_by_borrower(WANG) == []

    async def test_it_ends(self, desk: Desk) -> None:
        token = make_link(desk.deps, open_session(desk.deps).conversation_id)
        desk.clock.move(LIFE + timedelta(seconds=1))
        await desk.taken(desk.server.send_text(LI, f"/start {token}"))

        assert desk.notices(LI) == [desk.deps.wording.one("problem_stale_link")]

    async def test_it_proves_nothing(self, desk: Desk) -> None:
        token = make_link(desk.deps, open_session(desk.deps).conversation_id)
        await desk.taken(desk.server.send_text(LI, f"/start {token}"))

        assert identity.start(desk.deps, desk.conversation(LI)).step is Step.CLAIM
        assert identity.who(desk.deps, desk.conversation(LI)).borrower_id is None

    async def test_a_start_with_something_else_is_a_start(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "/start from_the_leaflet"))

        assert desk.said_by_borrower(LI) == ["你好"]
        assert desk.notices(LI) == []


class TestTheSignThatAnAnswerComes:
    async def test_it_is_shown_while_the_answer_takes_long(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(telegram_typing, "AFTER_SECONDS", 0.01)
        monkeypatch.setattr(telegram_typing, "AGAIN_SECONDS", 0.05)
        assert desk.channel is not None
        desk.channel.typing(desk.conversation(LI), True)
        await desk.until(lambda: desk.server.count("sendChatAction", LI) >= 2)
        desk.channel.typing(desk.conversation(LI), False)
        shown = desk.server.count("sendChatAction", LI)
        await asyncio.sleep(0.2)

        assert desk.server.count("sendChatAction", LI) <= shown + 1

    async def test_a_quick_answer_and_other_channels_need_none(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert desk.channel is not None
        desk.channel.typing(desk.conversation(LI), True)
        desk.channel.typing(desk.conversation(LI), False)
        monkeypatch.setattr(telegram_typing, "AFTER_SECONDS", 0.0)
        desk.channel.typing(open_session(desk.deps).conversation_id, True)
        await asyncio.sleep(0.1)

        assert desk.server.count("sendChatAction") == 0

    async def test_telegram_refusing_it_costs_nothing_else(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(telegram_typing, "AFTER_SECONDS", 0.0)
        desk.server.fail("sendChatAction", 403, "Forbidden: bot was blocked by the user")
        assert desk.channel is not None
        desk.channel.typing(desk.conversation(LI), True)
        await desk.until(lambda: desk.server.count("sendChatAction", LI) == 1)
        await desk.open(LI)
