"""Whatever payments arrive in whatever order: nothing is lost, nothing gets worse, and a plan stops interest."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from lending_strategies import BOOKED_AT, END, START, days, due_days, fen, ledgers, terms_with_rates

from bot.lending.accrual import accrue
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, replay
from bot.lending.schedule import ScheduledInstalment, scheduled
from bot.lending.unbooked import entries_until
from bot.workout.interest_stop import InterestStop, accrual_corrections, entries_with_stops
from bot.workout.promise import PaymentMade
from bot.workout.servicing import BreachRule, InstalmentState, PlanHealth, serviced

ORDER = list(InstalmentState)
amounts = st.integers(min_value=1, max_value=500_000)
schedules = st.tuples(st.lists(amounts, min_size=1, max_size=8), st.integers(min_value=1, max_value=31)).map(
    lambda drawn: scheduled(drawn[0], [START + timedelta(days=drawn[1] * (n + 1)) for n in range(len(drawn[0]))])
)
plan_days = st.integers(min_value=-10, max_value=300).map(lambda ahead: START + timedelta(days=ahead))
payments = st.lists(st.builds(PaymentMade, plan_days, amounts), max_size=8)
rules = st.builds(BreachRule, st.integers(min_value=0, max_value=30), st.integers(min_value=1, max_value=4))


@given(schedules, payments, plan_days, rules)
def test_settled_and_open_are_the_schedule_and_the_rest_of_the_money_is_credit(
    schedule: tuple[ScheduledInstalment, ...], paid: list[PaymentMade], today: date, rule: BreachRule
) -> None:
    plan = serviced(schedule, paid, today, rule)
    total_fen = sum(part.amount_fen for part in schedule)
    received_fen = sum(payment.amount_fen for payment in paid if payment.effective_on <= today)
    assert plan.paid_fen + plan.open_fen == total_fen
    assert plan.paid_fen + plan.credit_fen == received_fen
    assert plan.paid_fen == min(received_fen, total_fen)
    assert all(0 <= part.paid_fen <= part.amount_fen for part in plan.instalments)
    assert all((part.open_fen == 0) == part.state.is_settled for part in plan.instalments)
    assert (plan.health is PlanHealth.COMPLETED) == (plan.open_fen == 0) == (plan.completed_on is not None)


@given(schedules, payments, plan_days, rules)
def test_nothing_later_is_settled_before_anything_earlier(
    schedule: tuple[ScheduledInstalment, ...], paid: list[PaymentMade], today: date, rule: BreachRule
) -> None:
    parts = serviced(schedule, paid, today, rule).instalments
    for earlier, later in pairwise(parts):
        assert later.paid_fen == 0 or earlier.open_fen == 0
        if later.settled_on is not None:
            assert earlier.settled_on is not None
            assert earlier.settled_on <= later.settled_on


@given(schedules, payments.flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))), plan_days, rules)
def test_the_order_of_arrival_is_irrelevant(
    schedule: tuple[ScheduledInstalment, ...],
    arrivals: tuple[list[PaymentMade], list[PaymentMade]],
    today: date,
    rule: BreachRule,
) -> None:
    first, second = arrivals
    assert serviced(schedule, first, today, rule) == serviced(schedule, second, today, rule)


@given(schedules, payments, st.builds(PaymentMade, plan_days, amounts), plan_days, rules)
def test_one_more_payment_never_makes_anything_worse(
    schedule: tuple[ScheduledInstalment, ...],
    paid: list[PaymentMade],
    more: PaymentMade,
    today: date,
    rule: BreachRule,
) -> None:
    before, after = serviced(schedule, paid, today, rule), serviced(schedule, [*paid, more], today, rule)
    for was, now in zip(before.instalments, after.instalments, strict=True):
        assert ORDER.index(now.state) <= ORDER.index(was.state)
        assert now.paid_fen >= was.paid_fen
    healths = [PlanHealth.COMPLETED, PlanHealth.ON_TRACK, PlanHealth.BEHIND, PlanHealth.BROKEN]
    assert healths.index(after.health) <= healths.index(before.health)


@given(terms_with_rates, ledgers(), due_days, st.lists(days, max_size=4), days)
def test_without_stops_the_days_look_as_they_always_did(
    terms: ContractTerms, ledger: list[Entry], due_on: date, cuts: list[date], until: date
) -> None:
    booked = [*ledger, *accrue(terms, ledger, START, END, due_on, cuts=cuts)]
    assert set(entries_with_stops(terms, booked, due_on, until)) == set(entries_until(terms, booked, due_on, until))


@given(terms_with_rates, ledgers(), due_days, st.lists(days, max_size=4), days, days)
def test_a_stop_for_good_is_the_ledger_counted_up_to_its_first_day(
    terms: ContractTerms, ledger: list[Entry], due_on: date, cuts: list[date], stopped_on: date, until: date
) -> None:
    booked = [*ledger, *accrue(terms, ledger, START, END, due_on, cuts=cuts)]
    counted = entries_with_stops(terms, booked, due_on, until, [InterestStop(stopped_on)])
    assert set(counted) == set(entries_until(terms, booked, due_on, min(until, stopped_on)))


@given(terms_with_rates, fen, due_days, st.lists(days, min_size=2, max_size=4, unique=True), st.booleans())
def test_no_day_inside_a_stop_bears_anything_and_every_day_outside_does(
    terms: ContractTerms, principal_fen: int, due_on: date, drawn: list[date], is_booked: bool
) -> None:
    from_on, until_on = sorted(drawn)[:2]
    lent = Entry("drawdown", EntryKind.DRAWDOWN, principal_fen, START, BOOKED_AT, "test")
    booked = [lent, *(accrue(terms, [lent], START, END, due_on, cuts=drawn) if is_booked else ())]
    counted = entries_with_stops(terms, booked, due_on, END, [InterestStop(from_on, until_on)])
    before = accrue(terms, [lent], START, from_on, due_on)
    after = accrue(terms, [lent, *before], until_on, END, due_on)
    apart = abs(owed_in_all(terms, counted, due_on) - owed_in_all(terms, [lent, *before, *after], due_on))
    # Months that were booked in parts are rounded in parts: at most a fen for each part and kind.
    assert apart <= 2 * len(drawn)
    charged = [entry for entry in counted if entry.kind in (EntryKind.INTEREST, EntryKind.PENALTY_INTEREST)]
    assert not [entry for entry in charged if from_on < entry.effective_on <= until_on]


@given(terms_with_rates, fen, due_days, st.lists(st.tuples(fen, days), min_size=1, max_size=3), days)
def test_a_late_arrival_is_set_right_once_and_only_outside_the_stop(
    terms: ContractTerms, principal_fen: int, due_on: date, arriving: Sequence[tuple[int, date]], stopped_on: date
) -> None:
    lent = Entry("drawdown", EntryKind.DRAWDOWN, principal_fen, START, BOOKED_AT, "test")
    cuts = [stopped_on]
    booked: list[Entry] = [lent, *accrue(terms, [lent], START, END, due_on, cuts=cuts)]
    stops = [InterestStop(stopped_on)]
    paid = [
        Entry(f"paid-{n}", EntryKind.PAYMENT, amount_fen, day, BOOKED_AT, "test")
        for n, (amount_fen, day) in enumerate(arriving)
    ]
    booked += paid
    booked += accrual_corrections(terms, booked, due_on, END, stops, BOOKED_AT)
    assert accrual_corrections(terms, booked, due_on, END, stops, BOOKED_AT) == ()
    expected = [lent, *paid]
    expected += accrue(terms, [e for e in expected if e.effective_on <= stopped_on], START, stopped_on, due_on)
    assert owed_in_all(terms, entries_with_stops(terms, booked, due_on, END, stops), due_on) == owed_in_all(
        terms, expected, due_on
    )


def owed_in_all(terms: ContractTerms, entries: Sequence[Entry], due_on: date) -> int:
    balances = replay(entries, terms.order_for(due_on), END)
    return balances.total_fen - balances.credit_fen
