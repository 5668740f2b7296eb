"""However late payments arrive, in whatever order, the ledger ends as if each had come on its day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from lending_strategies import BOOKED_AT, END, START, days, due_days, fen, ledgers, terms_with_rates

from bot.lending.accrual import accrue, reaccrue
from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST
from bot.lending.contract import ContractTerms
from bot.lending.late_fee import MinimumPayment, charge_late_fees
from bot.lending.ledger import Entry, EntryKind, replay
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until

payments = st.lists(st.tuples(fen, days), min_size=1, max_size=5).map(
    lambda drawn: [
        Entry(f"paid-{number}", EntryKind.PAYMENT, amount_fen, on, BOOKED_AT, "test")
        for number, (amount_fen, on) in enumerate(drawn)
    ]
)
booking_days = st.lists(days, max_size=4)


def in_order(
    terms: ContractTerms, ledger: Sequence[Entry], paid: Sequence[Entry], due_on: date, cuts: Sequence[date]
) -> list[Entry]:
    """The ledger if everything had been there before interest was counted."""
    complete = [*ledger, *paid]
    return [*complete, *accrue(terms, complete, START, END, due_on, cuts=cuts)]


@given(terms_with_rates, ledgers(), payments, due_days, booking_days, days, st.booleans())
def test_late_payments_in_any_order_end_as_if_in_order(
    terms: ContractTerms,
    ledger: list[Entry],
    arriving: list[Entry],
    due_on: date,
    cuts: list[date],
    looked_at: date,
    one_by_one: bool,
) -> None:
    corrected = in_order(terms, ledger, [], due_on, cuts)
    for late in arriving:
        corrected.append(late)
        if one_by_one:
            corrected += reaccrue(terms, corrected, START, END, due_on, BOOKED_AT, cuts)
    corrected += reaccrue(terms, corrected, START, END, due_on, BOOKED_AT, cuts)

    expected = in_order(terms, ledger, arriving, due_on, cuts)
    order = terms.order_for(due_on)
    assert replay(corrected, order, END) == replay(expected, order, END)
    assert replay(corrected, order, looked_at) == replay(expected, order, looked_at)
    assert reaccrue(terms, corrected, START, END, due_on, BOOKED_AT, cuts) == ()


@given(terms_with_rates, fen, payments, st.integers(min_value=0, max_value=25))
def test_across_the_91st_day_and_the_order_that_changes_there(
    terms: ContractTerms, lent_fen: int, arriving: list[Entry], due_after: int
) -> None:
    terms = replace(terms, allocation=CIVIL_CODE_561, allocation_after_90_days=PRINCIPAL_FIRST)
    due_on = START + timedelta(days=due_after)
    switch_on = due_on + timedelta(days=91)
    around = [replace(paid, effective_on=switch_on + timedelta(days=n - 1)) for n, paid in enumerate(arriving)]
    ledger = [Entry("lent", EntryKind.DRAWDOWN, lent_fen, START, BOOKED_AT, "test")]

    corrected = in_order(terms, ledger, [], due_on, [])
    for late in reversed(around):
        corrected.append(late)
        corrected += reaccrue(terms, corrected, START, END, due_on, BOOKED_AT)

    order = terms.order_for(due_on)
    assert replay(corrected, order, END) == replay(in_order(terms, ledger, around, due_on, []), order, END)


@given(terms_with_rates, ledgers(), payments, due_days, fen, days)
def test_late_fees_follow_late_payments_as_well(
    terms: ContractTerms, ledger: list[Entry], arriving: list[Entry], due_on: date, minimum_fen: int, minimum_due: date
) -> None:
    minimums = [MinimumPayment(minimum_due - timedelta(days=20), minimum_due, minimum_fen)]

    def right(entries: list[Entry]) -> list[Entry]:
        with_fees = [*entries, *charge_late_fees(terms, entries, minimums, END, BOOKED_AT)]
        return [*with_fees, *reaccrue(terms, with_fees, START, END, due_on, BOOKED_AT)]

    one_by_one = right(list(ledger))
    for late in arriving:
        one_by_one = right([*one_by_one, late])

    order = terms.order_for(due_on)
    assert replay(one_by_one, order, END) == replay(right([*ledger, *arriving]), order, END)
    assert charge_late_fees(terms, one_by_one, minimums, END, BOOKED_AT) == ()


@given(terms_with_rates, fen, payments, due_days, days, st.data())
def test_a_day_before_a_payment_bounces_looks_as_it_did(
    terms: ContractTerms, lent_fen: int, paid: list[Entry], due_on: date, seen_on: date, data: st.DataObject
) -> None:
    bounced = data.draw(st.sampled_from(paid))
    on = max(seen_on, bounced.effective_on) + timedelta(days=1)
    bounce = Entry("bounce", EntryKind.REVERSAL, bounced.amount_fen, on, BOOKED_AT, "bank", reverses=bounced.key)
    ledger = [Entry("lent", EntryKind.DRAWDOWN, lent_fen, START, BOOKED_AT, "test"), *paid]

    def seen(entries: list[Entry]) -> object:
        return statement(terms, entries_until(terms, entries, due_on, seen_on), due_on, seen_on)

    assert seen([*ledger, bounce]) == seen(ledger)
