"""The chat on a lender's own site: one script tag, in a real browser, on another site than the desk's."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, ViewportSize, expect
from sqlalchemy import select

from bot.identity.vouch import Vouch, sign_vouch
from bot.store.tables import Contract, VouchedVisit
from tests.builders.accounts import a_debt_of
from tests.builders.desk import a_borrower
from tests.e2e.browser import LAPTOP, PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import VOUCH_KEY, Gateway, LenderSite, gateway, lender_site
from tests.running.desk import free_port

pytestmark = [pytest.mark.browser]


class Embedded:
    """The lender's page in one window, with the chat as people find it there."""

    def __init__(self, page: Page, site: LenderSite) -> None:
        self.page = page
        self._site = site
        self.launcher = page.locator("#desk-chat .launch")
        self.badge = page.locator("#desk-chat .badge")
        self.panel = page.locator("#desk-chat .panel")
        self.frame: FrameLocator = page.frame_locator("#desk-chat iframe")
        self.chat: Locator = self.frame.locator("deep-chat")

    def visit(self) -> Embedded:
        """Open the lender's page and wait for the button."""
        self.page.goto(self._site.base + "/")
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> Embedded:
        """Press the button and wait until the chat is connected."""
        self.launcher.click()
        return self.expect_open()

    def expect_open(self) -> Embedded:
        expect(self.chat).to_have_attribute("data-connection", "open")
        expect(self.frame.locator("[data-author]").first).to_be_visible()
        return self

    def say(self, text: str) -> None:
        """Type and send, and wait until the desk has it."""
        self.frame.locator("#text-input").click()
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        own = self.frame.locator("[data-author=borrower]").filter(has_text=text)
        expect(own).to_have_attribute("data-delivery", "stored")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, LenderSite]]:
    """A gateway and a lender's site that may embed it."""
    port = free_port()
    with (
        gateway(tmp_path_factory.mktemp("gateway"), f"http://localhost:{port}") as desk,
        lender_site(port, desk.base) as site,
    ):
        yield desk, site


@pytest.fixture
def desk(running: tuple[Gateway, LenderSite]) -> Gateway:
    return running[0]


@pytest.fixture
def site(running: tuple[Gateway, LenderSite]) -> Iterator[LenderSite]:
    """The lender's site, whose customers nobody vouches for once the test is over."""
    yield running[1]
    running[1].attributes, running[1].vouch = "", None
    running[1].asked.clear()


@pytest.fixture
def a_visitor(windows: Windows, running: tuple[Gateway, LenderSite]) -> Callable[..., Embedded]:
    """Somebody on the lender's page, in a browser of their own."""

    def visit(viewport: ViewportSize = PHONE, locale: str = "zh-CN") -> Embedded:
        return Embedded(windows.open(viewport, locale).new_page(), running[1]).visit()

    return visit


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["360", "1280"])
def test_the_chat_opens_on_the_lenders_page_and_closes_again(
    a_visitor: Callable[..., Embedded], viewport: ViewportSize
) -> None:
    site = a_visitor(viewport)
    expect(site.launcher).to_have_attribute("aria-expanded", "false")
    site.open()
    site.say("你好")
    box = site.panel.bounding_box()
    assert box is not None
    if viewport is PHONE:
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
        expect(site.launcher).not_to_be_visible()
    else:
        assert box["width"] == 400
        assert box["height"] == 680
        expect(site.launcher).to_have_attribute("aria-expanded", "true")
    assert site.frame.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth")
    assert site.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    site.frame.get_by_role("button", name="收起").click()
    expect(site.panel).to_be_hidden()
    expect(site.launcher).to_be_focused()
    site.page.keyboard.press("Enter")
    expect(site.panel).to_be_visible()
    site.page.keyboard.press("Escape")
    expect(site.panel).to_be_hidden()


def test_the_conversation_goes_on_over_the_lenders_pages(a_visitor: Callable[..., Embedded]) -> None:
    site = a_visitor(LAPTOP).open()
    site.say("第一页说的话")
    site.visit().expect_open()
    expect(site.frame.locator("[data-author=borrower]")).to_have_text(re.compile("第一页说的话"))
    assert site.frame.locator("html").evaluate("() => document.cookie") == ""
    assert site.page.evaluate("document.cookie") == ""


def test_what_comes_while_the_chat_is_closed_is_counted_on_the_button(
    a_visitor: Callable[..., Embedded], desk: Gateway
) -> None:
    site = a_visitor(PHONE, "zh-TW").open()
    site.say("請回我")
    site.frame.get_by_role("button", name="收起").click()
    desk.tell("請回我", "第一条")
    desk.tell("請回我", "第二条")
    expect(site.badge).to_have_text("2")
    expect(site.launcher).to_have_accessible_name("開啟線上客服，有 2 則新訊息")

    site.visit()
    expect(site.badge).to_have_text("2")
    site.open()
    expect(site.badge).to_be_hidden()
    site.frame.get_by_role("button", name="收起").click()
    site.visit()
    expect(site.page.locator("#desk-chat")).to_have_attribute("data-ready", "")
    expect(site.badge).to_be_hidden()


def test_whoever_never_opens_the_chat_gets_no_conversation(a_visitor: Callable[..., Embedded], desk: Gateway) -> None:
    before = desk.conversations()
    site = a_visitor()
    site.visit()
    assert desk.conversations() == before
    assert site.page.frames == [site.page.main_frame]


def test_two_visitors_and_the_desks_own_page_are_three_conversations(
    a_visitor: Callable[..., Embedded], desk: Gateway
) -> None:
    one, other = a_visitor().open(), a_visitor().open()
    one.say("只有我看得到")
    alone = one.page.context.new_page()
    alone.goto(desk.base + "/")
    expect(alone.locator("deep-chat")).to_have_attribute("data-connection", "open")
    for chat in (other.frame.locator("deep-chat"), alone.locator("deep-chat")):
        expect(chat.locator("[data-author=bot]").first).to_be_visible()
        expect(chat.locator("[data-author=borrower]")).to_have_count(0)


def test_a_site_that_is_not_named_gets_a_way_into_a_window_instead(
    windows: Windows, running: tuple[Gateway, LenderSite]
) -> None:
    with lender_site(free_port(), running[0].base) as stranger:
        page = windows.open(PHONE).new_page()
        page.clock.install()
        site = Embedded(page, stranger).visit()
        site.launcher.click()
        page.clock.fast_forward(11_000)
        link = page.locator("#desk-chat").get_by_role("link", name="在新窗口里打开")
        expect(link).to_have_attribute("href", running[0].base + "/")
        expect(site.panel.locator("iframe")).not_to_be_visible()


def test_the_lenders_server_vouches_for_whoever_opens_the_chat(
    a_visitor: Callable[..., Embedded], desk: Gateway, site: LenderSite
) -> None:
    borrower_id = a_borrower(desk.deps)
    a_debt_of(desk.deps, borrower_id)
    with desk.deps.read() as session:
        number = session.scalars(select(Contract.number).where(Contract.borrower_id == borrower_id)).one()

    def vouch() -> str:
        now = desk.deps.now()
        life = timedelta(minutes=2)
        return sign_vouch(Vouch(desk.base, number, now, now + life, now, secrets.token_urlsafe(16)), VOUCH_KEY)

    site.attributes, site.vouch = 'data-vouch="/desk-token"', vouch
    visitor = a_visitor()
    assert site.asked == [], "nobody is vouched for before they open the chat"
    with visitor.page.expect_response("**/embedded/chat/vouch") as handed:
        visitor.open()
    assert handed.value.status == 204
    assert site.asked == ["/desk-token"]
    with desk.deps.read() as session:
        visit = session.scalars(select(VouchedVisit)).one()
        assert visit.borrower_id == borrower_id


def test_a_site_that_vouches_for_nobody_has_the_chat_all_the_same(
    a_visitor: Callable[..., Embedded], site: LenderSite
) -> None:
    site.attributes = 'data-vouch="/desk-token"'
    visitor = a_visitor()
    visitor.open()
    visitor.say("没有登录也能问")
    assert site.asked == ["/desk-token"]
