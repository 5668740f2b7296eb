from dataclasses import replace
from datetime import date

from workout_builders import policy, request

from bot.workout.offers import compute_offers
from bot.workout.replan import InstalmentRecord, PlanRecord, ReplanRefusal, replan, replans_left

RULES = policy(max_replans=2)
DUE = (date(2026, 8, 15), date(2026, 9, 15), date(2026, 10, 15), date(2026, 11, 15))


def plan(*paid_fen: int, replans_before: int = 0) -> PlanRecord:
    """Four instalments of ¥500 and what was paid on each."""
    parts = tuple(InstalmentRecord(due, 500_00, paid) for due, paid in zip(DUE, paid_fen, strict=True))
    return PlanRecord(parts, replans_before=replans_before)


FULL, NONE = 500_00, 0


def test_a_new_plan_starts_from_todays_facts_and_no_old_promises() -> None:
    facts = request(rules=RULES)
    old = compute_offers(facts).offers

    again = replan(plan(FULL, NONE, NONE, NONE), replace(facts, history=old))

    assert again == facts


def test_replans_run_out() -> None:
    last = plan(FULL, NONE, NONE, NONE, replans_before=2)

    assert replans_left(last, RULES) == 0
    assert replan(last, request(rules=RULES)) is ReplanRefusal.NO_REPLANS_LEFT
    assert replans_left(replace(last, replans_before=1), RULES) == 1


def test_who_says_in_time_that_it_will_not_do_is_heard_before_the_plan_breaks() -> None:
    assert replan(plan(FULL, FULL, NONE, NONE), request(rules=RULES)) == request(rules=RULES)


def test_a_completed_plan_needs_no_other() -> None:
    assert replan(plan(FULL, FULL, FULL, FULL), request(rules=RULES)) is ReplanRefusal.PLAN_COMPLETED
