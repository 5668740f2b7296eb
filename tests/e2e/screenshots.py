"""Takes the pictures of the documentation from the running desk: ``python -m tests.e2e.screenshots [folder]``.

Plays a short journey of demo people and writes PNG files to ``docs/images``. Never a mock-up: what a picture shows is
what the page showed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, expect

from bot.identity.roles import Role
from bot.services import operators
from bot.services.deps import Deps
from bot.settings import ROOT
from tests.builders.approvals import LATEST_CARD
from tests.e2e.browser import LAPTOP, PHONE, TIME_ZONE, chromium
from tests.e2e.page import ANSWER_MS, ChatPage, ConsolePage
from tests.e2e.people import a_person_in_arrears
from tests.running.desk import PASSWORD, RunningDesk, running_desk

OPERATOR = "demo-supervisor"
KEEPER = "demo-admin"
CARD_HOLDER = ("13800000001", "1001")
"""Phone and last four of the identity number, as for everybody in ``data/demo/accounts.yml``."""
SHORT_OF_INCOME = ("13800000012", "1012")


class Photographer:
    """Opens windows on a desk and writes what they show."""

    def __init__(self, browser: Browser, desk: RunningDesk, folder: Path) -> None:
        self._browser = browser
        self._desk = desk
        self._folder = folder

    @property
    def deps(self) -> Deps:
        """The services of the desk that is photographed."""
        return self._desk.deps

    def chat(self) -> ChatPage:
        """Open the chat on a phone of its own."""
        return ChatPage(self._window(PHONE, 2).new_page(), self._desk.base).open()

    def same_chat_on_a_laptop(self, chat: ChatPage) -> ChatPage:
        """Open a phone's conversation on a large screen."""
        cookies = chat.page.context.storage_state()
        return ChatPage(self._window(LAPTOP, 1, cookies).new_page(), self._desk.base).open()

    def console(self, login: str) -> ConsolePage:
        """Log an operator in."""
        return ConsolePage(self._window(LAPTOP, 1).new_page(), self._desk.base).log_in(login, PASSWORD)

    def shoot(self, page: Page, name: str) -> None:
        """Write what a page shows now."""
        page.evaluate("document.fonts.ready.then(() => true)")
        page.screenshot(path=self._folder / f"{name}.png", caret="hide")

    def _window(self, viewport: ViewportSize, scale: float, storage: StorageState | None = None) -> BrowserContext:
        return self._browser.new_context(
            viewport=viewport,
            device_scale_factor=scale,
            has_touch=viewport is PHONE,
            is_mobile=viewport is PHONE,
            locale="zh-CN",
            timezone_id=TIME_ZONE,
            color_scheme="light",
            storage_state=storage,
        )


def prove(chat: ChatPage, who: tuple[str, str]) -> None:
    """Ask what is owed and answer the questions; ends with the statement."""
    phone, id_tail = who
    chat.say("我欠多少钱", answered="登记的手机号")
    chat.say(phone, answered="六位验证码")
    chat.say(chat.code(), answered="身份证号的后四位")
    chat.say(id_tail, answered="一共")


def take_all(photographer: Photographer) -> None:
    """Play the journey and take every picture."""
    chat = photographer.chat()
    chat.say("你好", answered="想查账")
    prove(chat, CARD_HOLDER)
    photographer.shoot(chat.page, "chat-statement")
    chat.say("还不上,能不能分期", answered="到手的收入")
    chat.say("6000", answered="必须花的钱")
    chat.say("会影响征信吗", answered="征信业管理条例")
    chat.say("3500", answered="哪个方案合适")
    photographer.shoot(chat.page, "chat-offers")
    chat.press("方案1", answered="请您看一遍上面的内容")
    photographer.shoot(chat.page, "chat-agreement")
    chat.press("就这样定", answered="各提醒一次")
    photographer.shoot(chat.page, "chat-agreed")
    chat.say("我的下期什么时候还", answered="下一期")
    photographer.shoot(photographer.same_chat_on_a_laptop(chat).page, "chat-desktop")

    _ask_a_colleague(photographer)
    _fill_the_queue(photographer)
    console = photographer.console(OPERATOR)
    console.expect_live()
    photographer.shoot(console.page, "console-queue")
    console.open_row(console.row("张***"))
    _scroll_to(console, "还不上")
    photographer.shoot(console.page, "console-transcript")
    _walk_through_the_rest(photographer, console)
    _try_a_plan(photographer, console)
    keeper = photographer.console(KEEPER)
    keeper.go("/operators")
    photographer.shoot(keeper.page, "console-operators")


def _try_a_plan(photographer: Photographer, console: ConsolePage) -> None:
    """Take the conversation of whoever found no plan alone, and try one with other figures."""
    console.go("/?show=waiting")
    console.open_row(console.row("方案谈不拢").first)
    console.take()
    page = console.page
    page.get_by_role("link", name="试算方案").click()
    page.get_by_label("月收入（元）").fill("6000")
    page.get_by_label("必要开支（元）").fill("3000")
    page.get_by_role("button", name="按政策算").click()
    page.get_by_role("heading", name="第 1 组").wait_for()
    photographer.shoot(page, "console-offers")


def _walk_through_the_rest(photographer: Photographer, console: ConsolePage) -> None:
    """Open every other screen of the console."""
    page = console.page
    conversation = page.url.split("/console", 1)[1].split("?")[0]
    screens = {
        "approvals": "/approvals",
        "cases": "/cases",
        "payments": "/payments",
        "calls": "/call-backs",
        "replay": f"{conversation}/replay",
        "readings": "/readings",
        "quality": "/quality",
    }
    for name, path in screens.items():
        console.go(path)
        photographer.shoot(page, f"console-{name}")
    console.go("/search")
    page.get_by_label("字词").fill("分期")
    page.get_by_role("button", name="查找").click()
    page.locator("#hits").wait_for()
    photographer.shoot(page, "console-search")
    console.go("/cases")
    page.locator('a[href*="/console/cases/"]').first.click()
    photographer.shoot(page, "console-case")
    console.go("/approvals")
    page.locator("#approval-list .row.queued").first.click()
    page.get_by_role("button", name="请对方补充").wait_for()
    photographer.shoot(page, "console-approval")


def _ask_a_colleague(photographer: Photographer) -> None:
    """Let somebody out of work ask for a waiver that a person decides on, with proof."""
    person = a_person_in_arrears(photographer.deps, LATEST_CARD)
    chat = photographer.chat()
    prove(chat, (person.phone, person.id_tail))
    chat.say("失业了,还不上,能不能分期", answered="到手的收入")
    chat.say("6000", answered="必须花的钱")
    chat.say("3500", answered="别家每个月还要还多少")
    chat.say("没有", answered="哪个方案合适")
    chat.press("还有别的吗", answered="要同事批准")
    chat.press("方案2", answered="要同事点头")
    chat.press("替我申请", answered="申请交上去了")
    photographer.shoot(chat.page, "chat-proof")


def _fill_the_queue(photographer: Photographer) -> None:
    """Let several people need somebody, for different reasons."""
    curious = photographer.chat()
    curious.say("会上征信吗", answered="征信业管理条例")
    asking = photographer.chat()
    asking.say("转人工", answered="已经请同事来接")
    short = photographer.chat()
    prove(short, SHORT_OF_INCOME)
    short.say("想分期", answered="到手的收入")
    short.say("2600", answered="必须花的钱")
    short.say("3000", answered="是这样吗")
    short.press("是这样", answered="转给同事")
    short.say("明天下午给我打电话", answered="约好了")
    complaining = photographer.chat()
    complaining.say("你们催收的人骂我,还打给我妈", answered="您的投诉已经记下")
    complaining.say("昨天晚上打了三个,说得很难听", answered="记下了")
    desperate = photographer.chat()
    desperate.say("我真的不想活了", answered="12356")


def _scroll_to(console: ConsolePage, words: str) -> None:
    turn = console.turn(words).first
    expect(turn).to_be_attached(timeout=ANSWER_MS)
    turn.evaluate("turn => turn.scrollIntoView({ block: 'start' })")


def main() -> None:
    """Take the pictures into the folder that is named, or into ``docs/images``."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var, running_desk(Path(var)) as desk, chromium() as browser:
        operators.create(desk.deps, OPERATOR, "演示主管", Role.SUPERVISOR, PASSWORD)
        operators.create(desk.deps, KEEPER, "演示管理员", Role.ADMIN, PASSWORD)
        take_all(Photographer(browser, desk, folder))
    for picture in sorted(folder.glob("*.png")):
        print(picture)  # noqa: T201  # the command's output


if __name__ == "__main__":
    main()
