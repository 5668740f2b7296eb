"""The rule table of ``docs/contact-rules.md`` a second time: in whole seconds, by looking at every minute in turn.

Nothing here comes from the gate. Time is seconds (``now``) or minutes since ``MONDAY`` on the wall in Shanghai, where
clocks never change in the years concerned; the days off are those of the State Council's notice for 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

MONDAY = datetime(2026, 10, 5, tzinfo=timezone(timedelta(hours=8)))
"""The National Day holiday ends on the Wednesday of this week; its Saturday is a make-up working day."""

HOLIDAYS = frozenset({0, 1, 2})

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 7 * 86400
HORIZON_DAYS = 30

Answer = tuple[str, str, int | None]
"""Verdict, rule, and for a deferral the second until which it lasts."""

EVERYTHING_STOPS = {
    "dispute",
    "complaint",
    "distress",
    "deceased",
    "incapacity",
    "minor",
    "pause",
    "person",
}
ONLY_PLAN_NOTICES = {"plan", "payment_sought"}


@dataclass(frozen=True)
class Wish:
    """What a borrower asked for; clock times in minutes after midnight."""

    quiet: tuple[int, int] | None = None
    preferred: int | None = None
    at_most: int | None = None

    def quiet_minutes(self) -> set[int]:
        if self.quiet is None:
            return set()
        minute, end = self.quiet
        found = set()
        while minute != end:
            found.add(minute)
            minute = (minute + 1) % 1440
        return found


@dataclass(frozen=True)
class History:
    """What was sent, as seconds ago and the due date it came before, and how many seconds ago the borrower wrote."""

    sent: tuple[tuple[int, str | None], ...] = ()
    answered: int | None = None


@dataclass(frozen=True)
class Case:
    """One question to the gate, but for the time. None is what could not be read."""

    purpose: str
    history: History | None = field(default_factory=History)
    wish: Wish | None = field(default_factory=Wish)
    holds: frozenset[str] = frozenset()
    due_key: str | None = None
    right_party: bool = True
    rests: bool = True


class Timetable:
    """For every minute of a month: by which rule it is closed, and the first open minute from it on."""

    def __init__(self, wish: Wish, rests: bool) -> None:
        quiet = wish.quiet_minutes()
        window = [minute for minute in range(9 * 60, 20 * 60) if minute not in quiet]
        waits_for = wish.preferred if wish.preferred in window else None
        self.closed: list[str | None] = []
        for at in range(HORIZON_DAYS * 1440):
            day, minute = divmod(at, 1440)
            if minute < 8 * 60 or minute >= 22 * 60:
                self.closed.append("T1")
            elif minute < 9 * 60 or minute >= 20 * 60:
                self.closed.append("T2")
            elif rests and day in HOLIDAYS:
                self.closed.append("D1")
            elif minute in quiet or (waits_for is not None and minute < waits_for):
                self.closed.append("W1")
            else:
                self.closed.append(None)
        self.opening: list[int | None] = [None] * len(self.closed)
        ahead: int | None = None
        for at in reversed(range(len(self.closed))):
            ahead = at if self.closed[at] is None else ahead
            self.opening[at] = ahead

    def put_off(self, rule: str, second: int) -> Answer:
        """Until the first open second from this one on."""
        minute = second // MINUTE
        if self.closed[minute] is None:
            return "deferred", rule, second
        opening = self.opening[minute]
        return ("refused", "W1", None) if opening is None else ("deferred", rule, opening * MINUTE)


def answers(case: Case, timetables: dict[tuple[Wish, bool], Timetable]) -> Callable[[int], Answer]:
    """Return what the table answers to a case, by the second; ``timetables`` keeps what many cases share."""
    known = at_any_time(case)
    if known is not None:
        return lambda _now: known
    assert case.history is not None
    assert case.wish is not None
    rests = case.rests and case.purpose == "collection"
    timetable = timetables.get((case.wish, rests))
    if timetable is None:
        timetable = timetables[case.wish, rests] = Timetable(case.wish, rests)
    waits = too_many(case.history, case.wish)
    allowed: Answer = ("allowed", "within_limits", None)

    def answer(now: int) -> Answer:
        rule = timetable.closed[now // MINUTE]
        if rule is not None:
            return timetable.put_off(rule, now)
        if waits is not None:
            return timetable.put_off(waits[0], now + waits[1])
        return allowed

    return answer


def at_any_time(case: Case) -> Answer | None:
    """What does not depend on the time: answers, what is unknown, who it is, holds, notices of one due date."""
    if case.purpose in {"reply", "safety"}:
        return "allowed", "reply", None
    if case.history is None or case.wish is None:
        return "refused", "unknown", None
    if not case.right_party:
        return "refused", "P1", None
    if not case.holds.isdisjoint(EVERYTHING_STOPS):
        return "refused", "F6", None
    if "opt_out" in case.holds:
        return "refused", "F5", None
    if case.purpose != "plan_notice" and not case.holds.isdisjoint(ONLY_PLAN_NOTICES):
        return "refused", "F6", None
    if any(ago < -5 for ago, _ in case.history.sent):
        return "refused", "unknown", None
    if case.due_key is not None and [key for _, key in case.history.sent].count(case.due_key) >= 2:
        return "refused", "F4", None
    return None


def too_many(history: History, wish: Wish) -> tuple[str, int] | None:
    """By which rule there was too much of late, and for how many seconds still."""
    ages = sorted(ago for ago, _ in history.sent)
    if ages and ages[0] < DAY:
        return "F1", DAY - ages[0]
    week = [age for age in ages if age < WEEK]
    for rule, most in (("F1", 3), ("W1", wish.at_most)):
        if most is not None and len(week) >= most:
            return rule, WEEK - week[most - 1]
    unanswered = [age for age in ages if history.answered is None or age < history.answered]
    if len(unanswered) >= 2 and unanswered[0] < WEEK:
        return "F3", WEEK - unanswered[0]
    return None
