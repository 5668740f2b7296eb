"""Which notices lie ahead, by topic: their days, their keys, and what wishes and holds make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from bot.clock import SHANGHAI
from bot.outreach.facts import (
    AwaitedDocument,
    EndedPause,
    Facts,
    InstalmentAhead,
    OpenDebt,
    OpenQuote,
    PromiseAhead,
    Standing,
)
from bot.outreach.gate import HoldKind, Purpose
from bot.outreach.ladder import Ladder
from bot.outreach.next_look import next_look
from bot.outreach.notice import PlannedNotice, Topic
from bot.outreach.planning import plan_notices
from bot.outreach.wishes import ContactWishes
from bot.outreach.workdays import is_working_day
from bot.settings import ROOT

LADDER = Ladder.load(ROOT / "data" / "outreach" / "ladder.yml")
MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=SHANGHAI)
NO_WISH = ContactWishes()
DAY = timedelta(days=1)


def at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def planned(facts: Facts, wishes: ContactWishes = NO_WISH, now: datetime = NOW) -> tuple[PlannedNotice, ...]:
    return plan_notices(facts, wishes, LADDER, now)


def days_of(facts: Facts, wishes: ContactWishes = NO_WISH, now: datetime = NOW) -> list[tuple[str | None, datetime]]:
    return [(notice.stage, notice.send_at) for notice in planned(facts, wishes, now)]


def instalment(due_on: date, name: str = "a") -> Facts:
    return Facts(instalments=(InstalmentAhead(name, due_on),))


def overdue(days: int, today: date = MONDAY, **changes: object) -> OpenDebt:
    debt = OpenDebt("d", today - timedelta(days=days), 500_00, "bank", limitation_runs=True)
    return replace(debt, **changes)  # type: ignore[arg-type]  # a test's own keywords


# Instalments ---------------------------------------------------------------------------------------------------------


def test_an_instalment_is_announced_three_days_and_one_day_before() -> None:
    due_on = MONDAY + 10 * DAY
    assert days_of(instalment(due_on)) == [("D-3", at(due_on - 3 * DAY)), ("D-1", at(due_on - DAY))]


def test_keys_and_purpose_of_an_instalments_notices_are_stable() -> None:
    first, second = planned(instalment(MONDAY + 10 * DAY))
    assert (first.key, second.key) == ("instalment:a:D-3", "instalment:a:D-1")
    assert {first.purpose, second.purpose} == {Purpose.PLAN_NOTICE}
    assert first.due_key == second.due_key == "a"
    assert first.subject == "instalment:a"


def test_the_day_itself_is_announced_only_where_three_days_before_was_not_possible() -> None:
    due_on = MONDAY + 2 * DAY
    assert days_of(instalment(due_on)) == [("D-1", at(due_on - DAY)), ("day", at(due_on))]


def test_the_notice_on_the_day_does_not_count_as_one_before_it() -> None:
    due_on = MONDAY + 2 * DAY
    assert [notice.due_key for notice in planned(instalment(due_on))] == ["a", None]


def test_the_day_after_is_spoken_of_where_nothing_was_said_before() -> None:
    assert days_of(instalment(MONDAY - DAY)) == [("D+1", at(MONDAY))]


def test_the_day_after_is_left_out_where_three_notices_stand_already() -> None:
    due_on = MONDAY - DAY
    said = tuple(Standing(at(due_on - days * DAY), Topic.PLAN) for days in (3, 1))
    late = Standing(at(due_on + 3 * DAY), Topic.LATE)
    assert planned(replace(instalment(due_on), standing=(*said, late))) == ()


def test_a_notice_that_was_sent_is_not_planned_again() -> None:
    due_on = MONDAY + 2 * DAY
    sent = Standing(at(due_on - 3 * DAY), Topic.PLAN)
    facts = replace(instalment(due_on), done=frozenset({"instalment:a:D-3"}), standing=(sent,))
    assert [notice.stage for notice in planned(facts)] == ["D-1"]


def test_two_instalments_of_one_day_share_their_notices() -> None:
    due_on = MONDAY + 10 * DAY
    both = Facts(instalments=(InstalmentAhead("a", due_on), InstalmentAhead("b", due_on)))
    assert [notice.send_at for notice in planned(both)] == [at(due_on - 3 * DAY), at(due_on - DAY)]


def test_nothing_is_said_of_an_instalment_while_a_payment_on_it_is_looked_for() -> None:
    due_on = MONDAY + 4 * DAY
    sought = Facts(instalments=(InstalmentAhead("a", due_on, quiet_until=at(due_on - 2 * DAY)),))
    assert [notice.stage for notice in planned(sought)] == ["D-1", "day"]


@pytest.mark.parametrize(
    ("due_on", "first"),
    [
        (date(2027, 3, 1), date(2027, 2, 26)),
        (date(2028, 3, 1), date(2028, 2, 27)),
        (date(2027, 1, 2), date(2026, 12, 30)),
        (date(2026, 12, 31), date(2026, 12, 28)),
    ],
)
def test_days_are_counted_over_the_ends_of_months(due_on: date, first: date) -> None:
    assert planned(instalment(due_on))[0].send_at == at(first)


def test_plan_notices_go_out_on_public_holidays_and_weekends() -> None:
    due_on = date(2026, 10, 4)
    sent = [notice.send_at.date() for notice in planned(instalment(due_on), now=at(date(2026, 9, 20)))]
    assert sent == [date(2026, 10, 1), date(2026, 10, 3)]


# Wishes --------------------------------------------------------------------------------------------------------------


def test_a_wish_for_one_day_before_leaves_one_notice() -> None:
    due_on = MONDAY + 10 * DAY
    assert days_of(instalment(due_on), ContactWishes(days_before=1)) == [("D-1", at(due_on - DAY))]


def test_a_wish_for_the_day_itself_is_met() -> None:
    due_on = MONDAY + 10 * DAY
    assert days_of(instalment(due_on), ContactWishes(days_before=0)) == [("day", at(due_on))]


@pytest.mark.parametrize(
    ("wished", "due_on", "sent_on"),
    [
        (10, date(2026, 12, 15), date(2026, 12, 10)),
        (10, date(2027, 1, 8), date(2026, 12, 10)),
        (10, date(2026, 12, 10), date(2026, 12, 10)),
        (31, date(2027, 3, 5), date(2027, 2, 28)),
        (31, date(2027, 2, 28), date(2027, 2, 28)),
    ],
)
def test_a_wished_day_of_the_month_is_the_last_one_before_the_due_date(
    wished: int, due_on: date, sent_on: date
) -> None:
    assert [n.send_at for n in planned(instalment(due_on), ContactWishes(day_of_month=wished))] == [at(sent_on)]


@pytest.mark.parametrize(("nearer", "later"), [("a", "z"), ("z", "a")])
def test_of_two_due_dates_for_one_wished_day_the_nearer_is_announced_first(nearer: str, later: str) -> None:
    debts = (overdue(-38, debt_id=later), overdue(-18, debt_id=nearer))
    first, *_ = planned(Facts(debts=debts), ContactWishes(day_of_month=4))
    assert (first.subject, first.due_on, first.send_at) == (f"debt:{nearer}", date(2026, 12, 11), at(date(2026, 12, 4)))


def test_a_wished_hour_is_the_hour_of_everything() -> None:
    facts = replace(instalment(MONDAY + 10 * DAY), debts=(overdue(10),))
    assert {notice.send_at.time() for notice in planned(facts, ContactWishes(send_at=time(19)))} == {time(19)}


def test_quiet_hours_in_the_morning_move_the_usual_hour() -> None:
    wishes = ContactWishes(quiet_from=time(0), quiet_to=time(14))
    assert {notice.send_at.time() for notice in planned(instalment(MONDAY + 10 * DAY), wishes)} == {time(14)}


def test_fewer_notices_keep_the_one_nearest_to_the_due_date() -> None:
    assert days_of(instalment(MONDAY + 10 * DAY), ContactWishes(per_seven_days=1))[0][0] == "D-1"


def test_the_ladder_keeps_to_the_wished_day_of_the_month() -> None:
    notices = planned(Facts(debts=(overdue(10),)), ContactWishes(day_of_month=10))
    assert [(notice.key, notice.send_at) for notice in notices] == [("overdue:d:2026-12", at(date(2026, 12, 10)))]


# Promises, due dates, offers, documents ------------------------------------------------------------------------------


def test_a_promise_is_recalled_on_the_day_before() -> None:
    due_on = MONDAY + 5 * DAY
    (notice,) = planned(Facts(promises=(PromiseAhead("p", due_on, due_on + DAY),)))
    assert (notice.key, notice.send_at, notice.topic) == ("promise:p:D-1", at(due_on - DAY), Topic.PROMISE)


def test_the_ladder_rests_while_a_promise_runs() -> None:
    due_on = MONDAY + 5 * DAY
    facts = Facts(promises=(PromiseAhead("p", due_on, due_on + 2 * DAY),), debts=(overdue(10),))
    steps = [notice.send_at for notice in planned(facts) if notice.topic is Topic.OVERDUE]
    assert all(step >= at(due_on + 5 * DAY) for step in steps)
    assert steps


def test_a_contracts_due_date_is_announced_twice_without_a_plan_and_never_with_one() -> None:
    debt = overdue(-10)
    assert [(n.stage, n.purpose) for n in planned(Facts(debts=(debt,)))] == [
        ("D-3", Purpose.DUE_NOTICE),
        ("D-1", Purpose.DUE_NOTICE),
    ]
    assert planned(Facts(debts=(debt,), holds=frozenset({HoldKind.PLAN}))) == ()


def test_an_offer_is_recalled_on_the_day_before_it_ends_and_a_late_one_not_at_all() -> None:
    (notice,) = planned(Facts(quotes=(OpenQuote("negotiation:n", MONDAY + 3 * DAY),)))
    assert (notice.topic, notice.send_at) == (Topic.QUOTE, at(MONDAY + 2 * DAY))
    assert planned(Facts(quotes=(OpenQuote("negotiation:n", MONDAY),))) == ()


def test_an_offer_with_a_new_last_day_is_another_notice() -> None:
    keys = {planned(Facts(quotes=(OpenQuote("negotiation:n", MONDAY + n * DAY),)))[0].key for n in (3, 4)}
    assert len(keys) == 2


def test_a_document_is_asked_after_on_the_day_before() -> None:
    (notice,) = planned(Facts(documents=(AwaitedDocument("x", MONDAY + 3 * DAY),)))
    assert (notice.topic, notice.send_at) == (Topic.DOCUMENT, at(MONDAY + 2 * DAY))


# The ladder ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "stage", "step"), [(1, "s1", 4), (30, "s2", 34), (62, "s3", 78), (90, "s4", 104)])
def test_each_stage_has_its_days_and_words(late: int, stage: str, step: int) -> None:
    first = planned(Facts(debts=(overdue(late),)))[0]
    assert (first.topic, first.purpose, first.stage) == (Topic.OVERDUE, Purpose.COLLECTION, stage)
    assert first.key == f"overdue:d:{step}"
    assert timedelta(0) <= first.send_at - at(MONDAY + timedelta(days=step - late)) <= timedelta(days=LADDER.days_late)


def test_a_step_waits_for_a_working_day() -> None:
    holiday = date(2026, 10, 1)
    debt = overdue(0, today=holiday - 4 * DAY)
    first = planned(Facts(debts=(debt,)), now=at(holiday - 3 * DAY))[0]
    assert not is_working_day(holiday)
    assert is_working_day(first.send_at.date())
    assert first.send_at.date() > holiday


@pytest.mark.parametrize(
    "debt",
    [
        overdue(10, limitation_runs=False),
        overdue(10, owed_fen=LADDER.least_owed_fen - 1),
        overdue(10, creditor_kind="friend"),
        overdue(LADDER.days[-1] + LADDER.days_late + 1),
    ],
    ids=["maybe time-barred", "a small rest", "another kind of lender", "after the last step"],
)
def test_some_debts_are_never_written_about(debt: OpenDebt) -> None:
    facts = Facts(debts=(debt,))
    assert planned(facts) == ()
    assert next_look(facts, (), NO_WISH, LADDER, NOW) is None


def test_no_step_is_taken_within_the_days_of_grace() -> None:
    assert planned(Facts(debts=(overdue(3, grace_days=3),))) == ()


@pytest.mark.parametrize(
    "hold",
    [HoldKind.PLAN, HoldKind.DISPUTE, HoldKind.COMPLAINT, HoldKind.DISTRESS, HoldKind.PERSON, HoldKind.OPT_OUT],
)
def test_under_a_hold_there_is_no_ladder(hold: HoldKind) -> None:
    assert planned(Facts(debts=(overdue(10),), holds=frozenset({hold}))) == ()


@pytest.mark.parametrize("hold", [HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR])
def test_whoever_cannot_be_spoken_to_has_nothing_ahead(hold: HoldKind) -> None:
    facts = replace(instalment(MONDAY + 10 * DAY), holds=frozenset({hold}))
    assert planned(facts) == ()
    assert next_look(facts, (), NO_WISH, LADDER, NOW) is None


def test_several_debts_have_one_ladder() -> None:
    debts = (overdue(10), overdue(12, debt_id="e"))
    assert {notice.subject for notice in planned(Facts(debts=debts))} == {"debt:e"}


def test_who_has_just_written_is_left_alone_for_some_days() -> None:
    facts = Facts(debts=(overdue(14),), last_contact_at=NOW - timedelta(hours=1))
    assert planned(facts)[0].send_at >= NOW + timedelta(days=LADDER.quiet_days_after_contact) - timedelta(hours=1)


def test_a_step_that_would_come_too_late_is_left_out() -> None:
    facts = Facts(debts=(overdue(14, quiet_until=NOW + timedelta(days=LADDER.days_late + 2)),))
    assert [notice.key for notice in planned(facts)] == ["overdue:d:34"]


def test_after_two_unanswered_one_step_is_left_and_after_a_person_was_asked_none() -> None:
    facts = Facts(debts=(overdue(10),), unanswered=2)
    assert len(planned(Facts(debts=(overdue(10),)))) > 1
    assert len(planned(facts)) == 1
    assert planned(replace(facts, person_asked=True)) == ()


def test_no_more_steps_than_the_ladder_allows_fall_into_thirty_days() -> None:
    said = tuple(Standing(at(MONDAY - days * DAY), Topic.OVERDUE) for days in (20, 9))
    assert all(n.send_at > at(MONDAY + 9 * DAY) for n in planned(Facts(debts=(overdue(14),), standing=said)))


# After a pause -------------------------------------------------------------------------------------------------------


def test_after_a_pause_it_is_said_first_that_notices_begin_again() -> None:
    facts = Facts(debts=(overdue(12),), pause=EndedPause("h", NOW - timedelta(hours=3), own=True))
    first, *rest = planned(facts)
    assert (first.topic, first.stage, first.key) == (Topic.RESUMED, "pause", "resumed:h")
    assert rest
    assert all(notice.send_at - first.send_at >= timedelta(days=3) for notice in rest)


def test_a_plans_notice_comes_a_day_after_that_at_the_earliest() -> None:
    due_on = MONDAY + 3 * DAY
    pause = EndedPause("h", NOW - timedelta(hours=3), own=False)
    notices = planned(replace(instalment(due_on), pause=pause))
    assert [(n.topic, n.stage, n.send_at.date()) for n in notices][:2] == [
        (Topic.RESUMED, None, MONDAY),
        (Topic.PLAN, "D-1", due_on - DAY),
    ]


def test_a_pause_whose_end_lies_ahead_leaves_the_notices_before_it_to_the_gate() -> None:
    due_on = MONDAY + 10 * DAY
    facts = replace(instalment(due_on), pause=EndedPause("h", at(due_on + 5 * DAY), own=True))
    assert [notice.topic for notice in planned(facts)] == [Topic.PLAN, Topic.PLAN, Topic.RESUMED]


def test_where_other_notices_move_it_that_is_said_on_a_working_day_all_the_same() -> None:
    facts = Facts(
        debts=(overdue(12),),
        pause=EndedPause("h", NOW - timedelta(hours=3), own=True),
        standing=(Standing(at(MONDAY - 2 * DAY), Topic.PLAN),),
    )
    first, *_ = planned(facts, ContactWishes(per_seven_days=1))
    assert (first.topic, first.send_at) == (Topic.RESUMED, at(MONDAY + 7 * DAY))  # the next free day is a Saturday


def test_nothing_is_announced_where_nothing_follows_or_it_was_said_before() -> None:
    pause = EndedPause("h", NOW - timedelta(hours=3), own=True)
    assert planned(Facts(pause=pause)) == ()
    said = replace(instalment(MONDAY + 10 * DAY), pause=pause, done=frozenset({"resumed:h"}))
    assert Topic.RESUMED not in {notice.topic for notice in planned(said)}


def test_after_it_was_said_the_ladder_still_waits() -> None:
    facts = Facts(
        debts=(overdue(14),),
        pause=EndedPause("h", NOW - 2 * DAY, own=True),
        done=frozenset({"resumed:h"}),
        resumed_at=NOW - timedelta(hours=16),
    )
    assert planned(facts)[0].send_at >= NOW - timedelta(hours=16) + timedelta(days=3)
