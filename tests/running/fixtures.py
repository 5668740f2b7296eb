"""Fixtures of the running desk: started once for all tests that talk to it, over Telegram's double as well."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.settings import ROOT
from tests.doubles.telegram_server import TelegramServer
from tests.running.borrower import Borrower
from tests.running.canaries import found_in_logs, people
from tests.running.desk import RunningDesk, running_desk


@pytest.fixture(scope="session")
def telegram_cloud() -> Iterator[TelegramServer]:
    """Telegram's cloud, as a server on loopback."""
    with TelegramServer() as server:
        yield server


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, telegram_cloud: TelegramServer) -> Iterator[RunningDesk]:
    """The whole desk, running, with web chat, console, Telegram and scheduler."""
    folder = tmp_path_factory.mktemp("desk")
    with running_desk(
        folder,
        TELEGRAM_BOT_TOKEN=telegram_cloud.token,
        DESK_TELEGRAM_API_BASE=telegram_cloud.base,
        DESK_POLICIES_DIR=str(_policies(folder / "policies")),
    ) as running:
        yield running
        # Whatever all the tests have said: nobody's name, phone or number is in what the processes printed.
        assert found_in_logs(running.settings.var_dir, people()) == []


def _policies(folder: Path) -> Path:
    """The shipped policies, but for small loans, which go on bearing interest during a plan."""
    shutil.copytree(ROOT / "data" / "policies", folder)
    small_loan = folder / "small_loan.yml"
    text = small_loan.read_text("utf-8")
    for shipped, other in (
        ("interest_during_plan: false", "interest_during_plan: true"),
        ("conditional_on_completion: true", "conditional_on_completion: false"),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, other)
    small_loan.write_text(text, "utf-8")
    return folder


@pytest.fixture
def borrower(desk: RunningDesk) -> Iterator[Callable[..., Borrower]]:
    """Make borrowers, each with a browser session of their own."""
    made: list[Borrower] = []

    def make(cookie: str | None = None, accept_language: str = "zh-CN") -> Borrower:
        one = Borrower(desk.base, cookie, accept_language)
        one.connect()
        made.append(one)
        return one

    yield make
    for one in made:
        one.disconnect()
