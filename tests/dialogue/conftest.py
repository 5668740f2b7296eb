"""Lines to the running desk, for tests that need more than a written conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dialogue.lines import TelegramLine, WebLine
from tests.doubles.telegram_server import TelegramServer
from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk

NewLine = Callable[[], WebLine]
NewChat = Callable[[], TelegramLine]


@pytest.fixture
def web_line(desk: RunningDesk, borrower: Callable[..., Borrower]) -> NewLine:
    """Open web chats, each in a browser of its own."""
    return lambda: WebLine(desk, borrower())


@pytest.fixture
def telegram_line(desk: RunningDesk, telegram_cloud: TelegramServer) -> NewChat:
    """Open private chats over Telegram."""
    return lambda: TelegramLine(desk, telegram_cloud)
