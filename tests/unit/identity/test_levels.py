"""Which level a proof still gives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.levels import Level, Proof, Viewer, viewer

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
IDLE = timedelta(minutes=30)
FRESH = timedelta(minutes=15)


def minutes_ago(span: float) -> datetime:
    return NOW - timedelta(minutes=span)


def seen(proof: Proof) -> Viewer:
    return viewer(proof, NOW, IDLE, FRESH)


def test_nobody_known_sees_nothing() -> None:
    assert seen(Proof(None, minutes_ago(1), minutes_ago(1))) == Viewer(Level.ANONYMOUS, None, is_fresh=False)


def test_a_bound_conversation_without_proof_stays_at_level_one() -> None:
    assert seen(Proof("b1", None, minutes_ago(1))) == Viewer(Level.BOUND, "b1", is_fresh=False)


def test_a_young_proof_gives_level_two_and_is_fresh() -> None:
    assert seen(Proof("b1", minutes_ago(14), minutes_ago(1))) == Viewer(Level.VERIFIED, "b1", is_fresh=True)


def test_talking_keeps_level_two_but_not_freshness() -> None:
    assert seen(Proof("b1", minutes_ago(300), minutes_ago(1))) == Viewer(Level.VERIFIED, "b1", is_fresh=False)


@pytest.mark.parametrize(("silent_minutes", "level"), [(29.9, Level.VERIFIED), (30, Level.BOUND), (31, Level.BOUND)])
def test_level_two_lapses_after_the_idle_time(silent_minutes: float, level: Level) -> None:
    assert seen(Proof("b1", minutes_ago(60), minutes_ago(silent_minutes))).level is level


def test_silence_counts_from_the_proof_when_nothing_was_said_after_it() -> None:
    assert seen(Proof("b1", minutes_ago(20), None)).level is Level.VERIFIED
    assert seen(Proof("b1", minutes_ago(20), minutes_ago(90))).level is Level.VERIFIED
    assert seen(Proof("b1", minutes_ago(31), None)).level is Level.BOUND


def test_a_proof_from_the_future_proves_nothing() -> None:
    assert seen(Proof("b1", NOW + timedelta(seconds=1), NOW)) == Viewer(Level.BOUND, "b1", is_fresh=False)


moments = st.none() | st.integers(-120, 120).map(minutes_ago)


@given(st.sampled_from([None, "b1"]), moments, moments)
def test_facts_need_a_borrower_and_a_past_proof_and_freshness_needs_level_two(
    borrower_id: str | None, verified_at: datetime | None, last_inbound_at: datetime | None
) -> None:
    found = seen(Proof(borrower_id, verified_at, last_inbound_at))
    assert found.borrower_id == borrower_id
    assert (found.level is Level.ANONYMOUS) is (borrower_id is None)
    if found.level is Level.VERIFIED:
        assert verified_at is not None
        assert verified_at <= NOW
    if found.is_fresh:
        assert found.level is Level.VERIFIED


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_time_alone_never_raises_the_level(proved: int, said: int, later: int) -> None:
    proof = Proof("b1", minutes_ago(proved), minutes_ago(said))
    assert viewer(proof, NOW + timedelta(minutes=later), IDLE, FRESH).level <= seen(proof).level
