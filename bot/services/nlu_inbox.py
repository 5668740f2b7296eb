"""Turns that were read badly, for people to put right: what is taken in, suggested, corrected and taught.

Texts are stripped of what points to a person when they are taken in, and once more when they leave as training data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.desk.teaching import Example, Teaching, anonymise, teach
from bot.services import audit
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.reading_rights import may_look_through
from bot.services.search import FALLBACK_INTENT, LOW_CONFIDENCE
from bot.services.shown_text import is_proving
from bot.services.training_data import known_examples, known_intents, measured_texts
from bot.store.tables import Borrower, Conversation, Message, NluTurn

MOST_LISTED = 100
LONGEST_TEXT = 500


class ReadingReason(StrEnum):
    """Why a turn is looked at."""

    FALLBACK = "fallback"
    LOW = "low"
    REPORTED = "reported"


class ReadingState(StrEnum):
    """How far a turn has come."""

    OPEN = "open"
    SUGGESTED = "suggested"
    CORRECTED = "corrected"
    DISCARDED = "discarded"


class NotCorrected(StrEnum):
    """Why nothing was changed."""

    UNKNOWN = "unknown"
    NO_INTENT = "no_intent"
    NO_TEXT = "no_text"
    OVER = "over"
    NOTHING_TO_READ = "nothing_to_read"


@dataclass(frozen=True, slots=True)
class ReadingView:
    """A turn to look at; ``text`` is already without what points to a person."""

    id: str
    conversation_id: str
    seq: int | None
    reason: ReadingReason
    state: ReadingState
    text: str
    read_as: str | None
    confidence: float | None
    suggested: str | None
    corrected: str | None
    at: datetime


def take_in(session: Session, deps: Deps, messages: Iterable[Message]) -> int:
    """Take in those of some messages that were not understood, or hardly; returns how many.

    A pressed button has nothing to be read, and a proof of identity is nobody's example.
    """
    doubtful = [message for message in messages if _is_doubtful(message)]
    if not doubtful:
        return 0
    there = set(
        session.scalars(select(NluTurn.message_id).where(NluTurn.message_id.in_([one.id for one in doubtful]))).all()
    )
    new = [message for message in doubtful if message.id not in there]
    for message in new:
        reason = ReadingReason.FALLBACK if message.intent == FALLBACK_INTENT else ReadingReason.LOW
        session.add(_taken(session, deps, message, reason))
    return len(new)


def report(
    deps: Deps, operator: OperatorView, conversation_id: str, seq: int, intent: str
) -> ReadingView | NotCorrected:
    """Take in a turn that an operator says was read wrongly, with what they think it means."""
    if intent not in known_intents(deps):
        return NotCorrected.NO_INTENT
    with deps.begin() as session:
        message = session.scalar(
            select(Message)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Message.conversation_id == conversation_id, Message.seq == seq, may_look_through(operator.reader))
        )
        if message is None:
            return NotCorrected.UNKNOWN
        if message.author != Author.BORROWER or message.payload is not None or is_proving(message):
            return NotCorrected.NOTHING_TO_READ
        turn = session.scalar(select(NluTurn).where(NluTurn.message_id == message.id))
        if turn is None:
            turn = _taken(session, deps, message, ReadingReason.REPORTED)
            session.add(turn)
        elif turn.state in (ReadingState.CORRECTED, ReadingState.DISCARDED):
            return NotCorrected.OVER
        _suggest(session, deps, operator, turn, intent)
        return _view(turn, message.seq)


def listing(deps: Deps, operator: OperatorView, state: ReadingState) -> tuple[ReadingView, ...]:
    """Return turns of a state that this operator may look through, the oldest first; corrected ones the newest."""
    newest_first = state in (ReadingState.CORRECTED, ReadingState.DISCARDED)
    order = (NluTurn.changed_at.desc(), NluTurn.id) if newest_first else (NluTurn.at, NluTurn.id)
    with deps.read() as session:
        rows = session.execute(
            select(NluTurn, Message.seq)
            .join(Conversation, Conversation.id == NluTurn.conversation_id)
            .outerjoin(Message, Message.id == NluTurn.message_id)
            .where(NluTurn.state == state.value, may_look_through(operator.reader))
            .order_by(*order)
            .limit(MOST_LISTED)
        )
        return tuple(_view(turn, seq) for turn, seq in rows)


def counts(deps: Deps, operator: OperatorView) -> dict[ReadingState, int]:
    """Return how many turns of each state this operator may look through."""
    with deps.read() as session:
        rows = session.execute(
            select(NluTurn.state, func.count())
            .join(Conversation, Conversation.id == NluTurn.conversation_id)
            .where(may_look_through(operator.reader))
            .group_by(NluTurn.state)
        ).all()
    return {ReadingState(state): count for state, count in rows}


def suggest(deps: Deps, operator: OperatorView, turn_id: str, intent: str) -> ReadingView | NotCorrected:
    """Say what a turn means, for somebody who may correct to decide."""
    if intent not in known_intents(deps):
        return NotCorrected.NO_INTENT
    with deps.begin() as session:
        turn = _open_turn(session, operator, turn_id)
        if isinstance(turn, NotCorrected):
            return turn
        _suggest(session, deps, operator, turn, intent)
        return _view(turn, None)


def correct(deps: Deps, operator: OperatorView, turn_id: str, intent: str, text: str) -> ReadingView | NotCorrected:
    """Decide what a turn means and how its text is taught; a corrected one may be corrected again.

    What the operator wrote is stripped of the borrower's name too, as the turn itself was.
    """
    if intent not in known_intents(deps):
        return NotCorrected.NO_INTENT
    with deps.begin() as session:
        turn = _turn(session, operator, turn_id)
        if turn is None:
            return NotCorrected.UNKNOWN
        if turn.state == ReadingState.DISCARDED:
            return NotCorrected.OVER
        text = anonymise(text[:LONGEST_TEXT], _names(session, deps, turn.conversation_id))
        if not text:
            return NotCorrected.NO_TEXT
        turn.state = ReadingState.CORRECTED
        turn.corrected, turn.corrected_by = intent, operator.id
        turn.text, turn.changed_at = text, deps.now()
        _record(session, deps, operator, "reading_corrected", turn.id, intent)
        return _view(turn, None)


def discard(deps: Deps, operator: OperatorView, turn_id: str) -> ReadingView | NotCorrected:
    """Leave a turn out for good, and forget its text."""
    with deps.begin() as session:
        turn = _turn(session, operator, turn_id)
        if turn is None:
            return NotCorrected.UNKNOWN
        turn.state = ReadingState.DISCARDED
        turn.text, turn.changed_at = "", deps.now()
        _record(session, deps, operator, "reading_discarded", turn.id, None)
        return _view(turn, None)


def export(deps: Deps, operator: OperatorView) -> Teaching:
    """Return all corrected turns as training data, with those left out and why, and put it on record.

    What has been added to ``data/nlu`` meanwhile is left out as known, so the file never teaches anything twice.
    """
    with deps.read() as session:
        turns = session.scalars(
            select(NluTurn)
            .where(NluTurn.state == ReadingState.CORRECTED.value)
            .order_by(NluTurn.changed_at, NluTurn.id)
        ).all()
        corrected = [Example(turn.text, turn.corrected or "") for turn in turns]
    teaching = teach(corrected, known_examples(deps), measured_texts(deps))
    with deps.begin() as session:
        audit.record(
            session,
            deps.now(),
            audit.Actor("operator", operator.id),
            "readings_exported",
            ("desk", "nlu"),
            taken=len(teaching.taken),
            left_out=len(teaching.left_out),
        )
    return teaching


def _is_doubtful(message: Message) -> bool:
    if message.author != Author.BORROWER or message.payload is not None or message.intent is None:
        return False
    if message.intent != FALLBACK_INTENT and (message.confidence is None or message.confidence >= LOW_CONFIDENCE):
        return False
    return not is_proving(message)


def _taken(session: Session, deps: Deps, message: Message, reason: ReadingReason) -> NluTurn:
    now = deps.now()
    return NluTurn(
        message_id=message.id,
        conversation_id=message.conversation_id,
        reason=reason.value,
        state=ReadingState.OPEN.value,
        text=anonymise(message.text[:LONGEST_TEXT], _names(session, deps, message.conversation_id)),
        read_as=message.intent,
        confidence=message.confidence,
        suggested=_second_thought(deps, message),
        at=message.created_at,
        changed_at=now,
    )


def _names(session: Session, deps: Deps, conversation_id: str) -> Sequence[str]:
    borrower = session.scalar(
        select(Borrower)
        .join(Conversation, Conversation.borrower_id == Borrower.id)
        .where(Conversation.id == conversation_id)
    )
    return [deps.vault.unseal("name", borrower.name_sealed)] if borrower is not None else []


def _second_thought(deps: Deps, message: Message) -> str | None:
    """Return the most probable meaning that the engine did not dare to act upon, if it was not understood."""
    if message.intent != FALLBACK_INTENT:
        return None
    ranking: Sequence[Sequence[object]] = (message.understanding or {}).get("ranking", ())
    known = set(known_intents(deps))
    return next((name for name, *_ in ranking if isinstance(name, str) and name in known), None)


def _suggest(session: Session, deps: Deps, operator: OperatorView, turn: NluTurn, intent: str) -> None:
    turn.state = ReadingState.SUGGESTED
    turn.suggested, turn.suggested_by, turn.changed_at = intent, operator.id, deps.now()
    session.flush()
    _record(session, deps, operator, "reading_suggested", turn.id, intent)


def _turn(session: Session, operator: OperatorView, turn_id: str) -> NluTurn | None:
    return session.scalar(
        select(NluTurn)
        .join(Conversation, Conversation.id == NluTurn.conversation_id)
        .where(NluTurn.id == turn_id, may_look_through(operator.reader))
        .with_for_update(of=NluTurn)
    )


def _open_turn(session: Session, operator: OperatorView, turn_id: str) -> NluTurn | NotCorrected:
    turn = _turn(session, operator, turn_id)
    if turn is None:
        return NotCorrected.UNKNOWN
    return NotCorrected.OVER if turn.state in (ReadingState.CORRECTED, ReadingState.DISCARDED) else turn


def _record(session: Session, deps: Deps, operator: OperatorView, event: str, turn_id: str, intent: str | None) -> None:
    actor = audit.Actor("operator", operator.id)
    audit.record(session, deps.now(), actor, event, ("nlu_turn", turn_id), intent=intent)


def _view(turn: NluTurn, seq: int | None) -> ReadingView:
    return ReadingView(
        id=turn.id,
        conversation_id=turn.conversation_id,
        seq=seq,
        reason=ReadingReason(turn.reason),
        state=ReadingState(turn.state),
        text=turn.text,
        read_as=turn.read_as,
        confidence=turn.confidence,
        suggested=turn.suggested,
        corrected=turn.corrected,
        at=turn.at,
    )
