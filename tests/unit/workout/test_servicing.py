"""How payments settle a schedule: states on the days around a due date, and when a plan is broken."""

from datetime import date, timedelta

import pytest

from bot.lending.schedule import ScheduledInstalment, equal_instalments, monthly_due_dates
from bot.workout.promise import PaymentMade
from bot.workout.servicing import (
    BreachRule,
    InstalmentState,
    PlanHealth,
    ServicedPlan,
    missed_in_a_row,
    serviced,
    would_break,
)

FIRST_ON = date(2026, 12, 15)
SCHEDULE = equal_instalments(300_000, monthly_due_dates(FIRST_ON, 3, 15))
RULE = BreachRule()
PAID, PAID_LATE, PARTLY_PAID, DUE, LATE, MISSED = InstalmentState


def on(day: date, *payments: tuple[date, int], rule: BreachRule = RULE) -> ServicedPlan:
    return serviced(SCHEDULE, [PaymentMade(*payment) for payment in payments], day, rule)


def states(plan: ServicedPlan) -> list[InstalmentState]:
    return [part.state for part in plan.instalments]


def after_first(days: int) -> date:
    return FIRST_ON + timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "state", "health"),
    [
        (-1, DUE, PlanHealth.ON_TRACK),
        (0, DUE, PlanHealth.ON_TRACK),
        (1, LATE, PlanHealth.BEHIND),
        (10, LATE, PlanHealth.BEHIND),
        (11, MISSED, PlanHealth.BEHIND),
    ],
)
def test_an_unpaid_instalment_is_late_the_day_after_and_missed_after_ten_days(
    days: int, state: InstalmentState, health: PlanHealth
) -> None:
    plan = on(after_first(days))
    assert states(plan) == [state, DUE, DUE]
    assert plan.health is health


@pytest.mark.parametrize(("days", "state"), [(-5, PAID), (0, PAID), (1, PAID_LATE), (10, PAID_LATE), (11, PAID_LATE)])
def test_the_day_of_the_payment_that_completes_it_decides(days: int, state: InstalmentState) -> None:
    plan = on(after_first(12), (after_first(days), 100_000))
    assert states(plan)[0] is state
    assert plan.instalments[0].settled_on == after_first(days)


def test_a_part_counts_and_says_so_until_its_day_has_passed() -> None:
    part = (after_first(-3), 40_000)
    assert states(on(FIRST_ON, part)) == [PARTLY_PAID, DUE, DUE]
    late = on(after_first(1), part)
    assert states(late) == [LATE, DUE, DUE]
    assert (late.instalments[0].paid_fen, late.instalments[0].open_fen) == (40_000, 60_000)


def test_the_oldest_instalment_is_settled_first_and_what_is_left_goes_on() -> None:
    plan = on(after_first(-10), (after_first(-10), 130_000))
    assert states(plan) == [PAID, PARTLY_PAID, DUE]
    assert [part.paid_fen for part in plan.instalments] == [100_000, 30_000, 0]


def test_a_payment_that_takes_effect_later_is_not_seen_yet() -> None:
    assert on(FIRST_ON, (after_first(1), 100_000)).paid_fen == 0


def test_all_paid_is_completed_on_the_day_of_the_payment_that_did_it_and_the_rest_is_credit() -> None:
    days = [after_first(0), after_first(31), after_first(40), after_first(50)]
    plan = on(after_first(60), *[(day, 100_000) for day in days])
    assert states(plan) == [PAID, PAID, PAID]
    assert (plan.health, plan.completed_on, plan.credit_fen) == (PlanHealth.COMPLETED, days[2], 100_000)
    assert (plan.paid_fen, plan.open_fen) == (300_000, 0)


def test_a_plan_with_something_open_has_no_day_of_completion() -> None:
    assert on(after_first(60), (FIRST_ON, 299_999)).completed_on is None


def test_two_missed_in_a_row_break_a_plan_and_one_does_not() -> None:
    second_missed = date(2027, 1, 15) + timedelta(days=11)
    assert on(second_missed - timedelta(days=1)).health is PlanHealth.BEHIND
    plan = on(second_missed)
    assert states(plan) == [MISSED, MISSED, DUE]
    assert (plan.health, missed_in_a_row(plan.instalments)) == (PlanHealth.BROKEN, 2)


def test_one_missed_instalment_breaks_a_plan_where_the_rule_says_so() -> None:
    rule = BreachRule(grace_days=3, missed_in_a_row=1)
    assert on(after_first(3), rule=rule).health is PlanHealth.BEHIND
    assert on(after_first(4), rule=rule).health is PlanHealth.BROKEN


def test_making_up_for_one_of_two_missed_instalments_mends_a_plan() -> None:
    day = date(2027, 1, 27)
    plan = on(day, (day, 100_000))
    assert states(plan) == [PAID_LATE, MISSED, DUE]
    assert plan.health is PlanHealth.BEHIND


def test_a_late_instalment_after_a_missed_one_would_break_the_plan() -> None:
    assert not would_break(on(after_first(5)), RULE)
    assert would_break(on(date(2027, 1, 16)), RULE)
    assert not would_break(on(date(2027, 1, 16), (FIRST_ON, 100_000)), RULE)


@pytest.mark.parametrize("schedule", [[], [SCHEDULE[1], SCHEDULE[0]]])
def test_what_is_no_schedule_is_refused(schedule: list[ScheduledInstalment]) -> None:
    with pytest.raises(ValueError, match=r"instalment|fall"):
        serviced(schedule, [], FIRST_ON, RULE)


@pytest.mark.parametrize("rule", [(-1, 2), (10, 0)])
def test_what_is_no_rule_is_refused(rule: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="rule"):
        BreachRule(*rule)


def test_the_days_of_grace_are_those_of_every_agreement_text() -> None:
    assert BreachRule() == BreachRule(grace_days=10, missed_in_a_row=2)
    assert RULE.last_day_for(FIRST_ON) == date(2026, 12, 25)
