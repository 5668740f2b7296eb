"""Instalments during which interest runs: they end the debt, and the ledger agrees to the fen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST, AllocationOrder
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind, RateChange
from bot.lending.ledger import Entry, EntryKind
from bot.lending.money import floor_to_fen
from bot.lending.repayment import Repayment, RepaymentCourse, RepaymentStart
from bot.lending.schedule import ScheduledInstalment, monthly_due_dates
from bot.lending.statement import statement
from bot.workout.interest_stop import InterestStop, entries_with_stops
from bot.workout.last_instalment import amounts_asked
from bot.workout.promise import PaymentMade

AS_OF = date(2026, 11, 21)
BOOKED_AT = datetime(2026, 11, 21, tzinfo=UTC)
rates = st.decimals(min_value=0, max_value=Decimal("0.36"), places=4)
orders = st.permutations(list(Component)).map(lambda drawn: AllocationOrder("any", tuple(drawn)))


@dataclass(frozen=True)
class Case:
    """A debt as its ledger has it on a day, and the dates of a plan for it."""

    start: RepaymentStart
    booked: tuple[Entry, ...]
    dates: tuple[date, ...]

    @property
    def stops(self) -> list[InterestStop]:
        return [InterestStop(self.start.on, interest_runs=True)]

    def owed_on(self, day: date, paid: Sequence[PaymentMade]) -> Balances:
        entries = (*self.booked, *(payment(str(place), *_day_and_fen(one)) for place, one in enumerate(paid)))
        terms, due_on = self.start.terms, self.start.due_on
        counted = entries_with_stops(terms, [e for e in entries if e.effective_on <= day], due_on, day, self.stops)
        return statement(terms, counted, due_on, day).balances


def _day_and_fen(paid: PaymentMade) -> tuple[date, int]:
    return paid.effective_on, paid.amount_fen


def payment(key: str, day: date, fen: int) -> Entry:
    return Entry(f"paid:{key}", EntryKind.PAYMENT, fen, day, BOOKED_AT, "test")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    terms = ContractTerms(
        product_kind=ProductKind.ONLINE_LOAN,
        annual_rate=draw(rates),
        penalty_annual_rate=draw(rates),
        day_count=draw(st.sampled_from([360, 365])),
        late_fee_rate=Decimal(0),
        late_fee_minimum_fen=0,
        allocation=draw(st.one_of(st.just(CIVIL_CODE_561), orders)),
        allocation_after_90_days=draw(st.sampled_from([None, PRINCIPAL_FIRST])),
        grace_days=draw(st.integers(0, 5)),
        rate_changes=tuple(
            RateChange(AS_OF + timedelta(days=days), draw(rates), draw(rates))
            for days in sorted(draw(st.sets(st.integers(-60, 400), max_size=2)))
        ),
    )
    due_on = AS_OF + timedelta(days=draw(st.integers(-120, 60)))
    lent_fen = draw(st.one_of(st.integers(20, 900), st.integers(10_000, 30_000_000)))
    lent = Entry("lent", EntryKind.DRAWDOWN, lent_fen, AS_OF - timedelta(days=150), BOOKED_AT, "test")
    fee = Entry("fee", EntryKind.OTHER_FEE, draw(st.integers(1, 9_000)), lent.effective_on, BOOKED_AT, "test")
    first_due_on = AS_OF + timedelta(days=draw(st.integers(8, 75)))
    case = Case(
        RepaymentStart(terms, due_on, Balances(), AS_OF),
        (lent, fee),
        monthly_due_dates(first_due_on, 24, draw(st.integers(1, 31))),
    )
    owed = case.owed_on(AS_OF, [])
    down_fen = draw(st.sampled_from([0, lent_fen // 10]))
    paid_on = AS_OF + timedelta(days=draw(st.integers(0, 7))) if down_fen else None
    start = replace(case.start, owed=owed, paid_fen=down_fen, paid_on=paid_on)
    return replace(case, start=start, dates=tuple(day for day in case.dates if day > (paid_on or AS_OF)))


def paid_in_time(case: Case, amounts: Sequence[int]) -> list[PaymentMade]:
    down = [PaymentMade(case.start.paid_on, case.start.paid_fen)] if case.start.paid_on else []
    return [*down, *(PaymentMade(day, fen) for day, fen in zip(case.dates, amounts, strict=False))]


def plans(case: Case, count: int, level_fen: int) -> list[tuple[int, ...]]:
    course = RepaymentCourse(case.start, case.dates)
    made = (course.equal_amounts(count), course.equal_principal_amounts(count), course.level_amounts(level_fen))
    return [amounts for amounts in made if amounts is not None]


@given(cases(), st.integers(1, 20), st.integers(1, 4_000_000))
def test_a_plan_paid_on_its_dates_brings_the_ledger_to_exactly_nothing(case: Case, count: int, level_fen: int) -> None:
    for amounts in plans(case, count, level_fen):
        paid = paid_in_time(case, amounts)
        assert case.owed_on(case.dates[len(amounts) - 1], paid) == Balances()
        assert case.owed_on(case.dates[len(amounts) - 1], paid[:-1]).total_fen == amounts[-1]


@given(cases(), st.integers(1, 20), st.integers(1, 4_000_000))
def test_every_row_says_what_the_ledger_says_on_its_day(case: Case, count: int, level_fen: int) -> None:
    for amounts in plans(case, count, level_fen):
        made: Repayment = RepaymentCourse(case.start, case.dates).paid(amounts)
        paid = paid_in_time(case, amounts)
        ahead = len(paid) - len(amounts)
        principal_fen = case.owed_on(case.dates[0], paid[:ahead]).principal_fen
        for place, row in enumerate(made.rows):
            now = case.owed_on(row.due_on, paid[: ahead + place + 1])
            assert row.left_fen == now.total_fen
            assert row.principal_fen == principal_fen - now.principal_fen
            principal_fen = now.principal_fen
        assert sum(amounts) + case.start.paid_fen == case.start.owed.total_fen + made.interest_fen


@given(cases(), st.integers(1, 20))
def test_equal_instalments_are_the_smallest_whose_last_is_no_larger(case: Case, count: int) -> None:
    course = RepaymentCourse(case.start, case.dates)
    amounts = course.equal_amounts(count)
    if amounts is None or count == 1:
        return
    assert len(set(amounts[:-1])) == 1
    assert 0 < amounts[-1] <= amounts[0]
    smaller = course.level_amounts(amounts[0] - 1)
    assert smaller is None or len(smaller) > count


@given(cases(), st.integers(1, 12))
def test_what_a_plan_spares_is_the_penalty_interest_on_its_own_principal(case: Case, count: int) -> None:
    course = RepaymentCourse(case.start, case.dates)
    if (amounts := course.equal_amounts(count)) is None:
        return
    paid, spared = paid_in_time(case, amounts), Decimal(0)
    penalty_from, day = case.start.terms.penalty_from(case.start.due_on), AS_OF
    paid_by_day = {one.effective_on: place for place, one in enumerate(paid, start=1)}
    principal_fen = case.owed_on(AS_OF, paid[: paid_by_day.get(AS_OF, 0)]).principal_fen
    while day < case.dates[count - 1]:
        if day in paid_by_day and day > AS_OF:
            principal_fen = case.owed_on(day, paid[: paid_by_day[day]]).principal_fen
        if day >= penalty_from:
            spared += principal_fen * case.start.terms.penalty_annual_rate_on(day) / case.start.terms.day_count
        day += timedelta(days=1)
    assert abs(course.paid(amounts).penalty_spared_fen - floor_to_fen(spared)) <= 1


@given(cases(), st.integers(1, 12), st.lists(st.tuples(st.integers(0, 300), st.integers(1, 3_000_000)), max_size=5))
def test_whenever_payments_come_the_instalments_asked_end_the_debt(
    case: Case, count: int, arriving: list[tuple[int, int]]
) -> None:
    amounts = RepaymentCourse(case.start, case.dates).equal_amounts(count)
    if amounts is None:
        return
    down = [ScheduledInstalment(0, case.start.paid_on, case.start.paid_fen)] if case.start.paid_on else []
    agreed = [
        *down,
        *(ScheduledInstalment(n, d, a) for n, (d, a) in enumerate(zip(case.dates, amounts, strict=False), 1)),
    ]
    today = AS_OF + timedelta(days=max((days for days, _ in arriving), default=0))
    paid = [PaymentMade(AS_OF + timedelta(days=days), fen) for days, fen in arriving]

    def owed_on(day: date, supposed: Sequence[PaymentMade]) -> Balances:
        return case.owed_on(day, [*paid, *supposed])

    paid_fen = sum(one.amount_fen for one in paid)
    asked = amounts_asked(agreed, paid_fen, today, owed_on)
    left_fen, following = paid_fen, list(paid)
    for part, fen in zip(agreed, asked, strict=True):
        settled_fen = min(left_fen, fen)
        left_fen -= settled_fen
        if fen > settled_fen:
            following.append(PaymentMade(max(part.due_on, today), fen - settled_fen))
    at_end = case.owed_on(max(agreed[-1].due_on, today), following)
    assert at_end.total_fen == 0
    assert all(fen <= part.amount_fen for fen, part in zip(asked[:-1], agreed[:-1], strict=True))
    # Nobody is asked for more than what has been paid and is owed: a credit is what came before anything was asked.
    assert at_end.credit_fen == 0 or following == paid


@given(cases(), st.integers(1, 12))
def test_on_time_means_as_agreed(case: Case, count: int) -> None:
    amounts = RepaymentCourse(case.start, case.dates).equal_amounts(count)
    if amounts is None:
        return
    paid = paid_in_time(case, amounts)
    agreed = [ScheduledInstalment(n, one.effective_on, one.amount_fen) for n, one in enumerate(paid)]
    for done in range(len(paid) + 1):
        today = paid[done - 1].effective_on if done else AS_OF

        def owed_on(day: date, supposed: Sequence[PaymentMade], done: int = done) -> Balances:
            return case.owed_on(day, [*paid[:done], *supposed])

        paid_fen = sum(one.amount_fen for one in paid[:done])
        assert amounts_asked(agreed, paid_fen, today, owed_on) == tuple(one.amount_fen for one in paid)
