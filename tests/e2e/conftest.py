"""Chromium for the browser tests, tabs in it, and what the tabs showed when a test failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, ViewportSize, expect

from tests.e2e import lender_site
from tests.e2e.browser import LAPTOP, PHONE, TIME_ZONE, ChromiumMissing, chromium, chromium_path
from tests.e2e.lender_site import Embedded, Gateway, LenderSite
from tests.e2e.page import ChatPage, ConsolePage
from tests.e2e.people import Person, a_person_in_arrears
from tests.running.desk import PASSWORD, RunningDesk, free_port

PATIENCE_MS = 10_000

_outcome = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Decide about the browser before the desk is started for a test that cannot run."""
    if os.environ.get("DESK_SKIP_BROWSER"):
        pytest.skip("left out: DESK_SKIP_BROWSER is set")
    try:
        chromium_path()
    except ChromiumMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know how the test ended."""
    report = yield
    if report.when == "call":
        item.stash[_outcome] = report
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests.

    Not for the session: while Playwright runs, this thread counts as being inside an event loop, and the tests of
    other folders want to start their own.
    """
    with chromium() as running:
        expect.set_options(timeout=PATIENCE_MS)
        yield running


class Windows:
    """Opens browser windows that share nothing, and keeps pictures and traces of them if the test fails."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._contexts: list[BrowserContext] = []
        self.wrong: list[str] = []

    def open(self, viewport: ViewportSize, locale: str = "zh-CN") -> BrowserContext:
        """Open a window with cookies and storage of its own."""
        context = self._browser.new_context(viewport=viewport, locale=locale, timezone_id=TIME_ZONE)
        context.set_default_timeout(PATIENCE_MS)
        context.tracing.start(snapshots=True)
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        context.on("dialog", self._dialog)
        self._contexts.append(context)
        return context

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def close(self, *, keep: bool) -> list[Path]:
        """Close every window; returns what was kept of them."""
        kept: list[Path] = []
        for number, context in enumerate(self._contexts, start=1):
            if keep:
                for tab, page in enumerate(context.pages, start=1):
                    kept.append(self._folder / f"window-{number}-tab-{tab}.png")
                    page.screenshot(path=kept[-1])
                kept.append(self._folder / f"window-{number}-trace.zip")
                context.tracing.stop(path=kept[-1])
            context.close()
        return kept


@pytest.fixture
def windows(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Windows]:
    """Windows for one test. An error in a page's own script fails the test."""
    opened = Windows(browser, tmp_path)
    yield opened
    outcome = request.node.stash.get(_outcome, None)
    failed = outcome is not None and outcome.failed
    kept = opened.close(keep=failed or bool(opened.wrong))
    if kept:
        request.node.add_report_section("call", "browser", "\n".join(f"kept: {path}" for path in kept))
    assert not opened.wrong, opened.wrong


@pytest.fixture
def a_chat(windows: Windows, desk: RunningDesk) -> Callable[..., ChatPage]:
    """Open the chat on a phone of its own; each call is another person's phone."""

    def open_chat(locale: str = "zh-CN", viewport: ViewportSize = PHONE) -> ChatPage:
        return ChatPage(windows.open(viewport, locale).new_page(), desk.base).open()

    return open_chat


@pytest.fixture
def another_tab(desk: RunningDesk) -> Callable[[ChatPage], ChatPage]:
    """Open the chat once more on the same phone."""
    return lambda chat: ChatPage(chat.page.context.new_page(), desk.base).open()


@pytest.fixture
def person(desk: RunningDesk) -> Person:
    """Somebody in arrears, for this test alone."""
    return a_person_in_arrears(desk.deps)


@pytest.fixture
def a_console(windows: Windows, desk: RunningDesk) -> Callable[..., ConsolePage]:
    """Log an operator in, on a computer of their own."""

    def log_in(login: str, prepare: Callable[[Page], None] = lambda _: None) -> ConsolePage:
        page = windows.open(LAPTOP).new_page()
        prepare(page)
        return ConsolePage(page, desk.base).log_in(login, PASSWORD)

    return log_in


@pytest.fixture(scope="module")
def _gateway_and_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, LenderSite]]:
    port = free_port()
    with (
        lender_site.gateway(tmp_path_factory.mktemp("gateway"), f"http://localhost:{port}") as running,
        lender_site.lender_site(port, running.base) as site,
    ):
        yield running, site


@pytest.fixture
def gateway(_gateway_and_site: tuple[Gateway, LenderSite]) -> Gateway:
    """A gateway without engine, one for a module's tests."""
    return _gateway_and_site[0]


@pytest.fixture
def site(_gateway_and_site: tuple[Gateway, LenderSite]) -> Iterator[LenderSite]:
    """A lender's site that may embed the gateway's chat; after the test it vouches for nobody."""
    site = _gateway_and_site[1]
    yield site
    site.attributes, site.vouch = "", None
    site.asked.clear()


@pytest.fixture
def a_visitor(windows: Windows, site: LenderSite) -> Callable[..., Embedded]:
    """Somebody on the lender's page, in a browser of their own."""

    def visit(viewport: ViewportSize = PHONE, locale: str = "zh-CN") -> Embedded:
        return Embedded(windows.open(viewport, locale).new_page(), site).visit()

    return visit
