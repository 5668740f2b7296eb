"""The oracle's accounts and loans put to ``bot.lending``, and its answers in the oracle's terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random

from day_by_day import Account, Happening
from pencil_repayment import Debt
from pencil_schedule import Loan, Row

from bot.lending.accrual import accrue, reaccrue
from bot.lending.allocation import AllocationOrder
from bot.lending.amortisation import AmortisationMethod, AmortisationRequest, InterestPeriod, amortise
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind, RateChange
from bot.lending.explanation import open_statement
from bot.lending.late_fee import MinimumPayment, charge_late_fees
from bot.lending.ledger import Entry, EntryKind
from bot.lending.repayment import RepaymentCourse, RepaymentStart
from bot.lending.statement import statement
from bot.lending.unbooked import known_on

BOOKED_AT = datetime(2027, 1, 1, tzinfo=UTC)


def exactly(rate: Fraction) -> Decimal:
    return Decimal(rate.numerator) / Decimal(rate.denominator)


def terms_of(account: Account) -> ContractTerms:
    late = account.order_from_day_91
    return ContractTerms(
        product_kind=ProductKind.CREDIT_CARD,
        annual_rate=exactly(account.annual),
        penalty_annual_rate=exactly(account.penalty),
        day_count=account.day_count,
        late_fee_rate=exactly(account.late_fee_share),
        late_fee_minimum_fen=account.late_fee_floor,
        allocation=AllocationOrder.parse("first", account.order),
        allocation_after_90_days=AllocationOrder.parse("late", late) if late else None,
        grace_days=account.grace_days,
        rate_changes=tuple(RateChange(new.day, exactly(new.annual), exactly(new.penalty)) for new in account.new_rates),
    )


def entries_of(happenings: Iterable[Happening]) -> tuple[list[Entry], list[Entry]]:
    """What happened, and the reversals of what was undone."""
    entries: list[Entry] = []
    reversals: list[Entry] = []
    for number, each in enumerate(happenings):
        component = Component(each.waived) if each.waived else None
        key = f"{number}:{each.what}"
        entries.append(Entry(key, EntryKind(each.what), each.fen, each.day, BOOKED_AT, "oracle", component))
        if each.undone_on is not None:
            undone = Entry(f"undo:{key}", EntryKind.REVERSAL, each.fen, each.undone_on, BOOKED_AT, "oracle", None, key)
            reversals.append(undone)
    return entries, reversals


def in_time(account: Account) -> tuple[Entry, ...]:
    """The ledger of the account's last day if everything was booked before interest and late fees were counted."""
    entries, reversals = entries_of(account.happenings)
    return corrected(account, known_on([*entries, *reversals], account.last_day))


def one_after_another(account: Account, order_of_arrival: Random) -> tuple[Entry, ...]:
    """The same, if all but the drawdowns arrived late and in any order, and each arrival was put right by itself."""
    entries, reversals = entries_of(account.happenings)
    late = [entry for entry in entries if entry.kind is not EntryKind.DRAWDOWN]
    order_of_arrival.shuffle(late)
    ledger = corrected(account, known_on([e for e in entries if e.kind is EntryKind.DRAWDOWN], account.last_day))
    for arrival in [*late, *reversals]:
        if arrival.effective_on <= account.last_day:
            ledger = corrected(account, (*ledger, arrival))
    return ledger


def corrected(account: Account, ledger: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The ledger with its late fees and its interest put right."""
    terms, minimums = terms_of(account), [MinimumPayment(m.statement_on, m.due_on, m.fen) for m in account.minimums]
    ledger += charge_late_fees(terms, ledger, minimums, account.last_day, BOOKED_AT)
    days = (account.first_day, account.last_day, account.due_on)
    if not any(entry.source == "accrual" for entry in ledger):
        return ledger + accrue(terms, ledger, *days, BOOKED_AT, account.booking_days)
    return ledger + reaccrue(terms, ledger, *days, BOOKED_AT, account.booking_days)


def owed_by(account: Account, ledger: tuple[Entry, ...]) -> dict[str, int]:
    """What the statement says, once its lines and their explanations have been added up too."""
    terms, due_on, as_of = terms_of(account), account.due_on, account.last_day
    balances = statement(terms, ledger, due_on, as_of).balances
    summed = dict.fromkeys(("principal", "interest", "penalty", "fee", "credit"), 0)
    for opened in open_statement(terms, ledger, due_on, as_of):
        assert sum(line.amount_fen for line in opened.lines) == opened.summary.amount_fen
        summed[opened.summary.component or "credit"] += opened.summary.amount_fen
    assert summed == figures(balances)
    return summed


def figures(balances: Balances) -> dict[str, int]:
    return {**{c.value: balances.of(c) for c in Component}, "credit": balances.credit_fen}


def schedule_of(loan: Loan) -> list[Row]:
    request = AmortisationRequest(
        principal_fen=loan.fen,
        start_on=loan.start,
        instalments=loan.count,
        method=AmortisationMethod(loan.method),
        annual_rate=exactly(loan.annual),
        interest_period=InterestPeriod(loan.period),
        day_count=loan.day_count,
        down_payment_fen=loan.down_fen,
        deferral_months=loan.deferral,
        pay_day=loan.pay_day,
    )
    made = amortise(request)
    assert made.down_payment_fen + sum(row.principal_fen for row in made.rows) == loan.fen
    return [(row.due_on, row.principal_fen, row.interest_fen) for row in made.rows]


def repayments_of(debt: Debt) -> list[list[int] | None]:
    """Equal instalments and equal principal; each must end the debt by its own reckoning."""
    late = debt.order_from_day_91
    terms = ContractTerms(
        product_kind=ProductKind.ONLINE_LOAN,
        annual_rate=exactly(debt.annual),
        penalty_annual_rate=exactly(debt.annual),
        day_count=debt.day_count,
        late_fee_rate=Decimal(0),
        late_fee_minimum_fen=0,
        allocation=AllocationOrder.parse("first", debt.order),
        allocation_after_90_days=AllocationOrder.parse("late", late) if late else None,
        grace_days=debt.grace_days,
        rate_changes=tuple(RateChange(day, exactly(annual), exactly(annual)) for day, annual in debt.new_rates),
    )
    owed = Balances(**{f"{component}_fen": fen for component, fen in debt.owed})
    down = (debt.down_fen, debt.down_on) if debt.down_fen else (0, None)
    course = RepaymentCourse(RepaymentStart(terms, debt.contract_due_on, owed, debt.offered_on, *down), debt.due_dates)
    count = len(debt.due_dates)
    made = [course.equal_amounts(count), course.equal_principal_amounts(count)]
    assert all(course.paid(amounts).rows[-1].left_fen == 0 for amounts in made if amounts)
    return [list(amounts) if amounts else None for amounts in made]
