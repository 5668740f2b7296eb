"""Whose words an operator may read, as the database is asked.

The rule in words, and the oracle that tests compare this with place by place, is ``bot.desk.visibility.may_read``:
whoever changes one changes the other.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import Session

from bot.desk.calls import CallState
from bot.desk.ownership import SILENT, Owner
from bot.desk.visibility import Reader
from bot.identity.roles import READS_ALL, Permission, Role, may
from bot.services.deps import Deps
from bot.store.tables import Approval, CallBack, Conversation, Message, Operator


def reader_of(operator: Operator) -> Reader:
    """Return who an operator is where it is asked what they may read."""
    return Reader(operator.id, Role(operator.role) in READS_ALL, operator.team)


def may_look_through(reader: Reader) -> ColumnElement[bool]:
    """Return the condition on ``Conversation`` under which an operator may read, search, replay and export it."""
    return true() if reader.reads_all else or_(waits_for(reader), *is_theirs(reader))


def waits_for(reader: Reader) -> ColumnElement[bool]:
    """Return the condition under which a conversation waits in the queue that this operator sees."""
    waits = Conversation.owner == Owner.QUEUED
    if reader.reads_all:
        return waits
    silent = Conversation.queue_reason.in_([reason.value for reason in SILENT])
    return waits & or_(_helped_by_no_team(), Conversation.team == reader.team, silent)


def _helped_by_no_team() -> ColumnElement[bool]:
    return or_(Conversation.team.is_(None), Conversation.team.not_in(teams_with_members()))


def teams_with_members() -> Select[str | None]:
    """Return the selection of the teams in which somebody may take conversations."""
    takers = [role.value for role in Role if may(role, Permission.TAKE_CONVERSATIONS)]
    at_work = Operator.disabled_at.is_(None)
    return select(Operator.team).where(Operator.team.is_not(None), Operator.role.in_(takers), at_work)


def is_theirs(reader: Reader) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions, each with an index of its own, under which an agent may read whatever does not wait."""
    wrote = select(Message.conversation_id).where(Message.operator_id == reader.operator_id)
    undecided = select(Approval.conversation_id).where(Approval.state == "waiting")
    to_call = select(CallBack.conversation_id).where(CallBack.state == CallState.OPEN)
    found = (
        Conversation.owner_operator_id == reader.operator_id,
        Conversation.id.in_(wrote),
        Conversation.id.in_(undecided),
        _helped_by_no_team() & Conversation.id.in_(to_call),
    )
    return found if reader.team is None else (*found, Conversation.team == reader.team)


def may_read(deps: Deps, reader: Reader, conversation_id: str) -> bool:
    """Tell whether an operator may read a conversation; False as well where there is none."""
    with deps.read() as session:
        return is_readable(session, reader, conversation_id)


def is_in_hand(deps: Deps, conversation_id: str) -> bool:
    """Tell whether a person answers a conversation, whoever asks: two reached for it, and one has to be told."""
    with deps.read() as session:
        taken = select(Conversation.id).where(Conversation.id == conversation_id, Conversation.owner == Owner.HUMAN)
        return session.scalar(taken) is not None


def is_readable(session: Session, reader: Reader, conversation_id: str) -> bool:
    """Tell the same inside an open transaction."""
    return session.scalar(readable(reader).where(Conversation.id == conversation_id)) is not None


def readable(reader: Reader) -> Select[str]:
    """Return the selection of the ids of conversations that an operator may read."""
    return select(Conversation.id).where(may_look_through(reader))
