"""What holds for every schedule: sums to the fen, dates that keep to the calendar, and agreement with the ledger."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.lending.accrual import accrue
from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.amortisation import (
    AmortisationMethod,
    AmortisationRequest,
    AmortisationSchedule,
    InterestPeriod,
    amortise,
)
from bot.lending.balances import Balances
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.ledger import Entry, EntryKind, replay
from bot.lending.schedule import add_months, equal_instalments, level_amounts, monthly_due_dates

days = st.dates(min_value=date(2023, 1, 1), max_value=date(2033, 12, 31))


@st.composite
def requests(draw: st.DrawFn) -> AmortisationRequest:
    instalments = draw(st.integers(min_value=1, max_value=60))
    down_payment_fen = draw(st.integers(min_value=0, max_value=1_000_000))
    return AmortisationRequest(
        principal_fen=down_payment_fen + draw(st.integers(min_value=instalments, max_value=30_000_000)),
        start_on=draw(days),
        instalments=instalments,
        method=draw(st.sampled_from(AmortisationMethod)),
        annual_rate=draw(st.decimals(min_value=0, max_value=Decimal("0.36"), places=4)),
        interest_period=draw(st.sampled_from(InterestPeriod)),
        day_count=draw(st.sampled_from([360, 365])),
        down_payment_fen=down_payment_fen,
        deferral_months=draw(st.integers(min_value=0, max_value=12)),
        pay_day=draw(st.none() | st.integers(min_value=1, max_value=31)),
    )


@given(requests())
def test_principal_parts_sum_to_the_debt_and_end_at_nothing(request: AmortisationRequest) -> None:
    made = amortise(request)

    assert made.down_payment_fen + sum(row.principal_fen for row in made.rows) == request.principal_fen
    assert made.total_fen == request.principal_fen + made.interest_fen
    left_fen = request.financed_fen
    for row in made.rows:
        left_fen -= row.principal_fen
        assert row.principal_left_fen == left_fen
        assert min(row.principal_fen, row.interest_fen, left_fen) >= 0
        assert row.amount_fen > 0
    assert left_fen == 0


@given(requests())
def test_dates_keep_to_the_pay_day_or_the_end_of_a_shorter_month(request: AmortisationRequest) -> None:
    due = [row.due_on for row in amortise(request).rows]

    assert len({(day.year, day.month) for day in due}) == request.instalments
    earliest = add_months(request.start_on, 1 + request.deferral_months)
    assert earliest <= due[0] <= add_months(earliest, 1, 31)
    for day in due:
        assert day == add_months(day, 0, request.day_of_month)
    assert all(add_months(earlier, 1, request.day_of_month) == later for earlier, later in pairwise(due))


@given(requests())
def test_equal_instalments_are_equal_and_the_last_is_as_close_as_whole_fen_allow(request: AmortisationRequest) -> None:
    made = amortise(replace(request, method=AmortisationMethod.EQUAL_INSTALMENTS))

    amounts = [row.amount_fen for row in made.rows]
    assert len(set(amounts[:-1])) <= 1
    # A fen on each of the others moves the last by as many fen and the interest on them; each row is rounded besides.
    moved = len(amounts) * (2 + request.annual_rate * 6)
    if request.financed_fen >= 1000 * len(amounts):
        assert 2 * abs(amounts[-1] - amounts[0]) <= moved


@given(requests())
def test_principal_parts_of_equal_principal_are_equal_and_interest_falls_with_them(
    request: AmortisationRequest,
) -> None:
    months = replace(
        request,
        method=AmortisationMethod.EQUAL_PRINCIPAL,
        interest_period=InterestPeriod.EQUAL_MONTHS,
        deferral_months=0,
    )
    rows = amortise(months).rows

    assert len({row.principal_fen for row in rows[:-1]}) <= 1
    assert all(later.interest_fen <= earlier.interest_fen for earlier, later in pairwise(rows))


@given(requests())
def test_equal_principal_never_costs_more_than_equal_instalments(request: AmortisationRequest) -> None:
    level, falling = (
        amortise(replace(request, method=method))
        for method in (AmortisationMethod.EQUAL_INSTALMENTS, AmortisationMethod.EQUAL_PRINCIPAL)
    )

    # But for the rounding of each row.
    assert falling.interest_fen <= level.interest_fen + request.instalments


@given(requests())
def test_without_interest_all_methods_are_the_interest_free_one_but_for_the_last_fen(
    request: AmortisationRequest,
) -> None:
    free = amortise(replace(request, method=AmortisationMethod.INTEREST_FREE))
    dates = [row.due_on for row in free.rows]
    assert [(i.due_on, i.amount_fen) for i in equal_instalments(request.financed_fen, dates)] == [
        (row.due_on, row.amount_fen) for row in free.rows
    ]
    for method in AmortisationMethod:
        made = amortise(replace(request, method=method, annual_rate=Decimal(0)))
        assert made.interest_fen == free.interest_fen == 0
        assert all(
            abs(ours.amount_fen - theirs.amount_fen) <= 1
            for ours, theirs in zip(made.rows[:-1], free.rows[:-1], strict=True)
        )


@given(requests())
def test_a_schedule_paid_on_its_dates_brings_the_ledger_to_nothing(request: AmortisationRequest) -> None:
    request = replace(request, interest_period=InterestPeriod.ACTUAL_DAYS)
    schedule = amortise(request)

    assert paid_as_agreed(request, schedule) == Balances()


def paid_as_agreed(request: AmortisationRequest, schedule: AmortisationSchedule) -> Balances:
    """What is owed after the last row, interest counted by the ledger's own accrual."""
    rate = Decimal(0) if request.method is AmortisationMethod.INTEREST_FREE else request.annual_rate
    end = schedule.rows[-1].due_on
    terms = ContractTerms(
        product_kind=ProductKind.CONSUMER_LOAN,
        annual_rate=rate,
        penalty_annual_rate=Decimal(0),
        day_count=request.day_count,
        late_fee_rate=Decimal(0),
        late_fee_minimum_fen=0,
        allocation=CIVIL_CODE_561,
    )
    paid = [(row.due_on, row.amount_fen) for row in schedule.rows]
    if schedule.down_payment_fen:
        paid.append((schedule.start_on, schedule.down_payment_fen))
    ledger = [entry(EntryKind.DRAWDOWN, request.principal_fen, request.start_on)]
    ledger += [entry(EntryKind.PAYMENT, amount_fen, on) for on, amount_fen in paid]
    ledger += accrue(terms, ledger, request.start_on, end, end)
    return replay(ledger, CIVIL_CODE_561, end)


def entry(kind: EntryKind, amount_fen: int, on: date) -> Entry:
    return Entry(f"{kind.value}:{on}", kind, amount_fen, on, datetime.combine(on, time(4), tzinfo=UTC), "test")


@given(
    st.integers(min_value=60, max_value=10**9),
    st.integers(min_value=1, max_value=60),
    days,
    st.integers(min_value=1, max_value=31),
)
def test_a_schedule_sums_to_the_debt_and_pays_once_a_month(total: int, months: int, first_on: date, day: int) -> None:
    made = equal_instalments(total, monthly_due_dates(first_on, months, day))

    left = total
    for instalment in made:
        left -= instalment.amount_fen
        assert left >= 0
    assert left == 0
    assert len({(i.due_on.year, i.due_on.month) for i in made}) == months


@given(st.integers(min_value=1, max_value=10**6), st.integers(min_value=1_000, max_value=10**6))
def test_level_amounts_sum_to_the_debt(total: int, each: int) -> None:
    made = level_amounts(total, each)

    assert sum(made) == total
    assert set(made[:-1]) <= {each}
    assert 0 < made[-1] <= each
