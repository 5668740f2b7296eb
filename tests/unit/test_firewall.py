"""Facts about a debt are opened by a proof that cannot be made up, and the type system asks for it."""

from __future__ import annotations

import ast
import inspect
import typing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.services import accounts, negotiation_state, offer_request, offer_table, proof
from bot.services.proof import DeskWork, Purpose, Reader, RightParty
from bot.settings import ROOT

COMPUTES_FOR_ITSELF = {
    "approval_decisions",
    "case_intake",
    "case_pages",
    "clearance",
    "payments",
    "plan_completion",
    "policy_review",
    "retention_records",
}
"""Services that compute with debts for the desk's own work. Whoever joins them shows nothing to a conversation."""

READS_LEDGERS = {"accounts", "clearance", "payment_traces", "payments", "promise_judging", "servicing"}
"""Services that read single postings, of debts that they were given or have opened."""


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def users_of(name: str) -> set[str]:
    paths = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "actions").rglob("*.py")]
    return {
        path.stem if path.parent.name == "services" else str(path.relative_to(ROOT))
        for path in paths
        if name in names_in(path)
    }


@pytest.mark.parametrize("seal", [None, object(), True, proof.__name__])
def test_a_right_party_cannot_be_made_up(seal: object) -> None:
    with pytest.raises(TypeError, match="only right_party"):
        RightParty("somebody", "a conversation", True, seal=seal)


def test_a_right_party_cannot_be_turned_into_somebody_else() -> None:
    party = RightParty("somebody", "a conversation", True, seal=proof._SEAL)
    with pytest.raises((TypeError, ValueError)):
        replace(party, borrower_id="somebody else")


def test_the_seal_never_leaves_its_module() -> None:
    assert users_of("_SEAL") == {"proof"}


def test_only_the_desks_own_work_opens_debts_without_a_right_party() -> None:
    assert users_of("DeskWork") - {"proof"} == COMPUTES_FOR_ITSELF


def test_debts_of_many_borrowers_are_read_for_notices_and_plans_only() -> None:
    assert users_of("debt_views") == {"notice_validity", "plan_interest"}


def test_single_postings_are_read_by_a_known_few() -> None:
    importing = {
        path.stem
        for path in (ROOT / "bot").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module == "bot.services.accounts"
        and "ledger_of" in {each.name for each in node.names}
    }
    assert importing | {"accounts"} == READS_LEDGERS


@pytest.mark.parametrize(
    "function",
    [
        accounts.portfolio_of,
        offer_request.request_of,
        offer_table.active,
        offer_table.debts_of,
        negotiation_state.state_of,
        negotiation_state.eligible,
    ],
)
def test_what_returns_facts_takes_a_reader(function: object) -> None:
    asked = list(typing.get_type_hints(function).values())
    assert RightParty in asked or Reader in asked
    assert "borrower_id" not in inspect.signature(function).parameters  # type: ignore[arg-type]


def test_the_desks_purposes_are_all_in_use() -> None:
    used = {name for path in (ROOT / "bot" / "services").glob("*.py") for name in names_in(path)}
    assert {purpose.name for purpose in Purpose} <= used
    assert DeskWork("somebody", Purpose.NOTICE).borrower_id == "somebody"
