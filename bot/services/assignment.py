"""Giving conversations to people and teams: who works in which team, and a supervisor's hand on the queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from bot.desk.ownership import Act, NotAllowed, Owner, after
from bot.identity.roles import Permission, may
from bot.services import audit
from bot.services.deps import Deps
from bot.services.handoff import Done, Refusal, put_into_hands
from bot.services.locking import locked_in_turn
from bot.services.operators import LONGEST_TEAM, OperatorView, may_answer, team_name
from bot.services.reading_rights import teams_with_members
from bot.store.tables import Operator


class TeamRefusal(StrEnum):
    """Why somebody was not put into a team."""

    UNKNOWN = "unknown"
    NAME_TOO_LONG = "name_too_long"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may answer borrowers."""

    id: str
    name: str
    team: str | None


def colleagues(deps: Deps) -> tuple[Colleague, ...]:
    """Return the operators who may take conversations, by team and name."""
    with deps.read() as session:
        rows = session.scalars(select(Operator).order_by(Operator.team, Operator.display_name, Operator.id))
        return tuple(Colleague(row.id, row.display_name, row.team) for row in rows if may_answer(row))


def put_into_team(deps: Deps, login: str, team: str | None) -> TeamRefusal | None:
    """Put an operator into a team, or with None into none. Their conversations stay where they are.

    What waits for a team that they were the last of waits for everybody from then on.
    """
    team = team_name(team)
    if team is not None and len(team) > LONGEST_TEAM:
        return TeamRefusal.NAME_TOO_LONG
    with deps.begin() as session:
        operator = session.scalar(select(Operator).where(Operator.login == login).with_for_update())
        if operator is None:
            return TeamRefusal.UNKNOWN
        operator.team = team
        audit.record(session, deps.now(), audit.SYSTEM, "operator_team", ("operator", operator.id), team=team)
        return None


def assign_to_team(deps: Deps, by: OperatorView, conversation_id: str, team: str | None) -> Done | Refusal:
    """Make a conversation a team's, or with None nobody's. Who answers it, and its place in the queue, stay."""
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None or not may(by.role, Permission.ASSIGN_CONVERSATIONS):
            return Refusal.UNKNOWN
        if team is not None and session.scalar(teams_with_members().where(Operator.team == team).limit(1)) is None:
            return Refusal.NO_SUCH_COLLEAGUE
        conversation.team = team
        subject = ("conversation", conversation_id)
        audit.record(session, deps.now(), audit.Actor("operator", by.id), "assigned_to_team", subject, team=team)
        return Done(Owner(conversation.owner))


def assign_to_person(deps: Deps, by: OperatorView, conversation_id: str, operator_id: str) -> Done | Refusal:
    """Put a conversation into a colleague's hands, out of another's if need be, as if they had taken it themselves."""
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None or not may(by.role, Permission.ASSIGN_CONVERSATIONS):
            return Refusal.UNKNOWN
        operator = session.get(Operator, operator_id)
        if operator is None or not may_answer(operator):
            return Refusal.NO_SUCH_COLLEAGUE
        if conversation.owner == Owner.HUMAN and conversation.owner_operator_id == operator.id:
            return Done(Owner.HUMAN)
        taken_from = conversation.owner_operator_id if conversation.owner == Owner.HUMAN else None
        if conversation.owner != Owner.HUMAN:
            owner = after(Owner(conversation.owner), Act.TAKE)
            if isinstance(owner, NotAllowed):
                return Refusal.NOT_ALLOWED
            conversation.owner = owner
        subject, actor = ("conversation", conversation_id), audit.Actor("operator", by.id)
        audit.record(session, deps.now(), actor, "assigned", subject, given_to=operator.id, taken_from=taken_from)
        put_into_hands(session, deps, conversation, operator)
        return Done(Owner.HUMAN)
