from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from lending_builders import PLAIN_TERMS, drawdown, late_fee, payment, reversal

from bot.lending.accrual import accrue
from bot.lending.balances import Balances, Component
from bot.lending.contract import RateChange
from bot.lending.ledger import EntryKind
from bot.lending.outlook import outlook
from bot.lending.payoff import LONGEST_VALIDITY_DAYS, PayoffQuote, PayoffRefusal, payoff_quote

START = date(2026, 10, 1)
DUE = date(2026, 11, 10)
AS_OF = date(2026, 11, 21)
BY = date(2026, 12, 1)
LEDGER = [drawdown(1_000_000, START), late_fee(2_500, DUE)]


def quote(until: date, *more: object) -> PayoffQuote:
    made = payoff_quote("debt", PLAIN_TERMS, [*LEDGER, *more], DUE, AS_OF, until)  # type: ignore[list-item]
    assert isinstance(made, PayoffQuote)
    return made


def test_waiting_adds_interest_and_penalty_interest_and_nothing_else() -> None:
    made = outlook(PLAIN_TERMS, LEDGER, DUE, AS_OF, BY)

    # 51 days at 18 %: 255.00; 10 overdue days at 9 %: 25.00; ten days more: 50.00 and 25.00
    assert made.now == Balances(1_000_000, interest_fen=25_500, penalty_fen=2_500, fee_fen=2_500)
    assert {component: made.added_fen(component) for component in Component} == {
        Component.PRINCIPAL: 0,
        Component.INTEREST: 5_000,
        Component.PENALTY: 2_500,
        Component.FEE: 0,
    }
    assert made.added_total_fen == 7_500


def test_a_day_costs_its_interest_and_once_overdue_its_penalty_interest() -> None:
    late = outlook(PLAIN_TERMS, LEDGER, DUE, AS_OF, BY)
    on_time = outlook(PLAIN_TERMS, LEDGER, DUE, DUE, DUE)

    assert [(span.kind, span.raw_fen) for span in late.next_day] == [
        (EntryKind.INTEREST, Decimal(500)),
        (EntryKind.PENALTY_INTEREST, Decimal(250)),
    ]
    assert (late.next_day_fen, on_time.next_day_fen) == (750, 500)


def test_a_rate_that_will_change_is_foreseen() -> None:
    terms = replace(PLAIN_TERMS, rate_changes=(RateChange(date(2026, 11, 26), Decimal("0.36"), Decimal("0.18")),))

    # Five days at the old rates, five at twice as much
    assert outlook(terms, LEDGER, DUE, AS_OF, BY).added_total_fen == 5 * 750 + 5 * 1500


def test_nothing_that_counts_later_is_foreseen() -> None:
    paid = payment(100_000, AS_OF)
    later = [payment(500_000, BY), paid, reversal(paid, BY)]

    assert outlook(PLAIN_TERMS, [*LEDGER, *later], DUE, AS_OF, BY) == outlook(
        PLAIN_TERMS, [*LEDGER, paid], DUE, AS_OF, BY
    )


def test_a_debt_that_is_paid_costs_nothing() -> None:
    made = outlook(PLAIN_TERMS, [drawdown(1_000, START), payment(1_000, START)], DUE, AS_OF, BY)

    assert (made.added_total_fen, made.next_day, made.next_day_fen) == (0, (), 0)


def test_there_is_no_looking_back() -> None:
    with pytest.raises(ValueError, match="before"):
        outlook(PLAIN_TERMS, LEDGER, DUE, AS_OF, START)


def test_a_quote_counts_interest_to_its_last_day_and_gives_back_what_earlier_days_did_not_bear() -> None:
    made = quote(AS_OF + timedelta(days=2))

    # As of the 21st 10,305.00 are owed, each day adds 7.50
    assert made.owed == Balances(1_000_000, interest_fen=26_500, penalty_fen=3_000, fee_fen=2_500)
    assert made.total_fen == 1_032_000
    assert made.refunds_fen == (1_500, 750, 0)


def test_a_quote_holds_on_its_days_only() -> None:
    made = quote(AS_OF + timedelta(days=2))
    days = [AS_OF + timedelta(days=ahead) for ahead in (-1, 0, 2, 3)]

    assert [made.holds_on(day) for day in days] == [False, True, True, False]
    assert [made.refund_fen(day) for day in days] == [None, 1_500, 0, None]


def test_the_penalty_interest_that_begins_within_the_validity_is_in_the_quote() -> None:
    early = payoff_quote("debt", PLAIN_TERMS, LEDGER, DUE, DUE, DUE + timedelta(days=2))

    assert isinstance(early, PayoffQuote)
    assert early.owed.penalty_fen == 250


def test_the_id_follows_from_the_content() -> None:
    until = AS_OF + timedelta(days=2)
    made = quote(until)
    booked = accrue(PLAIN_TERMS, LEDGER, START, AS_OF, DUE)

    assert quote(until, *booked).quote_id == made.quote_id
    assert len(made.quote_id) == 64
    others = {
        quote(BY).quote_id,
        quote(until, payment(1, AS_OF)).quote_id,
        replace(made, debt_id="another").quote_id,
        replace(made, as_of=START).quote_id,
    }
    assert len(others | {made.quote_id}) == 5


def test_what_cannot_be_quoted_says_why() -> None:
    paid = [drawdown(1_000, START), payment(1_000, START)]

    def refusal(ledger: list[object], until: date) -> object:
        return payoff_quote("debt", PLAIN_TERMS, ledger, DUE, AS_OF, until)  # type: ignore[arg-type]

    assert refusal([*paid], BY) is PayoffRefusal.NOTHING_OWED
    assert refusal([*LEDGER], AS_OF - timedelta(days=1)) is PayoffRefusal.ENDS_BEFORE_IT_BEGINS
    assert refusal([*LEDGER], AS_OF + timedelta(days=LONGEST_VALIDITY_DAYS + 1)) is PayoffRefusal.TOO_LONG
    assert isinstance(refusal([*LEDGER], AS_OF + timedelta(days=LONGEST_VALIDITY_DAYS)), PayoffQuote)
