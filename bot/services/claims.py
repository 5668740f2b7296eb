"""When a row that a process has claimed is free: the claim has ended, or was made by a clock that was wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

LONGEST_CLAIM = timedelta(minutes=30)
"""No process claims anything for so long. A claim that ends later was made while a clock stood ahead, by a process that
may be long dead; waiting for it would keep a borrower waiting as long as the clock was wrong."""


def is_free(claimed_until: datetime | None, now: datetime) -> bool:
    """Tell whether a row may be claimed at an instant (aware)."""
    return claimed_until is None or not now < claimed_until <= now + LONGEST_CLAIM


def free(
    claimed_until: InstrumentedAttribute[datetime | None],
    now: datetime | BindParameter[datetime],
    horizon: datetime | BindParameter[datetime],
) -> ColumnElement[bool]:
    """Return the condition that rows may be claimed; ``horizon`` is ``LONGEST_CLAIM`` after ``now``."""
    return or_(claimed_until.is_(None), claimed_until <= now, claimed_until > horizon)
