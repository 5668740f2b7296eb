"""``bot reminders preview``: one line for each notice, and nobody for an unknown number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli
from bot.services.deps import Deps
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.desk import a_borrower, a_desk


@pytest.fixture
def deps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deps]:
    made = a_desk(tmp_path / "desk")
    monkeypatch.setattr(cli, "_settings", lambda: made.settings)
    monkeypatch.setattr(cli, "_deps", lambda _: made)
    yield made
    made.database.engine.dispose()


def previewed(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["reminders", "preview", *options])
    return result.exit_code, result.output


def test_each_notice_has_a_line_with_time_step_channel_and_rule(deps: Deps) -> None:
    borrower = a_borrower(deps, phone="13800000001")
    a_debt_of(deps, borrower, Owed(days_late=10))
    verified(deps, borrower, "telegram")
    code, said = previewed("--borrower", "13800000001", "--days", "10")
    assert code == 0
    assert said.splitlines() == [
        "2026-11-26 10:00  overdue s1     sent over telegram (within_limits)",
        "1 of 1 would be sent",
    ]


def test_an_unknown_borrower_is_an_error(deps: Deps) -> None:
    assert previewed("--borrower", "13900000009")[0] == 2
