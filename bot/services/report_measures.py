"""What the reports count: for every measure the rows behind its figure, so that a figure is the number of its rows.

``docs/reports.md`` has the same in SQL. All spans are whole days in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)

from bot.cases.course import CaseState
from bot.cases.kinds import Family
from bot.desk.spans import Span
from bot.lending.ledger import EntryKind
from bot.outreach.notice import Topic
from bot.services.report_rows import Day, Instant, Rows, Text, has_product
from bot.services.report_talks import contained, handed_over, recorded, resolved, said
from bot.services.search import FALLBACK_INTENT, LOW_CONFIDENCE
from bot.store.shanghai import AWeekAfter, ShanghaiDay, ShanghaiHour
from bot.store.tables import (
    Agreement,
    AuditEntry,
    CaseFile,
    Debt,
    LedgerEntry,
    Message,
    Negotiation,
    NluTurn,
    Offer,
    Promise,
    Reminder,
    Satisfaction,
)
from bot.workout.promise import PromiseState

GOOD_SCORE = 4
"""A score from here on is a satisfied borrower's."""


class Measure(StrEnum):
    """What is counted. ``docs/reports.md`` says of each what its rows are."""

    MESSAGES = "messages"
    WRITTEN = "written"
    HANDED_OVER = "handed_over"
    CONTAINED = "contained"
    QUEUED = "queued"
    WAITED = "waited"
    RESOLVED = "resolved"
    PLANS_OFFERED = "plans_offered"
    PLANS_ACCEPTED = "plans_accepted"
    PLANS_COMPLETED = "plans_completed"
    PLANS_BROKEN = "plans_broken"
    PROMISES_MADE = "promises_made"
    PROMISES_JUDGED = "promises_judged"
    PROMISES_KEPT = "promises_kept"
    NOTICES_SENT = "notices_sent"
    PAID_AFTER_NOTICE = "paid_after_notice"
    NOTICES_REFUSED = "notices_refused"
    REPLIES_REFUSED = "replies_refused"
    COMPLAINTS_RECEIVED = "complaints_received"
    COMPLAINTS_DUE = "complaints_due"
    COMPLAINTS_LATE = "complaints_late"
    READ = "read"
    NOT_UNDERSTOOD = "not_understood"
    LOW_CONFIDENCE = "low_confidence"
    MISREAD = "misread"
    RATING_ASKED = "rating_asked"
    RATED = "rated"
    SATISFIED = "satisfied"


def rows_of(measure: Measure, spans: Sequence[Span], today: date, product: str = "") -> Subquery:
    """Return the rows of a measure in spans that follow one another: span (from 0), key, at, conversation, borrower,
    detail. With a product only those of borrowers who have, or had, a debt of this kind.

    ``Measure.WAITED`` has none: see ``bot.desk.spans.waits``.
    """
    rows = _ROWS[measure](spans, today)
    if rows.is_by_day:
        ends: list[ColumnElement[bool]] = [rows.at <= span.last for span in spans]
        within = (rows.at >= spans[0].first, rows.at <= spans[-1].last)
    else:
        ends = [rows.at < span.ends for span in spans]
        within = (rows.at >= spans[0].begins, rows.at < spans[-1].ends)
    statement = (
        select(
            case(*((one, literal(number)) for number, one in enumerate(ends))).label("span"),
            rows.key.label("key"),
            rows.at.label("at"),
            _or_none(rows.conversation).label("conversation"),
            _or_none(rows.borrower).label("borrower"),
            _or_none(rows.detail).label("detail"),
        )
        .select_from(rows.source)
        .where(*within, *rows.where)
    )
    if product:
        statement = statement.where(has_product(rows, product))
    return statement.subquery()


def has_own_key(measure: Measure, spans: Sequence[Span], today: date) -> bool:
    """Whether every row of a measure has a key of its own, so that counting rows is counting keys."""
    return _ROWS[measure](spans, today).has_own_key


def _or_none(column: Text | None) -> Text:
    return cast(null(), String(60)) if column is None else cast(column, String(60))


# Plans and promises --------------------------------------------------------------------------------------------------


def _offered() -> Rows:
    has_offer = exists(select(Offer.id).where(Offer.negotiation_id == Negotiation.id).correlate(Negotiation))
    return Rows(
        Negotiation.__table__,
        Negotiation.created_at,
        Negotiation.id,
        (has_offer,),
        borrower=Negotiation.borrower_id,
    )


def _accepted() -> Rows:
    return Rows(
        Agreement.__table__,
        Agreement.accepted_at,
        Agreement.id,
        (),
        conversation=Agreement.accepted_conversation_id,
        borrower=Agreement.borrower_id,
    )


def _ended(event: str) -> Rows:
    return Rows(
        AuditEntry.__table__.join(Agreement.__table__, Agreement.id == AuditEntry.subject_id),
        AuditEntry.at,
        Agreement.id,
        (AuditEntry.subject_kind == "agreement", AuditEntry.event == event),
        conversation=Agreement.accepted_conversation_id,
        borrower=Agreement.borrower_id,
    )


_JUDGED = (PromiseState.KEPT.value, PromiseState.PARTLY_KEPT.value, PromiseState.BROKEN.value)


def _promises(at: Instant | Day, *where: ColumnElement[bool], by_day: bool) -> Rows:
    return Rows(
        Promise.__table__,
        at,
        Promise.id,
        where,
        conversation=Promise.conversation_id,
        borrower=Promise.borrower_id,
        detail=Promise.state,
        is_by_day=by_day,
    )


# Notices -------------------------------------------------------------------------------------------------------------


def _notices(state: str, detail: Text, *where: ColumnElement[bool]) -> Rows:
    return Rows(
        Reminder.__table__,
        Reminder.decided_at,
        Reminder.id,
        (Reminder.state == state, *where),
        borrower=Reminder.borrower_id,
        detail=detail,
    )


_TOPIC = func.coalesce(Reminder.topic, "plan")
_NO_CALL = Reminder.topic.is_distinct_from(Topic.CALL.value)
"""A call that a borrower asked for stands among the contacts (F1), but is no notice."""

_PAID = exists(
    select(LedgerEntry.id)
    .join(Debt, Debt.id == LedgerEntry.debt_id)
    .where(
        Debt.borrower_id == Reminder.borrower_id,
        LedgerEntry.kind == EntryKind.PAYMENT.value,
        LedgerEntry.booked_at > Reminder.decided_at,
        LedgerEntry.booked_at <= AWeekAfter(Reminder.decided_at),
    )
    .correlate(Reminder)
)


# Complaints ----------------------------------------------------------------------------------------------------------

_COMPLAINT = (
    CaseFile.family == Family.COMPLAINT.value,
    CaseFile.state.not_in((CaseState.DRAFT.value, CaseState.DROPPED.value)),
)
_STANDS = (*_COMPLAINT, CaseFile.state != CaseState.WITHDRAWN.value)


def _complaints(at: Day, *where: ColumnElement[bool]) -> Rows:
    return Rows(
        CaseFile.__table__,
        at,
        CaseFile.id,
        where,
        conversation=CaseFile.conversation_id,
        borrower=CaseFile.borrower_id,
        detail=CaseFile.kind,
        is_by_day=True,
    )


def _late(_: Sequence[Span], today: date) -> Rows:
    unanswered = CaseFile.decided_at.is_(None) & (CaseFile.due_on < today)
    return _complaints(CaseFile.due_on, *_STANDS, or_(unanswered, ShanghaiDay(CaseFile.decided_at) > CaseFile.due_on))


# What was understood, and what borrowers thought of it ---------------------------------------------------------------


def _misread() -> Rows:
    taken_for = func.coalesce(NluTurn.read_as, "")
    return Rows(
        NluTurn.__table__,
        NluTurn.at,
        NluTurn.id,
        (NluTurn.state == "corrected", NluTurn.corrected != taken_for),
        conversation=NluTurn.conversation_id,
        detail=taken_for + " → " + NluTurn.corrected,
    )


def _ratings(detail: Text, *where: ColumnElement[bool]) -> Rows:
    return Rows(
        Satisfaction.__table__,
        Satisfaction.asked_at,
        Satisfaction.id,
        where,
        conversation=Satisfaction.conversation_id,
        borrower=Satisfaction.borrower_id,
        detail=detail,
    )


_SCORE = cast(Satisfaction.score, String(2))
_WHOSE_WORK = case((Satisfaction.operator_id.is_(None), literal("bot")), else_=literal("person"))
_HOUR = cast(ShanghaiHour(Message.created_at), String(2))

_ROWS: Mapping[Measure, Callable[[Sequence[Span], date], Rows]] = {
    Measure.MESSAGES: lambda *_: said(Message.id, detail=_HOUR),
    Measure.WRITTEN: lambda *_: said(Message.conversation_id),
    Measure.HANDED_OVER: handed_over,
    Measure.CONTAINED: contained,
    Measure.QUEUED: lambda *_: recorded("queued", AuditEntry.subject_id, "reason"),
    Measure.RESOLVED: resolved,
    Measure.PLANS_OFFERED: lambda *_: _offered(),
    Measure.PLANS_ACCEPTED: lambda *_: _accepted(),
    Measure.PLANS_COMPLETED: lambda *_: _ended("plan_completed"),
    Measure.PLANS_BROKEN: lambda *_: _ended("plan_broken"),
    Measure.PROMISES_MADE: lambda *_: _promises(Promise.made_at, by_day=False),
    Measure.PROMISES_JUDGED: lambda *_: _promises(Promise.due_on, Promise.state.in_(_JUDGED), by_day=True),
    Measure.PROMISES_KEPT: lambda *_: _promises(Promise.due_on, Promise.state == PromiseState.KEPT.value, by_day=True),
    Measure.NOTICES_SENT: lambda *_: _notices("sent", _TOPIC, _NO_CALL),
    Measure.PAID_AFTER_NOTICE: lambda *_: _notices("sent", _TOPIC, _NO_CALL, _PAID),
    Measure.NOTICES_REFUSED: lambda *_: _notices("refused", Reminder.rule),
    Measure.REPLIES_REFUSED: lambda *_: recorded("reply_refused", cast(AuditEntry.id, String(20)), "rule"),
    Measure.COMPLAINTS_RECEIVED: lambda *_: _complaints(CaseFile.received_on, *_COMPLAINT),
    Measure.COMPLAINTS_DUE: lambda *_: _complaints(CaseFile.due_on, *_STANDS),
    Measure.COMPLAINTS_LATE: _late,
    Measure.READ: lambda *_: said(Message.id, Message.intent.is_not(None), detail=Message.intent),
    Measure.NOT_UNDERSTOOD: lambda *_: said(Message.id, Message.intent == FALLBACK_INTENT),
    Measure.LOW_CONFIDENCE: lambda *_: said(
        Message.id, Message.confidence < LOW_CONFIDENCE, Message.intent != FALLBACK_INTENT, detail=Message.intent
    ),
    Measure.MISREAD: lambda *_: _misread(),
    Measure.RATING_ASKED: lambda *_: _ratings(_WHOSE_WORK),
    Measure.RATED: lambda *_: _ratings(_SCORE, Satisfaction.score.is_not(None)),
    Measure.SATISFIED: lambda *_: _ratings(_SCORE, Satisfaction.score >= GOOD_SCORE),
}
