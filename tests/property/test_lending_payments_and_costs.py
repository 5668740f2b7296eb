"""What holds for a payment over several debts, for the cost of waiting and of credit, and for payoff quotes."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from lending_strategies import BOOKED_AT, END, START, days, due_days, ledgers, terms_with_rates

from bot.lending.accrual import accrue
from bot.lending.annual_cost import COST_TOLERANCE, AnnualCost, CashFlow, annual_cost
from bot.lending.balances import Component
from bot.lending.contract import ContractTerms
from bot.lending.designation import (
    Designation,
    DesignationRefusal,
    DividedPayment,
    PayableDebt,
    divide_payment,
    pro_rata,
)
from bot.lending.ledger import Entry, EntryKind
from bot.lending.outlook import outlook
from bot.lending.payoff import PayoffQuote, PayoffRefusal, payoff_quote
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until

PAID_ON = START + timedelta(days=60)


@st.composite
def several_debts(draw: st.DrawFn) -> list[PayableDebt]:
    """Up to six debts to one creditor, many of them of equal rank."""
    return [
        PayableDebt(
            f"debt-{number}",
            "creditor",
            draw(st.integers(min_value=0, max_value=500)),
            PAID_ON + timedelta(days=draw(st.integers(min_value=-1, max_value=1))),
            Decimal(draw(st.integers(min_value=0, max_value=2))) / 10,
        )
        for number in range(draw(st.integers(min_value=1, max_value=6)))
    ]


@st.composite
def wishes(draw: st.DrawFn, debts: list[PayableDebt]) -> list[Designation]:
    named = draw(st.lists(st.sampled_from([debt.debt_id for debt in debts]), unique=True))
    return [Designation(name, draw(st.none() | st.integers(min_value=1, max_value=300))) for name in named]


@given(several_debts(), st.integers(min_value=1, max_value=2000), st.data())
def test_parts_sum_to_the_payment_and_no_debt_gets_more_than_is_owed(
    debts: list[PayableDebt], payment_fen: int, data: st.DataObject
) -> None:
    wanted = data.draw(wishes(debts))
    made = divide_payment(payment_fen, PAID_ON, debts, wanted)

    if sum(wish.amount_fen or 0 for wish in wanted) > payment_fen:
        assert made is DesignationRefusal.MORE_THAN_PAID
        return
    assert isinstance(made, DividedPayment)
    owed = {debt.debt_id: debt.owed_fen for debt in debts}
    assert sum(part.amount_fen for part in made.parts) + made.left_over_fen == payment_fen
    assert len({part.debt_id for part in made.parts}) == len(made.parts)
    assert all(0 < part.amount_fen <= owed[part.debt_id] for part in made.parts)
    assert made.left_over_fen == max(0, payment_fen - sum(owed.values()))
    for wish in wanted:
        if wish.amount_fen is not None:
            got = sum(part.designated_fen for part in made.parts if part.debt_id == wish.debt_id)
            assert got == min(wish.amount_fen, owed[wish.debt_id])


@given(several_debts(), st.integers(min_value=1, max_value=2000), st.permutations(range(6)))
def test_the_statutory_order_leaves_nothing_to_a_later_debt_before_an_earlier_one_is_full(
    debts: list[PayableDebt], payment_fen: int, shuffled: list[int]
) -> None:
    made = divide_payment(payment_fen, PAID_ON, debts)
    assert isinstance(made, DividedPayment)
    got = {part.debt_id: part.amount_fen for part in made.parts}

    for debt in debts:
        for other in debts:
            if goes_before(debt, other) and got.get(other.debt_id):
                assert got.get(debt.debt_id, 0) == debt.owed_fen
    order = [debts[place] for place in shuffled if place < len(debts)]
    assert divide_payment(payment_fen, PAID_ON, order) == made


def goes_before(debt: PayableDebt, other: PayableDebt) -> bool:
    """Art. 560 paragraph 2, said as a comparison of two."""
    due, other_due = debt.due_on <= PAID_ON, other.due_on <= PAID_ON
    if due != other_due:
        return due
    if debt.burden != other.burden:
        return debt.burden > other.burden
    return debt.due_on < other.due_on


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=8), st.integers(0, 10**10))
def test_a_share_is_within_a_fen_of_its_proportion(owed: list[int], amount: int) -> None:
    made = pro_rata(amount, {str(number): each for number, each in enumerate(owed)})

    total = sum(owed)
    assert sum(made.values()) == min(amount, total)
    for number, each in enumerate(owed):
        assert made[str(number)] <= each
        if amount < total:
            assert abs(made[str(number)] * total - amount * each) < total


@given(terms_with_rates, ledgers(), due_days, days, st.integers(min_value=0, max_value=60))
def test_waiting_only_adds_and_is_what_the_statement_will_say(
    terms: ContractTerms, ledger: list[Entry], due_on: date, as_of: date, wait: int
) -> None:
    by = as_of + timedelta(days=wait)
    made = outlook(terms, ledger, due_on, as_of, by)

    standing = [entry for entry in ledger if entry.reverses is None and entry.effective_on <= as_of]
    undone = {entry.reverses for entry in ledger if entry.reverses and entry.effective_on <= as_of}
    standing = [entry for entry in standing if entry.key not in undone]
    assert made.now == statement(terms, entries_until(terms, standing, due_on, as_of), due_on, as_of).balances
    assert made.then == statement(terms, entries_until(terms, standing, due_on, by), due_on, by).balances
    assert all(made.added_fen(component) >= 0 for component in Component)
    assert made.added_total_fen == sum(made.added_fen(component) for component in Component)
    if made.now.principal_fen == 0:
        assert (made.added_total_fen, made.next_day) == (0, ())


@given(terms_with_rates, ledgers(), due_days, days)
def test_an_outlook_does_not_depend_on_what_has_been_booked(
    terms: ContractTerms, ledger: list[Entry], due_on: date, as_of: date
) -> None:
    simple = [entry for entry in ledger if entry.effective_on <= as_of and entry.kind is not EntryKind.REVERSAL]
    booked = [*simple, *accrue(terms, simple, START, END + timedelta(days=1), due_on)]

    assert outlook(terms, booked, due_on, as_of, END).now == outlook(terms, simple, due_on, as_of, END).now


@given(terms_with_rates, ledgers(), due_days, days, st.integers(min_value=0, max_value=31), st.data())
def test_a_quote_paid_on_any_day_it_holds_ends_the_debt_and_leaves_just_the_refund(
    terms: ContractTerms, ledger: list[Entry], due_on: date, as_of: date, validity: int, data: st.DataObject
) -> None:
    until = as_of + timedelta(days=validity)
    known = [entry for entry in ledger if entry.effective_on <= as_of and entry.kind is not EntryKind.REVERSAL]
    quote = payoff_quote("debt", terms, known, due_on, as_of, until)
    if isinstance(quote, PayoffRefusal):
        owed = statement(terms, entries_until(terms, known, due_on, as_of), due_on, as_of).balances
        assert (quote, owed.total_fen) == (PayoffRefusal.NOTHING_OWED, 0)
        return
    assert isinstance(quote, PayoffQuote)
    paid_on = as_of + timedelta(days=data.draw(st.integers(min_value=0, max_value=validity)))
    paid = [*known, Entry("payoff", EntryKind.PAYMENT, quote.total_fen, paid_on, BOOKED_AT, "test")]

    for seen_on in (paid_on, until, until + timedelta(days=30)):
        left = statement(terms, entries_until(terms, paid, due_on, seen_on), due_on, seen_on).balances
        assert (left.total_fen, left.credit_fen) == (0, quote.refund_fen(paid_on))
    assert quote.refund_fen(until) == 0
    assert quote.refund_fen(until + timedelta(days=1)) is None


RECEIVED_FEN = 500_000
repayments = st.lists(
    st.tuples(st.integers(min_value=180, max_value=720), st.integers(min_value=50_000, max_value=400_000)),
    min_size=1,
    max_size=6,
)
"""Days after ``START`` and fen, such that there is a rate and it can be found."""


def cost_of(paid: list[tuple[int, int]]) -> Decimal:
    flows = (CashFlow(START + timedelta(days=day), -amount) for day, amount in paid)
    made = annual_cost([CashFlow(START, RECEIVED_FEN), *flows])
    assert isinstance(made, AnnualCost)
    return made.rate


@given(repayments)
def test_the_cost_is_the_rate_at_which_what_is_paid_is_worth_what_was_received(paid: list[tuple[int, int]]) -> None:
    rate = cost_of(paid)

    # Below the rate the payments are worth more than what was received, above it less.
    assert worth(paid, rate - COST_TOLERANCE) > RECEIVED_FEN > worth(paid, rate + COST_TOLERANCE)


def worth(paid: list[tuple[int, int]], rate: Decimal) -> Decimal:
    """Discounted by one day's factor, day after day: slow, and not how the code does it."""
    a_day = ((1 + rate).ln() / 365).exp()
    total, factor = Decimal(0), Decimal(1)
    by_day: dict[int, int] = {}
    for day, amount in paid:
        by_day[day] = by_day.get(day, 0) + amount
    for day in range(max(by_day) + 1):
        total += by_day.get(day, 0) / factor
        factor *= a_day
    return total


@given(repayments, st.integers(min_value=1_000, max_value=RECEIVED_FEN // 10), st.integers(min_value=0, max_value=720))
def test_a_fee_makes_credit_dearer(paid: list[tuple[int, int]], fee_fen: int, charged_after: int) -> None:
    assert cost_of([*paid, (charged_after, fee_fen)]) > cost_of(paid)
