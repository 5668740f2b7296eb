"""What the page draws beside words, and the language it speaks, in a real browser on a narrow phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.desk.extras import AsksAmount, AsksDay, Extras, RepaymentChart
from bot.lending.schedule import add_months
from bot.services.conversations import Author, QuickReply, Reply, extras_payload
from tests.e2e.browser import PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import Embedded, Gateway
from tests.e2e.test_accessible import findings

pytestmark = [pytest.mark.browser]

TODAY = date(2026, 11, 21)


class Chat:
    """A page of its own on a narrow phone, and the desk at its other end."""

    def __init__(self, windows: Windows, gateway: Gateway, said: str) -> None:
        self._gateway, self._said = gateway, said
        self.page: Page = windows.open(PHONE).new_page()
        self.page.goto(gateway.base + "/")
        self.chat = self.page.locator("deep-chat")
        expect(self.chat).to_have_attribute("data-connection", "open")
        self.own = self.chat.locator("[data-author=borrower]")
        self.field = self.chat.locator(".desk-pick input")
        self.type(said)

    def type(self, text: str) -> None:
        self.page.locator("#text-input").click()
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        expect(self.own.filter(has_text=text).last).to_have_attribute("data-delivery", "stored")

    def told(self, text: str, extras: Extras | None = None, titles: tuple[str, ...] = ()) -> Locator:
        """Have the desk say something; returns the message once it is shown."""
        marks = (QuickReply("", extras_payload(extras)),) if extras else ()
        buttons = tuple(QuickReply(title, f"/{title}") for title in titles)
        self._gateway.say(self._said, Reply(text, (*marks, *buttons)), Author.NOTICE if titles else Author.BOT)
        message = self.chat.locator("[data-seq]").filter(has_text=text).last
        expect(message).to_be_visible()
        return message

    def fits(self) -> bool:
        """Whether nothing on the page is wider than the phone."""
        log = "document.querySelector('deep-chat').shadowRoot.getElementById('messages')"
        fits: bool = self.page.evaluate(
            f"document.documentElement.scrollWidth <= innerWidth && {log}.scrollWidth <= {log}.clientWidth"
        )
        return fits


@pytest.fixture
def a_drawing(windows: Windows, gateway: Gateway) -> Callable[[str], Chat]:
    """Open a chat in which something has been said."""
    return lambda said: Chat(windows, gateway, said)


def plan(months: int, fen: int) -> RepaymentChart:
    payments = tuple((add_months(TODAY, month), fen) for month in range(1, months + 1))
    return RepaymentChart(payments, TODAY, add_months(TODAY, 60), 100_000)


def test_offers_are_cards_that_compare_at_a_glance_in_large_type_too(a_drawing: Callable[[str], Chat]) -> None:
    chat = a_drawing("看方案")
    chat.page.get_by_role("button", name="大字").click()
    short = chat.told("方案1：分期还，6 期，每期 ¥1,000.00", plan(6, 100_000))
    long = chat.told("方案2：分期还，60 期，每期 ¥100.00", plan(60, 10_000))
    bars = [card.locator(".desk-chart rect") for card in (short, long)]
    assert [each.count() for each in bars] == [6, 60]
    tall, low = (each.first.bounding_box() for each in bars)
    assert tall
    assert low
    assert tall["height"] == pytest.approx(10 * low["height"], rel=0.1)
    assert chat.fits()
    assert findings(chat.page) == []


def test_a_sum_and_a_day_are_picked_and_sent_as_words(a_drawing: Callable[[str], Chat]) -> None:
    chat = a_drawing("问两样")
    send = chat.chat.locator(".desk-pick button")
    chat.told("您每个月到手的收入大概多少？", AsksAmount())
    expect(send).to_be_disabled()
    expect(chat.field).to_have_attribute("inputmode", "decimal")
    chat.field.fill("4,500")
    send.click()
    expect(chat.own.last).to_contain_text("4500元")
    expect(chat.field).to_have_count(0)

    chat.told("打算哪天还？", AsksDay(TODAY, TODAY + timedelta(days=30)))
    chat.field.fill("2027-02-01")
    expect(send).to_be_disabled()
    chat.field.fill("2026-12-15")
    expect(send).to_have_text("就选12月15日")
    assert findings(chat.page) == []
    send.click()
    expect(chat.own.last).to_contain_text("2026年12月15日")


def test_only_the_newest_question_has_a_field_and_typing_puts_it_away(a_drawing: Callable[[str], Chat]) -> None:
    chat = a_drawing("问了又问")
    chat.told("收入大概多少？", AsksAmount())
    chat.told("必须花的钱大概多少？", AsksAmount())
    expect(chat.field).to_have_count(1)
    chat.page.reload()
    expect(chat.field).to_have_count(1)
    chat.type("先不说")
    expect(chat.field).to_have_count(0)
    chat.page.reload()
    expect(chat.own.last).to_contain_text("先不说")
    expect(chat.field).to_have_count(0)


def test_a_scale_stands_in_one_row_in_large_type(a_drawing: Callable[[str], Chat]) -> None:
    chat = a_drawing("打个分")
    chat.page.get_by_role("button", name="大字").click()
    asked = chat.told("这次帮到您了吗？", titles=tuple(f"{score}分" for score in range(1, 6)))
    boxes = [button.bounding_box() for button in asked.locator("button").all()]
    assert len({box["y"] for box in boxes if box}) == 1
    assert all(box and box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    assert chat.fits()
    asked.get_by_role("button", name="4分").click()
    expect(chat.own.last).to_contain_text("4分")


def test_the_page_goes_over_to_the_script_that_is_written_and_back(a_drawing: Callable[[str], Chat]) -> None:
    chat = a_drawing("你好")
    page = chat.page
    expect(page.get_by_role("button", name="发送")).to_be_visible()
    chat.told("收入大概多少？", AsksAmount())
    chat.type("我想問一下還款的事")
    expect(page.get_by_role("button", name="傳送")).to_be_visible()
    expect(page.locator("#who")).to_contain_text("隨時可以說")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("#text-input")).to_have_attribute("aria-label", "輸入訊息")
    page.reload()
    expect(page.get_by_role("button", name="傳送")).to_be_visible()
    chat.type("还是用简体说吧")
    expect(page.get_by_role("button", name="发送")).to_be_visible()


def test_the_button_on_the_lenders_page_speaks_it_too(a_visitor: Callable[..., Embedded]) -> None:
    visitor = a_visitor(PHONE).open()
    visitor.say("請問還款的事")
    visitor.frame.get_by_role("button", name="收起").click()
    expect(visitor.launcher).to_have_accessible_name(re.compile("^開啟線上客服"))
