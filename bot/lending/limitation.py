"""Whether a claim may have run into the statute of limitations (Civil Code arts. 188, 189, 195).

A warning light, not legal advice: anything but RUNNING means no plan and no nudging, a neutral text and a person
(rule N8).
"""

from datetime import date
from enum import StrEnum

from bot.lending.schedule import add_months

_PERIOD_MONTHS = 36


class LimitationStatus(StrEnum):
    """RUNNING: within three years. POSSIBLY_EXPIRED: three years have passed. UNKNOWN: the dates do not say."""

    RUNNING = "running"
    POSSIBLY_EXPIRED = "possibly_expired"
    UNKNOWN = "unknown"


def limitation_status(last_due_on: date | None, last_interrupted_on: date | None, as_of: date) -> LimitationStatus:
    """Status on ``as_of``, from the last due date and the last demand, promise, part payment or suit.

    An interruption counts only while the period was still running: one that came later, or for a debt whose due date is
    not known, may have come after expiry, when a mere demand revives nothing. That is UNKNOWN. An interruption
    after ``as_of`` has not happened yet and is ignored.
    """
    expires_on = limitation_ends_on(last_due_on, last_interrupted_on, as_of)
    if expires_on is None:
        return LimitationStatus.UNKNOWN
    return LimitationStatus.RUNNING if as_of <= expires_on else LimitationStatus.POSSIBLY_EXPIRED


def limitation_ends_on(last_due_on: date | None, last_interrupted_on: date | None, as_of: date) -> date | None:
    """The last day of the period as it is known on ``as_of``; None where the dates do not say (UNKNOWN)."""
    if last_due_on is None:
        return None
    expires_on = add_months(last_due_on, _PERIOD_MONTHS)
    if last_interrupted_on is not None and last_due_on < last_interrupted_on <= as_of:
        if last_interrupted_on > expires_on:
            return None
        expires_on = add_months(last_interrupted_on, _PERIOD_MONTHS)
    return expires_on
