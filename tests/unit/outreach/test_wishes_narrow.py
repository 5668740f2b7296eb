"""What a borrower may ask for, and what that leaves of a day."""

from datetime import UTC, time
from typing import Any

import pytest

from bot.outreach.wishes import NO_WISHES, ContactWishes

NINE, EIGHT_PM = time(9), time(20)
NOON = ContactWishes(quiet_from=time(12), quiet_to=time(14))
NIGHT = ContactWishes(quiet_from=time(18, 30), quiet_to=time(10))


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": time(12)},
        {"quiet_to": time(12)},
        {"quiet_from": time(12), "quiet_to": time(12)},
        {"quiet_from": time(12, tzinfo=UTC), "quiet_to": time(14)},
        {"send_at": time(19, tzinfo=UTC)},
        {"day_of_month": 0},
        {"day_of_month": 32},
        {"days_before": -1},
        {"per_seven_days": 0},
    ],
    ids=str,
)
def test_what_nobody_can_mean_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"quiet|zone|month|before|opt-out"):
        ContactWishes(**wrong)


@pytest.mark.parametrize(
    ("wishes", "quiet", "not_quiet"),
    [
        (NOON, [time(12), time(13, 59)], [time(11, 59), time(14)]),
        (NIGHT, [time(18, 30), time(23, 59), time(0), time(9, 59)], [time(10), time(18, 29)]),
        (NO_WISHES, [], [time(0), time(12)]),
    ],
)
def test_quiet_hours_begin_with_their_first_minute_and_end_before_their_last(
    wishes: ContactWishes, quiet: list[time], not_quiet: list[time]
) -> None:
    assert all(wishes.quiet_at(clock) for clock in quiet)
    assert not any(wishes.quiet_at(clock) for clock in not_quiet)


@pytest.mark.parametrize(
    ("wishes", "left"),
    [
        (NO_WISHES, ((NINE, EIGHT_PM),)),
        (NOON, ((NINE, time(12)), (time(14), EIGHT_PM))),
        (NIGHT, ((time(10), time(18, 30)),)),
        (ContactWishes(quiet_from=time(8), quiet_to=time(11)), ((time(11), EIGHT_PM),)),
        (ContactWishes(quiet_from=time(18), quiet_to=time(20)), ((NINE, time(18)),)),
        (ContactWishes(quiet_from=time(22), quiet_to=time(7)), ((NINE, EIGHT_PM),)),
        (ContactWishes(quiet_from=time(9), quiet_to=time(20)), ()),
        (ContactWishes(quiet_from=time(20), quiet_to=time(9)), ((NINE, EIGHT_PM),)),
    ],
)
def test_what_quiet_hours_leave_of_the_window(wishes: ContactWishes, left: tuple[tuple[time, time], ...]) -> None:
    assert wishes.left_of(NINE, EIGHT_PM) == left


@pytest.mark.parametrize(
    ("wishes", "earliest"),
    [
        (NO_WISHES, None),
        (ContactWishes(send_at=time(19)), time(19)),
        (ContactWishes(send_at=NINE), NINE),
        (ContactWishes(send_at=EIGHT_PM), None),
        (ContactWishes(send_at=time(23)), None),
        (ContactWishes(send_at=time(7)), None),
        (ContactWishes(quiet_from=time(18), quiet_to=time(21), send_at=time(19)), None),
    ],
)
def test_a_wished_hour_counts_where_it_can_be_met(wishes: ContactWishes, earliest: time | None) -> None:
    assert wishes.earliest_in(NINE, EIGHT_PM) == earliest
