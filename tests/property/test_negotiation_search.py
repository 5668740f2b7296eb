"""The search against a brute force that shares nothing with it: loops over every plan, and compares each with each."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import product

import pytest

from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.limitation import LimitationStatus
from bot.workout.affordability import Affordability
from bot.workout.bounds import rooms
from bot.workout.offers import DebtPosition, ExpectedRecovery, OfferKind, OfferRequest, RunningContract, compute_offers
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import Authority, DeferralTerms, RoleLimit, SettlementTerms, WaiverLimit
from bot.workout.search import frontier
from bot.workout.settlement import settlements

AS_OF = date(2026, 11, 21)
Weights = tuple[int, int, int, int, int]
"""Largest monthly burden, total, months to freedom, at once, rank of the role that has to agree."""

BOT_FEN, AGENT_FEN = 400_00, 900_00


def policy(steps: tuple[int, ...], downs: tuple[int, ...], longest: int, *, runs: bool = False) -> ReliefPolicy:
    half = dict.fromkeys(DelinquencyBucket, Decimal(50))
    return ReliefPolicy(
        code="grid_relief",
        version="1",
        product_kind=ProductKind.ONLINE_LOAN,
        eligible_buckets=tuple(DelinquencyBucket),
        min_months=2,
        max_months=longest,
        month_choices=(3, 6),
        minimum_instalment_fen=100_00,
        down_payment_percent=Decimal(downs[0]),
        down_payment_choices_percent=tuple(map(Decimal, downs[1:])),
        penalty_waiver_percent=dict.fromkeys(DelinquencyBucket, Decimal(100)),
        fee_waiver_percent=half,
        interest_waiver_percent=half,
        waiver_steps_percent=tuple(map(Decimal, steps)),
        conditional_on_completion=not runs,
        interest_during_plan=runs,
        settlement=SettlementTerms(
            buckets=tuple(DelinquencyBucket),
            penalty_percent=Decimal(100),
            fee_percent=Decimal(100),
            interest_percent=Decimal(100),
            principal_percent=Decimal(5),
            days_to_pay=30,
            minimum_days_past_due=60,
            max_payments=3,
        ),
        deferral=DeferralTerms(max_months=4),
        first_due_within_days=45,
        surplus_share_max=Decimal("0.8"),
        protected_floor_fen_per_person=700_00,
        offer_valid_days=7,
        bot_authority_fen=50_000_00,
        authority=Authority(
            bot=WaiverLimit(largest_waiver_fen=BOT_FEN, largest_waiver_percent=Decimal(100)),
            agent=RoleLimit(
                largest_debt_fen=50_000_00, largest_waiver_fen=AGENT_FEN, largest_waiver_percent=Decimal(100)
            ),
        ),
        approved_by="tester",
        approved_on=date(2026, 11, 1),
    )


def request(
    principal_fen: int, income_fen: int, later_income_fen: int | None, in_hand_fen: int, rules: ReliefPolicy
) -> OfferRequest:
    balances = Balances(principal_fen, interest_fen=700_00, penalty_fen=300_00, fee_fen=101)
    terms = ContractTerms(ProductKind.ONLINE_LOAN, Decimal("0.18"), Decimal("0.09"), 360, Decimal(0), 0, CIVIL_CODE_561)
    contract = RunningContract(terms, AS_OF - timedelta(days=100))
    debt = DebtPosition("loan", ProductKind.ONLINE_LOAN, balances, 100, LimitationStatus.RUNNING, contract=contract)
    later = None if later_income_fen is None else ExpectedRecovery(3, Affordability(later_income_fen, 500_00))
    return OfferRequest(
        debts=(debt,),
        affordability=Affordability(income_fen, 500_00),
        policy=rules,
        as_of=AS_OF,
        pay_day=15,
        available_now_fen=in_hand_fen,
        recovery=later,
        kinds=frozenset(OfferKind),
        waivable=frozenset(Component),
        may_seek_approval=True,
    )


def down(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_FLOOR))


def capacities(asked: OfferRequest) -> list[int]:
    """The most one instalment may be after 0, 1, 2, … months; spending is below the floor, so the floor counts."""
    now = down((asked.affordability.monthly_income_fen - 700_00) * Decimal("0.8"))
    later = down((asked.recovery.affordability.monthly_income_fen - 700_00) * Decimal("0.8")) if asked.recovery else now
    return [max(0, later if months >= 3 else now) for months in range(5)]


def extents(ceilings: list[int], steps: tuple[int, ...]) -> list[tuple[int, int]]:
    """Every waiver in fen with the rank of the role that may grant it: each step alone and cut to each authority."""
    found = set()
    for step in steps:
        whole = sum(down(Decimal(ceiling) * step / 100) for ceiling in ceilings)
        for limit in (BOT_FEN, AGENT_FEN, whole):
            waived = min(whole, limit)
            found.add((waived, 0 if waived <= BOT_FEN else 1 if waived <= AGENT_FEN else 2))
    return sorted(found)


def with_interest(principal_fen: int, charges_fen: int, at_once: int, wait: int, months: int) -> tuple[int, int] | None:
    """The equal instalment and the last one at 18 % on actual days, found by trying; charges are settled first."""
    first = AS_OF + timedelta(days=7)
    days = [date(2026 + (11 + wait + n) // 12, (11 + wait + n) % 12 + 1, 15) for n in range(months)]

    def last_at(amount: int) -> int:
        principal, charges, since = principal_fen, charges_fen, AS_OF
        paid = [(first, at_once)] if at_once else []
        for day, fen in [*paid, *((day, amount) for day in days[:-1]), (days[-1], 0)]:
            charges += (principal * (day - since).days * 18 * 2 + 36_000) // 72_000
            principal, charges = principal - max(0, fen - charges), max(0, charges - fen)
            since = day
        return principal + charges

    low, high = 0, 2 * (principal_fen + charges_fen)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if last_at(middle) > middle else (low, middle)
    return (high, last_at(high)) if last_at(high) > 0 else None


def every_plan(asked: OfferRequest, steps: tuple[int, ...], downs: tuple[int, ...]) -> set[Weights]:
    owed_fen, in_hand_fen = asked.debts[0].balances.total_fen, asked.available_now_fen
    plans: set[Weights] = set()
    # Where interest runs, waiting longer than helps may lift an instalment over the minimum: that is no relief.
    deferrals = asked.deferral_choices if asked.policy.interest_during_plan else range(5)
    for (waived, rank), deferral, percent, months in product(
        extents([300_00, 50, 350_00], steps), deferrals, downs, range(2, asked.policy.max_months + 1)
    ):
        total = owed_fen - waived
        at_once = int((total * Decimal(percent) / 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR))
        if asked.policy.interest_during_plan:
            principal_fen = asked.debts[0].balances.principal_fen
            found = with_interest(principal_fen, 1_001_01 - waived, at_once, deferral, months)
            if at_once <= in_hand_fen and found and 100_00 <= found[0] <= capacities(asked)[deferral]:
                in_all = at_once + found[0] * (months - 1) + found[1]
                plans.add((found[0], in_all, deferral + months, at_once, rank))
            continue
        each, rest = divmod(total - at_once, months)
        if at_once <= in_hand_fen and each >= 100_00 and each + rest <= capacities(asked)[deferral]:
            plans.add((each + rest, total, deferral + months, at_once, rank))
    principal_fen = asked.debts[0].balances.principal_fen
    for (waived, rank), count in product(
        extents([300_00, 101, 700_00, down(Decimal(principal_fen) * 5 / 100)], steps), range(1, 4)
    ):
        each, rest = divmod(owed_fen - waived, count)
        burden = each if count > 1 else 0
        if each + rest <= in_hand_fen and burden <= capacities(asked)[0]:
            plans.add((burden, owed_fen - waived, max(1, count - 1), each + rest, rank))
    return plans


def unbeaten(plans: set[Weights]) -> set[Weights]:
    """Those that no other one beats; in rising order only an earlier one can, and one that is itself unbeaten."""
    kept: list[Weights] = []
    for plan in sorted(plans):
        if not any(all(a <= b for a, b in zip(other, plan, strict=True)) for other in kept):
            kept.append(plan)
    return set(kept)


GRID = [
    (principal, income, later, in_hand, steps, downs, longest)
    for principal in (500_00, 3_000_00, 9_999_99)
    for income in (600_00, 1_000_00, 2_500_00)
    for later in (None, 1_800_00, 6_000_00)
    for in_hand in (0, 1_500_00, 20_000_00)
    for steps, downs, longest in (((100,), (0,), 12), ((40, 100), (0, 10, 50), 24))
]
RUNNING = [point for point in GRID if point[2] != 6_000_00 and point[3] != 1_500_00]


def assert_nothing_is_missed(asked: OfferRequest, steps: tuple[int, ...], downs: tuple[int, ...]) -> None:
    fitting = rooms(asked, len(steps))
    options = settlements(asked, len(steps))

    found = {plan.weights for plan in frontier(fitting if isinstance(fitting, tuple) else (), options)}

    assert found == unbeaten(every_plan(asked, steps, downs))


def assert_nothing_shown_is_beaten(asked: OfferRequest, steps: tuple[int, ...], downs: tuple[int, ...]) -> None:
    made = compute_offers(asked)
    again = compute_offers(replace(asked, history=made.offers))
    plans = every_plan(asked, steps, downs)
    shown = {
        (
            0 if single else offer.largest_instalment_fen,
            offer.total_fen,
            offer.months_to_freedom,
            offer.total_fen if single else offer.down_payment_fen,
            offer.approval_rank,
        )
        for offer in (again if len(steps) > 1 else made).offers
        if offer.round == len(steps)
        for single in [offer.kind is OfferKind.SETTLEMENT and not offer.down_payment_fen]
    }

    assert bool(made.offers) >= bool(plans)
    assert shown & plans <= unbeaten(plans)


@pytest.mark.parametrize("place", range(0, len(GRID), 9))
def test_the_search_finds_exactly_the_plans_that_nothing_beats(place: int) -> None:
    for principal, income, later, in_hand, steps, downs, longest in GRID[place : place + 9]:
        asked = request(principal, income, later, in_hand, policy(steps, downs, longest))
        assert_nothing_is_missed(asked, steps, downs)


@pytest.mark.parametrize("place", range(0, len(GRID), 9))
def test_no_offer_shown_is_beaten_and_none_is_missing_where_a_plan_fits(place: int) -> None:
    for principal, income, later, in_hand, steps, downs, longest in GRID[place : place + 9]:
        asked = request(principal, income, later, in_hand, policy(steps, downs, longest))
        assert_nothing_shown_is_beaten(asked, steps, downs)


@pytest.mark.parametrize("place", range(len(RUNNING)))
def test_both_hold_where_interest_runs_during_the_plan(place: int) -> None:
    principal, income, later, in_hand, steps, downs, longest = RUNNING[place]
    asked = request(principal, income, later, in_hand, policy(steps, downs, longest // 2, runs=True))
    assert_nothing_is_missed(asked, steps, downs)
    assert_nothing_shown_is_beaten(asked, steps, downs)
