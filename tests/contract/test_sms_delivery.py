"""Notices by text message over real HTTP: the adapter's contract, and how long a message is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.channels.sms import parts_of, sms_channel
from bot.services.stop_links import stop_address
from tests.contract.one_way_desk import NOTICE, PHONE, SWIFT, OneWayDesk, at_work
from tests.doubles.sms_adapter import KEY, SmsAdapter

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsAdapter]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with SmsAdapter() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, adapter: SmsAdapter) -> OneWayDesk:
    made = OneWayDesk(tmp_path)
    made.deps.settings.sms_webhook_url, made.deps.settings.sms_webhook_key = adapter.url, SecretStr(KEY)
    return made


async def test_a_notice_becomes_a_short_message_that_leads_to_the_chat_and_to_a_way_to_stop(
    desk: OneWayDesk, adapter: SmsAdapter
) -> None:
    conversation_id = desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("sent", None))

    [(phone, text)] = adapter.delivered.values()
    assert phone == PHONE
    assert "示例银行" in text
    assert "AI" in text
    assert text.endswith(stop_address(desk.deps, conversation_id))
    assert NOTICE not in text
    assert parts_of(text) == 2
    [row] = desk.rows()
    assert list(adapter.delivered) == [row.key]
    assert row.channel_message_id == "n-1"


async def test_a_message_whose_receipt_was_lost_is_offered_again_under_its_id(
    desk: OneWayDesk, adapter: SmsAdapter
) -> None:
    adapter.answers.append((0, {}))
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("pending", "answer_lost"))
        desk.after(2)
        await desk.recorded(("sent", None))
    assert len({request["id"] for request in adapter.requests}) == 1
    assert len(adapter.delivered) == 1


@pytest.mark.parametrize(
    ("status", "error", "unreachable"),
    [(400, "http_400", False), (422, "http_422", False), (404, "http_404", False), (410, "http_410", True)],
)
async def test_what_the_adapter_refuses_is_given_up(
    desk: OneWayDesk, adapter: SmsAdapter, status: int, error: str, unreachable: bool
) -> None:
    adapter.answers.append((status, {}))
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("dead", error))
    assert desk.unreachable() is unreachable
    assert adapter.delivered == {}


@pytest.mark.parametrize("status", [500, 503, 408, 401, 403, 302])
async def test_trouble_at_the_adapter_is_tried_again(desk: OneWayDesk, adapter: SmsAdapter, status: int) -> None:
    adapter.answers.append((status, {"Location": "http://127.0.0.1:1/"}))
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("pending", f"http_{status}"))
        desk.after(2)
        await desk.recorded(("sent", None))


async def test_an_adapter_that_asks_for_time_gets_it(desk: OneWayDesk, adapter: SmsAdapter) -> None:
    adapter.answers.append((429, {"Retry-After": "90"}))
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("pending", "http_429"))
        assert (desk.rows()[0].next_attempt_at - desk.clock.now()).total_seconds() == 90
        desk.after(90)
        await desk.recorded(("sent", None))


async def test_an_adapter_that_is_away_is_tried_again(desk: OneWayDesk) -> None:
    desk.deps.settings.sms_webhook_url = "http://127.0.0.1:1/notices"
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("pending", "unreachable"))


async def test_a_wrong_key_loses_nothing(desk: OneWayDesk, adapter: SmsAdapter) -> None:
    desk.deps.settings.sms_webhook_key = SecretStr("another-key-that-the-adapter-has-never-seen")
    desk.notify()
    async with at_work(sms_channel(desk.deps, pace=SWIFT)):
        await desk.recorded(("pending", "http_401"))
    assert adapter.delivered == {}


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", 1), ("字" * 70, 1), ("字" * 71, 2), ("字" * 134, 2), ("字" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2)],
)
def test_parts_are_counted_as_the_network_cuts_them(text: str, parts: int) -> None:
    assert parts_of(text) == parts
