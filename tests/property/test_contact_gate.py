"""What the contact gate keeps in every half hour of a week, under every hold and after every history."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.outreach.gate import Decision, HoldKind, Limits, PastNotice, Purpose, Recipient, Verdict, may_send

MONDAY = datetime(2026, 11, 23, tzinfo=SHANGHAI)
WEEK = [MONDAY + timedelta(minutes=30 * step) for step in range(7 * 48)]
HOLDS = [frozenset(some) for some in chain.from_iterable(combinations(HoldKind, n) for n in range(len(HoldKind) + 1))]
SILENCING = {HoldKind.DISPUTE, HoldKind.COMPLAINT, HoldKind.DISTRESS, HoldKind.DECEASED, HoldKind.OPT_OUT}
ANSWERS = {Purpose.REPLY, Purpose.SAFETY}
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
FORBIDDEN_HISTORIES = {
    "an hour ago",
    "just short of a day ago",
    "two unanswered",
    "three in seven days, answered",
}


def recipient(history: str, now: datetime, holds: frozenset[HoldKind] = frozenset()) -> Recipient:
    ago, replied = HISTORIES[history]
    return Recipient(
        is_right_party=True,
        history=tuple(PastNotice(now - span, None) for span in ago),
        holds=holds,
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
@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_goes_out_in_a_forbidden_cell(purpose: Purpose, history: str) -> None:
    for now in WEEK:
        whom = recipient(history, now)
        for holds in HOLDS:
            decision = may_send(purpose, None, replace(whom, holds=holds), now, LIMITS)
            under_plan = HoldKind.PLAN in holds and purpose is not Purpose.PLAN_NOTICE
            forbidden = (
                not is_open(now) or bool(holds & SILENCING) or under_plan or history in FORBIDDEN_HISTORIES
            ) and purpose not in ANSWERS
            assert (decision.verdict is Verdict.ALLOWED) is not forbidden, (now, holds, decision)
            assert (decision.until is not None) is (decision.verdict is Verdict.DEFERRED)


@pytest.mark.parametrize("history", HISTORIES)
def test_a_deferral_lies_ahead_in_the_window_and_comes_to_an_end(history: str) -> None:
    for now in WEEK:
        decisions = list(chain_of(Purpose.PLAN_NOTICE, recipient(history, now), now, LIMITS))
        moments = [decision.until for decision in decisions if decision.until is not None]
        assert moments == sorted(set(moments))
        assert all(moment > now and is_open(moment) for moment in moments)
        assert decisions[-1].verdict is Verdict.ALLOWED


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - ANSWERS))
def test_nobody_else_and_no_unknown_history_is_written_to_at_any_time(purpose: Purpose) -> None:
    for now in WEEK:
        whom = recipient("never written to", now)
        for other in (replace(whom, is_right_party=False), replace(whom, history=None)):
            assert may_send(purpose, None, other, now, LIMITS).verdict is Verdict.REFUSED


instants = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
odd_instants = st.datetimes(timezones=st.sampled_from([None, UTC, SHANGHAI]))
due_keys = st.sampled_from([None, DUE, "instalment:2"])


def recipients(moments: st.SearchStrategy[datetime]) -> st.SearchStrategy[Recipient]:
    notices = st.lists(st.builds(PastNotice, moments, due_keys), max_size=8)
    holds = st.frozensets(st.sampled_from(HoldKind), max_size=2)
    return st.builds(Recipient, st.booleans(), st.none() | notices, holds, st.none() | moments)


minutes = st.integers(min_value=0, max_value=59)


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


@given(st.sampled_from(Purpose), due_keys, recipients(odd_instants), st.none() | odd_instants, stricter_limits())
def test_the_gate_decides_whatever_it_is_given(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime | None, limits: Limits
) -> None:
    decision = may_send(purpose, due_key, whom, now, limits)
    assert decision.until is None or now is None or decision.until > now


@given(st.sampled_from(Purpose), due_keys, recipients(instants), instants, stricter_limits())
def test_stricter_limits_never_allow_more(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime, limits: Limits
) -> None:
    if may_send(purpose, due_key, whom, now, limits).verdict is Verdict.ALLOWED:
        assert may_send(purpose, due_key, whom, now, LIMITS).verdict is Verdict.ALLOWED


@given(st.sampled_from(Purpose), due_keys, recipients(instants), instants, st.sampled_from(HoldKind))
def test_one_more_hold_never_allows_more(
    purpose: Purpose, due_key: str | None, whom: Recipient, now: datetime, hold: HoldKind
) -> None:
    held = replace(whom, holds=whom.holds | {hold})
    if may_send(purpose, due_key, held, now, LIMITS).verdict is Verdict.ALLOWED:
        assert may_send(purpose, due_key, whom, now, LIMITS).verdict is Verdict.ALLOWED


@given(recipients(instants), instants, stricter_limits())
def test_whatever_the_limits_a_deferral_lies_in_their_window(whom: Recipient, now: datetime, limits: Limits) -> None:
    until = may_send(Purpose.PLAN_NOTICE, None, whom, now, limits).until
    assert until is None or limits.soft_start <= until.astimezone(SHANGHAI).time() < limits.soft_end
