"""Nothing about a borrower's debts reaches whoever has not proved to be that borrower: neither a figure nor a sign."""

from __future__ import annotations

import random
import types
import typing
from pathlib import Path

import pytest

from bot.services import accounts
from bot.services.proof import NotVerified
from tests.builders.accounts import verified
from tests.firewall.calls import HINTS, SERVICES, Spy, argument
from tests.firewall.secret import SECRET_NAME, Canaries, SecretDesk, secret_desk

ROUNDS, CALLS_A_ROUND = 5, 120
"""A part of what ``bench/taint.py`` makes; the figure of the whole is in docs/privacy.md."""


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> tuple[SecretDesk, SecretDesk]:
    folder: Path = tmp_path_factory.mktemp("firewall")
    return secret_desk(folder / "kept", owes=True), secret_desk(folder / "empty", owes=False)


def test_no_call_of_anybody_else_tells_a_debt_or_that_there_is_one(desks: tuple[SecretDesk, SecretDesk]) -> None:
    spy = Spy(*desks, random.Random(20261122))
    leaks = list(spy.leaks(ROUNDS, CALLS_A_ROUND))
    assert spy.calls == ROUNDS * CALLS_A_ROUND
    assert not leaks, leaks[:3]


def test_the_canaries_are_seen_where_the_right_party_looks(desks: tuple[SecretDesk, SecretDesk]) -> None:
    kept, empty = desks
    owed = accounts.portfolio(kept.deps, verified(kept.deps, kept.borrower_id))
    assert not isinstance(owed, NotVerified)
    assert len(set(Canaries(kept).seen_in(repr(owed)))) > 12
    nothing = accounts.portfolio(empty.deps, verified(empty.deps, empty.borrower_id))
    assert set(Canaries(kept).seen_in(repr(nothing))) == {SECRET_NAME}


def test_every_service_that_tells_facts_is_among_the_calls() -> None:
    assert {"accounts.portfolio", "figures.open_figure", "documents.agreement", "document_store.fetch"} <= set(SERVICES)


def test_every_argument_of_every_service_can_be_drawn() -> None:
    draw = random.Random(1)
    for name, hints in HINTS.items():
        for parameter, hint in hints.items():
            if parameter in ("deps", "conversation_id", "return"):
                continue
            for one in typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,):
                argument(draw, f"{name}({parameter})", one, ["1" * 32])
