"""The chat on a lender's own site: one script tag, in a real browser, on another site than the desk's."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import ViewportSize, expect
from sqlalchemy import select

from bot.identity.vouch import Vouch, sign_vouch
from bot.services import sender_codes
from bot.store.tables import Contract, VouchedVisit
from tests.builders.accounts import a_debt_of
from tests.builders.desk import a_borrower
from tests.e2e.browser import LAPTOP, PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import VOUCH_KEY, Embedded, Gateway, LenderSite, lender_site
from tests.e2e.page import ANSWER_MS
from tests.e2e.test_accessible import findings
from tests.running.desk import free_port

pytestmark = [pytest.mark.browser]


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
    a_visitor: Callable[..., Embedded], gateway: Gateway
) -> None:
    site = a_visitor(PHONE, "zh-TW").open()
    site.say("請回我")
    # No engine is behind this desk, which is said before the chat is closed.
    expect(site.frame.locator("[data-author=notice]")).to_have_count(1, timeout=ANSWER_MS)
    site.frame.get_by_role("button", name="收起").click()
    gateway.tell("請回我", "第一条")
    gateway.tell("請回我", "第二条")
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


def test_whoever_never_opens_the_chat_gets_no_conversation(
    a_visitor: Callable[..., Embedded], gateway: Gateway
) -> None:
    before = gateway.conversations()
    site = a_visitor()
    site.visit()
    assert gateway.conversations() == before
    assert site.page.frames == [site.page.main_frame]


def test_two_visitors_and_the_desks_own_page_are_three_conversations(
    a_visitor: Callable[..., Embedded], gateway: Gateway
) -> None:
    one, other = a_visitor().open(), a_visitor().open()
    one.say("只有我看得到")
    alone = one.page.context.new_page()
    alone.goto(gateway.base + "/")
    expect(alone.locator("deep-chat")).to_have_attribute("data-connection", "open")
    for chat in (other.frame.locator("deep-chat"), alone.locator("deep-chat")):
        expect(chat.locator("[data-author=bot]").first).to_be_visible()
        expect(chat.locator("[data-author=borrower]")).to_have_count(0)


def test_a_site_that_is_not_named_gets_a_way_into_a_window_instead(windows: Windows, gateway: Gateway) -> None:
    with lender_site(free_port(), gateway.base) as stranger:
        page = windows.open(PHONE).new_page()
        page.clock.install()
        site = Embedded(page, stranger).visit()
        site.launcher.click()
        page.clock.fast_forward(11_000)
        link = page.locator("#desk-chat").get_by_role("link", name="在新窗口里打开")
        expect(link).to_have_attribute("href", gateway.base + "/")
        expect(site.panel.locator("iframe")).not_to_be_visible()


def test_the_lenders_server_vouches_for_whoever_opens_the_chat(
    a_visitor: Callable[..., Embedded], gateway: Gateway, site: LenderSite
) -> None:
    borrower_id = a_borrower(gateway.deps)
    a_debt_of(gateway.deps, borrower_id)
    with gateway.deps.read() as session:
        number = session.scalars(select(Contract.number).where(Contract.borrower_id == borrower_id)).one()

    def vouch() -> str:
        now = gateway.deps.now()
        life = timedelta(minutes=2)
        return sign_vouch(Vouch(gateway.base, number, now, now + life, now, secrets.token_urlsafe(16)), VOUCH_KEY)

    site.attributes, site.vouch = 'data-vouch="/desk-token"', vouch
    visitor = a_visitor()
    assert site.asked == [], "nobody is vouched for before they open the chat"
    with visitor.page.expect_response("**/embedded/chat/vouch") as handed:
        visitor.open()
    assert handed.value.status == 204
    assert site.asked == ["/desk-token"]
    with gateway.deps.read() as session:
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


def test_the_conversation_is_saved_from_the_frame(a_visitor: Callable[..., Embedded]) -> None:
    visitor = a_visitor().open()
    visitor.say("这句话要留底")
    more = visitor.frame.locator("#more-button")
    more.focus()
    visitor.page.keyboard.press("Enter")
    assert findings(visitor.page.frames[1]) == []
    with visitor.page.expect_download() as saved:
        visitor.frame.get_by_role("button", name="保存对话记录").click()
    assert saved.value.suggested_filename.startswith("对话记录")
    assert "这句话要留底" in saved.value.path().read_text("utf-8")
    expect(more).to_be_focused()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Escape")
    expect(visitor.frame.locator("#more-items")).to_be_hidden()
    expect(visitor.panel).to_be_visible()


def test_a_code_from_the_desk_is_genuine_on_its_page_and_a_forged_one_is_not(
    a_visitor: Callable[..., Embedded], gateway: Gateway
) -> None:
    visitor = a_visitor().open()
    visitor.say("先聊一句")
    code = sender_codes.issue(gateway.deps, gateway.conversation_with("先聊一句"))
    assert code is not None
    visitor.frame.locator("#more-button").click()
    with visitor.page.context.expect_page() as opened:
        visitor.frame.get_by_role("link", name="查真伪").click()
    page = opened.value
    page.get_by_label("核对码").fill("1111 1111" if code != "1111 1111" else "2222 2222")
    page.get_by_role("button", name="查一查").click()
    expect(page.get_by_role("alert")).to_contain_text("没有查到")
    page.get_by_label("核对码").fill(code)
    page.get_by_role("button", name="查一查").click()
    expect(page.get_by_role("status")).to_contain_text("是真的")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
