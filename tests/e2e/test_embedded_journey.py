"""The whole line on a lender's own page: from what is owed to a plan, its paper and a score, narrow, then wide."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from bot.store.tables import Satisfaction
from tests.e2e.browser import LAPTOP, PHONE
from tests.e2e.conftest import Windows
from tests.e2e.lender_site import Embedded, LenderSite, lender_site
from tests.e2e.page import ANSWER_MS
from tests.e2e.people import Person
from tests.e2e.test_accessible import findings
from tests.running.desk import RunningDesk, free_port

pytestmark = [pytest.mark.running, pytest.mark.browser, pytest.mark.timeout(600)]

_CODE = re.compile(r"验证码[:\uff1a](\d{6})")


@pytest.fixture
def foreign_page(desk: RunningDesk) -> Iterator[LenderSite]:
    """A lender's page with the script tag of the whole desk; ``localhost`` is another site than the desk's."""
    port = free_port()
    settings = {"DESK_PUBLIC_ORIGIN": desk.base, "DESK_EMBED_ORIGINS": f"http://localhost:{port}"}
    with desk.gateway_with(**settings), lender_site(port, desk.base) as site:
        yield site


class FramedChat:
    """The chat in the frame, as the person before it reads and presses."""

    def __init__(self, visitor: Embedded) -> None:
        self._visitor = visitor
        self._all = visitor.frame.locator("[data-author]:not([data-author=borrower])")

    def say(self, text: str, answered: str) -> Locator:
        before = self._told(answered).count()
        self._visitor.say(text)
        return self._answer(answered, before)

    def press(self, title: str, answered: str) -> Locator:
        before = self._told(answered).count()
        self._visitor.frame.locator("button.desk-reply").filter(has_text=title).last.click(timeout=ANSWER_MS)
        return self._answer(answered, before)

    def pick(self, value: str, answered: str) -> Locator:
        before = self._told(answered).count()
        self._visitor.frame.locator(".desk-pick input").fill(value, timeout=ANSWER_MS)
        self._visitor.frame.locator(".desk-pick button").click()
        return self._answer(answered, before)

    def code(self) -> str:
        return _CODE.findall("\n".join(self._all.all_inner_texts()))[-1]

    def _told(self, words: str) -> Locator:
        return self._all.filter(has_text=words)

    def _answer(self, words: str, before: int) -> Locator:
        answer = self._told(words).nth(before)
        expect(answer).to_be_visible(timeout=ANSWER_MS)
        return answer


def test_from_what_is_owed_to_a_plan_its_paper_and_a_score(
    windows: Windows, foreign_page: LenderSite, desk: RunningDesk, person: Person
) -> None:
    visitor = Embedded(windows.open(PHONE).new_page(), foreign_page).visit().open()
    chat = FramedChat(visitor)
    chat.say("我欠多少钱", "登记的手机号")
    chat.say(person.phone, "验证码")
    chat.say(chat.code(), "后四位")
    chat.say(person.id_tail, "本金 ¥12,000.00")
    chat.press("想分期", "到手的收入")
    chat.pick("6000", "必须花的钱")
    chat.pick("3500", "哪个方案合适")
    cards = visitor.frame.locator("[data-card]")
    expect(cards).to_have_count(3)
    expect(cards.first.locator(".desk-chart rect").first).to_be_visible()
    assert visitor.frame.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth")
    assert findings(visitor.page.frames[1]) == []

    visitor.page.set_viewport_size(LAPTOP)
    expect(visitor.panel).to_have_css("width", "400px")
    chat.press("方案2", "同意吗")
    chat.press("同意", "协议已经生效")
    paper = visitor.frame.locator("a.desk-file").filter(has_text="PDF").last
    with visitor.page.expect_download() as saved:
        paper.click()
    assert saved.value.path().read_bytes().startswith(b"%PDF")
    chat.press("5分", "谢谢您")
    with desk.deps.read() as session:
        assert 5 in session.scalars(select(Satisfaction.score)).all()
