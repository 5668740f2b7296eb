"""Every kind of offer at once: inside the policy, above the floor, never worse than before, equal for equal facts."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.limitation import LimitationStatus
from bot.workout.affordability import Affordability
from bot.workout.authority import grant_limits, lowest_grantor
from bot.workout.counter import BorrowerProposal, Met, Nearest, meet
from bot.workout.offers import (
    DebtPosition,
    ExpectedRecovery,
    Offer,
    OfferKind,
    OfferRequest,
    RunningContract,
    compute_offers,
)
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import Authority, DeferralTerms, RoleLimit, SettlementTerms, WaiverLimit

AS_OF = date(2026, 11, 21)
unhurried = settings(deadline=None)
"""Every plan of a grid is tried for one example: how long that takes says nothing about the rule."""

percents = st.integers(min_value=0, max_value=100).map(Decimal)
ceilings = st.fixed_dictionaries(dict.fromkeys(DelinquencyBucket, percents))


@st.composite
def authorities(draw: st.DrawFn) -> Authority:
    waivers = sorted(draw(st.lists(st.integers(0, 20_000_00), min_size=3, max_size=3)))
    shares = sorted(draw(st.lists(percents, min_size=3, max_size=3)))
    bot, agent, supervisor = zip(waivers, shares, strict=True)
    largest = 400_000_00
    return Authority(
        bot=draw(st.sampled_from([None, WaiverLimit(largest_waiver_fen=bot[0], largest_waiver_percent=bot[1])])),
        agent=RoleLimit(largest_debt_fen=largest, largest_waiver_fen=agent[0], largest_waiver_percent=agent[1]),
        supervisor=draw(
            st.sampled_from(
                [
                    None,
                    RoleLimit(
                        largest_debt_fen=largest,
                        largest_waiver_fen=supervisor[0],
                        largest_waiver_percent=supervisor[1],
                    ),
                ]
            )
        ),
    )


settlements = st.builds(
    SettlementTerms,
    buckets=st.just(tuple(DelinquencyBucket)),
    penalty_percent=percents,
    fee_percent=percents,
    interest_percent=percents,
    principal_percent=st.sampled_from([Decimal(0), Decimal(20)]),
    days_to_pay=st.integers(14, 60),
    minimum_days_past_due=st.sampled_from([0, 90]),
    max_payments=st.integers(1, 4),
)


@st.composite
def policies(draw: st.DrawFn, *, interest_runs: bool = False) -> ReliefPolicy:
    min_months = draw(st.integers(1, 6))
    max_months = draw(st.integers(min_months, 60))
    choices = draw(st.sets(st.integers(min_months, max_months), min_size=1, max_size=5))
    steps = draw(st.sets(st.integers(0, 99), max_size=2))
    valid_days = draw(st.integers(1, 14))
    return ReliefPolicy(
        code="any_relief",
        version="1",
        product_kind=ProductKind.CREDIT_CARD,
        eligible_buckets=tuple(DelinquencyBucket),
        min_months=min_months,
        max_months=max_months,
        month_choices=tuple(sorted(choices)),
        minimum_instalment_fen=draw(st.integers(0, 500_00)),
        down_payment_percent=Decimal(draw(st.sampled_from([0, 0, 0, 10]))),
        down_payment_choices_percent=draw(st.sampled_from([(), (Decimal(20),), (Decimal(20), Decimal(50))])),
        penalty_waiver_percent=draw(ceilings),
        fee_waiver_percent=draw(ceilings),
        interest_waiver_percent=draw(ceilings),
        waiver_steps_percent=(*(Decimal(step) for step in sorted(steps)), Decimal(100)),
        conditional_on_completion=not interest_runs and draw(st.booleans()),
        interest_during_plan=interest_runs,
        equal_principal=interest_runs and draw(st.booleans()),
        settlement=draw(st.none() | settlements),
        deferral=draw(
            st.none()
            | st.builds(
                DeferralTerms,
                max_months=st.integers(1, 6),
                reserve_percent=st.sampled_from([Decimal(0), Decimal(100), Decimal(300)]),
            )
        ),
        first_due_within_days=valid_days + 31,
        surplus_share_max=Decimal(draw(st.integers(1, 100))) / 100,
        protected_floor_fen_per_person=draw(st.sampled_from([0, 600_00, 2_000_00])),
        offer_valid_days=valid_days,
        bot_authority_fen=draw(st.sampled_from([400_000_00, 20_000_00])),
        authority=draw(authorities()),
        approved_by="tester",
        approved_on=date(2026, 11, 1),
    )


amounts = st.integers(0, 20_000_00)
rates = st.sampled_from([Decimal(0), Decimal("0.0435"), Decimal("0.18"), Decimal("0.36")])
contracts = st.builds(
    lambda annual, penalty, orders, due_ago: RunningContract(
        ContractTerms(ProductKind.CREDIT_CARD, annual, penalty, 360, Decimal(0), 0, *orders),
        AS_OF - timedelta(days=due_ago),
    ),
    rates,
    rates,
    st.sampled_from([(CIVIL_CODE_561, None), (CIVIL_CODE_561, PRINCIPAL_FIRST), (PRINCIPAL_FIRST, None)]),
    st.integers(0, 200),
)
debts = st.builds(
    DebtPosition,
    debt_id=st.text(alphabet="abcdef", min_size=1, max_size=3),
    product_kind=st.just(ProductKind.CREDIT_CARD),
    balances=st.builds(Balances, st.integers(0, 60_000_00), amounts, amounts, amounts),
    days_past_due=st.integers(0, 400),
    limitation=st.just(LimitationStatus.RUNNING),
    running_annual_rate=st.sampled_from([None, Decimal("0.2")]),
    contract=contracts,
)
budgets = st.builds(
    Affordability,
    st.integers(0, 20_000_00),
    st.integers(0, 5_000_00),
    st.integers(0, 2),
    st.sampled_from([0, 500_00]),
)


def requests_under(policies: st.SearchStrategy[ReliefPolicy], most_debts: int) -> st.SearchStrategy[OfferRequest]:
    return st.builds(
        OfferRequest,
        debts=st.lists(debts, min_size=1, max_size=most_debts, unique_by=lambda debt: debt.debt_id).map(tuple),
        affordability=budgets,
        policy=policies,
        as_of=st.integers(0, 800).map(lambda days: AS_OF + timedelta(days=days)),
        pay_day=st.none() | st.integers(1, 31),
        available_now_fen=st.sampled_from([0, 5_000_00, 100_000_00]),
        recovery=st.none() | st.builds(ExpectedRecovery, st.integers(1, 7), budgets),
        savings_fen=st.none() | st.integers(0, 10_000_00),
        deferrals_used=st.sampled_from([0, 0, 1]),
        kinds=st.just(frozenset(OfferKind)),
        waivable=st.just(frozenset(Component)),
        may_seek_approval=st.booleans(),
        most_shown=st.sampled_from([3, 3, 2]),
    )


# Mostly plans that stop the interest: they are quicker, and have several debts.
running = requests_under(policies(interest_runs=True), 1)
requests = st.integers(0, 3).flatmap(lambda draw: running if draw == 3 else requests_under(policies(), 3))


@st.composite
def proposals(draw: st.DrawFn) -> BorrowerProposal:
    first_on = draw(st.none() | st.integers(-5, 250).map(lambda days: AS_OF + timedelta(days=days)))
    waive = draw(st.booleans())
    if draw(st.booleans()):
        return BorrowerProposal(settle_fen=draw(st.integers(1, 100_000_00)), first_on=first_on, waive_interest=waive)
    return BorrowerProposal(
        monthly_fen=draw(st.none() | st.integers(1, 20_000_00)),
        months=draw(st.none() | st.integers(1, 100)),
        lump_fen=draw(st.none() | st.integers(1, 60_000_00)),
        first_on=first_on,
        waive_interest=waive,
    )


def spare_fen(budget: Affordability, policy: ReliefPolicy) -> int:
    """What is left of a month once everybody has the floor at least; reckoned here anew."""
    floor_fen = policy.protected_floor_fen_per_person * (1 + budget.dependants)
    return budget.monthly_income_fen - budget.other_debts_monthly_fen - max(floor_fen, budget.monthly_essential_fen)


def assert_within_policy_and_purse(offer: Offer, request: OfferRequest, in_hand_fen: int) -> None:
    policy, by_id = request.policy, {debt.debt_id: debt for debt in request.debts}
    paid = [part.amount_fen for part in offer.schedule]
    owed_fen = sum(debt.balances.total_fen for debt in request.debts)

    assert (
        sum(paid) + offer.down_payment_fen == offer.total_fen == owed_fen - offer.waived_fen + offer.plan_interest_fen
    )
    assert min(paid) > 0
    settles = offer.kind is OfferKind.SETTLEMENT
    assert offer.interest_during_plan == (policy.interest_during_plan and not settles)
    assert offer.plan_interest_fen == 0 or offer.interest_during_plan
    for share in offer.shares:
        debt = by_id[share.debt_id]
        for component in Component:
            plan_ceiling = policy.waivable_fen(component, debt.balances, debt.bucket, policy.last_step)
            settle_ceiling = policy.settleable_fen(component, debt.balances, policy.last_step)
            assert 0 <= share.waived(component) <= (settle_ceiling if settles else plan_ceiling)
    assert request.may_seek_approval or offer.needs_approval is None
    if settles and not offer.waived_fen:
        # Everything at once is no concession: it takes nobody's leave and no settlement in the policy.
        assert (offer.needs_approval, offer.total_fen) == (None, owed_fen)
        assert owed_fen <= in_hand_fen
        assert offer.schedule[0].due_on <= request.as_of + timedelta(days=max(60, policy.first_due_within_days))
        return
    grantor = lowest_grantor(grant_limits(policy, owed_fen), owed_fen, offer.waived_fen)
    assert grantor is not None
    assert grantor.role is offer.needs_approval

    recovered = request.recovery is not None and offer.deferral_months >= request.recovery.after_months
    budget = request.recovery.affordability if recovered and request.recovery else request.affordability
    capacity_fen = spare_fen(budget, policy) * policy.surplus_share_max
    if settles:
        single = len(paid) == 1 and not offer.down_payment_fen
        assert (paid[0] if single else offer.down_payment_fen) <= in_hand_fen
        assert single or max(paid) <= capacity_fen
        assert policy.settlement is not None
        assert offer.schedule[0].due_on <= request.as_of + timedelta(days=policy.settlement.days_to_pay) or not single
        return
    assert max(paid) <= capacity_fen
    assert policy.min_months <= offer.months <= policy.max_months
    assert all(amount >= policy.minimum_instalment_fen for amount in paid[:-1])
    assert offer.down_payment_fen <= in_hand_fen
    after_waivers_fen = owed_fen - offer.waived_fen
    assert offer.down_payment_fen * 100 >= after_waivers_fen * policy.down_payment_percent - 100
    assert offer.deferral_months <= (policy.deferral.max_months if policy.deferral else 0)
    assert request.as_of <= offer.expires_on < offer.schedule[0].due_on


@unhurried
@given(requests)
def test_no_offer_of_any_kind_crosses_the_policy_or_the_floor(request: OfferRequest) -> None:
    made = compute_offers(request)

    assert len(made.offers) <= request.most_shown
    for offer in made.offers:
        assert_within_policy_and_purse(offer, request, request.available_now_fen)


@unhurried
@given(requests, proposals())
def test_no_answer_of_any_kind_crosses_the_policy_or_the_floor(
    request: OfferRequest, proposal: BorrowerProposal
) -> None:
    answer = meet(proposal, request)

    if isinstance(answer, Met | Nearest):
        named_fen = max(proposal.lump_fen or 0, proposal.settle_fen or 0)
        assert_within_policy_and_purse(answer.offer, request, max(request.available_now_fen, named_fen))
    if isinstance(answer, Met):
        offer = answer.offer
        if proposal.settle_fen is not None:
            assert offer.total_fen == min(proposal.settle_fen, request.owed_fen)
        elif proposal.lump_fen is not None and proposal.lump_fen < request.owed_fen:
            assert offer.down_payment_fen == proposal.lump_fen
        if proposal.first_on is not None:
            assert offer.schedule[0].due_on == proposal.first_on
        if proposal.waive_interest and offer.kind is not OfferKind.SETTLEMENT:
            owed = sum(debt.balances.interest_fen + debt.balances.penalty_fen for debt in request.debts)
            assert offer.waived_interest_fen + offer.waived_penalty_fen == owed


def at_once_fen(offer: Offer) -> int:
    """What an offer takes from money in hand."""
    single = offer.kind is OfferKind.SETTLEMENT and not offer.down_payment_fen
    return offer.total_fen if single else offer.down_payment_fen


@unhurried
@given(requests, st.lists(st.none() | proposals(), min_size=1, max_size=4))
def test_offers_in_one_negotiation_never_get_worse(request: OfferRequest, moves: list[BorrowerProposal | None]) -> None:
    history: tuple[Offer, ...] = compute_offers(request).offers
    for move in [*moves, None]:
        now = replace(request, history=history)
        if move is None:
            made = compute_offers(now)
            # A lump that was only named, not said to be in hand, is the borrower's to name again.
            within_reach = [old for old in history if at_once_fen(old) <= request.available_now_fen]
            assert all(any(new.is_no_worse_than(old) for new in made.offers) for old in within_reach)
            history += made.offers
        elif isinstance(answer := meet(move, now), Met | Nearest):
            history += (answer.offer,)


@unhurried
@given(requests, proposals())
def test_asking_again_changes_nothing(request: OfferRequest, proposal: BorrowerProposal) -> None:
    first = meet(proposal, request)
    if isinstance(first, Met | Nearest):
        assert meet(proposal, replace(request, history=(first.offer,))) == first


@unhurried
@given(requests, proposals(), st.randoms(use_true_random=False))
def test_equal_facts_give_equal_offers_in_whatever_order(
    request: OfferRequest, proposal: BorrowerProposal, random: Random
) -> None:
    history = compute_offers(request).offers
    shuffled, shown = list(request.debts), list(history)
    random.shuffle(shuffled)
    random.shuffle(shown)
    one = replace(request, history=history)
    other = replace(request, debts=tuple(shuffled), history=tuple(shown))

    assert compute_offers(other) == compute_offers(one)
    assert meet(proposal, other) == meet(proposal, one)
