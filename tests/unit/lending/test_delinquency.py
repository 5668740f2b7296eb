from datetime import date

import pytest

from bot.lending.delinquency import DelinquencyBucket, bucket_of, days_past_due

DUE = date(2026, 10, 10)


@pytest.mark.parametrize(
    ("as_of", "owed_fen", "grace_days", "days"),
    [
        (date(2026, 10, 10), 100, 0, 0),
        (date(2026, 10, 9), 100, 0, 0),
        (date(2026, 10, 11), 100, 0, 1),
        (date(2026, 10, 11), 0, 0, 0),
        (date(2026, 10, 13), 100, 3, 0),
        (date(2026, 10, 14), 100, 3, 4),
    ],
)
def test_days_count_from_the_due_date_once_grace_is_over(
    as_of: date, owed_fen: int, grace_days: int, days: int
) -> None:
    assert days_past_due(DUE, as_of, owed_fen, grace_days) == days


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, DelinquencyBucket.CURRENT),
        (1, DelinquencyBucket.DPD_1_30),
        (30, DelinquencyBucket.DPD_1_30),
        (31, DelinquencyBucket.DPD_31_60),
        (60, DelinquencyBucket.DPD_31_60),
        (61, DelinquencyBucket.DPD_61_90),
        (90, DelinquencyBucket.DPD_61_90),
        (91, DelinquencyBucket.DPD_91_180),
        (180, DelinquencyBucket.DPD_91_180),
        (181, DelinquencyBucket.DPD_181_PLUS),
        (9999, DelinquencyBucket.DPD_181_PLUS),
    ],
)
def test_bucket_edges(days: int, bucket: DelinquencyBucket) -> None:
    assert bucket_of(days) is bucket


def test_negative_days_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        bucket_of(-1)
