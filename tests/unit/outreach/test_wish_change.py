"""What becomes of wishes that stand when new ones are said."""

from __future__ import annotations

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from bot.outreach.gate import Limits
from bot.outreach.wish_change import Change, Channel, Impossible, Obstacle, QuietHours, changed
from bot.outreach.wishes import ContactWishes

LIMITS = Limits()
MIDNIGHT = time(0)


def after(*changes: Change, start: ContactWishes | None = None) -> ContactWishes:
    """Say one thing after the other; each must be possible."""
    wishes = start or ContactWishes()
    for change in changes:
        found = changed(wishes, change, LIMITS)
        assert isinstance(found, ContactWishes)
        wishes = found
    return wishes


def quiet(start: time, end: time) -> Change:
    return Change(quiet=QuietHours(start, end))


MORNING = quiet(MIDNIGHT, time(12))
EVENING = quiet(time(18), MIDNIGHT)
LUNCH = quiet(time(12), time(14))


def test_a_wish_leaves_the_others_as_they_were() -> None:
    wishes = after(Change(send_at=time(15)), Change(per_seven_days=1), Change(channel=Channel.TELEGRAM))
    assert wishes == ContactWishes(send_at=time(15), per_seven_days=1, channel="telegram")


def test_a_day_of_the_month_and_days_before_replace_each_other() -> None:
    assert after(Change(days_before=1), Change(day_of_month=10)) == ContactWishes(day_of_month=10)
    assert after(Change(day_of_month=10), Change(days_before=0)) == ContactWishes(days_before=0)


def test_quiet_mornings_and_quiet_evenings_are_kept_together() -> None:
    wishes = after(MORNING, EVENING)
    assert wishes.left_of(LIMITS.soft_start, LIMITS.soft_end) == ((time(12), time(18)),)


def test_two_gaps_that_touch_become_one() -> None:
    wishes = after(LUNCH, quiet(time(13), time(16)))
    assert (wishes.quiet_from, wishes.quiet_to) == (time(12), time(16))


def test_of_two_gaps_that_one_span_cannot_hold_the_newer_stays() -> None:
    wishes = after(LUNCH, quiet(time(16), time(17)))
    assert (wishes.quiet_from, wishes.quiet_to) == (time(16), time(17))


def test_quiet_hours_outside_the_window_add_nothing_and_lose_nothing() -> None:
    assert after(LUNCH, quiet(time(22), time(8))).left_of(time(9), time(20)) == (
        (time(9), time(12)),
        (time(14), time(20)),
    )


def test_quiet_hours_that_leave_no_hour_are_refused() -> None:
    assert changed(ContactWishes(), quiet(time(9), time(20)), LIMITS) == Impossible(Obstacle.NO_HOURS_LEFT)


def test_new_quiet_hours_that_together_with_the_old_leave_no_hour_replace_them() -> None:
    wishes = after(quiet(MIDNIGHT, time(18)), quiet(time(17), MIDNIGHT))
    assert (wishes.quiet_from, wishes.quiet_to) == (time(17), MIDNIGHT)


def test_an_hour_inside_the_quiet_hours_ends_them_and_the_other_way_round() -> None:
    assert after(EVENING, Change(send_at=time(19))) == ContactWishes(send_at=time(19))
    assert after(Change(send_at=time(19)), EVENING).send_at is None
    assert after(EVENING, Change(send_at=time(15))).quiet_from == time(18)


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
changes = st.builds(
    Change,
    quiet=st.none()
    | st.tuples(clocks, clocks).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: QuietHours(*ends)),
    send_at=st.none() | st.integers(9, 19).map(time),
    day_of_month=st.none() | st.integers(1, 31),
    days_before=st.none() | st.integers(0, 15),
    channel=st.none() | st.sampled_from([Channel.WEB, Channel.TELEGRAM, Channel.EMAIL, Channel.SMS]),
    per_seven_days=st.none() | st.integers(1, 3),
)


@given(st.lists(changes, max_size=6))
def test_whatever_is_said_some_hour_is_left_and_what_was_said_last_about_hours_holds(said: list[Change]) -> None:
    wishes = ContactWishes()
    for change in said:
        found = changed(wishes, change, LIMITS)
        if isinstance(found, Impossible):
            assert change.quiet is not None
            continue
        wishes = found
        assert wishes.left_of(LIMITS.soft_start, LIMITS.soft_end)
        if change.send_at is not None:
            assert wishes.send_at == change.send_at
            assert not wishes.quiet_at(change.send_at)
        elif change.quiet is not None:
            new = ContactWishes(quiet_from=change.quiet.start, quiet_to=change.quiet.end)
            assert all(
                wishes.quiet_at(time(hour, minute))
                for hour in range(9, 20)
                for minute in (0, 30)
                if new.quiet_at(time(hour, minute))
            )
