"""Sending files from the page: by keyboard, without a network, and told to screen readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select

from bot.store.tables import CaseNote, Message
from tests.builders.cases import a_complaint
from tests.e2e.browser import PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import Embedded, Gateway
from tests.e2e.test_accessible import findings

pytestmark = [pytest.mark.browser]

PICTURE: FilePayload = {"name": "聊天截图.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n one"}
PROGRAM: FilePayload = {"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": b"MZ"}


def complained(windows: Windows, gateway: Gateway, said: str, locale: str = "zh-CN") -> Page:
    """Open the page and have a complaint on record."""
    page = windows.open(PHONE, locale).new_page()
    page.goto(gateway.base + "/")
    expect(page.locator("deep-chat")).to_have_attribute("data-connection", "open")
    page.locator("#text-input").click()
    page.keyboard.insert_text(said)
    page.keyboard.press("Enter")
    expect(page.locator("[data-author=borrower]")).to_have_attribute("data-delivery", "stored")
    expect(page.locator("#evidence")).to_be_hidden()
    raise_complaint(gateway, said)
    return page


def raise_complaint(gateway: Gateway, said: str) -> None:
    with gateway.deps.read() as session:
        chat = session.scalars(select(Message.conversation_id).where(Message.text == said)).one()
    a_complaint(gateway.deps, chat)
    gateway.tell(said, "投诉已经登记。")


def files(gateway: Gateway) -> int:
    with gateway.deps.read() as session:
        return len(session.scalars(select(CaseNote).where(CaseNote.kind == "file")).all())


def test_a_picture_chosen_by_keyboard_is_kept_and_said(windows: Windows, gateway: Gateway) -> None:
    before = files(gateway)
    page = complained(windows, gateway, "投訴並傳截圖", "zh-TW")
    choose = page.get_by_role("button", name="傳材料")
    expect(choose).to_be_visible()
    choose.focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([PICTURE])
    expect(page.locator("[data-author=notice]").filter(has_text="已經加密存好")).to_be_visible()
    expect(page.locator("#evidence-list li")).to_have_count(0)
    assert files(gateway) == before + 1


def test_what_is_not_taken_says_why_and_goes_when_told(windows: Windows, gateway: Gateway) -> None:
    before = files(gateway)
    page = complained(windows, gateway, "投诉并发程序")
    expect(page.get_by_role("button", name="发材料")).to_be_visible()
    page.locator("#evidence-file").set_input_files([PROGRAM])
    status = page.locator("#evidence-list [role=status]")
    expect(status).to_have_text("这种文件我收不了。请发照片、截图或者 PDF。")
    assert findings(page) == []
    page.get_by_role("button", name="不发了：照片.jpg").click()
    expect(page.locator("#evidence-list li")).to_have_count(0)
    assert files(gateway) == before


@pytest.mark.parametrize("back", ["by itself", "by the button"])
def test_without_a_network_the_file_stays_and_goes_later_once(
    windows: Windows, gateway: Gateway, back: Literal["by itself", "by the button"]
) -> None:
    before = files(gateway)
    page = complained(windows, gateway, f"断网时发截图 {back}")
    expect(page.get_by_role("button", name="发材料")).to_be_visible()
    if back == "by itself":
        page.context.set_offline(True)
    else:
        page.route("**/chat/evidence", lambda route: route.abort())
    page.locator("#evidence-file").set_input_files([PICTURE])
    expect(page.locator("#evidence-list [role=status]")).to_contain_text("文件还在这里")
    assert files(gateway) == before
    if back == "by itself":
        page.context.set_offline(False)
    else:
        page.unroute("**/chat/evidence")
        page.get_by_role("button", name="再发一次").click()
    expect(page.locator("[data-author=notice]").filter(has_text="已经加密存好")).to_be_visible()
    assert files(gateway) == before + 1


def test_it_works_in_the_lenders_frame_too(a_visitor: Callable[..., Embedded], gateway: Gateway) -> None:
    before = files(gateway)
    visitor = a_visitor().open()
    visitor.say("在银行页面上投诉")
    raise_complaint(gateway, "在银行页面上投诉")
    expect(visitor.frame.get_by_role("button", name="发材料")).to_be_visible()
    visitor.frame.locator("#evidence-file").set_input_files([PICTURE])
    expect(visitor.frame.locator("[data-author=notice]").filter(has_text="已经加密存好")).to_be_visible()
    assert files(gateway) == before + 1
