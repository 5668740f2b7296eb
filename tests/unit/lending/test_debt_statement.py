from dataclasses import replace
from datetime import date

from lending_builders import PLAIN_TERMS, drawdown, late_fee, payment, reversal, waiver

from bot.lending.accrual import accrue
from bot.lending.allocation import PRINCIPAL_FIRST
from bot.lending.balances import Balances, Component
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.ledger import EntryKind
from bot.lending.statement import StatementLine, statement

START = date(2026, 10, 1)
DUE = date(2026, 10, 10)
AS_OF = date(2026, 11, 1)


def test_the_lines_explain_every_fen_of_each_component() -> None:
    ledger = [drawdown(1_000_000, START), late_fee(2_500, DUE), waiver(500, date(2026, 10, 12), Component.FEE)]
    ledger += accrue(PLAIN_TERMS, ledger, START, AS_OF, DUE)
    ledger.append(payment(10_000, AS_OF))

    made = statement(PLAIN_TERMS, ledger, DUE, AS_OF)

    assert made.balances == Balances(principal_fen=1_000_000, interest_fen=7_500, penalty_fen=5_250)
    assert made.lines == (
        StatementLine(Component.PRINCIPAL, EntryKind.DRAWDOWN, 1_000_000, START, START, 1),
        StatementLine(Component.INTEREST, EntryKind.INTEREST, 15_500, START, AS_OF, 3),
        StatementLine(Component.INTEREST, EntryKind.PAYMENT, -8_000, AS_OF, AS_OF, 1),
        StatementLine(Component.PENALTY, EntryKind.PENALTY_INTEREST, 5_250, date(2026, 10, 11), AS_OF, 2),
        StatementLine(Component.FEE, EntryKind.LATE_FEE, 2_500, DUE, DUE, 1),
        StatementLine(Component.FEE, EntryKind.PAYMENT, -2_000, AS_OF, AS_OF, 1),
        StatementLine(Component.FEE, EntryKind.WAIVER, -500, date(2026, 10, 12), date(2026, 10, 12), 1),
    )
    assert (made.days_past_due, made.bucket, made.oldest_due_on) == (22, DelinquencyBucket.DPD_1_30, DUE)


def test_a_debt_paid_off_is_current_and_shows_the_credit() -> None:
    made = statement(PLAIN_TERMS, [drawdown(1000, START), payment(1200, DUE)], DUE, AS_OF)

    assert (made.balances, made.days_past_due, made.oldest_due_on) == (Balances(credit_fen=200), 0, None)
    assert StatementLine(None, EntryKind.PAYMENT, 200, DUE, DUE, 1) in made.lines


def test_a_reversed_payment_leaves_no_line() -> None:
    paid = payment(300, DUE)

    made = statement(PLAIN_TERMS, [drawdown(1000, START), paid, reversal(paid, AS_OF)], DUE, AS_OF)

    assert [line.kind for line in made.lines] == [EntryKind.DRAWDOWN]


def test_a_card_settles_principal_first_from_the_91st_day() -> None:
    terms = replace(PLAIN_TERMS, allocation_after_90_days=PRINCIPAL_FIRST)
    owed = [drawdown(1000, START), late_fee(500, DUE)]
    day_90, day_91 = date(2027, 1, 8), date(2027, 1, 9)

    before = statement(terms, [*owed, payment(500, day_90)], DUE, day_91)
    after = statement(terms, [*owed, payment(500, day_91)], DUE, day_91)

    assert (before.balances, before.days_past_due) == (Balances(principal_fen=1000), 91)
    assert after.balances == Balances(principal_fen=500, fee_fen=500)
