from datetime import date

import pytest

from bot.lending.limitation import LimitationStatus, limitation_status

DUE = date(2023, 11, 21)


@pytest.mark.parametrize(
    ("last_due_on", "last_interrupted_on", "as_of", "status"),
    [
        (DUE, None, date(2026, 11, 21), LimitationStatus.RUNNING),
        (DUE, None, date(2026, 11, 22), LimitationStatus.POSSIBLY_EXPIRED),
        (date(2027, 1, 1), None, date(2026, 11, 21), LimitationStatus.RUNNING),
        (DUE, date(2025, 5, 1), date(2026, 11, 22), LimitationStatus.RUNNING),
        (DUE, date(2025, 5, 1), date(2028, 5, 2), LimitationStatus.POSSIBLY_EXPIRED),
        (None, None, date(2026, 11, 21), LimitationStatus.UNKNOWN),
    ],
    ids=["last day", "day after", "not yet due", "interrupted in time", "expired again", "no dates"],
)
def test_three_years_from_the_last_due_date_or_interruption(
    last_due_on: date | None, last_interrupted_on: date | None, as_of: date, status: LimitationStatus
) -> None:
    assert limitation_status(last_due_on, last_interrupted_on, as_of) is status


def test_a_demand_after_expiry_does_not_make_the_claim_look_alive() -> None:
    assert limitation_status(date(2018, 1, 1), date(2026, 10, 1), date(2026, 11, 21)) is LimitationStatus.UNKNOWN


def test_an_interruption_without_a_known_due_date_proves_nothing() -> None:
    assert limitation_status(None, date(2026, 10, 1), date(2026, 11, 21)) is LimitationStatus.UNKNOWN


def test_an_interruption_still_to_come_is_ignored() -> None:
    assert limitation_status(DUE, date(2026, 12, 1), date(2026, 11, 25)) is LimitationStatus.POSSIBLY_EXPIRED


def test_a_due_date_on_leap_day_expires_at_the_end_of_february() -> None:
    assert limitation_status(date(2024, 2, 29), None, date(2027, 2, 28)) is LimitationStatus.RUNNING
    assert limitation_status(date(2024, 2, 29), None, date(2027, 3, 1)) is LimitationStatus.POSSIBLY_EXPIRED
