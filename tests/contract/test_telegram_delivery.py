"""Delivery to Telegram over HTTP: order, retries, what is given up, and long texts."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.error import Forbidden, NetworkError, TelegramError

from bot.channels.delivery import Later, Unclear
from bot.channels.telegram_outbound import split_text, what_became_of
from bot.services.outbox import claim_due
from tests.contract.telegram_desk import LI, WANG, Desk, database_away

MOVED = 5009

pytestmark = [
    pytest.mark.timeout(60),
    # The library warns about its own attributes each time Telegram names a delay.
    pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning"),
]


@pytest.mark.asyncio
class TestDelivery:
    async def test_answers_arrive_in_the_order_in_which_they_were_given(self, desk: Desk) -> None:
        desk.write(LI, "第一句", "第二句", "第三句")
        desk.nudge()
        await desk.shown(LI, "第三句")
        await desk.stop()

        assert [sent.text for sent in desk.server.messages(LI)][2:] == ["第一句", "第二句", "第三句"]
        assert [row.state for row in desk.outbox(LI)] == ["sent"] * 3
        ids = [str(sent.message_id) for sent in desk.server.messages(LI)][2:]
        assert [row.channel_message_id for row in desk.outbox(LI)] == ids

    async def test_what_was_written_by_another_process_is_found_without_a_nudge(self, desk: Desk) -> None:
        desk.write(LI, "自己找到的")

        await desk.shown(LI, "自己找到的")

    async def test_what_looks_like_markup_arrives_as_it_was_written(self, desk: Desk) -> None:
        text = "<b>本金</b> *12* _元_ [看](tg://user?id=1) `x` & || ~ \\"
        desk.write(LI, text)
        desk.nudge()

        assert (await desk.shown(LI, "本金")).text == text
        assert "parse_mode" not in {name for call in desk.server.calls for name in call.params}

    async def test_flood_control_keeps_the_order_and_waits_as_long_as_asked(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 429, "Too Many Requests", retry_after=7, chat_id=LI)
        desk.write(LI, "第一句", "第二句")
        await desk.sent_tries(LI, 3)
        desk.after(6)
        await desk.round()
        assert len(desk.server.messages(LI)) == 2

        desk.after(1)
        await desk.shown(LI, "第二句")
        assert [sent.text for sent in desk.server.messages(LI)][2:] == ["第一句", "第二句"]

    @pytest.mark.parametrize(
        ("status", "description", "code"),
        [
            (403, "Forbidden: bot was blocked by the user", "forbidden"),
            (400, "Bad Request: chat not found", "chat_not_found"),
            (400, "Bad Request: something we did wrong", "bad_request"),
        ],
    )
    async def test_what_can_never_arrive_is_given_up_and_recorded(
        self, desk: Desk, status: int, description: str, code: str
    ) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", status, description, chat_id=LI)
        desk.write(LI, "第一句", "第二句")
        await desk.shown(LI, "第二句")
        await desk.stop()

        assert [(row.state, row.last_error) for row in desk.outbox(LI)] == [("dead", code), ("sent", None)]

    async def test_trouble_at_telegrams_end_is_tried_again_later_and_later(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 500, chat_id=LI, times=2)
        desk.write(LI, "终于到了")
        await desk.sent_tries(LI, 3)
        desk.after(2)
        await desk.sent_tries(LI, 4)
        desk.after(3)
        await desk.round()
        assert len(desk.server.messages(LI)) == 2
        desk.after(1)
        await desk.shown(LI, "终于到了")
        await desk.stop()

        assert [(row.state, row.attempts) for row in desk.outbox(LI)] == [("sent", 3)]

    async def test_an_answer_whose_receipt_was_lost_is_sent_again_rather_than_never(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.lose_answer("sendMessage")
        desk.write(LI, "要紧的话")
        await desk.sent_tries(LI, 3)
        desk.after(2)
        await desk.sent_tries(LI, 4)
        await desk.stop()

        assert [sent.text for sent in desk.server.messages(LI)][2:] == ["要紧的话", "要紧的话"]
        assert [row.state for row in desk.outbox(LI)] == ["sent"]

    async def test_a_notice_whose_receipt_was_lost_is_never_sent_twice(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.lose_answer("sendMessage")
        desk.write(LI, "事项提醒", purpose="due_notice")
        await desk.sent_tries(LI, 3)
        desk.after(3600)
        desk.write(LI, "后来的话")
        await desk.shown(LI, "后来的话")
        await desk.stop()

        assert [sent.text for sent in desk.server.messages(LI)][2:] == ["事项提醒", "后来的话"]
        assert next((row.state, row.last_error) for row in desk.outbox(LI)) == ("unknown", "unreachable")

    async def test_a_notice_that_telegram_refused_for_now_is_sent_later_once(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 503, chat_id=LI)
        desk.write(LI, "事项提醒", purpose="due_notice")
        await desk.sent_tries(LI, 3)
        desk.after(2)
        await desk.shown(LI, "事项提醒")
        await desk.stop()

        assert [(row.state, row.attempts) for row in desk.outbox(LI)] == [("sent", 2)]

    async def test_what_could_not_be_delivered_for_a_day_is_given_up(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 500, chat_id=LI, times=3)
        desk.write(LI, "送不到的话", "后来的话")
        await desk.sent_tries(LI, 3)
        desk.after(24 * 3600)
        await desk.sent_tries(LI, 4)
        desk.after(2)
        await desk.round()
        assert next((row.state, row.last_error) for row in desk.outbox(LI)) == ("dead", "gave_up:unreachable")

    @pytest.mark.parametrize(("status", "description"), [(403, "bot was blocked by the user"), (400, "chat not found")])
    async def test_a_chat_that_takes_nothing_is_on_record_until_its_borrower_writes(
        self, desk: Desk, status: int, description: str
    ) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", status, description, chat_id=LI)
        desk.write(LI, "第一句")
        await desk.sent_tries(LI, 3)
        assert desk.unreachable(LI)

        await desk.taken(desk.server.send_text(LI, "我回来了"))
        assert not desk.unreachable(LI)

    async def test_a_request_that_is_our_fault_blames_no_chat(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 400, "Bad Request: something we did wrong", chat_id=LI)
        desk.write(LI, "第一句")
        await desk.sent_tries(LI, 3)
        assert not desk.unreachable(LI)

    async def test_blocking_the_bot_is_noted_when_it_happens(self, desk: Desk) -> None:
        await desk.open(LI)
        await desk.taken(desk.server.block(LI))
        await desk.taken(desk.server.block(WANG))

        assert desk.unreachable(LI)
        assert desk.server.messages(WANG) == [], "who blocks before writing gets no conversation and no greeting"

    async def test_letting_the_bot_in_again_is_noted_as_well(self, desk: Desk) -> None:
        await desk.open(LI)
        await desk.taken(desk.server.block(LI))
        await desk.taken(desk.server.unblock(LI))

        assert not desk.unreachable(LI)

    async def test_a_chat_that_moved_is_followed(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 400, "upgraded", migrate_to=MOVED, chat_id=LI)
        desk.write(LI, "跟着走的话")
        before = desk.conversation(LI)

        await desk.shown(MOVED, "跟着走的话")
        assert desk.conversation(MOVED) == before

    async def test_a_chat_that_moved_where_another_one_is_gets_nothing_more(self, desk: Desk) -> None:
        await desk.open(LI)
        await desk.open(MOVED)
        desk.server.fail("sendMessage", 400, "upgraded", migrate_to=MOVED, chat_id=LI)
        desk.write(LI, "不该混在一起")
        await desk.sent_tries(LI, 3)

        assert [(row.state, row.last_error) for row in desk.outbox(LI)] == [("dead", "moved")]
        assert desk.unreachable(LI)
        assert len(desk.server.messages(MOVED)) == 2

    async def test_a_long_text_goes_on_after_the_part_that_was_sent(self, desk: Desk) -> None:
        await desk.open(LI)
        first, second = "头" * 2999 + "。", "尾" * 2999 + "。"
        desk.server.fail("sendMessage", 429, retry_after=3, chat_id=LI, text="尾")
        desk.write(LI, first + second, buttons=("看完了",))
        await desk.sent_tries(LI, 4)
        desk.after(3)
        last = await desk.shown(LI, "尾")

        assert [sent.text for sent in desk.server.messages(LI)][2:] == [first, second]
        assert [title for title, _ in last.buttons] == ["看完了"]

    async def test_one_chats_trouble_holds_up_nobody_else(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.server.fail("sendMessage", 429, retry_after=600, chat_id=LI)
        desk.write(LI, "堵住的话")
        desk.write(WANG, "别人的话")

        await desk.shown(WANG, "别人的话")
        assert len(desk.server.messages(LI)) == 2

    async def test_stopping_finishes_and_records_what_is_being_sent(self, desk: Desk) -> None:
        await desk.open(LI)
        desk.write(LI, "最后一句")
        await desk.shown(LI, "最后一句")
        await desk.stop()

        assert [row.state for row in desk.outbox(LI)] == ["sent"]
        assert claim_due(desk.deps, "telegram", 20, desk.deps.fresh) == []

    async def test_a_database_that_was_away_does_not_end_delivery(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.open(LI)
        desk.write(LI, "走之前", "回来后")
        await desk.shown(LI, "走之前")
        with database_away(monkeypatch):
            polls = desk.server.count("getUpdates")
            desk.server.send_text(WANG, "在吗")
            await desk.until(lambda: desk.server.count("getUpdates") >= polls + 3)

        await desk.shown(LI, "回来后")
        assert [sent.text for sent in desk.server.messages(LI)][2:] == ["走之前", "回来后"]


@given(st.text(alphabet="还款。!?\n 😀a”", max_size=200), st.integers(4, 40))
def test_a_split_text_fits_and_loses_nothing_but_white_space(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part for part in parts) or not text.strip()


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (None, Later("unreachable")),
        (httpx.ConnectError("refused"), Later("unreachable")),
        (httpx.ConnectTimeout("slow"), Later("unreachable")),
        (httpx.ReadTimeout("slow"), Unclear("unreachable")),
        (httpx.RemoteProtocolError("cut"), Unclear("unreachable")),
        (TelegramError("Invalid server response"), Unclear("unreachable")),
    ],
)
def test_only_what_telegram_says_or_could_not_have_read_is_certain(
    cause: Exception | None, outcome: Later | Unclear
) -> None:
    error = NetworkError("trouble")
    error.__cause__ = cause
    assert what_became_of(error) == outcome


def test_an_answer_of_a_proxy_is_not_taken_for_telegrams() -> None:
    error = Forbidden("not by Telegram")
    error.__cause__ = TelegramError("Invalid server response")
    assert what_became_of(error) == Unclear("forbidden")


def test_a_text_is_cut_after_a_sentence_where_there_is_one() -> None:
    assert split_text("一共三句。这是第二句!最后一句", 12) == ["一共三句。这是第二句!", "最后一句"]
    assert split_text("他说:“好。”然后走了", 8) == ["他说:“好。”", "然后走了"]
    assert split_text("没有标点的一段话", 4) == ["没有标点", "的一段话"]
