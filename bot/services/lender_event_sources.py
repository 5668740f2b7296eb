"""Where the events for the lender's core system are read from: one query for each kind of fact.

Sums are fen, days are those of Asia/Shanghai. What somebody said, how they are and why they are left in peace is not
passed on: a hold that protects a person is told as ``care``, whatever it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, String, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.desk.calls import CallOutcome
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.services.conversations import Author
from bot.services.holds import CHANGED as HOLD_CHANGED
from bot.services.holds import JOINED as HOLD_JOINED
from bot.services.joining import CASE_JOINED
from bot.services.servicing import PlanEventKind
from bot.store import tables as t
from bot.workout.promise import PromiseState


class EventKind(StrEnum):
    """What happened."""

    AGREEMENT_ACCEPTED = "agreement.accepted"
    AGREEMENT_COMPLETED = "agreement.completed"
    AGREEMENT_BROKEN = "agreement.broken"
    INSTALMENT_MISSED = "agreement.instalment_missed"
    PROMISE_MADE = "promise.made"
    PROMISE_KEPT = "promise.kept"
    PROMISE_PARTLY_KEPT = "promise.partly_kept"
    PROMISE_BROKEN = "promise.broken"
    CASE_OPENED = "case.opened"
    CASE_DECIDED = "case.decided"
    SILENCE_BEGAN = "silence.began"
    SILENCE_CHANGED = "silence.changed"
    SILENCE_ENDED = "silence.ended"
    NOTICE_SENT = "contact.notice_sent"
    NOTICE_REFUSED = "contact.notice_refused"
    OPERATOR_WROTE = "contact.operator_wrote"
    CALLED = "contact.called"
    IDENTITY_PROVED = "contact.identity_proved"
    RESTORED = "desk.restored"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. ``subject`` is the id of the row that says so; ``debt_ids`` None: all of theirs."""

    subject: str
    kind: str
    at: datetime
    borrower_id: str | None
    debt_ids: Sequence[str] | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of fact: its rows, with the column of ids and that of instants, and how a row is told."""

    name: str
    rows: Select[*tuple[Any, ...]]
    id: InstrumentedAttribute[Any]
    at: InstrumentedAttribute[Any]
    told: Callable[[Session, Row[*tuple[Any, ...]]], Fact]

    def key_of(self, subject: str) -> str:
        """Return the key under which a fact is told once."""
        return f"{self.name}:{subject}"

    def new(self, session: Session, since: datetime, most: int) -> list[Fact]:
        """Return facts since an instant that have not been told yet, the oldest first."""
        key = literal(f"{self.name}:").concat(cast(self.id, String))
        told = select(t.LenderEvent.seq).where(t.LenderEvent.key == key).exists()
        rows = session.execute(self.rows.where(self.at >= since, ~told).order_by(self.at, self.id).limit(most))
        return [self.told(session, row) for row in rows.all()]


class Numbers:
    """The lender's own numbers of the debts that facts are about, read at once."""

    def __init__(self, session: Session, facts: Sequence[Fact]) -> None:
        self._by_debt: dict[str, dict[str, str]] = {}
        self._by_borrower: dict[str, list[str]] = {}
        borrowers = {fact.borrower_id for fact in facts if fact.borrower_id is not None}
        if not borrowers:
            return
        named = (
            select(t.Debt.id, t.Debt.borrower_id, t.Contract.number, t.Debt.reference)
            .join(t.Contract, t.Contract.id == t.Debt.contract_id)
            .where(t.Debt.borrower_id.in_(borrowers))
            .order_by(t.Contract.number, t.Debt.reference)
        )
        for debt_id, borrower_id, number, reference in session.execute(named):
            self._by_debt[debt_id] = {"contract_number": number, "reference": reference}
            self._by_borrower.setdefault(borrower_id, []).append(debt_id)

    def of(self, fact: Fact) -> list[dict[str, str]]:
        """Return the numbers of a fact's debts."""
        ids = fact.debt_ids if fact.debt_ids is not None else self._by_borrower.get(fact.borrower_id or "", [])
        return [self._by_debt[debt_id] for debt_id in ids if debt_id in self._by_debt]


_PLAN_EVENTS = {
    PlanEventKind.COMPLETED: EventKind.AGREEMENT_COMPLETED,
    PlanEventKind.BROKEN: EventKind.AGREEMENT_BROKEN,
    PlanEventKind.MISSED: EventKind.INSTALMENT_MISSED,
}
_PROMISES = {
    PromiseState.KEPT: EventKind.PROMISE_KEPT,
    PromiseState.PARTLY_KEPT: EventKind.PROMISE_PARTLY_KEPT,
    PromiseState.BROKEN: EventKind.PROMISE_BROKEN,
}
CALL_ANSWERED = f"call_{CallOutcome.SPOKEN.value}"
CALLS_MADE = (CALL_ANSWERED, f"call_{CallOutcome.NO_ANSWER.value}")
"""What is on record of a call, as ``call_backs.settle`` writes it."""
_TOLD_SILENCES = frozenset(
    {HoldKind.COMPLAINT, HoldKind.DISPUTE, HoldKind.OPT_OUT, HoldKind.PAUSE, HoldKind.PAYMENT_SOUGHT, HoldKind.PLAN}
)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _accepted(session: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    agreement: t.Agreement = row[0]
    parts = session.scalars(
        select(t.Instalment).where(t.Instalment.agreement_id == agreement.id).order_by(t.Instalment.number)
    ).all()
    detail = {
        "agreement": agreement.number,
        "version": agreement.version,
        "total_fen": agreement.total_fen,
        "text_sha256": agreement.text_hash,
        "instalments": [{"due_on": _day(part.due_on), "amount_fen": part.amount_fen} for part in parts],
    }
    return Fact(
        agreement.id,
        EventKind.AGREEMENT_ACCEPTED,
        agreement.accepted_at,
        agreement.borrower_id,
        agreement.debt_ids,
        detail,
    )


def _plan_event(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    happened, agreement = row
    kind = _PLAN_EVENTS[PlanEventKind(happened.kind)]
    detail = {"agreement": agreement.number, "happened_on": _day(happened.happened_on)}
    return Fact(happened.id, kind, happened.recorded_at, agreement.borrower_id, agreement.debt_ids, detail)


def _promise_made(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    promise: t.Promise = row[0]
    return _promised(promise, EventKind.PROMISE_MADE, promise.made_at)


def _promise_judged(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    promise: t.Promise = row[0]
    return _promised(promise, _PROMISES[PromiseState(promise.state)], promise.judged_at)


def _promised(promise: t.Promise, kind: EventKind, at: datetime | None) -> Fact:
    detail = {"amount_fen": promise.amount_fen, "due_on": _day(promise.due_on), "paid_fen": promise.paid_fen}
    return Fact(promise.id, kind, at or promise.created_at, promise.borrower_id, promise.debt_ids, detail)


def _case_opened(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    entry, case = row
    return _case(case, str(entry.id), EventKind.CASE_OPENED, entry.at)


def _case_decided(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    case: t.CaseFile = row[0]
    return _case(case, case.id, EventKind.CASE_DECIDED, case.decided_at or case.created_at)


def _case(case: t.CaseFile, subject: str, kind: EventKind, at: datetime) -> Fact:
    detail = {
        "case": case.number,
        "family": case.family,
        "case_kind": case.kind,
        "state": case.state,
        "due_on": _day(case.due_on),
    }
    return Fact(subject, kind, at, case.borrower_id, case.debt_ids or None, detail)


def _silence_began(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    hold: t.Hold = row[0]
    return _silence(hold, EventKind.SILENCE_BEGAN, hold.placed_at)


def _silence_on_record(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    entry, hold = row
    kind = EventKind.SILENCE_BEGAN if entry.event == HOLD_JOINED else EventKind.SILENCE_CHANGED
    return replace(_silence(hold, kind, entry.at), subject=str(entry.id))


def _silence_ended(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    hold: t.Hold = row[0]
    return _silence(hold, EventKind.SILENCE_ENDED, hold.lifted_at or hold.placed_at)


def _silence(hold: t.Hold, kind: EventKind, at: datetime) -> Fact:
    reason = hold.kind if hold.kind in _TOLD_SILENCES else "care"
    detail = {"silence": hold.id, "reason": reason, "until": hold.until.isoformat() if hold.until is not None else None}
    return Fact(hold.id, kind, at, hold.borrower_id, [hold.debt_id] if hold.debt_id else None, detail)


def _notice(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    notice: t.Reminder = row[0]
    kind = EventKind.NOTICE_SENT if notice.state == "sent" else EventKind.NOTICE_REFUSED
    detail = {
        "purpose": notice.purpose,
        "topic": notice.topic,
        "stage": notice.stage,
        "channel": notice.channel,
        "rule": notice.rule,
        "due_on": _day(notice.due_on),
    }
    return Fact(notice.id, kind, notice.decided_at or notice.created_at, notice.borrower_id, None, detail)


def _operator_wrote(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    message, conversation = row
    detail = {"channel": conversation.channel}
    return Fact(message.id, EventKind.OPERATOR_WROTE, message.created_at, conversation.borrower_id, None, detail)


def _called(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    entry: t.AuditEntry = row[0]
    detail = {"answered": entry.event == CALL_ANSWERED}
    return Fact(str(entry.id), EventKind.CALLED, entry.at, entry.detail["borrower"], None, detail)


def _proved(_: Session, row: Row[*tuple[Any, ...]]) -> Fact:
    entry, conversation = row
    detail = {"channel": conversation.channel}
    return Fact(str(entry.id), EventKind.IDENTITY_PROVED, entry.at, entry.detail.get("borrower"), None, detail)


def _on_record(event: str) -> Select[*tuple[Any, ...]]:
    """Return the query of what is on record of holds that are some borrower's by now."""
    return (
        select(t.AuditEntry, t.Hold)
        .join(t.Hold, t.Hold.id == t.AuditEntry.subject_id)
        .where(t.AuditEntry.event == event, t.AuditEntry.subject_kind == "hold", t.Hold.borrower_id.is_not(None))
    )


SOURCES: tuple[Source, ...] = (
    Source("agreement", select(t.Agreement), t.Agreement.id, t.Agreement.accepted_at, _accepted),
    Source(
        "plan",
        select(t.PlanEvent, t.Agreement)
        .join(t.Agreement, t.Agreement.id == t.PlanEvent.agreement_id)
        .where(t.PlanEvent.kind.in_(tuple(_PLAN_EVENTS))),
        t.PlanEvent.id,
        t.PlanEvent.recorded_at,
        _plan_event,
    ),
    Source(
        "promise",
        select(t.Promise).where(t.Promise.made_at.is_not(None)),
        t.Promise.id,
        t.Promise.made_at,
        _promise_made,
    ),
    Source(
        "promise_judged",
        select(t.Promise).where(t.Promise.state.in_(tuple(_PROMISES)), t.Promise.judged_at.is_not(None)),
        t.Promise.id,
        t.Promise.judged_at,
        _promise_judged,
    ),
    Source(
        "case",
        select(t.AuditEntry, t.CaseFile)
        .join(t.CaseFile, t.CaseFile.id == t.AuditEntry.subject_id)
        .where(t.AuditEntry.event == "case_opened", t.AuditEntry.subject_kind == "case"),
        t.AuditEntry.id,
        t.AuditEntry.at,
        _case_opened,
    ),
    Source(
        "case_joined",
        select(t.AuditEntry, t.CaseFile)
        .join(t.CaseFile, t.CaseFile.id == t.AuditEntry.subject_id)
        .where(t.AuditEntry.event == CASE_JOINED, t.AuditEntry.subject_kind == "case"),
        t.AuditEntry.id,
        t.AuditEntry.at,
        _case_opened,
    ),
    Source(
        "case_decided",
        select(t.CaseFile).where(t.CaseFile.decided_at.is_not(None), t.CaseFile.number.is_not(None)),
        t.CaseFile.id,
        t.CaseFile.decided_at,
        _case_decided,
    ),
    Source(
        "hold",
        # Without those that the next source tells.
        select(t.Hold).where(
            t.Hold.borrower_id.is_not(None),
            ~select(t.AuditEntry.id)
            .where(
                t.AuditEntry.subject_kind == "hold",
                t.AuditEntry.subject_id == t.Hold.id,
                t.AuditEntry.event == HOLD_JOINED,
            )
            .exists(),
        ),
        t.Hold.id,
        t.Hold.placed_at,
        _silence_began,
    ),
    Source("hold_joined", _on_record(HOLD_JOINED), t.AuditEntry.id, t.AuditEntry.at, _silence_on_record),
    Source(
        "hold_changed",
        _on_record(HOLD_CHANGED).where(t.Hold.lifted_at.is_(None)),
        t.AuditEntry.id,
        t.AuditEntry.at,
        _silence_on_record,
    ),
    Source(
        "hold_lifted",
        select(t.Hold).where(t.Hold.borrower_id.is_not(None), t.Hold.lifted_at.is_not(None)),
        t.Hold.id,
        t.Hold.lifted_at,
        _silence_ended,
    ),
    Source(
        "notice",
        select(t.Reminder).where(
            t.Reminder.state.in_(("sent", "refused")),
            t.Reminder.decided_at.is_not(None),
            # A call itself is told with its outcome, below; what was written about one is a notice like others.
            t.Reminder.topic.is_distinct_from(Topic.CALL.value) | t.Reminder.message_id.is_not(None),
        ),
        t.Reminder.id,
        t.Reminder.decided_at,
        _notice,
    ),
    Source(
        "operator",
        select(t.Message, t.Conversation)
        .join(t.Conversation, t.Conversation.id == t.Message.conversation_id)
        .where(t.Message.author == Author.OPERATOR, t.Conversation.borrower_id.is_not(None)),
        t.Message.id,
        t.Message.created_at,
        _operator_wrote,
    ),
    Source(
        "call",
        # Whom a call was for stands in its entry: the conversation may be somebody else's by now, or nobody's. Entries
        # of before that was noted are left out.
        select(t.AuditEntry).where(
            t.AuditEntry.event.in_(CALLS_MADE), t.AuditEntry.detail["borrower"].as_string().is_not(None)
        ),
        t.AuditEntry.id,
        t.AuditEntry.at,
        _called,
    ),
    Source(
        "identity",
        select(t.AuditEntry, t.Conversation)
        .join(t.Conversation, t.Conversation.id == t.AuditEntry.subject_id)
        .where(t.AuditEntry.event == "identity_proved", t.AuditEntry.subject_kind == "conversation"),
        t.AuditEntry.id,
        t.AuditEntry.at,
        _proved,
    ),
)
"""Every source, in the order in which they are read."""
