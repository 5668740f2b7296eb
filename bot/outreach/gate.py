"""The gate: whether a message may be sent now, and which rule says so.

Rule names are those of the rule table in ``docs/contact-rules.md``: T1 hard quiet hours, T2 soft window, F1 frequency,
F3 silence after unanswered notices, F4 notices before a due date, F5 opt-out, F6 holds, P1 right party only.
All wall-clock parameters are Asia/Shanghai. Unknown history or clock means no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from bot.clock import SHANGHAI


class Purpose(StrEnum):
    """Why a message is sent."""

    REPLY = "reply"
    SAFETY = "safety"
    PLAN_NOTICE = "plan_notice"
    DUE_NOTICE = "due_notice"
    COLLECTION = "collection"


class HoldKind(StrEnum):
    """A reason for silence that stands on record."""

    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    DISTRESS = "distress"
    DECEASED = "deceased"
    PLAN = "plan"
    OPT_OUT = "opt_out"


class Verdict(StrEnum):
    """What the gate decided."""

    ALLOWED = "allowed"
    DEFERRED = "deferred"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the rule that decided it, and for a deferral when to ask again (aware)."""

    verdict: Verdict
    rule: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the policy; they may be made stricter, and the hard ban cannot be widened."""

    hard_start: time = time(22, 0)
    hard_end: time = time(8, 0)
    soft_start: time = time(9, 0)
    soft_end: time = time(20, 0)
    apart: timedelta = timedelta(hours=24)
    per_seven_days: int = 3
    per_due_date: int = 2
    unanswered_before_pause: int = 2
    pause: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PastNotice:
    """One notice already sent to this borrower, over any channel and for any debt of the lender."""

    sent_at: datetime
    due_key: str | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom the message would reach. ``conversation_opened_at`` is the borrower's last message there."""

    is_right_party: bool
    history: Sequence[PastNotice] | None
    holds: frozenset[HoldKind]
    last_inbound_at: datetime | None


_SILENCING = (HoldKind.DECEASED, HoldKind.DISTRESS, HoldKind.DISPUTE, HoldKind.COMPLAINT)


def may_send(
    purpose: Purpose, due_key: str | None, recipient: Recipient, now: datetime | None, limits: Limits
) -> Decision:
    """Decide whether a message may be sent at ``now`` (aware). Pure and total: it never raises."""
    if purpose in (Purpose.REPLY, Purpose.SAFETY):
        return Decision(Verdict.ALLOWED, "reply")
    if now is None or now.tzinfo is None or recipient.history is None:
        return Decision(Verdict.REFUSED, "unknown")
    if not recipient.is_right_party:
        return Decision(Verdict.REFUSED, "P1")
    if any(hold in recipient.holds for hold in _SILENCING):
        return Decision(Verdict.REFUSED, "F6")
    if HoldKind.OPT_OUT in recipient.holds:
        return Decision(Verdict.REFUSED, "F5")
    if HoldKind.PLAN in recipient.holds and purpose is not Purpose.PLAN_NOTICE:
        return Decision(Verdict.REFUSED, "F6")
    if any(notice.sent_at > now for notice in recipient.history):
        return Decision(Verdict.REFUSED, "unknown")
    if due_key is not None and sum(n.due_key == due_key for n in recipient.history) >= limits.per_due_date:
        return Decision(Verdict.REFUSED, "F4")
    if quiet := _quiet(now, limits):
        return quiet
    return _frequency(recipient, now, limits)


def _quiet(now: datetime, limits: Limits) -> Decision | None:
    here = now.astimezone(SHANGHAI)
    clock = here.timetz().replace(tzinfo=None)
    hard = clock >= limits.hard_start or clock < limits.hard_end
    if not hard and limits.soft_start <= clock < limits.soft_end:
        return None
    opening = here.replace(
        hour=limits.soft_start.hour, minute=limits.soft_start.minute, second=0, microsecond=0
    )
    if opening <= here:
        opening += timedelta(days=1)
    return Decision(Verdict.DEFERRED, "T1" if hard else "T2", opening)


def _frequency(recipient: Recipient, now: datetime, limits: Limits) -> Decision:
    sent = sorted(notice.sent_at for notice in recipient.history or ())
    if not sent:
        return Decision(Verdict.ALLOWED, "within_limits")
    if now - sent[-1] < limits.apart:
        return Decision(Verdict.DEFERRED, "F1", sent[-1] + limits.apart)
    recent = [at for at in sent if now - at < timedelta(days=7)]
    if len(recent) >= limits.per_seven_days:
        return Decision(Verdict.DEFERRED, "F1", recent[-limits.per_seven_days] + timedelta(days=7))
    since_reply = [at for at in sent if recipient.last_inbound_at is None or at > recipient.last_inbound_at]
    if len(since_reply) >= limits.unanswered_before_pause and now - since_reply[-1] < limits.pause:
        return Decision(Verdict.DEFERRED, "F3", since_reply[-1] + limits.pause)
    return Decision(Verdict.ALLOWED, "within_limits")
