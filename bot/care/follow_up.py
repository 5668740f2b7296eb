"""When a person has to look after somebody in danger again, and what is not spoken of meanwhile.

No rule sets the times: they are ours (†).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

FIRST_WORD = timedelta(minutes=30)
"""So long after a sign of danger a person must have said a first word."""

NEXT_WORD = timedelta(hours=24)
"""So long after a person's last word, or the last alarm, somebody must have looked again while the hold stands."""

_DEBT = re.compile(
    r"欠|还[款钱清]|还不[上起]|逾期|账单|账务|利息|罚息|本金|违约金|分期|方案|协议|催|贷款|额度|¥|￥|\d\s*元|万元"
)


def due_at(placed_at: datetime, last_word_at: datetime | None, last_alarm_at: datetime | None) -> datetime:
    """Return when a hold of distress raises its next alarm; instants are aware.

    ``last_word_at`` is a person's last word after the sign, ``last_alarm_at`` the last alarm about this very hold.
    """
    if last_word_at is None and last_alarm_at is None:
        return placed_at + FIRST_WORD
    return max(at for at in (last_word_at, last_alarm_at) if at is not None) + NEXT_WORD


def speaks_of_debt(text: str) -> bool:
    """Whether words to somebody in danger speak of money owed; what a person writes first must not."""
    return _DEBT.search(text) is not None
