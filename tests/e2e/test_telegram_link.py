"""From the page to Telegram, in a real browser on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.doubles.telegram_server import TelegramServer
from tests.e2e.page import ChatPage

pytestmark = [pytest.mark.running, pytest.mark.browser]

NARROW = {"width": 360, "height": 640}
_chat_id = 60_001


def test_the_button_leads_into_the_chat_and_the_case_goes_on_there(
    a_chat: Callable[..., ChatPage], telegram_cloud: TelegramServer
) -> None:
    followed: list[str] = []

    def telegram_page(route: Route) -> None:
        followed.append(route.request.url)
        route.fulfill(body="Telegram")

    chat = a_chat(viewport=NARROW)
    chat.page.route("https://t.me/**", telegram_page)
    chat.page.get_by_role("button", name="在 Telegram 里继续").click()
    chat.page.wait_for_url("https://t.me/**")

    start = followed[0].partition("?start=")[2]
    assert start.startswith("go-")
    telegram_cloud.send_text(_chat_id, f"/start {start}")
    telegram_cloud.wait_for(_chat_id, lambda sent: "从网页接过来了" in sent.text, timeout=20)


def test_a_link_that_cannot_be_had_is_said_and_the_chat_goes_on(a_chat: Callable[..., ChatPage]) -> None:
    chat = a_chat("zh-TW", viewport=NARROW)
    chat.page.route("**/chat/telegram", lambda route: route.fulfill(status=503, json={"text": "…"}))
    chat.page.get_by_role("button", name="在 Telegram 裡繼續").click()

    expect(chat.page.locator("#strip")).to_contain_text("暫時連不上")
    chat.say("你好", answered="想查")


def test_the_header_fits_on_a_narrow_phone(a_chat: Callable[..., ChatPage]) -> None:
    chat = a_chat(viewport=NARROW)
    expect(chat.page.get_by_role("button", name="在 Telegram 里继续")).to_be_visible()

    assert chat.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    for name in ("在 Telegram 里继续", "大字"):
        box = chat.page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= NARROW["width"]
