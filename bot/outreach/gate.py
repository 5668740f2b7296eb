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


_HARD_START = time(22, 0)
_HARD_END = time(8, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the policy. They may be made stricter; the hard ban (T1) cannot be made shorter.

    Raises:
        ValueError: the ban would be shorter than 22:00-08:00, the window is empty or reaches into the ban, a time has
            a zone of its own, or a count or span is not positive.
    """

    hard_start: time = time(22, 0)
    hard_end: time = time(8, 0)
    soft_start: time = time(9, 0)
    soft_end: time = time(20, 0)
    apart: timedelta = timedelta(hours=24)
    per_seven_days: int = 3
    per_due_date: int = 2
    unanswered_before_pause: int = 2
    pause: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if any(clock.tzinfo for clock in (self.hard_start, self.hard_end, self.soft_start, self.soft_end)):
            raise ValueError("limits are wall-clock times in Asia/Shanghai, without a zone of their own")
        if not _HARD_END <= self.hard_end <= self.soft_start < self.soft_end <= self.hard_start <= _HARD_START:
            raise ValueError("the window must be open at some time and keep clear of 22:00-08:00")
        if min(self.per_seven_days, self.per_due_date, self.unanswered_before_pause) < 1:
            raise ValueError("counts must be at least 1")
        if min(self.apart, self.pause) <= timedelta(0):
            raise ValueError("spans must be positive")


@dataclass(frozen=True, slots=True)
class PastNotice:
    """One notice already sent to this borrower, over any channel, for any debt of the lender. ``sent_at`` is aware."""

    sent_at: datetime
    due_key: str | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom the message would reach.

    ``history`` is None when it could not be read. ``last_inbound_at`` (aware) is the borrower's last message, None when
    there was never one.
    """

    is_right_party: bool
    history: Sequence[PastNotice] | None
    holds: frozenset[HoldKind]
    last_inbound_at: datetime | None


_SEVEN_DAYS = timedelta(days=7)
_SILENCING = (HoldKind.DECEASED, HoldKind.DISTRESS, HoldKind.DISPUTE, HoldKind.COMPLAINT)


def may_send(
    purpose: Purpose, due_key: str | None, recipient: Recipient, now: datetime | None, limits: Limits
) -> Decision:
    """Decide whether a message may be sent at ``now`` (aware). Pure and total: it never raises.

    ``due_key`` names the due date that a notice is about, None when it is about none. A deferral's ``until`` lies in
    the soft window; the gate has to be asked again then.
    """
    if purpose in (Purpose.REPLY, Purpose.SAFETY):
        return Decision(Verdict.ALLOWED, "reply")
    if now is None or recipient.history is None or not _are_aware(now, recipient):
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
    try:
        if quiet := _quiet(now, limits):
            return quiet
        return _frequency(recipient, now, limits)
    except OverflowError:  # a clock at the end of the calendar is no clock
        return Decision(Verdict.REFUSED, "unknown")


def _are_aware(now: datetime, recipient: Recipient) -> bool:
    instants = [now, *(notice.sent_at for notice in recipient.history or ())]
    if recipient.last_inbound_at is not None:
        instants.append(recipient.last_inbound_at)
    return all(instant.utcoffset() is not None for instant in instants)


def _quiet(now: datetime, limits: Limits) -> Decision | None:
    opening = _next_open(now, limits)
    if opening == now:
        return None
    clock = now.astimezone(SHANGHAI).time()
    hard = clock >= limits.hard_start or clock < limits.hard_end
    return Decision(Verdict.DEFERRED, "T1" if hard else "T2", opening)


def _next_open(instant: datetime, limits: Limits) -> datetime:
    """Return the instant itself when it lies in the soft window, else the window's next opening."""
    here = instant.astimezone(SHANGHAI)
    if limits.soft_start <= here.time() < limits.soft_end:
        return here
    day = here.date() if here.time() < limits.soft_start else here.date() + timedelta(days=1)
    return datetime.combine(day, limits.soft_start, tzinfo=SHANGHAI)


def _frequency(recipient: Recipient, now: datetime, limits: Limits) -> Decision:
    sent = sorted(notice.sent_at for notice in recipient.history or ())
    if not sent:
        return Decision(Verdict.ALLOWED, "within_limits")
    if now - sent[-1] < limits.apart:
        return Decision(Verdict.DEFERRED, "F1", _next_open(sent[-1] + limits.apart, limits))
    recent = [at for at in sent if now - at < _SEVEN_DAYS]
    if len(recent) >= limits.per_seven_days:
        return Decision(Verdict.DEFERRED, "F1", _next_open(recent[-limits.per_seven_days] + _SEVEN_DAYS, limits))
    since_reply = [at for at in sent if recipient.last_inbound_at is None or at > recipient.last_inbound_at]
    if len(since_reply) >= limits.unanswered_before_pause and now - since_reply[-1] < limits.pause:
        return Decision(Verdict.DEFERRED, "F3", _next_open(since_reply[-1] + limits.pause, limits))
    return Decision(Verdict.ALLOWED, "within_limits")
