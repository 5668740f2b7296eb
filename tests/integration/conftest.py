"""What the tests over services and the console share: one borrower with one debt and a proved chat, and a console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.services import operators
from bot.services.deps import Deps
from tests.builders.accounts import a_debt_of, verified
from tests.builders.console import Console
from tests.builders.desk import SetClock, a_borrower, a_desk


@pytest.fixture
def borrower(deps: Deps) -> str:
    """A borrower."""
    return a_borrower(deps)


@pytest.fixture
def debt(deps: Deps, borrower: str) -> str:
    """Their debt."""
    return a_debt_of(deps, borrower)


@pytest.fixture
def chat(deps: Deps, borrower: str, debt: str) -> str:
    """A conversation in which they have proved who they are."""
    return verified(deps, borrower)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """An operators' console over a desk of its own, nobody logged in."""
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield Console(deps, clock)
    deps.database.engine.dispose()


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash cheaply: how slow a hash is in production is no concern of these tests, and there are hundreds of logins."""
    monkeypatch.setattr(operators, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
