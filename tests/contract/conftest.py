"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.builders.desk import SetClock
from tests.contract.telegram_desk import Desk, desk_deps
from tests.doubles.telegram_server import TelegramServer


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[TelegramServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with TelegramServer() as running:
        yield running


@pytest_asyncio.fixture
async def desk(tmp_path: Path, telegram: TelegramServer) -> AsyncIterator[Desk]:
    clock = SetClock()
    made = Desk(desk_deps(tmp_path, telegram, clock), telegram, clock)
    await made.start()
    yield made
    await made.stop()
