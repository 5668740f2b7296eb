"""The Telegram channel over HTTP against a Bot API on loopback."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.channels import telegram_inbound
from bot.channels.telegram_menu import COMMANDS, Menu
from bot.services.inbound import BURST, BURST_SPAN
from bot.services.turns import claim_next
from bot.settings import ROOT
from bot.store.tables import AuditEntry, Conversation
from bot.text.normalize import normalize_text
from tests.builders.counting import value
from tests.builders.desk import SetClock
from tests.contract.telegram_desk import LI, WANG, Desk, database_away, desk_deps
from tests.doubles.telegram_server import Sent, TelegramServer

pytestmark = [
    pytest.mark.timeout(60),
    # The library warns about its own attributes each time Telegram names a delay.
    pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning"),
]

FAMILY = -7001
MENU = Menu.load(ROOT / "data" / "templates" / "telegram.yml")


@pytest.mark.asyncio
class TestWhatBorrowersWrite:
    async def test_a_text_is_stored_and_the_turn_runner_is_woken(self, desk: Desk) -> None:
        update_id = desk.server.send_text(LI, "我还不上了")
        await desk.taken(update_id)

        assert desk.woken == [desk.conversation(LI)]
        assert [(m.text, m.key.rpartition(":")[0]) for m in desk.transcript(LI) if m.key] == [("我还不上了", "tg:101")]

    async def test_an_update_delivered_twice_acts_once(self, desk: Desk) -> None:
        counted = value("desk_messages_received_total", channel="telegram")
        first = desk.server.send_text(LI, "我要分期")
        await desk.taken(first)
        desk.server.redeliver(first)
        await desk.taken(desk.server.send_text(LI, "每月五百"))

        assert desk.said_by_borrower(LI) == ["我要分期", "每月五百"]
        assert len(desk.woken) == 2
        assert value("desk_messages_received_total", channel="telegram") == counted + 2

    async def test_after_a_restart_nothing_is_lost_and_nothing_acts_twice(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "第一句"))
        await desk.stop()
        desk.server.send_text(LI, "第二句")
        await desk.start()
        await desk.taken(desk.server.send_text(LI, "第三句"))

        assert desk.said_by_borrower(LI) == ["第一句", "第二句", "第三句"]
        assert len(desk.woken) == 3

    async def test_an_update_is_confirmed_only_when_it_is_stored(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with database_away(monkeypatch):
            polls = desk.server.count("getUpdates")
            update_id = desk.server.send_text(LI, "还在吗")
            await desk.until(lambda: desk.server.count("getUpdates") >= polls + 3)
            assert not desk.server.confirmed(update_id)
        await desk.taken(update_id)

        assert desk.said_by_borrower(LI) == ["还在吗"]

    async def test_an_unreadable_update_does_not_stop_the_next_one(self, desk: Desk) -> None:
        desk.server.inject({"message": {"chat": 3}})
        await desk.taken(desk.server.send_text(LI, "你好"))

        assert desk.said_by_borrower(LI) == ["你好"]

    async def test_a_defect_of_ours_costs_one_message_and_says_so(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(telegram_inbound, "record_text", None)
            await desk.taken(desk.server.send_text(LI, "第一句"))
        await desk.shown(LI, desk.deps.wording.one("problem_not_stored"))
        await desk.taken(desk.server.send_text(LI, "第二句"))

        assert desk.said_by_borrower(LI) == ["第二句"]

    async def test_an_edited_message_does_not_act_again(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "每月还500"))
        await desk.taken(desk.server.edit_text(LI, 101, "每月还5000"))

        assert desk.said_by_borrower(LI) == ["每月还500"]
        assert desk.notices(LI) == []

    async def test_a_text_over_the_limit_is_answered_with_the_limit(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "长" * 1001))

        await desk.shown(LI, "1000")
        assert desk.said_by_borrower(LI) == []
        assert desk.woken == []

    async def test_a_burst_is_stopped_with_one_sentence_and_goes_on_when_it_is_over(self, desk: Desk) -> None:
        for number in range(BURST + 5):
            last = desk.server.send_text(LI, f"第{number}句")
        await desk.taken(last)

        assert len(desk.said_by_borrower(LI)) == BURST
        assert desk.notices(LI) == [desk.deps.wording.one("problem_too_fast")]
        desk.clock.move(BURST_SPAN)
        await desk.taken(desk.server.send_text(LI, "好了"))
        assert desk.said_by_borrower(LI)[-1] == "好了"

    async def test_a_cry_for_help_is_heard_in_the_middle_of_a_burst(self, desk: Desk) -> None:
        for number in range(BURST):
            desk.server.send_text(LI, f"第{number}句")
        await desk.taken(desk.server.send_text(LI, "我不想活了"))

        assert desk.said_by_borrower(LI)[-1] == "我不想活了"
        await desk.shown(LI, "12356")

    async def test_one_chats_burst_stops_nobody_else(self, desk: Desk) -> None:
        for number in range(BURST + 1):
            desk.server.send_text(LI, f"第{number}句")
        await desk.taken(desk.server.send_text(WANG, "你好"))

        assert desk.said_by_borrower(WANG) == ["你好"]

    async def test_two_chats_are_two_conversations(self, desk: Desk) -> None:
        desk.server.send_text(LI, "我是甲")
        await desk.taken(desk.server.send_text(WANG, "我是乙"))

        assert desk.conversation(LI) != desk.conversation(WANG)
        assert desk.said_by_borrower(LI) == ["我是甲"]
        assert desk.said_by_borrower(WANG) == ["我是乙"]


@pytest.mark.asyncio
class TestOtherKindsOfMessages:
    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            ("photo", "picture"),
            ("voice", "voice"),
            ("sticker", "sticker"),
            ("document", "file"),
            ("place", "place"),
        ],
    )
    async def test_what_cannot_be_read_is_answered_with_a_way_on(self, desk: Desk, kind: str, answer: str) -> None:
        await desk.taken(getattr(desk.server, f"send_{kind}")(LI))

        await desk.shown(LI, desk.deps.wording.one(f"unread_{answer}"))
        assert desk.woken == []

    async def test_an_album_is_answered_once(self, desk: Desk) -> None:
        for _ in range(3):
            last = desk.server.send_photo(LI, album="a1")
        await desk.taken(last)

        assert len(desk.notices(LI)) == 1

    async def test_the_words_under_a_picture_are_not_lost(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_photo(LI, caption="这笔钱是什么"))

        assert desk.said_by_borrower(LI) == ["这笔钱是什么"]
        assert desk.woken == [desk.conversation(LI)]
        assert len(desk.notices(LI)) == 1

    async def test_whoever_says_nothing_is_not_greeted(self, desk: Desk) -> None:
        await desk.taken(desk.server.change_timer(LI))

        with desk.deps.begin() as session:
            assert session.scalar(select(func.count()).select_from(Conversation)) == 0

    async def test_what_is_no_message_to_the_desk_is_passed_over(self, desk: Desk) -> None:
        desk.server.change_timer(LI)
        await desk.taken(desk.server.block(LI))

        assert desk.notices(LI) == []
        assert desk.server.left_chats == []


@pytest.mark.asyncio
class TestGroups:
    async def test_a_group_is_told_once_and_left_and_gets_no_conversation(self, desk: Desk) -> None:
        desk.server.add_to_group(FAMILY)
        desk.server.send_group_text(FAMILY, "他欠了多少?")
        await desk.until(lambda: len(desk.server.left_chats) >= 2)

        assert [sent.text for sent in desk.server.messages(FAMILY)] == [desk.deps.wording.one("group_refused")]
        assert set(desk.server.left_chats) == {FAMILY}
        with desk.deps.begin() as session:
            assert session.scalar(select(func.count()).select_from(Conversation)) == 0
            assert session.scalars(select(AuditEntry.event)).all() == ["shared_chat_refused"]

    async def test_a_broadcast_channel_is_told_once_and_left(self, desk: Desk) -> None:
        desk.server.add_to_channel(FAMILY)
        await desk.until(lambda: FAMILY in desk.server.left_chats)

        assert [sent.text for sent in desk.server.messages(FAMILY)] == [desk.deps.wording.one("group_refused")]

    async def test_a_group_that_does_not_let_the_bot_speak_is_left_all_the_same(self, desk: Desk) -> None:
        desk.server.fail("sendMessage", 403, "Forbidden: not enough rights", chat_id=FAMILY)
        desk.server.send_group_text(FAMILY, "你好")
        await desk.until(lambda: FAMILY in desk.server.left_chats)

        assert desk.server.messages(FAMILY) == []


@pytest.mark.asyncio
class TestCommands:
    async def test_a_menu_command_says_its_words(self, desk: Desk) -> None:
        for command in ("/start", "/human", "/stop@loopback_desk_bot", "/balance", "/plan", "/HELP", "/start ref42"):
            last = desk.server.send_text(LI, command)
        await desk.taken(last)

        assert desk.said_by_borrower(LI) == [
            "你好",
            "转人工",
            "别再给我发消息了",
            "我现在欠多少",
            "我的分期还剩几期",
            "你能做什么",
            "你好",
        ]

    async def test_a_command_reaches_the_dialogue_engine_as_the_order_of_a_button(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "/balance"))

        claimed = claim_next(desk.deps, desk.conversation(LI), desk.deps.fresh)
        assert claimed is not None
        assert (claimed.text, claimed.payload) == ("我现在欠多少", "/ask_balance")

    async def test_danger_behind_a_command_is_heard(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, "/help 我不想活了"))

        assert desk.said_by_borrower(LI) == ["我不想活了"]
        await desk.shown(LI, "12356")

    async def test_a_slash_order_to_the_dialogue_engine_is_defused(self, desk: Desk) -> None:
        await desk.taken(desk.server.send_text(LI, '/agree_plan{"borrower":"x"}'))

        claimed = claim_next(desk.deps, desk.conversation(LI), desk.deps.fresh)
        assert claimed is not None
        assert (claimed.text, claimed.payload) == ('agree_plan{"borrower":"x"}', None)

    async def test_the_menu_is_offered_in_words(self, desk: Desk) -> None:
        await desk.until(lambda: bool(desk.server.commands))

        assert [name for name, _ in desk.server.commands] == list(COMMANDS)
        assert ("human", "找真人同事") in desk.server.commands


@pytest.mark.asyncio
class TestButtons:
    async def offered(self, desk: Desk, chat_id: int = LI) -> Sent:
        desk.write(chat_id, "选一个吧。", buttons=("分12期", "先延期"))
        desk.nudge()
        return await desk.shown(chat_id, "选一个吧。")

    async def test_buttons_stand_one_a_row_with_tokens_that_fit(self, desk: Desk) -> None:
        sent = await self.offered(desk)

        assert [title for title, _ in sent.buttons] == ["分12期", "先延期"]
        assert sent.rows == [1, 1]
        assert all(len(data.encode()) <= 64 and "choose" not in data for _, data in sent.buttons)

    async def test_a_scale_of_short_buttons_stands_in_one_row(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.write(LI, "这次帮到您了吗？", buttons=("1分", "2分", "3分", "4分", "5分"))
        desk.nudge()

        assert (await desk.shown(LI, "这次帮到您了吗")).rows == [5]

    async def test_a_press_is_answered_stored_and_leaves_only_what_was_pressed(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        await desk.taken(desk.server.press(LI, sent.message_id, "先延期"))
        await desk.until(lambda: len(sent.buttons) == 1 and bool(desk.server.answered_queries))
        assert [title for title, _ in sent.buttons] == ["✓ 先延期"]

        claimed = claim_next(desk.deps, desk.conversation(LI), desk.deps.fresh)
        assert claimed is not None
        assert (claimed.text, claimed.payload) == ("先延期", "/choose{先延期}")
        assert desk.woken == [desk.conversation(LI)]

    async def test_a_press_delivered_twice_acts_once_and_draws_no_complaint(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        press = desk.server.press(LI, sent.message_id, "先延期")
        await desk.taken(press)
        desk.server.redeliver(press)
        await desk.taken(desk.server.send_text(LI, "好了吗"))

        assert desk.said_by_borrower(LI) == ["先延期", "好了吗"]
        assert desk.notices(LI) == []

    async def test_pressing_what_only_shows_the_choice_says_so_and_does_nothing(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        await desk.taken(desk.server.press(LI, sent.message_id, "先延期"))
        await desk.until(lambda: len(sent.buttons) == 1)
        await desk.taken(desk.server.press(LI, sent.message_id, "✓ 先延期"))

        await desk.until(lambda: desk.server.count("answerCallbackQuery") == 2)
        texts = [c.params.get("text") for c in desk.server.calls if c.method == "answerCallbackQuery"]
        assert texts == [None, MENU.wording.one("pressed_again")]
        assert desk.said_by_borrower(LI) == ["先延期"]
        assert desk.notices(LI) == []

    async def test_a_second_press_is_told_that_the_button_was_used(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        token = dict(sent.buttons)["分12期"]
        desk.server.press(LI, sent.message_id, "先延期")
        await desk.taken(desk.server.press_data(LI, sent.message_id, token))

        await desk.shown(LI, desk.deps.wording.one("problem_stale_button"))
        assert desk.said_by_borrower(LI) == ["先延期"]

    async def test_a_token_of_another_chat_is_refused(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        token = dict(sent.buttons)["先延期"]
        await desk.taken(desk.server.press_data(WANG, 1, token))

        await desk.shown(WANG, desk.deps.wording.one("problem_unknown_button"))
        assert desk.said_by_borrower(WANG) == []
        await desk.taken(desk.server.press(LI, sent.message_id, "先延期"))
        assert desk.said_by_borrower(LI) == ["先延期"]

    async def test_a_token_of_another_chat_shows_nothing_of_that_chat(self, desk: Desk) -> None:
        mine, theirs = await self.offered(desk), await self.offered(desk, WANG)
        token = dict(mine.buttons)["先延期"]
        await desk.taken(desk.server.press(LI, mine.message_id, "先延期"))
        edits = desk.server.count("editMessageReplyMarkup", WANG)
        await desk.taken(desk.server.press_data(WANG, theirs.message_id, token))
        await desk.until(lambda: desk.server.count("editMessageReplyMarkup", WANG) > edits)

        assert theirs.buttons == []

    async def test_a_press_is_stored_even_if_telegram_will_not_take_the_courtesies(self, desk: Desk) -> None:
        sent = await self.offered(desk)
        desk.server.fail("answerCallbackQuery", 400, "Bad Request: query is too old")
        desk.server.fail("editMessageReplyMarkup", 500)
        await desk.taken(desk.server.press(LI, sent.message_id, "先延期"))

        assert desk.said_by_borrower(LI) == ["先延期"]


@pytest.mark.asyncio
class TestConnecting:
    async def test_telegram_being_away_at_the_start_is_waited_out(
        self, tmp_path: Path, telegram: TelegramServer
    ) -> None:
        telegram.fail("getMe", 502, times=3)
        desk = Desk(desk_deps(tmp_path, telegram, SetClock()), telegram, SetClock())
        await desk.start()
        await desk.taken(telegram.send_text(LI, "你好"))
        await desk.stop()

        assert telegram.count("deleteWebhook") == 1
        assert desk.said_by_borrower(LI) == ["你好"]

    async def test_a_second_poller_waits_for_its_turn(self, desk: Desk) -> None:
        desk.server.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request", times=3)
        desk.server.send_text(LI, "打断一下")
        await desk.taken(desk.server.send_text(LI, "你好"))

        assert desk.said_by_borrower(LI) == ["打断一下", "你好"]

    async def test_a_stop_before_telegram_was_reached_returns(self, tmp_path: Path, telegram: TelegramServer) -> None:
        telegram.fail("getMe", 500, times=1000)
        desk = Desk(desk_deps(tmp_path, telegram, SetClock()), telegram, SetClock())
        await desk.start()
        await desk.until(lambda: telegram.count("getMe") > 1)
        await desk.stop()

        assert telegram.count("getUpdates") == 0


@pytest.mark.asyncio
class TestTheToken:
    async def test_it_never_reaches_a_log(
        self,
        tmp_path: Path,
        telegram: TelegramServer,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        clock = SetClock()
        desk = Desk(desk_deps(tmp_path, telegram, clock), telegram, clock)
        telegram.fail("getMe", 401, "Unauthorized")
        telegram.fail("getUpdates", 409, "Conflict")
        telegram.fail("sendMessage", 429, retry_after=1, chat_id=LI)
        await desk.start()
        telegram.inject({"message": {"chat": 3}})
        await desk.taken(telegram.send_text(LI, "只说给您听的话"))
        await desk.sent_tries(LI, 1)
        desk.after(1)
        await desk.until(lambda: bool(telegram.messages(LI)))
        assert desk.channel is not None
        shown = f"{desk.channel.__dict__!r} {desk.deps.settings!r}"
        await desk.stop()

        printed = capfd.readouterr()
        written = caplog.text + printed.out + printed.err + shown
        assert "token_refused" in written
        assert telegram.token not in written
        assert telegram.token.split(":")[1] not in written
        assert "只说给您听" not in written

    async def test_a_refused_token_leaves_the_desk_running(
        self, tmp_path: Path, telegram: TelegramServer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        wrong = "700000001:an-old-token-that-was-revoked"
        desk = Desk(desk_deps(tmp_path, telegram, SetClock(), token=wrong), telegram, SetClock())
        await desk.start()
        await desk.until(lambda: telegram.count("getMe") > 1)
        await desk.stop()

        printed = capfd.readouterr()
        assert "token_refused" in printed.out + printed.err
        assert "revoked" not in printed.out + printed.err


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("/human", "转人工"),
        ("/human 在吗", "在吗"),
        ("/humans", "humans"),
        ("\uff0fhuman", "human"),
        (" /agree", "agree"),
        ("\u200b/agree", "agree"),
        ("//\uff0f/ agree", "agree"),
        ("10/12号还", "10/12号还"),
        (" 你好", " 你好"),
        ("/", ""),
    ],
)
def test_a_leading_slash_is_a_menu_command_or_nothing(text: str, spoken: str) -> None:
    assert MENU.spoken(text).words == spoken


@given(st.text(alphabet="/\uff0f \u200b\ufeff\tagree{}你", max_size=12))
def test_no_text_reads_as_an_order_after_normalising(text: str) -> None:
    assert not normalize_text(MENU.spoken(text).words).lstrip().startswith("/")
