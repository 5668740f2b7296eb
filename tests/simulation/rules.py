"""The rule table of ``docs/contact-rules.md``, applied to what a database says was sent.

Written from the table, not from the code that decides: it asks neither the gate nor the planner, and
looks at the rows only after everything has happened. What it reports is a message that should not have gone out, one
that went out twice, or a notice that never came to an end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.clock import SHANGHAI
from bot.store.tables import Reminder
from tests.simulation.records import ANSWERS, Case, Delivery, Records, Said, inside

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
ONE_CONTACT = timedelta(hours=1)
ANSWERED_WITHIN = timedelta(hours=12)
OVERDUE_AFTER = timedelta(hours=1)
"""A planned notice, or a message in the outbox, that is later than this was forgotten."""

SILENT = frozenset({"dispute", "complaint", "distress", "deceased", "incapacity", "minor", "pause", "person"})
"""Under these nothing is sent, whatever it is about."""

PLAN_ONLY = frozenset({"plan", "payment_sought"})
"""Under these only notices of a plan, or the answer that was asked for, are sent."""

SECRETS = ("欠", "债", "債", "还款", "還款", "逾期", "催", "账单", "帳單", "贷款", "貸款", "信用卡", "¥")
"""What a notice may not say to whoever holds the phone."""

STATUTORY_HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in (
        "2026-10-01 2026-10-02 2026-10-03 2027-01-01 2027-02-05 2027-02-06 2027-02-07 2027-02-08 2027-04-05 "
        "2027-05-01 2027-05-02 2027-06-09 2027-09-15 2027-10-01 2027-10-02 2027-10-03 2028-01-01"
    ).split()
)
"""The days named by 全国年节及纪念日放假办法; the days off around them are left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach: the rule, whom it concerns, when it happened, and what is known of it without personal data."""

    rule: str
    borrower_id: str
    at: datetime | None
    detail: str


def findings(records: Records, as_of: datetime, received: Mapping[str, int] | None = None) -> list[Finding]:
    """Check a whole database as it stands at ``as_of`` (aware).

    ``received`` says how often the people's end of the channels got each message, by id, where that is known.
    """
    found = [each for case in records.cases.values() for check in CHECKS for each in check(case)]
    for case in records.cases.values():
        found += _lost(case, records.deliveries, as_of)
        found += _unasked(case.said, records)
        found += _received_twice(case.said, received or {})
    found += [Finding("P1", "", said.at, f"{said.purpose} to nobody known") for said in _contacts(records.strangers)]
    found += _unasked(records.strangers, records)
    return found


def _contacts(said: Sequence[Said]) -> list[Said]:
    return [each for each in said if each.purpose not in ANSWERS]


def _clock(instant: datetime) -> time:
    return instant.astimezone(SHANGHAI).time()


def _day(instant: datetime) -> date:
    return instant.astimezone(SHANGHAI).date()


def _hours(case: Case) -> Iterator[Finding]:
    """T1, T2: when it was written, and when a channel took it."""
    for said in case.contacts:
        for at in (said.at, *([said.delivered_at] if said.delivered_at else [])):
            if inside(_clock(at), time(22), time(8)):
                yield Finding("T1", case.borrower_id, at, said.purpose)
            elif not inside(_clock(at), time(9), time(20)):
                yield Finding("T2", case.borrower_id, at, said.purpose)


def _wishes(case: Case) -> Iterator[Finding]:
    """W1, from the moment at which the wish as it now stands was made."""
    wish = case.wish
    if wish is None:
        return
    begun = _begun(case)
    for place, said in enumerate(begun):
        if any(at < wish.changed_at for at in case.moments(said.at)):
            continue
        if wish.quiet_from and wish.quiet_to and inside(_clock(said.at), wish.quiet_from, wish.quiet_to):
            yield Finding("W1", case.borrower_id, said.at, "in the borrower's quiet hours")
        if wish.per_seven_days is not None:
            lately = [each for each in begun[:place] if said.at - each.at < WEEK]
            if len(lately) >= wish.per_seven_days:
                yield Finding("W1", case.borrower_id, said.at, "more often than the borrower wishes")


def _begun(case: Case) -> list[Said]:
    """Contacts as F1 counts them: what a person writes in one conversation within an hour is one."""
    begun: list[Said] = []
    opened: dict[str, datetime] = {}
    for said in case.contacts:
        if said.author in ("operator", "notice"):
            since = opened.get(said.conversation_id)
            if since is not None and said.at - since <= ONE_CONTACT:
                continue
            opened[said.conversation_id] = said.at
        begun.append(said)
    return begun


def _frequency(case: Case) -> Iterator[Finding]:
    """F1: 24 hours apart, and three in seven days, over all channels, debts and senders."""
    begun = _begun(case)
    for place, said in enumerate(begun):
        earlier = begun[:place]
        if earlier and said.at - earlier[-1].at < DAY:
            yield Finding("F1", case.borrower_id, said.at, f"{said.at - earlier[-1].at} after the last one")
        if sum(said.at - each.at < WEEK for each in earlier) >= 3:
            yield Finding("F1", case.borrower_id, said.at, "the fourth in seven days")


def _unanswered(case: Case) -> Iterator[Finding]:
    """F3: after two that nobody answered, seven days of quiet. Writing answers, and so does paying."""
    begun, answers = _begun(case), sorted([*case.wrote, *case.paid])
    for place, said in enumerate(begun):
        answered_at = max((at for at in answers if at <= said.at), default=None)
        since = [each.at for each in begun[:place] if answered_at is None or each.at > answered_at]
        if len(since) >= 2 and said.at - since[-1] < WEEK:
            yield Finding("F3", case.borrower_id, said.at, f"after {len(since)} unanswered")


def _announced(case: Case) -> Iterator[Finding]:
    """F4: a due date is announced twice at most before it has come."""
    times: Counter[str] = Counter()
    for notice in _sent(case):
        if (notice.topic or "plan") in ("plan", "due") and notice.due_on and _day(_at(notice)) < notice.due_on:
            times[notice.instalment_id or notice.subject or notice.key] += 1
            if times[notice.instalment_id or notice.subject or notice.key] == 3:
                yield Finding("F4", case.borrower_id, notice.decided_at, "announced a third time")


def _holds(case: Case) -> Iterator[Finding]:
    """F5, F6: what stands on record, when it was written and when a channel took it."""
    for said in case.contacts:
        for at in (said.at, *([said.delivered_at] if said.delivered_at else [])):
            open_then = _open(case, at)
            if "opt_out" in open_then:
                yield Finding("F5", case.borrower_id, at, "after 'stop'")
            if open_then & SILENT:
                yield Finding("F6", case.borrower_id, at, "+".join(sorted(open_then & SILENT)))
            if open_then & PLAN_ONLY and said.purpose != "plan_notice":
                yield Finding("F6", case.borrower_id, at, f"{said.purpose} under {sorted(open_then & PLAN_ONLY)}")


def _disputed_debts(case: Case) -> Iterator[Finding]:
    """F6: nothing about a debt while that debt is disputed."""
    for notice in _sent(case):
        at = _at(notice)
        for debt_id, silence in case.disputed:
            if notice.subject == f"debt:{debt_id}" and all(silence.covers(when) for when in case.moments(at)):
                yield Finding("F6", case.borrower_id, at, "about a disputed debt")


def _open(case: Case, instant: datetime) -> set[str]:
    """The kinds of holds that stood at an instant, whichever time it truly was."""
    return set.intersection(*_open_at_each(case, instant))


def _perhaps_open(case: Case, instant: datetime) -> set[str]:
    """The kinds of holds that may have stood at an instant, if it was one of the times that it may have been."""
    return set.union(*_open_at_each(case, instant))


def _open_at_each(case: Case, instant: datetime) -> list[set[str]]:
    return [{silence.kind for silence in case.silences if silence.covers(at)} for at in case.moments(instant)]


def _holidays(case: Case) -> Iterator[Finding]:
    """D1: nobody is reminded of an overdue debt, and no operator begins, on a public holiday."""
    for said in case.contacts:
        if said.purpose == "collection" and _day(said.at) in STATUTORY_HOLIDAYS:
            yield Finding("D1", case.borrower_id, said.at, "on a public holiday")


def _right_person(case: Case) -> Iterator[Finding]:
    """P1, I2: a notice lies in a conversation of its own borrower and says nothing that a stranger could use."""
    own = {said.message_id: said for said in case.said}
    for notice in _sent(case):
        if notice.message_id is not None and notice.message_id not in own:
            yield Finding("P1", case.borrower_id, notice.decided_at, "in a conversation that is not the borrower's")
    for said in case.contacts:
        if said.author == "bot" and (told := [word for word in SECRETS if word in said.text]):
            yield Finding("I2", case.borrower_id, said.at, f"says {told}")


def _still_true(case: Case) -> Iterator[Finding]:
    """Nothing is said about what is paid, ended or past when it is sent."""
    parts = {part.instalment_id: (plan, part) for plan in case.plans for part in plan.parts}
    for notice in _sent(case):
        at, topic = _at(notice), notice.topic or "plan"
        if notice.instalment_id is not None:
            plan, part = parts[notice.instalment_id]
            if all(plan.paid_fen(moment) >= part.owed_by_then_fen for moment in case.moments(at)):
                yield Finding("paid", case.borrower_id, at, f"{topic}: the instalment was paid")
            if plan.end is not None and all(plan.end <= moment for moment in case.moments(at)):
                yield Finding("ended", case.borrower_id, at, f"{topic}: the plan had ended")
        if topic in ("plan", "promise", "due", "quote") and notice.due_on is not None and _day(at) > notice.due_on:
            yield Finding("past", case.borrower_id, at, f"{topic}: the day had passed")
        if topic == "late" and notice.due_on is not None and _day(at) <= notice.due_on:
            yield Finding("early", case.borrower_id, at, "called late before it was")
        if notice.id in case.settled:
            yield Finding("paid", case.borrower_id, at, f"{topic}: nothing was owed on the debt")
        debt = case.debts.get(_subject(notice, "debt"))
        if topic == "overdue" and debt is not None:
            if not debt.limitation_known:
                yield Finding("N8", case.borrower_id, at, "the limitation of the debt is unknown")
            if _day(at) <= debt.due_on:
                yield Finding("early", case.borrower_id, at, "called overdue before it was")
        promise = case.promises.get(_subject(notice, "promise"))
        judged_at = promise.judged_at if promise is not None and promise.state == "kept" else None
        if judged_at is not None and all(judged_at < moment for moment in case.moments(at)):
            yield Finding("paid", case.borrower_id, at, "the promise was kept")


def _after_silence(case: Case) -> Iterator[Finding]:
    """After a hold the borrower is told that notices begin again, three days before the ladder goes on.

    Not after a plan, which is no silence, nor after a hold that stood for less than a day: that was a slip. Nor after
    the borrower's own wish to hear again, which is told at once that it was heard.
    """
    told = [_at(notice) for notice in _sent(case) if notice.topic == "resumed"]
    for notice in _sent(case):
        if notice.topic != "overdue":
            continue
        at = _at(notice)
        over = [(s, s.end) for s in case.silences if s.end is not None and s.end <= at]
        wished = max((end for s, end in over if s.is_taken_back), default=None)
        ended = [
            end for s, end in over if end - s.start >= DAY and s.kind in SILENT and (wished is None or end > wished)
        ]
        if ended and not any(max(ended) <= when <= at - timedelta(days=3) + ONE_CONTACT for when in told):
            yield Finding("resumed", case.borrower_id, at, "the ladder went on without a word")


def _once(case: Case) -> Iterator[Finding]:
    """One notice, one message; one message, one notice."""
    written = Counter(said.client_key for said in case.said if said.client_key and said.client_key[:9] == "reminder:")
    for key, times in written.items():
        if times > 1:
            yield Finding("twice", case.borrower_id, None, f"{key} was written {times} times")
    carried = Counter(notice.message_id for notice in _sent(case) if notice.message_id)
    for message_id, times in carried.items():
        if times > 1:
            yield Finding("twice", case.borrower_id, None, f"message {message_id} stands for {times} notices")
    same = Counter(
        (n.topic, n.instalment_id or n.subject, n.stage, n.due_on, n.send_at) for n in _sent(case) if n.topic
    )
    for what, times in same.items():
        if times > 1:
            yield Finding("twice", case.borrower_id, None, f"{what[0]} was sent {times} times")


def _unnoticed(case: Case) -> Iterator[Finding]:
    """Every contact of the bot is one of the notices on record, or the gate's history would not know of it."""
    known = {notice.message_id for notice in case.notices if notice.state == "sent"}
    for said in case.contacts:
        if said.author == "bot" and said.message_id not in known:
            yield Finding("unrecorded", case.borrower_id, said.at, f"{said.purpose} without a notice")


def _lost(case: Case, deliveries: Mapping[str, Delivery], as_of: datetime) -> Iterator[Finding]:
    """Every notice whose time is past has ended, with a rule; every message for a channel has an end as well."""
    for notice in case.notices:
        if notice.state == "planned":
            if notice.send_at < as_of - OVERDUE_AFTER:
                yield Finding("lost", case.borrower_id, notice.send_at, f"{notice.topic} is still planned")
        elif notice.state not in ("sent", "superseded", "refused"):
            yield Finding("lost", case.borrower_id, notice.send_at, f"state {notice.state}")
        elif not notice.rule or notice.decided_at is None:
            yield Finding("lost", case.borrower_id, notice.send_at, f"{notice.state} without a rule or an instant")
        elif notice.state == "sent" and notice.message_id is None:
            yield Finding("lost", case.borrower_id, notice.decided_at, "sent, but there is no message")
    for said in case.said:
        row = deliveries.get(said.message_id)
        if row is None:
            if said.channel != "web":
                yield Finding("lost", case.borrower_id, said.at, f"never put out for {said.channel}")
        elif row.state not in ("sent", "dead", "unknown") and said.at < as_of - WEEK:
            yield Finding("lost", case.borrower_id, said.at, f"{row.state} in the outbox for a week")
        elif row.state == "dead" and not row.last_error:
            yield Finding("lost", case.borrower_id, said.at, "given up without a reason")


def _unasked(said: Sequence[Said], records: Records) -> Iterator[Finding]:
    """An answer answers something: the borrower wrote there within twelve hours, or has just opened the chat.

    After a sign of danger a person may look after the borrower until somebody lifts the hold.
    """
    for each in said:
        if each.purpose not in ANSWERS or each.author == "notice":
            continue
        case = records.cases.get(each.borrower_id or "")
        is_care = (each.purpose, each.author) == ("safety", "operator")
        if is_care and case and "distress" in _perhaps_open(case, each.at):
            continue
        opened = records.opened[each.conversation_id]
        if each.channel in ("web", "telegram") and timedelta(0) <= each.at - opened < timedelta(minutes=1):
            continue
        before = [at for at in records.inbound.get(each.conversation_id, ()) if at <= each.at]
        if not before or each.at - max(before) >= ANSWERED_WITHIN:
            yield Finding("unasked", each.borrower_id or "", each.at, f"a {each.purpose} that answers nothing")


def _received_twice(said: Sequence[Said], received: Mapping[str, int]) -> Iterator[Finding]:
    """Nobody gets a notice twice. An answer may come twice where the line broke: silence would be worse."""
    for each in _contacts(said):
        if received.get(each.message_id, 0) > 1:
            yield Finding("twice", each.borrower_id or "", each.at, f"received {received[each.message_id]} times")


def _sent(case: Case) -> list[Reminder]:
    return [notice for notice in case.notices if notice.state == "sent" and notice.decided_at is not None]


def _at(notice: Reminder) -> datetime:
    assert notice.decided_at is not None
    return notice.decided_at


def _subject(notice: Reminder, kind: str) -> str:
    name, _, subject_id = (notice.subject or "").partition(":")
    return subject_id if name == kind else ""


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _hours,
    _wishes,
    _frequency,
    _unanswered,
    _announced,
    _holds,
    _disputed_debts,
    _holidays,
    _right_person,
    _still_true,
    _after_silence,
    _once,
    _unnoticed,
)
