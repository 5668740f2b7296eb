"""Quality reviews: drawing the week's conversations, filling in cards, agreement of two reviewers, coaching."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot.cases.kinds import Family
from bot.clock import SHANGHAI, business_date
from bot.desk.scorecard import Candidate, Criterion, DrawReason, Mark, draw, kappa, score, to_coach
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store.tables import CaseFile, Conversation, Hold, Message, Operator, QualityReview, TalkFinding

MOST_LISTED = 100
LONGEST_NOTE = 500
LOOKED_BACK = timedelta(weeks=8)
"""How far agreement and coaching look back."""

_NOTE = "quality_note"


class NotReviewed(StrEnum):
    """Why a card was not taken."""

    UNKNOWN = "unknown"
    DONE = "done"
    OWN_WORK = "own_work"
    SAME_PERSON = "same_person"
    INCOMPLETE = "incomplete"
    NOTE_TOO_LONG = "note_too_long"


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A conversation drawn for review; ``about`` spoke last in it, None for the bot alone. ``percent`` when done."""

    id: str
    conversation_id: str
    week: str
    round: int
    reason: DrawReason
    about: str | None
    reviewer: str | None
    drawn_at: datetime
    marks: Mapping[Criterion, Mark]
    percent: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree on a criterion over ``pairs`` cards; None without any."""

    criterion: Criterion
    kappa: Fraction | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Coaching:
    """An operator whose reviews call for coaching, by criterion."""

    operator_id: str
    name: str
    criteria: tuple[Criterion, ...]
    cards: int


def week_of(day: date) -> str:
    """Return the ISO week of a day, as ``2026-W47``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def draw_week(deps: Deps, operator: OperatorView) -> int:
    """Draw this week's conversations so far; what was drawn before stays. Returns how many cards are new."""
    try:
        return _draw(deps, operator)
    except IntegrityError:  # drawn by somebody else between the look and the write: their cards are there now
        return _draw(deps, operator)


def _draw(deps: Deps, operator: OperatorView) -> int:
    today = business_date(deps.now())
    week = week_of(today)
    monday = datetime.combine(today - timedelta(days=today.weekday()), time(0), tzinfo=SHANGHAI).astimezone(UTC)
    with deps.begin() as session:
        there = {
            (row.conversation_id, row.round)
            for row in session.execute(
                select(QualityReview.conversation_id, QualityReview.round).where(QualityReview.week == week)
            )
        }
        new = 0
        for one in draw(_candidates(session, monday), week):
            for number in (1, 2) if one.twice else (1,):
                if (one.candidate.conversation_id, number) in there:
                    continue
                new += 1
                session.add(
                    QualityReview(
                        conversation_id=one.candidate.conversation_id,
                        week=week,
                        round=number,
                        reason=one.reason.value,
                        operator_id=one.candidate.operator_id,
                        scores={},
                        drawn_at=deps.now(),
                    )
                )
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "reviews_drawn", ("desk", "quality"), week=week, new=new)
        return new


def to_do(deps: Deps, operator: OperatorView) -> tuple[ReviewView, ...]:
    """Return cards this operator may fill in: nobody judges a talk that they took part in, or the same one twice."""
    other = aliased(QualityReview)
    judged = (
        select(other.id)
        .where(
            other.conversation_id == QualityReview.conversation_id,
            other.week == QualityReview.week,
            other.reviewer_id == operator.id,
        )
        .correlate(QualityReview)
        .exists()
    )
    with deps.read() as session:
        rows = _rows(
            session,
            QualityReview.done_at.is_(None),
            ~_took_part(operator),
            ~judged,
        )
        return tuple(_view(deps, *row) for row in rows)


def done(deps: Deps) -> tuple[ReviewView, ...]:
    """Return the cards filled in last. Of a pair neither shows before both are there, so that they stay independent."""
    twin = aliased(QualityReview)
    waits = (
        select(twin.id)
        .where(
            twin.conversation_id == QualityReview.conversation_id,
            twin.week == QualityReview.week,
            twin.done_at.is_(None),
        )
        .correlate(QualityReview)
        .exists()
    )
    with deps.read() as session:
        rows = _rows(session, QualityReview.done_at > deps.now() - LOOKED_BACK, ~waits)
        return tuple(_view(deps, *row) for row in rows)


def fill_in(
    deps: Deps, operator: OperatorView, review_id: str, marks: Mapping[Criterion, Mark], note: str = ""
) -> ReviewView | NotReviewed:
    """Take a card: a mark for every criterion, and a note, which is sealed."""
    note = note.strip()
    if set(marks) != set(Criterion):
        return NotReviewed.INCOMPLETE
    if len(note) > LONGEST_NOTE:
        return NotReviewed.NOTE_TOO_LONG
    with deps.begin() as session:
        review = session.get(QualityReview, review_id, with_for_update=True)
        if review is None:
            return NotReviewed.UNKNOWN
        if review.done_at is not None:
            return NotReviewed.DONE
        if session.scalar(select(QualityReview.id).where(QualityReview.id == review_id, _took_part(operator))):
            return NotReviewed.OWN_WORK
        twin = session.scalar(
            select(QualityReview.id).where(
                QualityReview.conversation_id == review.conversation_id,
                QualityReview.week == review.week,
                QualityReview.reviewer_id == operator.id,
            )
        )
        if twin is not None:
            return NotReviewed.SAME_PERSON
        review.scores = {criterion.value: mark.value for criterion, mark in marks.items()}
        review.needs_coaching = bool(to_coach([marks]))
        review.note_sealed = deps.vault.seal(_NOTE, note) if note else None
        review.reviewer_id, review.done_at = operator.id, deps.now()
        actor = audit.Actor("operator", operator.id)
        audit.record(
            session, deps.now(), actor, "review_done", ("conversation", review.conversation_id), round=review.round
        )
        session.flush()
        return _view(deps, review, None, operator.display_name)


def agreement(deps: Deps) -> tuple[Agreement, ...]:
    """Return how far first and second reviewers agree on each criterion, over the cards of the last weeks."""
    first, second = aliased(QualityReview), aliased(QualityReview)
    with deps.read() as session:
        pairs = session.execute(
            select(first.scores, second.scores)
            .join(second, (second.conversation_id == first.conversation_id) & (second.week == first.week))
            .where(first.round == 1, second.round == 2)
            .where(first.done_at > deps.now() - LOOKED_BACK, second.done_at.is_not(None))
        ).all()
    return tuple(
        Agreement(criterion, kappa([(one[criterion], two[criterion]) for one, two in pairs]), len(pairs))
        for criterion in Criterion
    )


def coaching(deps: Deps) -> tuple[Coaching, ...]:
    """Return the operators whose reviews of the last weeks call for coaching, by name."""
    with deps.read() as session:
        rows = session.execute(
            select(Operator.id, Operator.display_name, QualityReview.scores)
            .join(Operator, Operator.id == QualityReview.operator_id)
            .where(QualityReview.done_at > deps.now() - LOOKED_BACK)
            .order_by(Operator.display_name, Operator.id)
        ).all()
    cards: dict[tuple[str, str], list[Mapping[Criterion, Mark]]] = defaultdict(list)
    for operator_id, name, scores in rows:
        cards[operator_id, name].append(_marks(scores))
    found = (Coaching(each, name, to_coach(seen), len(seen)) for (each, name), seen in cards.items())
    return tuple(one for one in found if one.criteria)


def _took_part(operator: OperatorView) -> ColumnElement[bool]:
    """Return the condition on ``QualityReview`` that somebody has spoken in the talk, last or before."""
    spoken = aliased(Message)
    said = (
        select(spoken.id)
        .where(spoken.conversation_id == QualityReview.conversation_id, spoken.operator_id == operator.id)
        .correlate(QualityReview)
        .exists()
    )
    return (QualityReview.operator_id == operator.id) & QualityReview.operator_id.is_not(None) | said


def _candidates(session: Session, since: datetime) -> Sequence[Candidate]:
    """Return the conversations in which the borrower has written since an instant."""
    spoke = (
        select(Message.operator_id)
        .where(Message.conversation_id == Conversation.id, Message.author == Author.OPERATOR)
        .order_by(Message.seq.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    flaw = exists().where(TalkFinding.conversation_id == Conversation.id, TalkFinding.at >= since)
    distress = exists().where(
        Hold.conversation_id == Conversation.id, Hold.kind == HoldKind.DISTRESS.value, Hold.placed_at >= since
    )
    complained = exists().where(
        CaseFile.conversation_id == Conversation.id,
        CaseFile.family == Family.COMPLAINT.value,
        CaseFile.created_at >= since,
    )
    rows = session.execute(
        select(Conversation.id, spoke, flaw, distress, complained).where(Conversation.last_inbound_at >= since)
    )
    return [
        Candidate(each, operator_id, bool(flawed), bool(distressed), bool(complains))
        for each, operator_id, flawed, distressed, complains in rows
    ]


def _rows(session: Session, *conditions: ColumnElement[bool]) -> Sequence[tuple[QualityReview, str | None, str | None]]:
    about, reviewer = aliased(Operator), aliased(Operator)
    rows = session.execute(
        select(QualityReview, about.display_name, reviewer.display_name)
        .outerjoin(about, about.id == QualityReview.operator_id)
        .outerjoin(reviewer, reviewer.id == QualityReview.reviewer_id)
        .where(*conditions)
        .order_by(func.coalesce(QualityReview.done_at, QualityReview.drawn_at).desc(), QualityReview.id)
        .limit(MOST_LISTED)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _marks(scores: Mapping[str, str]) -> Mapping[Criterion, Mark]:
    return {Criterion(name): Mark(mark) for name, mark in scores.items()}


def _view(deps: Deps, review: QualityReview, about: str | None, reviewer: str | None) -> ReviewView:
    marks = _marks(review.scores)
    return ReviewView(
        id=review.id,
        conversation_id=review.conversation_id,
        week=review.week,
        round=review.round,
        reason=DrawReason(review.reason),
        about=about,
        reviewer=reviewer,
        drawn_at=review.drawn_at,
        marks=marks,
        percent=score(marks) if marks else None,
        note=deps.vault.unseal(_NOTE, review.note_sealed) if review.note_sealed else None,
    )
