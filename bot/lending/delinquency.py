"""How late a debt is."""

from datetime import date
from enum import StrEnum


class DelinquencyBucket(StrEnum):
    """Ranges of days past due; the last one is open."""

    CURRENT = "current"
    DPD_1_30 = "dpd_1_30"
    DPD_31_60 = "dpd_31_60"
    DPD_61_90 = "dpd_61_90"
    DPD_91_180 = "dpd_91_180"
    DPD_181_PLUS = "dpd_181_plus"


_LAST_DAY = (
    (0, DelinquencyBucket.CURRENT),
    (30, DelinquencyBucket.DPD_1_30),
    (60, DelinquencyBucket.DPD_31_60),
    (90, DelinquencyBucket.DPD_61_90),
    (180, DelinquencyBucket.DPD_91_180),
)


def days_past_due(due_on: date, as_of: date, owed_fen: int, grace_days: int = 0) -> int:
    """Days since the oldest unpaid due date; 0 if nothing is owed, it is not yet due, or within the grace days.

    Once the grace days are over the count runs from the due date itself.
    """
    late = (as_of - due_on).days
    return late if owed_fen > 0 and late > grace_days else 0


def bucket_of(days: int) -> DelinquencyBucket:
    """The bucket of a number of days past due. Raises ``ValueError`` if negative."""
    if days < 0:
        raise ValueError(f"days past due cannot be negative: {days}")
    for last_day, bucket in _LAST_DAY:
        if days <= last_day:
            return bucket
    return DelinquencyBucket.DPD_181_PLUS
