"""What holds for every ledger, payment and schedule."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from lending_strategies import (
    BOOKED_AT,
    END,
    START,
    balances,
    dated_orders,
    days,
    fen,
    ledgers,
    orders,
    terms_with_rates,
)

from bot.lending.accrual import accrual_spans, accrue, reaccrue
from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST, AllocationOrder, DatedOrder, allocate
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, balances_of, postings, replay
from bot.lending.money import format_yuan, round_to_fen, split_evenly
from bot.lending.statement import statement


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_written_yuan_keep_every_fen(amount: int) -> None:
    assert int(format_yuan(amount).replace("¥", "").replace(",", "").replace(".", "")) == amount


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_rounding_moves_at_most_half_a_fen(exact: Decimal) -> None:
    assert abs(round_to_fen(exact) - exact) <= Decimal("0.5")


@given(st.integers(min_value=0, max_value=10**10), st.integers(min_value=1, max_value=400))
def test_parts_sum_to_the_total_and_only_the_last_differs(total: int, parts: int) -> None:
    made = split_evenly(total, parts)

    assert (sum(made), len(made)) == (total, parts)
    assert set(made[:-1]) <= {total // parts}
    assert made[-1] >= total // parts


@given(st.integers(min_value=0, max_value=50_000_000), balances, orders)
def test_parts_sum_to_the_payment_and_follow_the_order(
    payment_fen: int, owed: Balances, order: AllocationOrder
) -> None:
    made = allocate(payment_fen, owed, order)

    assert sum(part.amount_fen for part in made.parts) + made.left_over_fen == payment_fen
    assert all(0 < part.amount_fen <= owed.of(part.component) for part in made.parts)
    # A later component gets something only when every earlier one is settled in full.
    if made.parts:
        reached = order.components.index(made.parts[-1].component)
        assert all(made.of(earlier) == owed.of(earlier) for earlier in order.components[:reached])
    assert made.left_over_fen == max(0, payment_fen - owed.total_fen)


@given(ledgers(), dated_orders, days)
def test_postings_add_up_to_the_balances_which_never_show_debt_and_credit(
    ledger: list[Entry], order: DatedOrder, as_of: date
) -> None:
    made = postings(ledger, order, as_of)

    owed = balances_of(made)
    assert owed == replay(ledger, order, as_of)
    assert owed.credit_fen == 0 or owed.total_fen == 0


@given(ledgers(), dated_orders)
def test_money_is_conserved(ledger: list[Entry], order: DatedOrder) -> None:
    undone = {entry.reverses for entry in ledger if entry.reverses}
    standing = [entry for entry in ledger if entry.reverses is None and entry.key not in undone]
    paid = sum(entry.amount_fen for entry in standing if entry.kind is EntryKind.PAYMENT)
    charged = sum(e.amount_fen for e in standing if e.kind not in (EntryKind.PAYMENT, EntryKind.WAIVER))
    waived = -sum(posting.amount_fen for posting in postings(ledger, order, END) if posting.kind is EntryKind.WAIVER)

    owed = replay(ledger, order, END)
    assert owed.total_fen - owed.credit_fen == charged - paid - waived
    assert 0 <= waived <= sum(entry.amount_fen for entry in standing if entry.kind is EntryKind.WAIVER)


@given(ledgers(), dated_orders, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(ledger: list[Entry], order: DatedOrder, random: Random) -> None:
    shuffled = list(ledger)
    random.shuffle(shuffled)

    assert postings(shuffled, order, END) == postings(ledger, order, END)


@given(ledgers(), dated_orders, fen, days)
def test_a_payment_booked_late_gives_the_balances_of_one_booked_in_time(
    ledger: list[Entry], order: DatedOrder, amount_fen: int, effective_on: date
) -> None:
    in_time = Entry("paid", EntryKind.PAYMENT, amount_fen, effective_on, BOOKED_AT - timedelta(days=30), "test")
    late = replace(in_time, booked_at=BOOKED_AT + timedelta(days=30))

    assert replay([*ledger, late], order, END) == replay([*ledger, in_time], order, END)


@given(ledgers(), dated_orders, fen, days)
def test_reversing_a_payment_gives_the_balances_without_it(
    ledger: list[Entry], order: DatedOrder, amount_fen: int, effective_on: date
) -> None:
    paid = Entry("paid", EntryKind.PAYMENT, amount_fen, effective_on, BOOKED_AT, "test")
    undone = Entry("undone", EntryKind.REVERSAL, amount_fen, END, BOOKED_AT, "test", reverses="paid")

    assert replay([*ledger, paid, undone], order, END) == replay(ledger, order, END)


@given(terms_with_rates, ledgers(), days)
def test_statement_lines_add_up_to_every_figure(terms: ContractTerms, ledger: list[Entry], due_on: date) -> None:
    made = statement(terms, ledger, due_on, END)

    for component in Component:
        assert sum(line.amount_fen for line in made.lines if line.component is component) == made.balances.of(component)
    assert sum(line.amount_fen for line in made.lines if line.component is None) == made.balances.credit_fen


@given(terms_with_rates, ledgers(), days)
def test_accruing_twice_is_accruing_once(terms: ContractTerms, ledger: list[Entry], due_on: date) -> None:
    once = accrue(terms, ledger, START, END, due_on)

    assert accrue(terms, [*ledger, *once], START, END, due_on) == once
    assert reaccrue(terms, [*ledger, *once], START, END, due_on, BOOKED_AT) == ()


@given(terms_with_rates, ledgers(), days)
def test_each_day_bears_interest_once(terms: ContractTerms, ledger: list[Entry], due_on: date) -> None:
    for kind in (EntryKind.INTEREST, EntryKind.PENALTY_INTEREST):
        spans = [span for span in accrual_spans(terms, ledger, START, END, due_on) if span.kind is kind]
        assert all(earlier.until_on <= later.from_on for earlier, later in pairwise(spans))
        assert all(abs(span.amount_fen - span.raw_fen) <= Decimal("0.5") for span in spans)


@given(balances, st.integers(min_value=0, max_value=50_000_000))
def test_both_orders_settle_the_same_amount(owed: Balances, payment_fen: int) -> None:
    by_code = allocate(payment_fen, owed, CIVIL_CODE_561)
    by_principal = allocate(payment_fen, owed, PRINCIPAL_FIRST)

    assert by_code.left_over_fen == by_principal.left_over_fen
