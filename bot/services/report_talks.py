"""The rows behind the figures on conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Subquery, exists, func, literal, or_, select, union_all

from bot.desk.spans import Span
from bot.services.conversations import Author
from bot.services.report_rows import Rows, Text, of_its_span
from bot.store.base import UtcDateTime
from bot.store.tables import Agreement, AuditEntry, CaseFile, Message, Promise

_SAID = (Message.author == Author.BORROWER.value,)
_OF_TALKS = AuditEntry.subject_kind == "conversation"

TAKEN_UP = ("queued", "taken", "assigned", "taken_over")
"""Events after which a conversation waits for a person or is in a person's hands."""

LET_GO = ("given_back", "queue_left")
"""Events after which it is the bot's again."""


def said(key: Text, *where: ColumnElement[bool], detail: Text | None = None) -> Rows:
    """Return messages of borrowers."""
    return Rows(
        Message.__table__,
        Message.created_at,
        key,
        (*_SAID, *where),
        conversation=Message.conversation_id,
        detail=detail,
    )


def _held(spans: Sequence[Span]) -> tuple[Subquery, ColumnElement[bool]]:
    """Return the times in which conversations waited or were in a person's hands, and the condition that one of them
    meets the span in which a message was written: whoever was taken in an earlier span counts in this one too.
    """
    until = func.lead(AuditEntry.at, type_=UtcDateTime()).over(
        partition_by=AuditEntry.subject_id, order_by=(AuditEntry.at, AuditEntry.id)
    )
    held = (
        select(AuditEntry.subject_id, AuditEntry.event, AuditEntry.at, until.label("until"))
        .where(_OF_TALKS, AuditEntry.event.in_((*TAKEN_UP, *LET_GO)))
        .subquery()
    )
    in_reach = (
        (held.c.subject_id == Message.conversation_id)
        & held.c.event.in_(TAKEN_UP)
        & (held.c.at < of_its_span(Message.created_at, spans, [span.ends for span in spans]))
        & or_(
            held.c.until.is_(None),
            held.c.until > of_its_span(Message.created_at, spans, [span.begins for span in spans]),
        )
    )
    return held, in_reach


def handed_over(spans: Sequence[Span], _: date) -> Rows:
    """Return conversations in which the borrower wrote, and that waited for a person or were with one in the span."""
    held, in_reach = _held(spans)
    return Rows(
        Message.__table__.join(held, in_reach),
        Message.created_at,
        Message.conversation_id,
        _SAID,
        conversation=Message.conversation_id,
    )


def contained(spans: Sequence[Span], _: date) -> Rows:
    """Return the others in which the borrower wrote."""
    held, in_reach = _held(spans)
    alone = ~exists(select(held.c.subject_id).where(in_reach).correlate(Message))
    return said(Message.conversation_id, alone)


def resolved(spans: Sequence[Span], _: date) -> Rows:
    """Return conversations in which the borrower wrote, and something was agreed, promised or decided in the span."""
    came = union_all(
        *(
            select(conversation.label("conversation"), at.label("at"), literal(what).label("what")).where(
                at >= spans[0].begins, at < spans[-1].ends
            )
            for conversation, at, what in (
                (Agreement.accepted_conversation_id, Agreement.accepted_at, "agreed"),
                (Promise.conversation_id, Promise.made_at, "promised"),
                (CaseFile.conversation_id, CaseFile.decided_at, "case"),
            )
        )
    ).subquery()
    wrote = exists(
        select(Message.id)
        .where(
            Message.conversation_id == came.c.conversation,
            *_SAID,
            Message.created_at >= of_its_span(came.c.at, spans, [span.begins for span in spans]),
            Message.created_at < of_its_span(came.c.at, spans, [span.ends for span in spans]),
        )
        .correlate(came)
    )
    return Rows(
        came,
        came.c.at,
        came.c.conversation,
        (wrote,),
        conversation=came.c.conversation,
        detail=came.c.what,
    )


def recorded(event: str, key: Text, detail: str) -> Rows:
    """Return what is on record of conversations under one event, told apart by a detail of it."""
    return Rows(
        AuditEntry.__table__,
        AuditEntry.at,
        key,
        (_OF_TALKS, AuditEntry.event == event),
        conversation=AuditEntry.subject_id,
        detail=AuditEntry.detail[detail].as_string(),
    )
