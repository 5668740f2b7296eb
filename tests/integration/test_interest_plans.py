"""A plan during which the contract's interest runs: offered, agreed, paid, paid off early, late, replaced, broken.

Against both databases; every figure that the borrower is told must be the ledger's, to the fen.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.clock import SHANGHAI, business_date
from bot.lending.balances import Balances
from bot.lending.money import format_yuan
from bot.services import accounts, agreements, figures, negotiation, reminders, replanning, servicing
from bot.services.accounts import DebtView, NotVerified
from bot.services.agreements import AgreementView, ReadBack
from bot.services.deps import Deps
from bot.services.negotiation import NoPlan
from bot.services.offer_table import read_offer
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from bot.store.tables import Agreement, Instalment
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason, Offer
from bot.workout.policy import ReliefPolicy
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.desk import SetClock
from tests.builders.payments import paid

SOON = timedelta(hours=1)
both_ways = pytest.mark.parametrize(
    "lender", [False, True], ids=["equal instalments", "equal principal"], indirect=True
)


@pytest.fixture(autouse=True)
def lender(request: pytest.FixtureRequest, deps: Deps) -> None:
    """A lender whose consumer loans go on bearing interest during a plan."""
    equal_principal = bool(getattr(request, "param", False))
    for code, policy in list(deps.policies.items()):
        changes = {"conditional_on_completion": False, "interest_during_plan": True, "equal_principal": equal_principal}
        deps.policies[code] = ReliefPolicy.model_validate({**policy.model_dump(), **changes})


@pytest.fixture
def chat(deps: Deps, borrower: str, debt: str) -> str:
    return verified(deps, borrower, "telegram")


@pytest.fixture
def plan(deps: Deps, clock: SetClock, borrower: str, chat: str) -> AgreementView:
    """Offered, and agreed to two days later."""
    offered(deps, chat)
    clock.move(timedelta(days=2))
    return agreed(deps, clock, borrower)


def agreed(deps: Deps, clock: SetClock, borrower: str) -> AgreementView:
    chat = verified(deps, borrower, "telegram")
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack), shown
    made = agreements.accept(deps, chat, shown.text_hash)
    assert isinstance(made, AgreementView), made
    clock.move(SOON)
    return made


def offered(deps: Deps, chat: str) -> Offer:
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    state = negotiation.choose(deps, chat, 1)
    assert state.chosen is not None
    return state.chosen


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def view_of(deps: Deps, borrower: str, as_of: date | None = None) -> DebtView:
    with deps.begin() as session:
        (view,) = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT), as_of).debts
    return view


def rows(deps: Deps) -> list[tuple[int, int, str]]:
    with deps.begin() as session:
        found = session.scalars(select(Instalment).order_by(Instalment.number))
        return [(row.amount_fen, row.paid_fen, row.state) for row in found]


def states(deps: Deps) -> list[str]:
    with deps.begin() as session:
        return list(session.scalars(select(Agreement.state).order_by(Agreement.version)))


def pay_on_time(deps: Deps, clock: SetClock, debt: str, plan: AgreementView, until: int | None = None) -> None:
    for part in plan.instalments[:until]:
        clock.instant = at(part.due_on)
        paid(deps, debt, part.amount_fen)


def test_the_offer_says_what_interest_it_contains_and_what_it_spares(deps: Deps, borrower: str, chat: str) -> None:
    offer = offered(deps, chat)
    owed_fen = view_of(deps, borrower).statement.balances.total_fen
    assert offer.interest_during_plan
    assert offer.plan_interest_fen > 0
    assert offer.total_fen == owed_fen - offer.waived_fen + offer.plan_interest_fen
    assert sum(part.amount_fen for part in offer.schedule) == offer.total_fen
    assert sum(offer.principal_parts_fen) == 1_200_000
    # The penalty rate is half the ordinary one, and falls on the same principal.
    assert abs(offer.interest_stopped_fen - offer.plan_interest_fen // 2) <= len(offer.schedule)


@both_ways
def test_the_text_names_the_interest_and_the_parts_of_every_instalment(deps: Deps, chat: str) -> None:
    offer = offered(deps, chat)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    assert "利息仍按原合同计收，罚息和费用停止计收" in shown.text
    assert f"还款期间的利息按日子算，是{format_yuan(offer.plan_interest_fen)}" in shown.text
    assert f"您一共还{format_yuan(offer.total_fen)}" in shown.text
    for part, principal_fen in zip(offer.schedule, offer.principal_parts_fen, strict=True):
        rest = format_yuan(part.amount_fen - principal_fen)
        line = f"{format_yuan(part.amount_fen)}（本金{format_yuan(principal_fen)}，利息等{rest}）"
        assert line in shown.text


@both_ways
def test_paid_on_its_days_the_plan_ends_at_nothing_without_a_fen_over(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    pay_on_time(deps, clock, debt, plan, -1)
    assert states(deps) == ["in_force"]
    clock.instant = at(plan.instalments[-1].due_on)
    assert view_of(deps, borrower).statement.balances.total_fen == plan.instalments[-1].amount_fen
    paid(deps, debt, plan.instalments[-1].amount_fen)
    assert states(deps) == ["completed"]
    assert view_of(deps, borrower).statement.balances == Balances()
    assert [amount_fen for amount_fen, _, _ in rows(deps)] == [part.amount_fen for part in plan.instalments]


@both_ways
def test_every_payment_settles_what_the_agreement_says_it_settles(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    before = view_of(deps, borrower).statement.balances.principal_fen
    with deps.begin() as session:
        offer = read_offer(session.scalars(select(tables.Offer).join(Agreement)).one())
    for part, principal_fen in zip(plan.instalments[:3], offer.principal_parts_fen, strict=False):
        clock.instant = at(part.due_on)
        paid(deps, debt, part.amount_fen)
        after = view_of(deps, borrower).statement.balances.principal_fen
        assert before - after == principal_fen
        before = after


def test_during_the_plan_interest_runs_and_penalty_interest_and_fees_do_not(
    deps: Deps, clock: SetClock, borrower: str, plan: AgreementView
) -> None:
    first = plan.instalments[0].due_on
    seen = [view_of(deps, borrower, first - timedelta(days=days)).statement.balances for days in (10, 0)]
    assert seen[1].interest_fen - seen[0].interest_fen == 4_800, "ten days at 14.4 % on ¥12,000.00"
    assert seen[1].penalty_fen == seen[0].penalty_fen
    assert view_of(deps, borrower).plan_interest_runs
    assert clock.now() < at(first)


def test_paying_later_costs_the_days_and_the_last_instalment_takes_them(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    clock.instant = at(plan.instalments[0].due_on + timedelta(days=5))
    paid(deps, debt, plan.instalments[0].amount_fen)
    asked = [amount_fen for amount_fen, _, _ in rows(deps)]
    agreed_to = [part.amount_fen for part in plan.instalments]
    assert asked[:-1] == agreed_to[:-1]
    assert asked[-1] > agreed_to[-1]
    for part, amount_fen in list(zip(plan.instalments, asked, strict=True))[1:]:
        clock.instant = at(part.due_on)
        paid(deps, debt, amount_fen)
    assert states(deps) == ["completed"]
    assert view_of(deps, borrower).statement.balances == Balances()


def test_paying_sooner_saves_the_days(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    paid(deps, debt, plan.instalments[0].amount_fen)
    asked = [amount_fen for amount_fen, _, _ in rows(deps)]
    assert asked[-1] < plan.instalments[-1].amount_fen
    for part, amount_fen in list(zip(plan.instalments, asked, strict=True))[1:]:
        clock.instant = at(part.due_on)
        paid(deps, debt, amount_fen)
    assert states(deps) == ["completed"]
    assert view_of(deps, borrower).statement.balances == Balances()


def test_the_plan_can_be_paid_off_early_for_what_is_quoted(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    pay_on_time(deps, clock, debt, plan, 2)
    quoted = figures.quote_payoff(deps, verified(deps, borrower))
    assert not isinstance(quoted, NotVerified)
    (view,) = quoted
    assert view.quote is not None
    assert view.planned_fen is None
    left = sum(part.amount_fen for part in plan.instalments[2:])
    assert view.quote.owed.total_fen < left, "interest of the months that do not pass is not asked for"
    clock.instant = at(view.quote.good_through)
    paid(deps, debt, view.quote.total_fen)
    assert states(deps) == ["completed"]
    assert view_of(deps, borrower).statement.balances == Balances()


def test_a_quote_paid_on_its_first_day_gives_the_rest_back_as_credit(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    pay_on_time(deps, clock, debt, plan, 1)
    quoted = figures.quote_payoff(deps, verified(deps, borrower))
    assert not isinstance(quoted, NotVerified)
    quote = quoted[0].quote
    assert quote is not None
    paid(deps, debt, quote.total_fen)
    assert states(deps) == ["completed"]
    balances = view_of(deps, borrower).statement.balances
    assert (balances.total_fen, balances.credit_fen) == (0, quote.refund_fen(quote.as_of))


def test_a_plan_that_is_broken_bears_everything_again_from_that_day_only(
    deps: Deps, clock: SetClock, borrower: str, plan: AgreementView
) -> None:
    broken_on = plan.instalments[3].due_on
    before = view_of(deps, borrower, broken_on).statement.balances
    while business_date(clock.now()) < broken_on + timedelta(days=30) and states(deps) == ["in_force"]:
        clock.instant = at(business_date(clock.now()) + timedelta(days=1))
        servicing.sweep(deps)
        reminders.sweep(deps)
    assert states(deps) == ["broken"]
    ended_on = business_date(clock.now())
    at_end = view_of(deps, borrower, ended_on).statement.balances
    later = view_of(deps, borrower, ended_on + timedelta(days=10)).statement.balances
    assert at_end.penalty_fen == before.penalty_fen
    assert later.penalty_fen > at_end.penalty_fen
    assert later.interest_fen > at_end.interest_fen


@both_ways
def test_another_plan_takes_its_place_with_the_interest_that_has_run(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    pay_on_time(deps, clock, debt, plan, 1)
    clock.move(timedelta(days=6))
    chat = verified(deps, borrower)
    owed_fen = view_of(deps, borrower).statement.balances.total_fen
    day = plan.instalments[0].due_on.day
    replanning.move_pay_day(deps, chat, 1 + day % 28)
    second = agreed(deps, clock, borrower)
    assert second.version == 2
    assert view_of(deps, borrower).statement.balances.total_fen == owed_fen
    for part in second.instalments:
        clock.instant = at(part.due_on)
        paid(deps, debt, part.amount_fen)
    assert states(deps) == ["replaced", "completed"]
    assert view_of(deps, borrower).statement.balances == Balances()


def test_a_down_payment_counts_from_its_last_day(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str
) -> None:
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.propose(deps, chat, BorrowerProposal(months=10, lump_fen=200_000))
    plan = agreed(deps, clock, borrower)
    assert plan.instalments[0].amount_fen == 200_000
    pay_on_time(deps, clock, debt, plan)
    assert states(deps) == ["completed"]
    assert view_of(deps, borrower).statement.balances == Balances()


def test_several_debts_go_to_a_person(deps: Deps, borrower: str, chat: str) -> None:
    a_debt_of(deps, borrower, Owed(300_000))
    negotiation.open_negotiation(deps, chat)
    made = negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    assert made == NoPlan(NoOfferReason.POLICY_NOT_APPLICABLE)
