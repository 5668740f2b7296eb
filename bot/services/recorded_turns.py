"""A conversation as it was recorded, turn by turn, for deciding it anew; and whether it comes out the same."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.care.crisis import CrisisGuard
from bot.care.scorer import DangerScorer
from bot.rights.library import RightsLibrary
from bot.services import audit, rule_archive
from bot.services.conversations import WEB, Author, Reply
from bot.services.deps import Deps
from bot.services.turns import read_together
from bot.store.dialogue_tracker import DialogueTracker
from bot.store.tables import Conversation, Message
from bot.text.normalize import normalize_text
from bot.text.scripts import Script, to_script

GUARD = "guard:"
"""What the model of a turn begins with that the crisis guard answered; the rest is the kind of danger."""

DECIDED_ANEW = "conversation_decided_anew"
"""Event in the audit log."""

_CONFIDENCE_PLACES = 4
_RIGHTS = "utter_rights/"


class Verdict(StrEnum):
    """What became of a turn that was decided anew."""

    SAME = "same"
    OTHER_READING = "other_reading"
    OTHER_ACTIONS = "other_actions"
    OTHER_WORDS = "other_words"
    OTHER_KNOWLEDGE = "other_knowledge"
    OTHER_GUARD = "other_guard"
    NOT_RECORDED = "not_recorded"
    NO_MODEL = "no_model"

    @property
    def differs(self) -> bool:
        """Whether it came out otherwise; what can no longer be decided anew does not count as that."""
        return self is not Verdict.SAME and not self.is_undecided

    @property
    def is_undecided(self) -> bool:
        """Whether it can no longer be decided anew."""
        return self in (Verdict.NOT_RECORDED, Verdict.NO_MODEL)


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A message that the assistant answered, as the accounts database holds it. ``rules`` are versions by name."""

    message_id: str
    seq: int
    text: str
    model: str
    intent: str | None
    confidence: float | None
    actions: tuple[str, ...]
    rules: Mapping[str, str]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A conversation: its turns in order, and the engine's own record of it."""

    conversation_id: str
    channel: str
    turns: tuple[RecordedTurn, ...]
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Remade:
    """A turn as the model of its day decides it now; ``knowledge`` are the answers to questions about rights."""

    intent: str | None
    confidence: float | None
    actions: tuple[str, ...]
    replies: tuple[Reply, ...]
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A turn and what became of it; ``missing`` names rules of its day that are not kept."""

    seq: int
    model: str
    verdict: Verdict
    missing: tuple[str, ...] = ()


def recorded(deps: Deps, conversation_id: str) -> Recorded | None:
    """Return what is on record of a conversation, which is put on record too; None if there is none."""
    with deps.begin() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None:
            return None
        audit.record(session, deps.now(), audit.SYSTEM, DECIDED_ANEW, ("conversation", conversation_id))
        messages = session.scalars(
            select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq)
        ).all()
        answers: dict[str, list[str]] = {}
        for message in messages:
            if message.in_reply_to is not None and message.author == Author.BOT:
                answers.setdefault(message.in_reply_to, []).append(message.text)
        turns = tuple(
            _turn(message, tuple(answers.get(message.id, ())))
            for message in messages
            if message.author == Author.BORROWER and (message.understanding or {}).get("model")
        )
        channel = conversation.channel
    events = DialogueTracker(deps.settings.sqlalchemy_tracker_url).events(conversation_id)
    return Recorded(conversation_id, channel, turns, tuple(events))


def judge(
    deps: Deps, conversation: Recorded, remade: Mapping[str, Remade | None], models: frozenset[str]
) -> tuple[Judged, ...]:
    """Compare every turn with what the model of its day makes of it now, by ``message_id``.

    ``models`` are those that are still kept. Words are compared byte for byte, in the script of the record. What the
    crisis guard answered is shown to the guard of that day, and what was said about rights is looked up in the
    articles of that day.
    """
    judged: dict[int, Judged] = {}
    by_rules: defaultdict[tuple[tuple[str, str], ...], list[RecordedTurn]] = defaultdict(list)
    for turn in conversation.turns:
        by_rules[tuple(sorted(turn.rules.items()))].append(turn)
    for rules, turns in by_rules.items():
        with tempfile.TemporaryDirectory(prefix="desk-rules-") as folder:
            missing = rule_archive.lay_out(deps, dict(rules), Path(folder))
            then = _RulesThen(Path(folder))
            for turn in turns:
                verdict = _verdict(turn, conversation.channel, remade.get(turn.message_id), models, then)
                judged[turn.seq] = Judged(turn.seq, turn.model, verdict, missing)
    return tuple(judged[turn.seq] for turn in conversation.turns)


@dataclass(frozen=True)
class _RulesThen:
    """Rules of another day, laid out below a folder; read when they are asked for."""

    folder: Path

    @cached_property
    def guard(self) -> CrisisGuard | None:
        care = self.folder / "care"
        if not (care / "crisis.yml").exists():
            return None
        return CrisisGuard.load(care / "crisis.yml", DangerScorer.load(care / "weights.json"))

    @cached_property
    def answers(self) -> frozenset[str] | None:
        rights = self.folder / "rights"
        if not rights.is_dir():
            return None
        return frozenset(article.short_answer for article in RightsLibrary.load(rights).articles())


def _verdict(
    turn: RecordedTurn, channel: str, again: Remade | None, models: frozenset[str], then: _RulesThen
) -> Verdict:
    if turn.model.startswith(GUARD):
        return _guarded(turn, then.guard)
    if turn.model not in models:
        return Verdict.NO_MODEL
    if again is None:
        return Verdict.NOT_RECORDED
    if again.intent != turn.intent or not _close(again.confidence, turn.confidence):
        return Verdict.OTHER_READING
    if again.actions != turn.actions:
        return Verdict.OTHER_ACTIONS
    if turn.answers and not _same_words(turn.answers, again.replies, channel):
        return Verdict.OTHER_WORDS
    if again.knowledge and then.answers is not None and not then.answers.issuperset(again.knowledge):
        return Verdict.OTHER_KNOWLEDGE
    return Verdict.SAME


def _guarded(turn: RecordedTurn, guard: CrisisGuard | None) -> Verdict:
    if guard is None:
        return Verdict.NOT_RECORDED
    sign = guard.check(normalize_text(turn.text)) or guard.check(turn.text)
    return Verdict.SAME if sign is not None and f"{GUARD}{sign.kind}" == turn.model else Verdict.OTHER_GUARD


def _same_words(said: Sequence[str], again: Sequence[Reply], channel: str) -> bool:
    replies = again if channel == WEB else read_together(again)
    # The script is the borrower's of that moment, which is not kept: one script has to fit all of them.
    return any(tuple(said) == tuple(to_script(reply.text, script) for reply in replies) for script in Script)


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return round(one, _CONFIDENCE_PLACES) == round(other, _CONFIDENCE_PLACES)


def _turn(message: Message, answers: tuple[str, ...]) -> RecordedTurn:
    understood = message.understanding or {}
    return RecordedTurn(
        message_id=message.id,
        seq=message.seq,
        text=message.text,
        model=str(understood["model"]),
        intent=message.intent,
        confidence=message.confidence,
        actions=tuple(understood.get("actions", ())),
        rules=dict(understood.get("rules", {})),
        answers=answers,
    )


def knowledge_in(template: str | None, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the answer of an article that a message about rights carries, if it is one."""
    answer = values.get("answer")
    return (answer,) if template is not None and template.startswith(_RIGHTS) and isinstance(answer, str) else ()
