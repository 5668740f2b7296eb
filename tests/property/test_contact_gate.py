"""What the contact gate keeps whatever it is asked; what it answers in each cell is in ``tests/proof``."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.outreach.gate import Decision, HoldKind, Limits, PastNotice, Purpose, Recipient, Verdict, may_send
from bot.outreach.wishes import ContactWishes
from bot.outreach.workdays import in_public_holiday

MONDAY = datetime(2026, 11, 23, tzinfo=SHANGHAI)
WEEK = [MONDAY + timedelta(minutes=30 * step) for step in range(7 * 48)]
NOTICES = sorted(set(Purpose) - {Purpose.REPLY, Purpose.SAFETY})
LIMITS = Limits()
DUE = "instalment:1"

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HISTORIES: dict[str, tuple[list[timedelta], timedelta | None]] = {
    "never written to": ([], None),
    "an hour ago": ([HOUR], None),
    "just short of a day ago": ([DAY - timedelta(seconds=1)], None),
    "a day ago": ([DAY], None),
    "two unanswered": ([2 * DAY, 4 * DAY], None),
    "two answered": ([2 * DAY, 4 * DAY], DAY),
    "two unanswered long ago": ([7 * DAY, 9 * DAY], None),
    "three in seven days, answered": ([2 * DAY, 4 * DAY, 6 * DAY], DAY),
    "three in eight days, answered": ([2 * DAY, 4 * DAY, 7 * DAY], DAY),
}


def recipient(history: str, now: datetime) -> Recipient:
    ago, replied = HISTORIES[history]
    return Recipient(
        is_right_party=True,
        history=tuple(PastNotice(now - span, None) for span in ago),
        holds=frozenset(),
        last_inbound_at=None if replied is None else now - replied,
    )


def is_open(now: datetime) -> bool:
    return time(9) <= now.astimezone(SHANGHAI).time() < time(20)


def chain_of(purpose: Purpose, whom: Recipient, now: datetime, limits: Limits) -> Iterator[Decision]:
    """Ask, and ask again whenever the gate says so."""
    for _ in range(10):
        decision = may_send(purpose, None, whom, now, limits)
        yield decision
        if decision.until is None:
            return
        now = decision.until
    raise AssertionError("the gate puts off for ever")


@pytest.mark.parametrize("history", HISTORIES)
def test_a_deferral_lies_ahead_in_the_window_and_comes_to_an_end(history: str) -> None:
    for now in WEEK:
        decisions = list(chain_of(Purpose.PLAN_NOTICE, recipient(history, now), now, LIMITS))
        moments = [decision.until for decision in decisions if decision.until is not None]
        assert moments == sorted(set(moments))
        assert all(moment > now and is_open(moment) for moment in moments)
        assert decisions[-1].verdict is Verdict.ALLOWED


instants = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
odd_instants = st.datetimes(timezones=st.sampled_from([None, UTC, SHANGHAI]))
due_keys = st.sampled_from([None, DUE, "instalment:2"])
purposes = st.sampled_from(Purpose)
hours = st.integers(min_value=0, max_value=23)
minutes = st.integers(min_value=0, max_value=59)
clocks = st.builds(time, hours, minutes)


@st.composite
def all_wishes(draw: st.DrawFn) -> ContactWishes:
    """Whatever a borrower may ask for."""
    quiet_from, quiet_to = draw(st.just((None, None)) | st.tuples(clocks, clocks))
    assume(quiet_from is None or quiet_from != quiet_to)
    return ContactWishes(
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        send_at=draw(st.none() | clocks),
        per_seven_days=draw(st.none() | st.integers(1, 9)),
    )


def recipients(moments: st.SearchStrategy[datetime]) -> st.SearchStrategy[Recipient]:
    notices = st.lists(st.builds(PastNotice, moments, due_keys), max_size=8)
    holds = st.frozensets(st.sampled_from(HoldKind), max_size=2)
    return st.builds(
        Recipient, st.booleans(), st.none() | notices, holds, st.none() | moments, st.none() | all_wishes()
    )


@st.composite
def stricter_limits(draw: st.DrawFn) -> Limits:
    """Limits that differ from the usual ones towards silence only."""
    return Limits(
        hard_start=time(draw(st.integers(20, 21)), draw(minutes)),
        hard_end=time(8, draw(minutes)),
        soft_start=time(draw(st.integers(9, 13)), draw(minutes)),
        soft_end=time(draw(st.integers(14, 19)), draw(minutes)),
        apart=DAY + draw(st.timedeltas(timedelta(0), 5 * DAY)),
        per_seven_days=draw(st.integers(1, 3)),
        per_due_date=draw(st.integers(1, 2)),
        unanswered_before_pause=draw(st.integers(1, 2)),
        pause=7 * DAY + draw(st.timedeltas(timedelta(0), 30 * DAY)),
    )


@given(purposes, due_keys, recipients(odd_instants), st.none() | odd_instants, stricter_limits())
def test_the_gate_decides_whatever_it_is_given(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime | None, limits: Limits
) -> None:
    decision = may_send(purpose, due_key, whom, now, limits)
    assert (decision.until is not None) is (decision.verdict is Verdict.DEFERRED)
    assert decision.until is None or now is None or decision.until > now


@given(purposes, due_keys, recipients(instants), instants, stricter_limits())
def test_stricter_limits_never_allow_more(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime, limits: Limits
) -> None:
    # A wished hour that the stricter window does not reach is no longer waited for.
    wishes = replace(whom.wishes, send_at=None) if whom.wishes is not None else None
    whom = replace(whom, wishes=wishes)
    if may_send(purpose, due_key, whom, now, limits).verdict is Verdict.ALLOWED:
        assert may_send(purpose, due_key, whom, now, LIMITS).verdict is Verdict.ALLOWED


@given(purposes, due_keys, recipients(instants), instants, st.sampled_from(HoldKind))
def test_one_more_hold_never_allows_more(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime, hold: HoldKind
) -> None:
    held = replace(whom, holds=whom.holds | {hold})
    if may_send(purpose, due_key, held, now, LIMITS).verdict is Verdict.ALLOWED:
        assert may_send(purpose, due_key, whom, now, LIMITS).verdict is Verdict.ALLOWED


@given(purposes, due_keys, recipients(instants), instants, stricter_limits())
def test_no_wish_ever_allows_more(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime, limits: Limits
) -> None:
    if may_send(purpose, due_key, whom, now, limits).verdict is Verdict.ALLOWED:
        without = replace(whom, wishes=ContactWishes())
        assert may_send(purpose, due_key, without, now, limits).verdict is Verdict.ALLOWED


@given(st.sampled_from(NOTICES), recipients(instants), instants, stricter_limits())
def test_a_deferral_ends_when_window_holidays_and_wished_hours_are_kept(
    purpose: Purpose, whom: Recipient, now: datetime, limits: Limits
) -> None:
    until = may_send(purpose, None, whom, now, limits).until
    if until is None or whom.wishes is None:
        return
    here = until.astimezone(SHANGHAI)
    assert limits.soft_start <= here.time() < limits.soft_end
    assert not whom.wishes.quiet_at(here.time())
    assert purpose is not Purpose.COLLECTION or not in_public_holiday(here.date())


@given(all_wishes(), clocks)
def test_what_the_quiet_hours_leave_of_a_window_is_what_is_not_quiet_in_it(wishes: ContactWishes, clock: time) -> None:
    left = wishes.left_of(LIMITS.soft_start, LIMITS.soft_end)
    inside = any(opens <= clock < closes for opens, closes in left)
    assert inside is (is_open(datetime.combine(MONDAY, clock, tzinfo=SHANGHAI)) and not wishes.quiet_at(clock))
