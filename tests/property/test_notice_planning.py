"""What the planner keeps whatever the facts are."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI, local
from bot.outreach.facts import EndedPause, Facts, InstalmentAhead, OpenDebt, OpenQuote, PromiseAhead, Standing
from bot.outreach.gate import HoldKind, Limits, Purpose
from bot.outreach.ladder import Ladder
from bot.outreach.next_look import LONGEST, next_look
from bot.outreach.notice import Topic
from bot.outreach.planning import plan_notices
from bot.outreach.wishes import ContactWishes
from bot.outreach.workdays import is_working_day
from bot.settings import ROOT

LADDER = Ladder.load(ROOT / "data" / "outreach" / "ladder.yml")
LIMITS = Limits()
START = date(2026, 9, 1)
DAY = timedelta(days=1)


@st.composite
def instants(draw: st.DrawFn, spread: int = 90) -> datetime:
    day = START + draw(st.integers(0, spread)) * DAY
    return datetime.combine(day, time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 30)))), tzinfo=SHANGHAI)


def days(low: int, high: int) -> st.SearchStrategy[date]:
    return st.integers(low, high).map(lambda n: START + n * DAY)


def named(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


@st.composite
def wishes(draw: st.DrawFn) -> ContactWishes:
    quiet = draw(st.none() | st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] != pair[1]))
    return ContactWishes(
        quiet_from=time(quiet[0]) if quiet else None,
        quiet_to=time(quiet[1]) if quiet else None,
        send_at=draw(st.none() | st.integers(0, 23).map(time)),
        day_of_month=draw(st.none() | st.integers(1, 31)),
        days_before=draw(st.none() | st.integers(0, 10)),
        per_seven_days=draw(st.none() | st.integers(1, 3)),
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    parts = draw(st.lists(days(-20, 200), max_size=8))
    debts = draw(st.lists(days(-150, 120), max_size=3))
    promises = draw(st.lists(days(0, 120), max_size=2))
    said = draw(st.lists(st.tuples(instants(), st.sampled_from(Topic)), max_size=5))
    return Facts(
        instalments=tuple(map(InstalmentAhead, named("i", len(parts)), parts)),
        debts=tuple(
            OpenDebt(name, due_on, draw(st.sampled_from((500, 90_000))), "bank", draw(st.booleans()))
            for name, due_on in zip(named("d", len(debts)), debts, strict=True)
        ),
        promises=tuple(
            PromiseAhead(name, due_on, due_on + DAY)
            for name, due_on in zip(named("p", len(promises)), promises, strict=True)
        ),
        quotes=tuple(OpenQuote("negotiation:n", last) for last in draw(st.lists(days(0, 120), max_size=1))),
        pause=draw(st.none() | instants().map(lambda at: EndedPause("h", at, own=True))),
        holds=draw(st.frozensets(st.sampled_from(HoldKind), max_size=2)),
        standing=tuple(Standing(at, topic) for at, topic in said),
        last_contact_at=draw(st.none() | instants()),
        unanswered=draw(st.integers(0, 3)),
        person_asked=draw(st.booleans()),
    )


@given(facts(), wishes(), instants())
def test_a_plan_keeps_every_promise_the_planner_makes(given_facts: Facts, wished: ContactWishes, now: datetime) -> None:
    plan = plan_notices(given_facts, wished, LADDER, now)
    assert len({notice.key for notice in plan}) == len(plan)
    assert all(notice.send_at > now for notice in plan)
    assert all(LIMITS.soft_start <= local(notice.send_at).time() < LIMITS.soft_end for notice in plan)
    assert all(later.send_at - earlier.send_at >= DAY for earlier, later in pairwise(plan))
    announced = Counter(notice.due_key for notice in plan if notice.due_key is not None)
    assert all(count <= LIMITS.per_due_date for count in announced.values())
    most = min(LIMITS.per_seven_days, wished.per_seven_days or LIMITS.per_seven_days)
    for end in plan:
        week = [one for one in plan if timedelta(0) <= end.send_at - one.send_at < timedelta(days=7)]
        assert len(week) <= most


@given(facts(), wishes(), instants())
def test_collection_never_falls_on_a_day_off(given_facts: Facts, wished: ContactWishes, now: datetime) -> None:
    plan = plan_notices(given_facts, wished, LADDER, now)
    assert all(is_working_day(local(n.send_at).date()) for n in plan if n.purpose is Purpose.COLLECTION)


@given(facts(), wishes(), instants())
def test_the_ladder_is_seldom(given_facts: Facts, wished: ContactWishes, now: datetime) -> None:
    steps = [n for n in plan_notices(given_facts, wished, LADDER, now) if n.topic is Topic.OVERDUE]
    written = [step.send_at for step in steps]
    known = [notice.at for notice in given_facts.standing if notice.topic is Topic.OVERDUE]
    for end in written:
        month = [at for at in [*written, *known] if timedelta(0) <= end - at < timedelta(days=30)]
        assert len(month) <= LADDER.per_thirty_days
    barred = {f"debt:{debt.debt_id}" for debt in given_facts.debts if not debt.limitation_runs}
    assert not barred & {step.subject for step in steps}


@given(facts(), wishes(), instants())
def test_planning_again_plans_the_same(given_facts: Facts, wished: ContactWishes, now: datetime) -> None:
    assert plan_notices(given_facts, wished, LADDER, now) == plan_notices(given_facts, wished, LADDER, now)


@given(facts(), wishes(), instants())
def test_what_resumes_comes_before_whatever_follows_the_pause(
    given_facts: Facts, wished: ContactWishes, now: datetime
) -> None:
    plan = plan_notices(given_facts, wished, LADDER, now)
    resumed = [notice for notice in plan if notice.topic is Topic.RESUMED]
    if not resumed or given_facts.pause is None:
        return
    after = [n for n in plan if n.send_at >= given_facts.pause.ends_at and n.topic is not Topic.RESUMED]
    assert all(n.send_at - resumed[0].send_at >= (3 * DAY if n.topic is Topic.OVERDUE else DAY) for n in after)


@given(facts(), wishes(), instants())
def test_until_the_next_look_every_night_would_plan_the_same(
    given_facts: Facts, wished: ContactWishes, now: datetime
) -> None:
    plan = plan_notices(given_facts, wished, LADDER, now)
    look = next_look(given_facts, plan, wished, LADDER, now)
    decided = min((notice.send_at for notice in plan), default=None)
    night = datetime.combine(local(now).date() + DAY, time(2), tzinfo=SHANGHAI)
    for _ in range(LONGEST // DAY if look is not None else 100):
        if (look is not None and night >= look) or (decided is not None and night > decided):
            return
        assert plan_notices(given_facts, wished, LADDER, night) == plan, night
        night += DAY
