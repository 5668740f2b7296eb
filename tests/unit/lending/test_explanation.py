from dataclasses import replace
from datetime import date
from decimal import Decimal

from lending_builders import BOOKED_AT, PLAIN_TERMS, drawdown, entry, late_fee, payment, waiver

from bot.lending.accrual import AccrualSpan, accrue
from bot.lending.allocation import AllocationPart
from bot.lending.balances import Component
from bot.lending.contract import RateChange
from bot.lending.explanation import (
    AccrualLine,
    ChargeLine,
    LateFeeRule,
    SettlementLine,
    explain,
    open_statement,
)
from bot.lending.ledger import EntryKind

START = date(2026, 10, 1)
DUE = date(2026, 10, 10)
MIDDLE = date(2026, 10, 15)
AS_OF = date(2026, 11, 1)
FEE = replace(late_fee(2_500, date(2026, 10, 11)), key="late_fee:2026-10-10")
WAIVED = waiver(500, date(2026, 10, 12), Component.FEE)
PAID = payment(57_000, MIDDLE, key="paid")
ANNUAL, PENALTY = Decimal("0.18"), Decimal("0.09")


def test_interest_opens_into_its_spans_and_what_settled_them() -> None:
    ledger = [drawdown(1_000_000, START), PAID]
    ledger += accrue(PLAIN_TERMS, ledger, START, AS_OF, AS_OF)

    made = explain(PLAIN_TERMS, ledger, AS_OF, AS_OF, Component.INTEREST)

    # 14 days on 10,000.00 = 70.00, settled; 570.00 - 70.00 leaves 9,500.00: 17 days = 80.75
    settled = (AllocationPart(Component.INTEREST, 7_000), AllocationPart(Component.PRINCIPAL, 50_000))
    assert made.lines == (
        AccrualLine(
            "interest:2026-10-01:2026-10-15",
            EntryKind.INTEREST,
            7_000,
            AccrualSpan(EntryKind.INTEREST, START, MIDDLE, 1_000_000, ANNUAL, 360),
        ),
        SettlementLine("paid", EntryKind.PAYMENT, -7_000, MIDDLE, 57_000, settled),
        AccrualLine(
            "interest:2026-10-15:2026-11-01",
            EntryKind.INTEREST,
            8_075,
            AccrualSpan(EntryKind.INTEREST, MIDDLE, AS_OF, 950_000, ANNUAL, 360),
        ),
    )
    assert made.balance_fen == 8_075
    assert all(line.holds for line in made.lines if isinstance(line, AccrualLine))


def test_a_fee_opens_into_its_rule_and_what_was_forgiven() -> None:
    made = explain(PLAIN_TERMS, [drawdown(1_000_000, START), FEE, WAIVED], DUE, AS_OF, Component.FEE)

    rule = LateFeeRule(Decimal("0.05"), 1000, DUE)
    assert made.lines == (
        ChargeLine(FEE.key, EntryKind.LATE_FEE, 2_500, FEE.effective_on, "test", rule),
        SettlementLine(
            WAIVED.key, EntryKind.WAIVER, -500, WAIVED.effective_on, 500, (AllocationPart(Component.FEE, 500),)
        ),
    )


def test_what_rounding_added_is_shown() -> None:
    ledger = [drawdown(3333, START)]
    ledger += accrue(PLAIN_TERMS, ledger, START, AS_OF, AS_OF)

    (line,) = explain(PLAIN_TERMS, ledger, AS_OF, AS_OF, Component.INTEREST).lines

    assert isinstance(line, AccrualLine)
    assert (line.span.raw_fen, line.amount_fen, line.rounding_fen) == (Decimal("51.6615"), 52, Decimal("0.3385"))


def test_each_span_is_told_with_the_rate_of_its_days() -> None:
    terms = replace(PLAIN_TERMS, rate_changes=(RateChange(MIDDLE, Decimal("0.1"), Decimal("0.05")),))
    ledger = [drawdown(1_000_000, START)]
    ledger += accrue(terms, ledger, START, AS_OF, DUE)

    rates = {
        component: [
            line.span.annual_rate
            for line in explain(terms, ledger, DUE, AS_OF, component).lines
            if isinstance(line, AccrualLine)
        ]
        for component in (Component.INTEREST, Component.PENALTY)
    }
    assert rates == {
        Component.INTEREST: [ANNUAL, ANNUAL, Decimal("0.1")],
        Component.PENALTY: [PENALTY, Decimal("0.05")],
    }


def test_an_accrual_that_no_longer_holds_says_so_and_the_lines_still_add_up() -> None:
    booked = accrue(PLAIN_TERMS, [drawdown(1_000_000, START)], START, AS_OF, AS_OF)
    late = payment(500_000, START, key="arrived late, not corrected yet")

    made = explain(PLAIN_TERMS, [drawdown(1_000_000, START), late, *booked], AS_OF, AS_OF, Component.INTEREST)

    (line,) = made.lines
    assert isinstance(line, AccrualLine)
    assert (line.holds, line.amount_fen, line.span.amount_fen) == (False, 15_500, 7_750)
    assert made.balance_fen == 15_500


def test_interest_taken_over_without_days_is_told_as_a_charge() -> None:
    taken_over = replace(entry(EntryKind.INTEREST, 4_200, START, key="opening interest"), source="lender's file")

    made = explain(PLAIN_TERMS, [taken_over], DUE, AS_OF, Component.INTEREST)

    assert made.lines == (ChargeLine("opening interest", EntryKind.INTEREST, 4_200, START, "lender's file", None),)


def test_credit_opens_into_what_was_overpaid_and_what_used_it() -> None:
    ledger = [drawdown(1_000, START), payment(1_300, START, key="paid"), late_fee(200, DUE)]

    made = explain(PLAIN_TERMS, ledger, DUE, AS_OF, None)

    assert [(line.amount_fen, line.on) for line in made.lines if isinstance(line, SettlementLine)] == [
        (300, START),
        (-200, DUE),
    ]
    assert made.balance_fen == 100


def test_the_statement_opens_line_by_line_in_its_own_order() -> None:
    ledger = [drawdown(1_000_000, START), FEE, WAIVED]
    ledger += accrue(PLAIN_TERMS, ledger, START, AS_OF, DUE, BOOKED_AT)

    opened = open_statement(PLAIN_TERMS, ledger, DUE, AS_OF)

    assert [(each.summary.component, each.summary.kind, len(each.lines)) for each in opened] == [
        (Component.PRINCIPAL, EntryKind.DRAWDOWN, 1),
        (Component.INTEREST, EntryKind.INTEREST, 3),
        (Component.PENALTY, EntryKind.PENALTY_INTEREST, 2),
        (Component.FEE, EntryKind.LATE_FEE, 1),
        (Component.FEE, EntryKind.WAIVER, 1),
    ]
