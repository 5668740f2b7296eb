"""The people at the desk, as an administrator looks after them: who there is, what they may do, and getting back in.

Passwords that are set here are made by the desk, shown once, and have to be replaced at the first login. Nobody learns
what another's password is.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.desk.ownership import Owner
from bot.identity.roles import Permission, Role, may
from bot.services import audit, handoff, operator_login, operators
from bot.services.deps import Deps
from bot.services.operators import LONGEST_TEAM, CreateRefusal, OperatorView
from bot.store.tables import AuditEntry, Conversation, Operator, OperatorLogin, OperatorSession

LONGEST_NAME = 40
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
"""Logins are typed on any keyboard: small letters, digits, dots and dashes."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is mistaken for something else on paper."""


class NotManaged(StrEnum):
    """Why nothing was changed."""

    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"
    LOGIN_TAKEN = "login_taken"
    LOGIN_UNFIT = "login_unfit"
    NAME_UNFIT = "name_unfit"
    TEAM_TOO_LONG = "team_too_long"
    LAST_ADMIN = "last_admin"


class Act(StrEnum):
    """What is done to an account, besides changing what it is."""

    DISABLE = "disable"
    ENABLE = "enable"
    RESET = "reset"
    FORGET_APP = "forget_app"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator in the list; instants are aware. ``in_hand`` counts the conversations they answer now."""

    id: str
    login: str
    display_name: str
    role: Role
    team: str | None
    has_app: bool
    must_change_password: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime
    last_login_at: datetime | None
    in_hand: int


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """A password to hand over, shown once: only its hash is kept."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Changed:
    """It took effect."""


def listing(deps: Deps, by: OperatorView) -> tuple[OperatorRow, ...] | NotManaged:
    """Return all operators, those at work first, then by team and name."""
    if not may(by.role, Permission.MANAGE_OPERATORS):
        return NotManaged.NOT_ALLOWED
    with deps.read() as session:
        logged_in = select(AuditEntry.actor_id, func.max(AuditEntry.at)).where(AuditEntry.event == "logged_in")
        last = {row[0]: row[1] for row in session.execute(logged_in.group_by(AuditEntry.actor_id))}
        held = select(Conversation.owner_operator_id, func.count()).where(Conversation.owner == Owner.HUMAN)
        in_hand = {row[0]: row[1] for row in session.execute(held.group_by(Conversation.owner_operator_id))}
        now = deps.now()
        order = (Operator.disabled_at.is_not(None), Operator.team, Operator.display_name, Operator.id)
        return tuple(
            OperatorRow(
                id=row.id,
                login=row.login,
                display_name=row.display_name,
                role=Role(row.role),
                team=row.team,
                has_app=row.totp_sealed is not None,
                must_change_password=row.must_change_password,
                locked_until=row.locked_until if row.locked_until is not None and row.locked_until > now else None,
                disabled_at=row.disabled_at,
                created_at=row.created_at,
                last_login_at=last.get(row.id),
                in_hand=in_hand.get(row.id, 0),
            )
            for row in session.scalars(select(Operator).order_by(*order))
        )


def create(
    deps: Deps, by: OperatorView, login: str, display_name: str, role: Role, team: str
) -> FirstPassword | NotManaged:
    """Create an operator with a password to hand over, which they replace at the first login."""
    login, display_name, team = login.strip(), display_name.strip(), team.strip()
    if not may(by.role, Permission.MANAGE_OPERATORS):
        return NotManaged.NOT_ALLOWED
    if LOGIN.fullmatch(login) is None:
        return NotManaged.LOGIN_UNFIT
    if (unfit := _unfit(display_name, team)) is not None:
        return unfit
    password = _new_password()
    made = operators.create(
        deps, login, display_name, role, password, team or None, must_change=True, by=audit.Actor("operator", by.id)
    )
    return NotManaged.LOGIN_TAKEN if isinstance(made, CreateRefusal) else FirstPassword(login, password)


def change(
    deps: Deps, by: OperatorView, operator_id: str, display_name: str, role: Role, team: str
) -> Changed | NotManaged:
    """Give an operator a name, a role and a team; an empty team is none. It holds from their next click on.

    Refused where nobody who looks after operators would be left. What they answer goes back into the queue if the new
    role may not answer.
    """
    display_name, team = display_name.strip(), team.strip()
    if (unfit := _unfit(display_name, team)) is not None:
        return unfit
    with deps.begin() as session:
        operator = _to_change(session, by, operator_id)
        if isinstance(operator, NotManaged):
            return operator
        if not may(role, Permission.MANAGE_OPERATORS) and _is_last(session, operator):
            return NotManaged.LAST_ADMIN
        before = operator.role
        operator.display_name, operator.role, operator.team = display_name, role.value, team or None
        _record(session, deps, by, "operator_changed", operator, role=role.value, was=before, team=operator.team)
    handoff.requeue_abandoned(deps)
    return Changed()


def act(deps: Deps, by: OperatorView, operator_id: str, what: Act) -> Changed | FirstPassword | NotManaged:
    """Disable or enable an account, unlock it, or let somebody in again who lost their password or their app.

    Whoever is disabled is logged out at once and their conversations wait for somebody else; the last one who looks
    after operators cannot be. ``RESET`` sets a password to hand over and forgets the app, ``FORGET_APP`` only the app.
    """
    if what is Act.RESET:
        return _reset(deps, by, operator_id)
    with deps.begin() as session:
        operator = _to_change(session, by, operator_id)
        if isinstance(operator, NotManaged):
            return operator
        match what:
            case Act.DISABLE:
                if _is_last(session, operator):
                    return NotManaged.LAST_ADMIN
                operator.disabled_at = operator.disabled_at or deps.now()
                _log_out(session, operator)
            case Act.ENABLE:
                operator.disabled_at = None
            case Act.FORGET_APP:
                operator.totp_sealed = operator.totp_step = None
                _log_out(session, operator)
            case Act.UNLOCK:
                operator.locked_until, operator.failed_logins = None, 0
        _record(session, deps, by, f"operator_{what.value}", operator)
    if what is Act.DISABLE:
        handoff.requeue_abandoned(deps)
    return Changed()


def _reset(deps: Deps, by: OperatorView, operator_id: str) -> FirstPassword | NotManaged:
    with deps.begin() as session:
        operator = _to_change(session, by, operator_id)
        if isinstance(operator, NotManaged):
            return operator
        login = operator.login
    password = _new_password()
    done = operator_login.reset(deps, login, password, by=audit.Actor("operator", by.id))
    return FirstPassword(login, password) if done is True else NotManaged.UNKNOWN


def _to_change(session: Session, by: OperatorView, operator_id: str) -> Operator | NotManaged:
    """Return an operator, locked together with all who look after operators: two who change each other come in turn."""
    if not may(by.role, Permission.MANAGE_OPERATORS):
        return NotManaged.NOT_ALLOWED
    concerned = select(Operator).where(Operator.role.in_(_MANAGING) | (Operator.id == operator_id))
    rows = {row.id: row for row in session.scalars(concerned.order_by(Operator.id).with_for_update())}
    actor = rows.get(by.id)
    if actor is None or actor.disabled_at is not None or not may(Role(actor.role), Permission.MANAGE_OPERATORS):
        return NotManaged.NOT_ALLOWED
    return rows.get(operator_id) or NotManaged.UNKNOWN


_MANAGING = [role.value for role in Role if may(role, Permission.MANAGE_OPERATORS)]


def _is_last(session: Session, operator: Operator) -> bool:
    """Whether nobody else is at work who looks after operators."""
    if operator.role not in _MANAGING or operator.disabled_at is not None:
        return False
    others = select(Operator.id).where(
        Operator.role.in_(_MANAGING), Operator.disabled_at.is_(None), Operator.id != operator.id
    )
    return session.scalar(others.limit(1)) is None


def _log_out(session: Session, operator: Operator) -> None:
    for table in (OperatorSession, OperatorLogin):
        session.execute(delete(table).where(table.operator_id == operator.id))


def _record(
    session: Session, deps: Deps, by: OperatorView, event: str, operator: Operator, **detail: str | None
) -> None:
    audit.record(session, deps.now(), audit.Actor("operator", by.id), event, ("operator", operator.id), **detail)


def _unfit(display_name: str, team: str) -> NotManaged | None:
    if not 1 <= len(display_name) <= LONGEST_NAME or not display_name.isprintable():
        return NotManaged.NAME_UNFIT
    return NotManaged.TEAM_TOO_LONG if len(team) > LONGEST_TEAM or not team.isprintable() else None


def _new_password() -> str:
    """Return sixteen characters in groups of four, as they are read out over a telephone."""
    letters = [secrets.choice(_ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))
