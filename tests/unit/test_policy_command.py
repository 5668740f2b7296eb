"""``bot policy check``: faults with file, line and rule, and whom other policies would touch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli
from bot.services import negotiation
from bot.services.deps import Deps
from bot.services.negotiation import State
from bot.services.policy_review import review
from bot.settings import ROOT
from bot.store import tables
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock, a_borrower, a_desk

POLICIES = ROOT / "data" / "policies"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deps]:
    made = a_desk(tmp_path / "desk", clock)
    monkeypatch.setattr(cli, "_settings", lambda: made.settings)
    monkeypatch.setattr(cli, "_deps", lambda _: made)
    yield made
    made.database.engine.dispose()


def policies(folder: Path, name: str = "", *changes: tuple[str, str]) -> Path:
    """Copy the policies in use, with changes in one file."""
    copied = folder / "policies"
    shutil.copytree(POLICIES, copied)
    if name:
        text = (copied / name).read_text("utf-8")
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        (copied / name).write_text(text, "utf-8")
    return copied


def line_of(path: Path, start: str) -> int:
    return next(n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if line.startswith(start))


def check(against: Path | None = None) -> tuple[int, str]:
    arguments = ["policy", "check", *(["--against", str(against)] if against else [])]
    result = CliRunner().invoke(cli.app, arguments)
    return result.exit_code, result.output


def a_negotiation(deps: Deps, owed: Owed | None = None) -> str:
    """Negotiate up to the first offers; returns the conversation's id."""
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id, owed)
    conversation_id = verified(deps, borrower_id)
    negotiation.open_negotiation(deps, conversation_id)
    stated = negotiation.state_means(deps, conversation_id, income_fen=600_000, essential_fen=350_000)
    assert isinstance(stated, State), stated
    return conversation_id


def test_the_policies_in_use_have_no_fault() -> None:
    assert review(POLICIES).faults == ()
    assert check() == (0, "4 policies: no gap, no overlap\n")


def test_a_gap_is_named_with_file_line_and_case(tmp_path: Path) -> None:
    changed = policies(tmp_path, "small_loan.yml", ("excluded_buckets: [current]", "excluded_buckets: []"))
    code, shown = check(changed)
    file = changed / "small_loan.yml"
    assert code == 1
    assert f"{file}:{line_of(file, 'eligible_buckets:')}: gap: small_loan, current: no hardship" in shown
    assert "illness" not in shown


def test_a_product_without_a_policy_is_a_gap_of_the_folder(tmp_path: Path) -> None:
    changed = policies(tmp_path)
    (changed / "small_loan.yml").unlink()
    faults = review(changed).faults
    assert {(fault.file, fault.rule) for fault in faults} == {(changed, "gap")}
    assert all("small_loan" in fault.message for fault in faults)


def test_an_overlap_names_both_files(tmp_path: Path) -> None:
    changed = policies(tmp_path)
    shutil.copy(changed / "small_loan.yml", changed / "small_loan_too.yml")
    faults = review(changed).faults
    assert {fault.rule for fault in faults} == {"overlap"}
    assert {fault.file.name for fault in faults} == {"small_loan.yml", "small_loan_too.yml"}


def test_a_file_that_breaks_a_rule_is_named_and_not_taken_for_a_gap(tmp_path: Path) -> None:
    changed = policies(tmp_path, "credit_card.yml", ("max_months: 60", "max_months: 72"))
    file = changed / "credit_card.yml"
    code, shown = check(changed)
    assert code == 1
    assert shown.startswith(f"{file}:{line_of(file, 'max_months:')}: card_at_most_60_months")
    assert "gap" not in shown


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert "folder_has_policies" in check(tmp_path)[1]


def test_equal_policies_touch_nobody(tmp_path: Path, deps: Deps) -> None:
    a_negotiation(deps)
    code, shown = check(policies(tmp_path, "consumer_loan.yml", ('version: "2026-11-2"', 'version: "2026-12-1"')))
    assert code == 0
    assert "1 negotiations compared, 0 would come out differently" in shown


def test_who_would_be_touched_is_listed_with_both_outcomes(tmp_path: Path, deps: Deps) -> None:
    conversation_id = a_negotiation(deps)
    standing = negotiation.state(deps, conversation_id)
    assert isinstance(standing, State)
    changed = policies(tmp_path, "consumer_loan.yml", ("bot_authority_fen: 10000000", "bot_authority_fen: 0"))
    code, shown = check(changed)
    assert code == 0
    assert f"{standing.negotiation_id} (open, as of 2026-11-21)" in shown
    now, other = (
        next(line for line in shown.splitlines() if line.strip().startswith(word)) for word in ("now", "other")
    )
    assert "needs agent" not in now
    assert "needs agent" in other
    assert "王小明" not in shown


def test_a_policy_approved_later_is_compared_by_its_figures(tmp_path: Path, deps: Deps) -> None:
    a_negotiation(deps)
    later = policies(tmp_path, "consumer_loan.yml", ("approved_on: 2026-11-01", "approved_on: 2027-01-01"))
    assert "0 would come out differently" in check(later)[1]


def test_an_agreed_plan_is_compared_as_of_the_day_it_was_begun(tmp_path: Path, deps: Deps, clock: SetClock) -> None:
    borrower_id = a_borrower(deps)
    debt_id = a_debt_of(deps, borrower_id)
    a_plan(deps, verified(deps, borrower_id))
    clock.move(timedelta(days=40))
    a_payment(deps, debt_id, 900_000)
    changed = policies(tmp_path, "consumer_loan.yml", ("bot_authority_fen: 10000000", "bot_authority_fen: 0"))
    shown = check(changed)[1]
    assert "(agreed, as of 2026-11-21)" in shown
    assert "total ¥12," in shown


def test_a_negotiation_that_cannot_be_rebuilt_is_named(tmp_path: Path, deps: Deps) -> None:
    a_negotiation(deps)
    with deps.begin() as session:
        row = session.query(tables.Negotiation).one()
        row.policy_code = "withdrawn"
    shown = check(policies(tmp_path))[1]
    assert "0 negotiations compared" in shown
    assert f"{row.id} cannot be rebuilt" in shown


def test_a_negotiation_without_figures_yet_is_left_out(tmp_path: Path, deps: Deps) -> None:
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id)
    negotiation.open_negotiation(deps, verified(deps, borrower_id))
    assert "0 negotiations compared" in check(policies(tmp_path))[1]
