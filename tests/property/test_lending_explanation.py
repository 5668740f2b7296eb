"""Every figure opens into lines that make it, to the fen, whatever the ledger."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from lending_strategies import BOOKED_AT, END, START, days, due_days, fen, ledgers, terms_with_rates

from bot.lending.accrual import accrue
from bot.lending.balances import Component
from bot.lending.contract import ContractTerms
from bot.lending.explanation import AccrualLine, SettlementLine, explain, open_statement
from bot.lending.ledger import Entry, EntryKind
from bot.lending.statement import statement

components = st.sampled_from([*Component, None])


@given(terms_with_rates, ledgers(), due_days, days, components)
def test_the_lines_add_up_to_the_balance(
    terms: ContractTerms, ledger: list[Entry], due_on: date, as_of: date, component: Component | None
) -> None:
    booked = [*ledger, *accrue(terms, ledger, START, END, due_on)]

    made = explain(terms, booked, due_on, as_of, component)

    balances = statement(terms, booked, due_on, as_of).balances
    assert made.balance_fen == (balances.of(component) if component else balances.credit_fen)
    assert sum(line.amount_fen for line in made.lines) == made.balance_fen


@given(terms_with_rates, ledgers(), due_days, days)
def test_each_summary_line_opens_into_its_own_fen(
    terms: ContractTerms, ledger: list[Entry], due_on: date, as_of: date
) -> None:
    booked = [*ledger, *accrue(terms, ledger, START, END, due_on)]

    opened = open_statement(terms, booked, due_on, as_of)

    assert tuple(each.summary for each in opened) == statement(terms, booked, due_on, as_of).lines
    for each in opened:
        assert sum(line.amount_fen for line in each.lines) == each.summary.amount_fen
    # A credit that was used up has lines, but no figure on the statement for them to belong to.
    has_credit = statement(terms, booked, due_on, as_of).balances.credit_fen > 0
    for component in (*Component, None) if has_credit else Component:
        ours = [line for each in opened if each.summary.component is component for line in each.lines]
        assert sorted(map(repr, ours)) == sorted(map(repr, explain(terms, booked, due_on, as_of, component).lines))


@given(terms_with_rates, ledgers(), due_days)
def test_every_accrual_is_told_with_the_principal_rate_and_days_it_comes_from(
    terms: ContractTerms, ledger: list[Entry], due_on: date
) -> None:
    accruals = {entry.key: entry for entry in accrue(terms, ledger, START, END, due_on)}
    # Interest that came with the ledger has no days and is told as a charge.
    lines = [
        line
        for component in (Component.INTEREST, Component.PENALTY)
        for line in explain(terms, [*ledger, *accruals.values()], due_on, END, component).lines
        if isinstance(line, AccrualLine)
    ]

    assert {line.entry_key: line.amount_fen for line in lines} == {e.key: e.amount_fen for e in accruals.values()}
    assert all(line.holds and -1 < 2 * line.rounding_fen <= 1 for line in lines)


@given(terms_with_rates, ledgers(), due_days, fen, days)
def test_a_payment_is_told_with_everything_it_settled_that_day(
    terms: ContractTerms, ledger: list[Entry], due_on: date, amount_fen: int, on: date
) -> None:
    paid = Entry("paid", EntryKind.PAYMENT, amount_fen, on, BOOKED_AT, "test")

    credit = explain(terms, [*ledger, paid], due_on, on, None)
    lines = {
        component: line
        for component in Component
        for line in explain(terms, [*ledger, paid], due_on, on, component).lines
        if isinstance(line, SettlementLine) and line.entry_key == "paid"
    }

    left_over = sum(line.amount_fen for line in credit.lines if line.entry_key == "paid")
    assert left_over - sum(line.amount_fen for line in lines.values()) == amount_fen
    for component, line in lines.items():
        assert line.booked_fen == amount_fen
        assert sum(part.amount_fen for part in line.settled if part.component is component) == -line.amount_fen
        assert {part.component for part in line.settled} == set(lines)
