"""What holds for every offer: inside the policy, inside the purse, never worse than before."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.lending.balances import Balances
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.limitation import LimitationStatus
from bot.workout.affordability import Affordability
from bot.workout.agreement import AgreedDebt, AgreementTerms, render, text_hash
from bot.workout.counter import BorrowerProposal, Met, Nearest, meet
from bot.workout.offers import DebtPosition, Offer, OfferRequest, compute_offers
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import Authority, WaiverLimit

AS_OF = date(2026, 11, 21)

unhurried = settings(deadline=None)
"""Sixty plan lengths are tried for one example: how long that takes says nothing about the rule."""

percents = st.integers(min_value=0, max_value=100).map(Decimal)


@st.composite
def policies(draw: st.DrawFn) -> ReliefPolicy:
    min_months = draw(st.integers(min_value=1, max_value=12))
    max_months = draw(st.integers(min_value=min_months, max_value=60))
    choices = draw(st.sets(st.integers(min_value=min_months, max_value=max_months), min_size=1, max_size=6))
    steps = draw(st.sets(st.integers(min_value=0, max_value=99), max_size=2))
    valid_days = draw(st.integers(min_value=1, max_value=14))
    ceilings = st.fixed_dictionaries(dict.fromkeys(DelinquencyBucket, percents))
    return ReliefPolicy(
        code="any_relief",
        version="1",
        product_kind=ProductKind.CREDIT_CARD,
        eligible_buckets=tuple(DelinquencyBucket),
        min_months=min_months,
        max_months=max_months,
        month_choices=tuple(sorted(choices)),
        minimum_instalment_fen=draw(st.integers(min_value=0, max_value=500_00)),
        down_payment_percent=Decimal(draw(st.sampled_from([0, 0, 0, 10, 30]))),
        penalty_waiver_percent=draw(ceilings),
        fee_waiver_percent=draw(ceilings),
        waiver_steps_percent=(*(Decimal(step) for step in sorted(steps)), Decimal(100)),
        conditional_on_completion=draw(st.booleans()),
        interest_during_plan=False,
        first_due_within_days=valid_days + 31,
        surplus_share_max=Decimal(draw(st.integers(min_value=1, max_value=100))) / 100,
        offer_valid_days=valid_days,
        bot_authority_fen=300_000_00,
        authority=Authority(bot=WaiverLimit(largest_waiver_fen=300_000_00, largest_waiver_percent=Decimal(100))),
        approved_by="tester",
        approved_on=date(2026, 11, 1),
    )


amounts = st.integers(min_value=0, max_value=30_000_00)
debts = st.builds(
    DebtPosition,
    debt_id=st.text(alphabet="abcdef", min_size=1, max_size=3),
    product_kind=st.just(ProductKind.CREDIT_CARD),
    balances=st.builds(Balances, st.integers(min_value=0, max_value=100_000_00), amounts, amounts, amounts),
    days_past_due=st.integers(min_value=0, max_value=400),
    limitation=st.just(LimitationStatus.RUNNING),
)
requests = st.builds(
    OfferRequest,
    debts=st.lists(debts, min_size=1, max_size=3, unique_by=lambda debt: debt.debt_id).map(tuple),
    affordability=st.builds(
        Affordability,
        st.integers(min_value=4_000_00, max_value=30_000_00),
        st.integers(min_value=1_000_00, max_value=5_000_00),
    ),
    policy=policies(),
    as_of=st.integers(min_value=0, max_value=800).map(lambda days: AS_OF + timedelta(days=days)),
    pay_day=st.none() | st.integers(min_value=1, max_value=31),
    available_now_fen=st.sampled_from([200_000_00, 0]),
)
proposals = st.builds(
    BorrowerProposal,
    monthly_fen=st.none() | st.integers(min_value=1, max_value=20_000_00),
    months=st.none() | st.integers(min_value=1, max_value=100),
)


def assert_within_policy_and_purse(offer: Offer, request: OfferRequest) -> None:
    policy, by_id = request.policy, {debt.debt_id: debt for debt in request.debts}
    paid = [instalment.amount_fen for instalment in offer.schedule]
    owed_fen = sum(debt.balances.total_fen for debt in request.debts)

    assert sum(paid) + offer.down_payment_fen == offer.total_fen
    assert offer.total_fen + offer.waived_penalty_fen + offer.waived_fee_fen == owed_fen
    assert policy.min_months <= offer.months == len(paid) <= policy.max_months
    assert all(0 < amount <= request.affordability.surplus_fen * policy.surplus_share_max for amount in paid)
    assert all(amount >= policy.minimum_instalment_fen for amount in paid[:-1])
    assert offer.down_payment_fen <= request.available_now_fen
    for share in offer.shares:
        debt = by_id[share.debt_id]
        penalty_ceiling = debt.balances.penalty_fen * policy.penalty_waiver_percent[debt.bucket] / 100
        fee_ceiling = debt.balances.fee_fen * policy.fee_waiver_percent[debt.bucket] / 100
        assert 0 <= share.waived_penalty_fen <= penalty_ceiling
        assert 0 <= share.waived_fee_fen <= fee_ceiling
        assert share.owed_fen == debt.balances.total_fen
    first_due_on = offer.schedule[0].due_on
    assert request.as_of <= offer.expires_on < first_due_on
    assert first_due_on <= request.as_of + timedelta(days=policy.first_due_within_days)


@unhurried
@given(requests)
def test_every_offer_is_within_policy_and_affordability(request: OfferRequest) -> None:
    made = compute_offers(request)

    for offer in made.offers:
        assert_within_policy_and_purse(offer, request)
    assert [offer.rank for offer in made.offers] == list(range(1, len(made.offers) + 1))
    assert len({offer.offer_id for offer in made.offers}) == len(made.offers)
    assert len({offer.months for offer in made.offers}) == len(made.offers)


@unhurried
@given(requests)
def test_two_plans_are_offered_wherever_two_lengths_are_possible(request: OfferRequest) -> None:
    made = compute_offers(request)

    lengths = range(request.policy.min_months, request.policy.max_months + 1)
    met = (months for months in lengths if isinstance(meet(BorrowerProposal(months=months), request), Met))
    assert len(made.offers) >= len(list(islice(met, 2)))


@unhurried
@given(requests, st.integers(min_value=1, max_value=4))
def test_each_later_set_is_never_worse(request: OfferRequest, rounds: int) -> None:
    history: tuple[Offer, ...] = ()
    for _ in range(rounds):
        made = compute_offers(replace(request, history=history))
        assert all(any(new.is_no_worse_than(old) for new in made.offers) for old in history)
        assert [replace(o, rank=1) for o in made.offers] or not history
        history += made.offers


@unhurried
@given(requests, st.lists(proposals, min_size=1, max_size=3))
def test_sets_after_counter_offers_are_never_worse_either(request: OfferRequest, asked: list[BorrowerProposal]) -> None:
    history = compute_offers(request).offers
    for proposal in asked:
        answer = meet(proposal, replace(request, history=history))
        if isinstance(answer, Met | Nearest):
            history += (answer.offer,)
    made = compute_offers(replace(request, history=history))

    assert all(any(new.is_no_worse_than(old) for new in made.offers) for old in history)
    for offer in made.offers:
        assert_within_policy_and_purse(offer, request)


@unhurried
@given(requests)
def test_nothing_better_follows_a_final_set(request: OfferRequest) -> None:
    made = compute_offers(request)
    if made.is_final:
        following = compute_offers(replace(request, history=made.offers))
        assert {offer.total_fen for offer in following.offers} == {offer.total_fen for offer in made.offers}
        assert max(offer.months for offer in following.offers) == max(offer.months for offer in made.offers)


@unhurried
@given(requests, st.randoms(use_true_random=False))
def test_equal_facts_give_equal_offers(request: OfferRequest, random: Random) -> None:
    shuffled = list(request.debts)
    random.shuffle(shuffled)

    assert compute_offers(replace(request, debts=tuple(shuffled))) == compute_offers(request)


@unhurried
@given(requests, proposals, st.none() | st.integers(min_value=-10, max_value=90))
def test_every_answer_to_a_proposal_is_within_policy_and_affordability(
    request: OfferRequest, proposal: BorrowerProposal, first_in_days: int | None
) -> None:
    first_on = None if first_in_days is None else request.as_of + timedelta(days=first_in_days)
    answer = meet(replace(proposal, first_on=first_on), request)

    if isinstance(answer, Met | Nearest):
        assert_within_policy_and_purse(answer.offer, request)
    if isinstance(answer, Met):
        amounts_fen = [instalment.amount_fen for instalment in answer.offer.schedule]
        assert first_on in (None, answer.offer.schedule[0].due_on)
        if proposal.months is not None:
            assert len(amounts_fen) == proposal.months
        elif proposal.monthly_fen is not None and len(amounts_fen) > 1:
            assert set(amounts_fen[:-1]) == {proposal.monthly_fen}


@unhurried
@given(requests)
def test_whatever_has_been_offered_can_be_asked_for(request: OfferRequest) -> None:
    for offer in compute_offers(request).offers:
        if offer.schedule[0].amount_fen <= offer.schedule[-1].amount_fen:
            answer = meet(BorrowerProposal(months=offer.months), request)
            assert isinstance(answer, Met)
            assert answer.offer.offer_id == offer.offer_id


@unhurried
@given(requests)
def test_an_accepted_offer_reads_the_same_every_time(request: OfferRequest) -> None:
    template = (
        "*debts:${label} ${debt_owed}\n*instalments:${number} ${due_year}-${due_month}-${due_day} ${amount}\n${total}"
    )
    by_id = {debt.debt_id: debt.balances for debt in request.debts}
    for offer in compute_offers(request).offers:
        terms = AgreementTerms(
            product_kind=ProductKind.CREDIT_CARD,
            lender_name="lender",
            offer_id=offer.offer_id,
            policy_code=offer.policy_code,
            policy_version=offer.policy_version,
            as_of=offer.as_of,
            expires_on=offer.expires_on,
            currency="CNY",
            debts=tuple(
                AgreedDebt(
                    share.debt_id,
                    by_id[share.debt_id].principal_fen,
                    by_id[share.debt_id].interest_fen,
                    by_id[share.debt_id].penalty_fen,
                    by_id[share.debt_id].fee_fen,
                    share.waived_penalty_fen,
                    share.waived_fee_fen,
                )
                for share in offer.shares
            ),
            waiver_on_completion=offer.conditional_on_completion,
            down_payment_fen=offer.down_payment_fen,
            down_payment_due_on=offer.expires_on if offer.down_payment_fen else None,
            instalments=offer.schedule,
            interest_during_plan=offer.interest_during_plan,
            no_new_cards_promise=True,
            missed_payment_grace_days=7,
            payment_channel="official app",
            contact_line="service line",
        )
        text = render(terms, template)
        assert len(text.splitlines()) == len(offer.shares) + offer.months + 1
        assert text_hash(text) == text_hash(render(replace(terms), template))
