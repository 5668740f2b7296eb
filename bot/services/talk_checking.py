"""The automatic checks of every conversation, some while after it has gone quiet, and what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.clock import local
from bot.desk.talk_checks import Line, TalkFlaw, TalkFound, check_talk
from bot.services import audit
from bot.services.contact import ANSWERS_WITHIN
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.retention_records import years_ago
from bot.store.base import new_id
from bot.store.tables import Message, TalkCheck, TalkFinding

A_ROUND = 50
"""Conversations checked in one round of the scheduler at most."""

PUT_OFF = timedelta(hours=6)
"""Until a conversation that could not be checked is tried again."""

MOST_LISTED = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FlawView:
    """A flaw that nobody has looked at yet, at a message of a conversation."""

    id: str
    conversation_id: str
    seq: int
    flaw: TalkFlaw
    rule: str | None
    at: datetime


def sweep(deps: Deps, most: int = A_ROUND) -> int:
    """Check conversations that have gone quiet; returns how many flaws are new.

    One that cannot be checked is put off, so that it keeps the others waiting once and not in every round.
    """
    with deps.read() as session:
        due = session.scalars(
            select(TalkCheck.conversation_id)
            .where(TalkCheck.due_at <= deps.now())
            .order_by(TalkCheck.due_at)
            .limit(most)
        ).all()
    forbidden = _forbidden(deps)
    return sum(_checked(deps, conversation_id, forbidden) for conversation_id in due)


def open_flaws(deps: Deps) -> tuple[FlawView, ...]:
    """Return what nobody has looked at yet, newest first."""
    with deps.read() as session:
        rows = session.scalars(
            select(TalkFinding)
            .where(TalkFinding.seen_by.is_(None))
            .order_by(TalkFinding.at.desc(), TalkFinding.id)
            .limit(MOST_LISTED)
        )
        return tuple(
            FlawView(row.id, row.conversation_id, row.seq, TalkFlaw(row.kind), row.rule, row.at) for row in rows
        )


def open_count(deps: Deps) -> int:
    """Return how many flaws nobody has looked at yet."""
    with deps.read() as session:
        return session.scalar(select(func.count()).where(TalkFinding.seen_by.is_(None))) or 0


def see(deps: Deps, operator: OperatorView, finding_id: str) -> bool:
    """Put on record that somebody has looked at a flaw; False if there is none, or somebody has already."""
    with deps.begin() as session:
        seen = session.execute(
            update(TalkFinding)
            .where(TalkFinding.id == finding_id, TalkFinding.seen_by.is_(None))
            .values(seen_by=operator.id)
            .returning(TalkFinding.conversation_id, TalkFinding.kind)
        ).first()
        if seen is None:
            return False
        reader = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), reader, "flaw_seen", ("conversation", seen[0]), flaw=seen[1])
        return True


def _checked(deps: Deps, conversation_id: str, forbidden: Callable[[Line], str | None]) -> int:
    try:
        with deps.read() as session:
            flaws = _check(session, deps, conversation_id, forbidden)
        return _keep(deps, conversation_id, flaws)
    except Exception as error:
        log.error("talk_not_checked", conversation=conversation_id, kind=type(error).__name__, exc_info=error)
        with deps.begin() as session:
            mine = update(TalkCheck).where(TalkCheck.conversation_id == conversation_id)
            session.execute(mine.values(due_at=deps.now() + PUT_OFF))
        return 0


def _check(
    session: Session, deps: Deps, conversation_id: str, forbidden: Callable[[Line], str | None]
) -> tuple[TalkFound, ...]:
    rows = session.execute(
        select(Message.seq, Message.text, Message.created_at, Message.author, Message.intent)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq)
    )
    lines = [
        Line(
            seq=row.seq,
            text=row.text,
            at=row.created_at,
            is_ours=row.author != Author.BORROWER,
            by_person=row.author == Author.OPERATOR,
            intent=row.intent,
        )
        for row in rows
    ]
    limits = deps.limits

    def may_begin_at(at: datetime) -> bool:
        return limits.hard_end <= local(at).time() < limits.hard_start

    found = check_talk(lines, forbidden, may_begin_at, ANSWERS_WITHIN, deps.owed_answers)
    # Of what is older the findings have been deleted: they must not come back when somebody goes on with an old talk.
    before = years_ago(deps, deps.retention.record_years)
    young = {line.seq for line in lines if line.at >= before}
    return tuple(flaw for flaw in found if flaw.seq in young)


def _forbidden(deps: Deps) -> Callable[[Line], str | None]:
    """Return the tone gate's judgement, remembered for this round: the bot says the same words to many."""
    known: dict[tuple[str, bool], str | None] = {}

    def rule_of(line: Line) -> str | None:
        key = (line.text, line.by_person)
        if key not in known:
            findings = deps.tone_gate.check(line.text, by_person=line.by_person)
            known[key] = findings[0].rule if findings else None
        return known[key]

    return rule_of


def _keep(deps: Deps, conversation_id: str, flaws: tuple[TalkFound, ...]) -> int:
    with deps.begin() as session:
        gone = session.execute(
            delete(TalkCheck)
            .where(TalkCheck.conversation_id == conversation_id, TalkCheck.due_at <= deps.now())
            .returning(TalkCheck.conversation_id)
        ).first()
        if gone is None:  # another scheduler has been here, or they talk again
            return 0
        there = {
            (row.kind, row.seq)
            for row in session.execute(
                select(TalkFinding.kind, TalkFinding.seq).where(TalkFinding.conversation_id == conversation_id)
            )
        }
        new = [flaw for flaw in flaws if (flaw.flaw.value, flaw.seq) not in there]
        for flaw in new:
            session.add(
                TalkFinding(
                    id=new_id(),
                    conversation_id=conversation_id,
                    kind=flaw.flaw.value,
                    seq=flaw.seq,
                    rule=flaw.rule,
                    at=deps.now(),
                )
            )
        return len(new)
