"""Offers computed anew from the facts they were made of, under the policy of their day. Against both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import delete, select

from bot.clock import Clock
from bot.services import negotiation, offer_basis, retention, rule_archive
from bot.services.deps import Deps, make_deps
from bot.services.offer_basis import OffersVerdict
from bot.store.tables import OfferBasis, RuleArchive
from bot.workout.counter import BorrowerProposal
from tests.builders.desk import SetClock

SAME, OTHER = OffersVerdict.SAME, OffersVerdict.OTHER_OFFERS


@pytest.fixture
def talk(deps: Deps, chat: str) -> str:
    """Somebody who was shown plans, asked for others, and named a figure of their own."""
    rule_archive.keep(deps)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.more_options(deps, chat)
    negotiation.propose(deps, chat, BorrowerProposal(monthly_fen=80_000))
    return chat


def verdicts(deps: Deps, chat: str) -> list[OffersVerdict]:
    return [each.verdict for each in offer_basis.recompute(deps, chat)]


def test_every_set_of_offers_and_every_answer_comes_out_as_it_was_made(deps: Deps, talk: str) -> None:
    assert verdicts(deps, talk) == [SAME, SAME, SAME]


def test_a_refusal_can_be_computed_anew_too(deps: Deps, chat: str) -> None:
    rule_archive.keep(deps)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=100_000, essential_fen=350_000)
    negotiation.leave_unsaid(deps, chat)  # whether the spending is right
    assert verdicts(deps, chat) == [SAME]


def test_a_policy_approved_since_changes_nothing(deps: Deps, talk: str, clock: SetClock, tmp_path: Path) -> None:
    with with_policies(deps, clock, tmp_path, 'version: "2026-11-2"', 'version: "2026-12-1"') as approved_since:
        assert {policy.version for policy in approved_since.policies.values()} >= {"2026-12-1"}
        rule_archive.keep(approved_since)
        assert verdicts(approved_since, talk) == [SAME, SAME, SAME]


def test_the_lenders_own_policies_are_kept_wherever_they_lie(deps: Deps, clock: SetClock, tmp_path: Path) -> None:
    with with_policies(deps, clock, tmp_path, 'version: "2026-11-2"', 'version: "lender-7"') as desk:
        rule_archive.keep(desk)
    with deps.read() as session:
        kept = session.scalars(select(RuleArchive).where(RuleArchive.version == "lender-7")).all()
    assert [row.name for row in kept] == ["policy.card_relief"]


def test_facts_that_were_changed_afterwards_show(deps: Deps, talk: str) -> None:
    with deps.begin() as session:
        first = session.scalars(select(OfferBasis).order_by(OfferBasis.made_at, OfferBasis.id)).first()
        assert first is not None
        first.facts = {**first.facts, "available_now_fen": 500_000, "pay_day": 7}
    assert verdicts(deps, talk).count(OTHER) == 1


def test_a_policy_that_is_not_kept_and_facts_of_another_shape_are_named(deps: Deps, talk: str) -> None:
    with deps.begin() as session:
        first = session.scalars(select(OfferBasis).order_by(OfferBasis.made_at, OfferBasis.id)).first()
        assert first is not None
        first.facts = {"as_of": "2026-11-20"}
    assert sorted(verdicts(deps, talk)) == [SAME, SAME, OffersVerdict.UNREADABLE]
    with deps.begin() as session:
        session.execute(delete(RuleArchive))
    assert set(verdicts(deps, talk)) == {OffersVerdict.NO_POLICY}


def test_the_facts_go_with_the_means_they_hold(deps: Deps, talk: str, clock: SetClock) -> None:
    negotiation.end(deps, talk)
    clock.move(timedelta(days=deps.retention.means_without_plan_days + 1))
    retention.run(deps)
    assert verdicts(deps, talk) == []


@contextmanager
def with_policies(deps: Deps, clock: Clock, folder: Path, before: str, after: str) -> Iterator[Deps]:
    """The same desk with the text of its card policy changed."""
    copied = Path(copytree(deps.settings.policies_dir, folder / "policies"))
    card = copied / "credit_card.yml"
    assert before in card.read_text("utf-8")
    card.write_text(card.read_text("utf-8").replace(before, after), "utf-8")
    desk = make_deps(deps.settings.model_copy(update={"policies_dir": copied}), clock)
    yield desk
    desk.database.engine.dispose()
