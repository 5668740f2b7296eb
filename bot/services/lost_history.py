"""What stands in the history of contacts for those that a restore of an older backup took out of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.outreach.gate import Limits, PastNotice
from bot.store.tables import AuditEntry

BACKUP_RESTORED = "backup_restored"
"""What is on record of a restore."""

RULE = "restored"
"""What is on record as the reason of whatever a restore held back."""

_SEVEN_DAYS = timedelta(days=7)
_LAST = select(func.max(AuditEntry.at)).where(AuditEntry.event == BACKUP_RESTORED)


def lost_contacts(session: Session, now: datetime, limits: Limits) -> tuple[PastNotice, ...]:
    """Return what stands in everybody's history for the contacts that a restore took out of it.

    As many as F1 lets anybody have, all at the moment of the restore, for as long as a contact counts.
    """
    restored_at = session.scalar(_LAST)
    if restored_at is None or now - restored_at >= max(_SEVEN_DAYS, limits.apart, limits.pause):
        return ()
    return (PastNotice(min(restored_at, now), None),) * limits.per_seven_days
