"""How the desk does, by day, week or month: counts over what is stored, and the rows behind each of them.

``docs/reports.md`` has the same in SQL. Everything is in Asia/Shanghai; weeks are Monday to Sunday.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.spans import HandOver, Span, Step, Unit, Wait, ranked, share, spans_until, waits
from bot.services import audit
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.report_measures import Measure, has_own_key, rows_of
from bot.services.report_rows import owes_product
from bot.store.tables import AuditEntry, Conversation

SPANS = 8
MOST_SPANS = {Unit.DAY: 31, Unit.WEEK: 26, Unit.MONTH: 12}

_LONGEST_WAIT = timedelta(days=14)
"""How far before the first span a hand-over may have begun that ended in it."""

_STEPS = {"queued": Step.QUEUED, "taken": Step.TAKEN, "assigned": Step.TAKEN, "queue_left": Step.LEFT}


class Section(StrEnum):
    """What a page of the reports is about."""

    TALKS = "talks"
    PLANS = "plans"
    NOTICES = "notices"
    COMPLAINTS = "complaints"
    READINGS = "readings"
    RATINGS = "ratings"


COLUMNS: Mapping[Section, tuple[Measure, ...]] = {
    Section.TALKS: (Measure.WRITTEN, Measure.CONTAINED, Measure.HANDED_OVER, Measure.WAITED, Measure.RESOLVED),
    Section.PLANS: (
        Measure.PLANS_OFFERED,
        Measure.PLANS_ACCEPTED,
        Measure.PLANS_COMPLETED,
        Measure.PLANS_BROKEN,
        Measure.PROMISES_MADE,
        Measure.PROMISES_JUDGED,
        Measure.PROMISES_KEPT,
    ),
    Section.NOTICES: (
        Measure.NOTICES_SENT,
        Measure.PAID_AFTER_NOTICE,
        Measure.NOTICES_REFUSED,
        Measure.REPLIES_REFUSED,
    ),
    Section.COMPLAINTS: (Measure.COMPLAINTS_RECEIVED, Measure.COMPLAINTS_DUE, Measure.COMPLAINTS_LATE),
    Section.READINGS: (Measure.READ, Measure.NOT_UNDERSTOOD, Measure.LOW_CONFIDENCE, Measure.MISREAD),
    Section.RATINGS: (Measure.RATING_ASKED, Measure.RATED, Measure.SATISFIED),
}
"""What each page counts span by span, in this order."""

BREAKDOWNS: Mapping[Section, tuple[Measure, ...]] = {
    Section.TALKS: (Measure.QUEUED, Measure.MESSAGES, Measure.RESOLVED),
    Section.PLANS: (Measure.PROMISES_JUDGED,),
    Section.NOTICES: (Measure.NOTICES_SENT, Measure.NOTICES_REFUSED, Measure.REPLIES_REFUSED),
    Section.COMPLAINTS: (Measure.COMPLAINTS_RECEIVED,),
    Section.READINGS: (Measure.READ, Measure.LOW_CONFIDENCE, Measure.MISREAD),
    Section.RATINGS: (Measure.RATED, Measure.RATING_ASKED),
}
"""What each page tells apart over all its spans together."""

SHARES: Mapping[Measure, Measure] = {
    Measure.CONTAINED: Measure.WRITTEN,
    Measure.HANDED_OVER: Measure.WRITTEN,
    Measure.RESOLVED: Measure.WRITTEN,
    Measure.PLANS_ACCEPTED: Measure.PLANS_OFFERED,
    Measure.PROMISES_KEPT: Measure.PROMISES_JUDGED,
    Measure.PAID_AFTER_NOTICE: Measure.NOTICES_SENT,
    Measure.COMPLAINTS_LATE: Measure.COMPLAINTS_DUE,
    Measure.NOT_UNDERSTOOD: Measure.READ,
    Measure.LOW_CONFIDENCE: Measure.READ,
    Measure.RATED: Measure.RATING_ASKED,
    Measure.SATISFIED: Measure.RATED,
}
"""Of what a count is a part."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: so many spans up to the current one, of borrowers with a kind of product if named."""

    unit: Unit = Unit.WEEK
    count: int = SPANS
    product: str = ""

    def spans(self, today: date) -> tuple[Span, ...]:
        """Return the spans, oldest first, no more than there may be."""
        return spans_until(today, self.unit, min(max(self.count, 1), MOST_SPANS[self.unit]))


@dataclass(frozen=True, slots=True)
class SpanRow:
    """The counts of one span; waits are those that ended in it."""

    span: Span
    counts: Mapping[Measure, int]
    wait_median: timedelta | None = None
    wait_long: timedelta | None = None

    def percent(self, measure: Measure) -> int | None:
        """Return the share that a count is of its whole, in percent rounded down; None of nothing, or of no whole."""
        whole = SHARES.get(measure)
        return share(self.counts[measure], self.counts[whole]) if whole is not None else None


@dataclass(frozen=True, slots=True)
class Report:
    """One page: rows span by span, oldest first, and over all of them what the rows of a measure are told apart by."""

    rows: tuple[SpanRow, ...]
    breakdowns: Mapping[Measure, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    @property
    def whole(self) -> Span:
        """All spans as one."""
        return Span(self.rows[0].span.first, self.rows[-1].span.last)


def report(deps: Deps, operator: OperatorView, section: Section, asked: Asked) -> Report:
    """Return a page of the reports; that it was read is put on record."""
    today = business_date(deps.now())
    spans = asked.spans(today)
    with deps.read() as session:
        both = {
            measure: _by_span_and_detail(session, measure, spans, today, asked.product)
            for measure in BREAKDOWNS[section]
            if measure in COLUMNS[section] and has_own_key(measure, spans, today)
        }
        rows = _span_rows(session, spans, today, asked.product, COLUMNS[section], both)
        whole = (Span(spans[0].first, spans[-1].last),)
        told_apart = {
            measure: _ranked(both[measure])
            if measure in both
            else _told_apart(session, measure, whole, today, asked.product)
            for measure in BREAKDOWNS[section]
        }
    _record(deps, operator, "report_read", section=section.value, unit=asked.unit.value, spans=len(spans))
    return Report(rows, told_apart)


def as_csv(deps: Deps, operator: OperatorView, asked: Asked) -> bytes:
    """Write every count of every section for a spreadsheet, marked as UTF-8, which is put on record.

    What there is nothing of stays empty.
    """
    today = business_date(deps.now())
    measures = tuple(measure for section in Section for measure in COLUMNS[section])
    with deps.read() as session:
        rows = _span_rows(session, asked.spans(today), today, asked.product, measures)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["first_day", "last_day", *measures, "wait_median_seconds", "wait_long_seconds"])
    for row in rows:
        seconds = [None if one is None else int(one.total_seconds()) for one in (row.wait_median, row.wait_long)]
        counts = [row.counts[measure] for measure in measures]
        writer.writerow([row.span.first.isoformat(), row.span.last.isoformat(), *counts, *seconds])
    _record(deps, operator, "report_exported", unit=asked.unit.value, spans=len(rows))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def waits_in(session: Session, spans: Sequence[Span], product: str = "") -> tuple[Wait, ...]:
    """Return the waits that ended with a person in spans that follow one another."""
    steps = (
        select(AuditEntry.subject_id, AuditEntry.event, AuditEntry.at)
        .where(
            AuditEntry.subject_kind == "conversation",
            AuditEntry.event.in_(_STEPS),
            AuditEntry.at >= spans[0].begins - _LONGEST_WAIT,
            AuditEntry.at < spans[-1].ends,
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    if product:
        steps = steps.join(Conversation, Conversation.id == AuditEntry.subject_id)
        steps = steps.where(owes_product(Conversation.borrower_id, product))
    ended = waits(HandOver(talk, _STEPS[event], at) for talk, event, at in session.execute(steps))
    return tuple(wait for wait in ended if wait.taken_at >= spans[0].begins)


def counts_of(session: Session, measure: Measure, spans: Sequence[Span], today: date, product: str = "") -> list[int]:
    """Return how many rows a measure has in each of spans that follow one another."""
    rows = rows_of(measure, spans, today, product)
    count = _count_of(rows, measure, spans, today)
    found: dict[int, int] = dict(session.execute(select(rows.c.span, count).group_by(rows.c.span)).all())
    return [found.get(number, 0) for number in range(len(spans))]


def _span_rows(
    session: Session,
    spans: Sequence[Span],
    today: date,
    product: str,
    measures: Sequence[Measure],
    known: Mapping[Measure, Mapping[tuple[int, str], int]] = MappingProxyType({}),
) -> tuple[SpanRow, ...]:
    """Count span by span; ``known`` are measures that have been counted already, by span and detail."""
    counted: dict[Measure, list[int]] = {
        measure: _by_span(known[measure], len(spans))
        if measure in known
        else counts_of(session, measure, spans, today, product)
        for measure in measures
        if measure not in (Measure.WAITED, Measure.CONTAINED)
    }
    ended = waits_in(session, spans, product) if Measure.WAITED in measures else ()
    rows = []
    for number, span in enumerate(spans):
        lasted = [wait.lasted for wait in ended if span.begins <= wait.taken_at < span.ends]
        counts: dict[Measure, int] = {measure: found[number] for measure, found in counted.items()}
        if Measure.WAITED in measures:
            counts[Measure.WAITED] = len(lasted)
        if Measure.CONTAINED in measures:
            counts[Measure.CONTAINED] = counts[Measure.WRITTEN] - counts[Measure.HANDED_OVER]
        rows.append(SpanRow(span, counts, ranked(lasted, 50), ranked(lasted, 90)))
    return tuple(rows)


def _told_apart(
    session: Session, measure: Measure, whole: Sequence[Span], today: date, product: str
) -> tuple[tuple[str, int], ...]:
    """Return how many rows each detail has, the most frequent first."""
    rows = rows_of(measure, whole, today, product)
    count = _count_of(rows, measure, whole, today)
    found = session.execute(select(rows.c.detail, count).group_by(rows.c.detail).order_by(count.desc(), rows.c.detail))
    return tuple((detail or "", number) for detail, number in found)


def _by_span_and_detail(
    session: Session, measure: Measure, spans: Sequence[Span], today: date, product: str
) -> dict[tuple[int, str], int]:
    """Return how many rows with keys of their own there are of each detail in each span, by one look at them."""
    rows = rows_of(measure, spans, today, product)
    found = session.execute(select(rows.c.span, rows.c.detail, func.count()).group_by(rows.c.span, rows.c.detail))
    return {(span, detail or ""): number for span, detail, number in found}


def _by_span(found: Mapping[tuple[int, str], int], spans: int) -> list[int]:
    sums = [0] * spans
    for (span, _), number in found.items():
        sums[span] += number
    return sums


def _ranked(found: Mapping[tuple[int, str], int]) -> tuple[tuple[str, int], ...]:
    sums: Counter[str] = Counter()
    for (_, detail), number in found.items():
        sums[detail] += number
    return tuple(sorted(sums.items(), key=lambda each: (-each[1], each[0])))


def _count_of(rows: Subquery, measure: Measure, spans: Sequence[Span], today: date) -> ColumnElement[int]:
    """Count rows where that comes to the same: telling keys apart takes a sort of all of them."""
    return func.count() if has_own_key(measure, spans, today) else func.count(rows.c.key.distinct())


def _record(deps: Deps, operator: OperatorView, event: str, **detail: str | int) -> None:
    with deps.begin() as session:
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, event, ("desk", "reports"), **detail)
