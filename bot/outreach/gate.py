"""The gate: whether a message may be sent now, and which rule says so.

The rules, and the order in which the first that applies decides, are those of the table in ``docs/contact-rules.md``.
All wall-clock parameters are Asia/Shanghai. Unknown history, wishes or clock means no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from bot.clock import SHANGHAI
from bot.outreach.wishes import NO_WISHES, ContactWishes
from bot.outreach.workdays import in_public_holiday


class Purpose(StrEnum):
    """Why a message is sent.

    ``REPLY`` and ``SAFETY`` answer in a chat that the borrower opened. ``PLAN_NOTICE`` is about a plan or promise in
    force, or is something that the borrower asked to be told; ``DUE_NOTICE`` comes before or at a contract's due date;
    ``COLLECTION`` is about what is overdue, and whatever an operator begins.
    """

    REPLY = "reply"
    SAFETY = "safety"
    PLAN_NOTICE = "plan_notice"
    DUE_NOTICE = "due_notice"
    COLLECTION = "collection"


class HoldKind(StrEnum):
    """A reason for silence that stands on record.

    ``INCAPACITY`` and ``MINOR``: the borrower cannot act for themselves. ``PAUSE`` is the borrower's own, with an end;
    ``PERSON`` was placed by an operator, or by the desk for somebody vulnerable; ``PAYMENT_SOUGHT``: they say they
    paid, and it is being looked for.
    """

    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    DISTRESS = "distress"
    DECEASED = "deceased"
    INCAPACITY = "incapacity"
    MINOR = "minor"
    PAUSE = "pause"
    PERSON = "person"
    PAYMENT_SOUGHT = "payment_sought"
    PLAN = "plan"
    OPT_OUT = "opt_out"


class Verdict(StrEnum):
    """What the gate decided."""

    ALLOWED = "allowed"
    DEFERRED = "deferred"
    REFUSED = "refused"


class Rule(StrEnum):
    """What the gate decides by; the values are the names in the rule table."""

    REPLY = "reply"
    UNKNOWN = "unknown"
    RIGHT_PARTY = "P1"
    HOLD = "F6"
    OPTED_OUT = "F5"
    DUE_DATE = "F4"
    HARD_BAN = "T1"
    SOFT_WINDOW = "T2"
    HOLIDAY = "D1"
    WISH = "W1"
    FREQUENCY = "F1"
    UNANSWERED = "F3"
    WITHIN_LIMITS = "within_limits"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the rule that decided it, and for a deferral when to ask again (aware)."""

    verdict: Verdict
    rule: str
    until: datetime | None = None


HARD_BAN_FROM = time(22, 0)
HARD_BAN_TO = time(8, 0)
"""T1, GB/T 45251-2025: between these times nothing goes out, whatever the limits say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the policy. They may be made stricter; the hard ban (T1) cannot be made shorter.

    ``rest_on_holidays`` has ``COLLECTION`` wait for the end of public holidays (D1).

    Raises:
        ValueError: the ban would be shorter than 22:00-08:00, the window is empty or reaches into the ban, a time has
            a zone of its own, or a count or span is not positive.
    """

    hard_start: time = HARD_BAN_FROM
    hard_end: time = HARD_BAN_TO
    soft_start: time = time(9, 0)
    soft_end: time = time(20, 0)
    rest_on_holidays: bool = True
    apart: timedelta = timedelta(hours=24)
    per_seven_days: int = 3
    per_due_date: int = 2
    unanswered_before_pause: int = 2
    pause: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if any(clock.tzinfo for clock in (self.hard_start, self.hard_end, self.soft_start, self.soft_end)):
            raise ValueError("limits are wall-clock times in Asia/Shanghai, without a zone of their own")
        if not HARD_BAN_TO <= self.hard_end <= self.soft_start < self.soft_end <= self.hard_start <= HARD_BAN_FROM:
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

    ``history`` and ``wishes`` are None when they could not be read. ``last_inbound_at`` (aware) is the borrower's last
    message, None when there was never one.
    """

    is_right_party: bool
    history: Sequence[PastNotice] | None
    holds: frozenset[HoldKind]
    last_inbound_at: datetime | None
    wishes: ContactWishes | None = NO_WISHES


CLOCKS_APART = timedelta(seconds=5)
"""By so much the clocks of two processes may differ: a notice dated no further ahead was sent just now."""

_SEVEN_DAYS = timedelta(days=7)
_LONGEST_CLOSED_DAYS = 31
"""No public holiday is as long: what has not opened after so many days never does."""

_SILENCING = frozenset(
    {
        HoldKind.DISPUTE,
        HoldKind.COMPLAINT,
        HoldKind.DISTRESS,
        HoldKind.DECEASED,
        HoldKind.INCAPACITY,
        HoldKind.MINOR,
        HoldKind.PAUSE,
        HoldKind.PERSON,
    }
)
_LEAVING_PLAN_NOTICES = frozenset({HoldKind.PLAN, HoldKind.PAYMENT_SOUGHT})


def may_send(
    purpose: Purpose, due_key: str | None, recipient: Recipient, now: datetime | None, limits: Limits
) -> Decision:
    """Decide whether a message may be sent at ``now`` (aware). Pure and total: it never raises.

    ``due_key`` names the due date that a notice comes before, None when it comes before none. A deferral's ``until`` is
    the first instant from which no rule about the hour and the day stands in the way; the gate has to be asked again
    then.
    """
    if purpose in (Purpose.REPLY, Purpose.SAFETY):
        return Decision(Verdict.ALLOWED, Rule.REPLY)
    history, wishes, last_inbound_at = recipient.history, recipient.wishes, recipient.last_inbound_at
    if now is None or history is None or wishes is None or not _are_aware(now, history, last_inbound_at):
        return Decision(Verdict.REFUSED, Rule.UNKNOWN)
    if not recipient.is_right_party:
        return Decision(Verdict.REFUSED, Rule.RIGHT_PARTY)
    if recipient.holds & _SILENCING:
        return Decision(Verdict.REFUSED, Rule.HOLD)
    if HoldKind.OPT_OUT in recipient.holds:
        return Decision(Verdict.REFUSED, Rule.OPTED_OUT)
    if purpose is not Purpose.PLAN_NOTICE and recipient.holds & _LEAVING_PLAN_NOTICES:
        return Decision(Verdict.REFUSED, Rule.HOLD)
    sent = sorted([notice.sent_at for notice in history])
    if sent and sent[-1] - now > CLOCKS_APART:
        return Decision(Verdict.REFUSED, Rule.UNKNOWN)
    if due_key is not None and [notice.due_key for notice in history].count(due_key) >= limits.per_due_date:
        return Decision(Verdict.REFUSED, Rule.DUE_DATE)
    hours = _Hours(limits, wishes, purpose is Purpose.COLLECTION and limits.rest_on_holidays)
    try:
        closed_by = hours.closed_by(now)
        if closed_by is not None:
            return hours.defer(closed_by, now)
        return _frequency(sent, last_inbound_at, now, hours)
    except OverflowError:  # a clock at the end of the calendar is no clock
        return Decision(Verdict.REFUSED, Rule.UNKNOWN)


def _are_aware(now: datetime, history: Sequence[PastNotice], last_inbound_at: datetime | None) -> bool:
    for notice in history:
        if notice.sent_at.utcoffset() is None:
            return False
    return now.utcoffset() is not None and (last_inbound_at is None or last_inbound_at.utcoffset() is not None)


@dataclass(frozen=True, slots=True)
class _Hours:
    """When a message may go out by the day and the hour alone: T1, T2, D1 and the hours of W1."""

    limits: Limits
    wishes: ContactWishes
    rests_on_holidays: bool

    def closed_by(self, instant: datetime) -> Rule | None:
        here = instant.astimezone(SHANGHAI)
        clock = here.time()
        if clock >= self.limits.hard_start or clock < self.limits.hard_end:
            return Rule.HARD_BAN
        if clock >= self.limits.soft_end or clock < self.limits.soft_start:
            return Rule.SOFT_WINDOW
        if self.rests_on_holidays and in_public_holiday(here.date()):
            return Rule.HOLIDAY
        if self.wishes.quiet_at(clock) or clock < self._earliest():
            return Rule.WISH
        return None

    def defer(self, rule: Rule, instant: datetime) -> Decision:
        """Put off to the next opening from ``instant`` on; the borrower's quiet hours may leave none at all."""
        opening = self._next_open(instant)
        if opening is None:
            return Decision(Verdict.REFUSED, Rule.WISH)
        return Decision(Verdict.DEFERRED, rule, opening)

    def _next_open(self, instant: datetime) -> datetime | None:
        spans = self.wishes.left_of(self.limits.soft_start, self.limits.soft_end)
        here, earliest = instant.astimezone(SHANGHAI), self._earliest()
        day, clock = here.date(), here.time()
        for _ in range(_LONGEST_CLOSED_DAYS):
            if not (self.rests_on_holidays and in_public_holiday(day)):
                for opens, closes in spans:
                    at = max(opens, clock, earliest)
                    if at < closes:
                        return datetime.combine(day, at, tzinfo=SHANGHAI)
            day, clock = day + timedelta(days=1), time.min
        return None

    def _earliest(self) -> time:
        return self.wishes.earliest_in(self.limits.soft_start, self.limits.soft_end) or time.min


def _frequency(sent: list[datetime], last_inbound_at: datetime | None, now: datetime, hours: _Hours) -> Decision:
    """Decide by what was ``sent``, in order, and when the borrower last answered: F1, the number of W1, F3."""
    limits, fewer = hours.limits, hours.wishes.per_seven_days
    if not sent:
        return Decision(Verdict.ALLOWED, Rule.WITHIN_LIMITS)
    if now - sent[-1] < limits.apart:
        return hours.defer(Rule.FREQUENCY, sent[-1] + limits.apart)
    recent = [at for at in sent if now - at < _SEVEN_DAYS]
    if len(recent) >= limits.per_seven_days:
        return hours.defer(Rule.FREQUENCY, recent[-limits.per_seven_days] + _SEVEN_DAYS)
    if fewer is not None and len(recent) >= fewer:
        return hours.defer(Rule.WISH, recent[-fewer] + _SEVEN_DAYS)
    since_reply = [at for at in sent if last_inbound_at is None or at > last_inbound_at]
    if len(since_reply) >= limits.unanswered_before_pause and now - since_reply[-1] < limits.pause:
        return hours.defer(Rule.UNANSWERED, since_reply[-1] + limits.pause)
    return Decision(Verdict.ALLOWED, Rule.WITHIN_LIMITS)
