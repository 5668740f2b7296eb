"""The chat for everybody: scanned by axe-core, in the dark, in large type, with little motion, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Frame, Page, expect

from bot.services.conversations import Author, QuickReply, Reply
from bot.settings import ROOT
from tests.e2e.browser import LAPTOP, PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import Embedded, Gateway

pytestmark = [pytest.mark.browser]

AXE: Path = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def findings(frame: Page | Frame) -> list[str]:
    """Scan one document, open shadow roots included; returns what is serious, with the places."""
    frame.evaluate(AXE.read_text("utf-8"))
    violations = frame.evaluate("async () => (await axe.run(document, {iframes: false})).violations")
    return [
        f"{found['id']} ({found['impact']}): {[node['target'] for node in found['nodes']]}"
        for found in violations
        if found["impact"] in SERIOUS
    ]


def a_page(windows: Windows, gateway: Gateway, said: str, locale: str = "zh-CN") -> Page:
    """Open the desk's own page and bring about one of everything that a conversation shows."""
    page = windows.open(PHONE, locale).new_page()
    page.goto(gateway.base + "/")
    expect(page.locator("deep-chat")).to_have_attribute("data-connection", "open")
    page.locator("#text-input").click()
    page.keyboard.insert_text(said)
    page.keyboard.press("Enter")
    expect(page.locator("[data-author=borrower]")).to_have_attribute("data-delivery", "stored")
    buttons = (QuickReply("查我欠多少", "/x"), QuickReply("转人工", "/y"))
    gateway.say(said, Reply("有几种办法，点一个就能看。", buttons))
    gateway.say(said, Reply("我是客服小周，前面的话我看过了。"), Author.OPERATOR)
    gateway.say(said, Reply("人工客服已离开，AI 助手继续为您服务。"), Author.NOTICE)
    expect(page.locator("[data-author=notice]").filter(has_text="已离开")).to_be_visible()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("type_size", ["plain", "large"])
def test_a_scan_of_the_page_finds_nothing_serious(
    windows: Windows, gateway: Gateway, scheme: Literal["light", "dark"], type_size: str
) -> None:
    page = a_page(windows, gateway, f"{scheme} {type_size}")
    page.emulate_media(color_scheme=scheme)
    if type_size == "large":
        page.get_by_role("button", name="大字").click()
    assert findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_scan_of_the_lenders_page_and_the_frame_finds_nothing_serious(
    a_visitor: Callable[..., Embedded], scheme: Literal["light", "dark"]
) -> None:
    visitor = a_visitor(LAPTOP)
    visitor.page.emulate_media(color_scheme=scheme)
    assert findings(visitor.page) == []
    visitor.open()
    assert findings(visitor.page) == []
    assert findings(visitor.page.frames[1]) == []


def test_the_scan_would_find_a_button_without_a_name(windows: Windows, gateway: Gateway) -> None:
    page = windows.open(PHONE).new_page()
    page.goto(gateway.base + "/")
    page.evaluate("document.body.append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in findings(page))


def test_the_page_is_dark_where_the_phone_is(windows: Windows, gateway: Gateway) -> None:
    page = windows.open(PHONE).new_page()
    page.goto(gateway.base + "/")

    def brightness() -> int:
        shown: int = page.evaluate(
            "() => Math.max(...getComputedStyle(document.getElementById('sheet')).backgroundColor.match(/\\d+/g))"
        )
        return int(shown)

    assert brightness() > 200
    page.emulate_media(color_scheme="dark")
    assert brightness() < 60


def test_large_type_is_remembered(windows: Windows, gateway: Gateway) -> None:
    page = windows.open(PHONE).new_page()
    page.goto(gateway.base + "/")
    large = page.get_by_role("button", name="大字")
    large.click()
    page.reload()
    expect(large).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("data-type", "large")
    large.click()
    page.reload()
    expect(large).to_have_attribute("aria-pressed", "false")


def test_nothing_moves_for_whoever_asks_for_that(windows: Windows, gateway: Gateway) -> None:
    page = windows.open(PHONE).new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(gateway.base + "/")
    expect(page.locator("deep-chat")).to_have_attribute("data-connection", "open")
    expect(page.locator("[data-author=bot]").first).to_be_visible()
    moving = page.evaluate(
        "() => { const all = root => [...root.querySelectorAll('*')].flatMap("
        " one => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);"
        " return document.getAnimations({subtree: true}).length + all(document).filter(one => {"
        " const style = getComputedStyle(one);"
        " return parseFloat(style.animationDuration) > 0.01 || parseFloat(style.transitionDuration) > 0.01"
        " || style.scrollBehavior === 'smooth' }).length }"
    )
    assert moving == 0


def test_the_chat_is_usable_with_the_keyboard_alone(a_visitor: Callable[..., Embedded]) -> None:
    visitor = a_visitor()
    page = visitor.page
    page.keyboard.press("Tab")  # the site's own button
    page.keyboard.press("Tab")
    expect(visitor.launcher).to_be_focused()
    page.keyboard.press("Enter")
    visitor.expect_open()
    for _ in range(8):
        page.keyboard.press("Tab")
        if visitor.frame.locator("#text-input").evaluate("box => box.getRootNode().activeElement === box"):
            break
    page.keyboard.insert_text("只用键盘")
    page.keyboard.press("Enter")
    expect(visitor.frame.locator("[data-author=borrower]")).to_have_attribute("data-delivery", "stored")
    page.keyboard.press("Escape")
    expect(visitor.launcher).to_be_focused()
