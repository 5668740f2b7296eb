"""A conversation replayed step by step: what the borrower said, what was made of it, and what came of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import local
from bot.services import inbox
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.inbox import ConversationRow, TurnView
from bot.services.operators import OperatorView
from bot.services.recorded_turns import DECIDED_ANEW
from bot.services.search import FALLBACK_INTENT, LOW_CONFIDENCE
from bot.store.tables import Agreement, AuditEntry, Message, Operator

_MEANINGS_SHOWN = 5

LOOKS = ("transcript_read", DECIDED_ANEW)
"""Events that only say that somebody looked."""

_PEOPLE = frozenset({"given_to", "taken_from", "left_by"})
"""Details that hold an operator's id: shown by name."""

_UNSHOWN = frozenset({"borrower", "made_in", "offer", "approval"})
"""Details that hold ids nobody can read."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning the engine weighed, with its probability."""

    intent: str
    probability: float


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What was behind an answer: how the message was read, with which model, under which rules, and what was done."""

    intent: str | None
    confidence: float | None
    entities: tuple[str, ...]
    actions: tuple[str, ...]
    weighed: tuple[Meaning, ...]
    also_asked: str | None
    model: str | None
    rules: tuple[tuple[str, str], ...]
    is_fallback: bool
    is_low: bool


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """Something on record between two messages.

    ``by`` and details that name people are operators' names; the others are codes.
    """

    event: str
    at: datetime
    by: str | None
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A message of the borrower's with all that followed until the next one; the first step may have none."""

    number: int
    said: TurnView | None
    decision: DecisionView | None
    answers: tuple[TurnView, ...]
    events: tuple[DeskEvent, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole conversation in steps."""

    row: ConversationRow
    steps: tuple[Step, ...]

    def step_of(self, seq: int) -> int:
        """Return the number of the step that holds a message; the last one for a message there is not."""
        for step in self.steps:
            if any(turn.seq == seq for turn in (step.said, *step.answers) if turn is not None):
                return step.number
        return len(self.steps)


def replay(deps: Deps, operator: OperatorView, conversation_id: str) -> Replay | None:
    """Return a conversation in steps, which puts on record that it was read; None if this operator may not see it."""
    found = inbox.transcript(deps, conversation_id, operator.reader)
    if found is None:
        return None
    with deps.read() as session:
        events = _events(session, conversation_id)
        understood = {
            row.seq: row.understanding or {}
            for row in session.execute(
                select(Message.seq, Message.understanding).where(
                    Message.conversation_id == conversation_id, Message.author == Author.BORROWER
                )
            )
        }
    return Replay(found.row, _steps(found.turns, understood, events))


def _steps(
    turns: Sequence[TurnView], understood: Mapping[int, Mapping[str, Any]], events: Sequence[DeskEvent]
) -> tuple[Step, ...]:
    groups: list[list[TurnView]] = []
    for turn in turns:
        if turn.author == Author.BORROWER or not groups:
            groups.append([])
        groups[-1].append(turn)
    begins = [group[0].at for group in groups]
    steps = []
    for number, group in enumerate(groups, start=1):
        first = group[0] if group[0].author == Author.BORROWER else None
        ends = begins[number] if number < len(groups) else None
        # What came before the first message belongs to the first step.
        fell_in = [one for one in events if (number == 1 or one.at >= group[0].at) and (ends is None or one.at < ends)]
        steps.append(
            Step(
                number=number,
                said=first,
                decision=_decision(first, understood.get(first.seq, {})) if first is not None else None,
                answers=tuple(group[1:] if first is not None else group),
                events=tuple(fell_in),
            )
        )
    return tuple(steps)


def _decision(turn: TurnView, understood: Mapping[str, Any]) -> DecisionView | None:
    if turn.intent is None and not turn.actions:
        return None
    return DecisionView(
        intent=turn.intent,
        confidence=turn.confidence,
        entities=turn.entities,
        actions=turn.actions,
        weighed=tuple(Meaning(name, float(score)) for name, score in understood.get("ranking", [])[:_MEANINGS_SHOWN]),
        also_asked=understood.get("also_asked"),
        model=understood.get("model"),
        rules=tuple(sorted(understood.get("rules", {}).items())),
        is_fallback=turn.intent == FALLBACK_INTENT,
        is_low=turn.confidence is not None and turn.confidence < LOW_CONFIDENCE,
    )


def _told(key: str, value: object) -> str:
    """Write a detail down; an instant as the day and time of Asia/Shanghai."""
    return local(datetime.fromisoformat(str(value))).strftime("%Y-%m-%d %H:%M") if key == "call_at" else str(value)


def _events(session: Session, conversation_id: str) -> list[DeskEvent]:
    recorded = session.execute(
        select(AuditEntry, Operator.display_name)
        .outerjoin(Operator, Operator.id == AuditEntry.actor_id)
        .where(
            AuditEntry.subject_kind == "conversation",
            AuditEntry.subject_id == conversation_id,
            AuditEntry.event.not_in(LOOKS),
        )
        .order_by(AuditEntry.id)
    )
    entries = recorded.all()
    ids = {entry.detail[key] for entry, _ in entries for key in _PEOPLE & entry.detail.keys()}
    people = session.execute(select(Operator.id, Operator.display_name).where(Operator.id.in_(ids)))
    names = {one.id: one.display_name for one in people}
    found = [
        DeskEvent(
            entry.event,
            entry.at,
            name,
            tuple(
                (key, names.get(value, "") if key in _PEOPLE else _told(key, value))
                for key, value in entry.detail.items()
                if value is not None and key not in _UNSHOWN
            ),
        )
        for entry, name in entries
    ]
    agreed = session.scalars(select(Agreement).where(Agreement.accepted_conversation_id == conversation_id))
    found += [
        DeskEvent(
            "agreement_accepted", each.accepted_at, None, (("number", each.number), ("version", str(each.version)))
        )
        for each in agreed
    ]
    return sorted(found, key=lambda one: one.at)
