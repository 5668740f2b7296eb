"""Operators: accounts, logging in, sessions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.desk.visibility import Reader
from bot.identity import totp
from bot.identity.roles import READS_ALL, Permission, Role, may
from bot.services import audit
from bot.services.deps import Deps
from bot.store.tables import Operator, OperatorLogin, OperatorSession

SESSION = timedelta(hours=10)
STEPS_WITHIN = timedelta(minutes=10)
"""How long a login may take from the right password to its last step."""

TOTP = "operator_totp"
"""What the secrets of second factors are sealed for."""

LOCK = timedelta(minutes=15)
ALLOWED_FAILURES = 5
PASSWORD_MINIMUM = 10
LONGEST_TEAM = 40

_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Checked when the login is unknown, so that an unknown one takes as long as a wrong password."""


class LoginRefusal(StrEnum):
    """Why a login was refused."""

    WRONG = "wrong"
    LOCKED = "locked"


class CreateRefusal(StrEnum):
    """Why an operator was not created."""

    TAKEN = "taken"
    PASSWORD_TOO_SHORT = "password_too_short"  # noqa: S105  # the name of a refusal
    TEAM_TOO_LONG = "team_too_long"


@dataclass(frozen=True, slots=True)
class OperatorView:
    """An operator who is logged in. ``csrf`` must come back with every change."""

    id: str
    login: str
    display_name: str
    role: Role
    csrf: str
    team: str | None = None

    @property
    def reader(self) -> Reader:
        """Who they are where it is asked what they may read."""
        return Reader(self.id, self.role in READS_ALL, self.team)


class LoginStep(StrEnum):
    """What a login lacks once its password was right."""

    CODE = "code"
    ENROL = "enrol"
    OWN_PASSWORD = "own_password"  # noqa: S105  # the name of a step


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A right password that opens nothing yet; ``token`` is the value of the cookie under which the next step waits."""

    token: str


def next_step(deps: Deps, operator: Operator, *, has_code: bool) -> LoginStep | None:
    """Return what comes next, None where a session may begin.

    Outside demo mode everybody has a second factor, and sets it up at the first login that finds them without.
    """
    if not has_code and operator.totp_sealed is not None:
        return LoginStep.CODE
    if not has_code and deps.settings.mode == "production":
        return LoginStep.ENROL
    return LoginStep.OWN_PASSWORD if operator.must_change_password else None


def create(
    deps: Deps,
    login: str,
    display_name: str,
    role: Role,
    password: str,
    team: str | None = None,
    *,
    must_change: bool = False,
    by: audit.Actor = audit.SYSTEM,
) -> str | CreateRefusal:
    """Create an operator, in a team if one is named, and return the id.

    ``must_change`` has them choose a password of their own at the first login.
    """
    if len(password) < PASSWORD_MINIMUM:
        return CreateRefusal.PASSWORD_TOO_SHORT
    team = team_name(team)
    if team is not None and len(team) > LONGEST_TEAM:
        return CreateRefusal.TEAM_TOO_LONG
    password_hash = hashed(password)
    with deps.begin() as session:
        if session.scalar(select(Operator.id).where(Operator.login == login)):
            return CreateRefusal.TAKEN
        now = deps.now()
        operator = Operator(
            login=login,
            display_name=display_name,
            role=role.value,
            team=team,
            password_hash=password_hash,
            must_change_password=must_change,
            created_at=now,
        )
        session.add(operator)
        session.flush()
        audit.record(session, now, by, "operator_created", ("operator", operator.id), role=role.value)
        return operator.id


def may_answer(operator: Operator) -> bool:
    """Tell whether somebody works here whose role may take conversations."""
    return operator.disabled_at is None and may(Role(operator.role), Permission.TAKE_CONVERSATIONS)


def team_name(given: str | None) -> str | None:
    """Return the name under which a team is kept, None for nobody's."""
    return (given or "").strip() or None


def any_exists(deps: Deps) -> bool:
    """Tell whether there is at least one operator."""
    with deps.read() as session:
        return session.scalar(select(Operator.id).limit(1)) is not None


def log_in(deps: Deps, login: str, password: str) -> str | Unfinished | LoginRefusal:
    """Check a password and open a session; returns the cookie's value. Five failures lock the login for 15 minutes.

    ``Unfinished`` where a step is left, which ``bot.services.operator_login`` takes.
    """
    attempt = _count_attempt(deps, login)
    if attempt is LoginRefusal.LOCKED:
        return attempt
    # The slow hash is computed outside any transaction: SQLite would keep every borrower waiting for it.
    matches = password_matches(attempt.password_hash if isinstance(attempt, _Attempt) else _NOBODY, password)
    if not isinstance(attempt, _Attempt):
        return attempt
    with deps.begin() as session:
        now = deps.now()
        if not matches:
            audit.record(session, now, audit.SYSTEM, "login_failed", ("operator", attempt.operator_id))
            return LoginRefusal.WRONG
        operator = session.get_one(Operator, attempt.operator_id, with_for_update=True)
        step = next_step(deps, operator, has_code=False)
        if step is None:
            return open_session(session, deps, operator)
        _take_back(operator, attempt)
        if operator.locked_until is not None and operator.locked_until > now:
            return LoginRefusal.LOCKED
        return _leave_unfinished(session, deps, operator, step)


def open_session(session: Session, deps: Deps, operator: Operator) -> str:
    """Begin a session for a locked operator whose every step is done; returns the cookie's value."""
    now = deps.now()
    operator.failed_logins = 0
    operator.locked_until = None
    token = secrets.token_urlsafe(32)
    session.add(
        OperatorSession(
            token_hash=deps.vault.lookup("operator_session", token),
            operator_id=operator.id,
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            expires_at=now + SESSION,
        )
    )
    audit.record(session, now, audit.Actor("operator", operator.id), "logged_in", ("operator", operator.id))
    return token


def count_failure(operator: Operator, now: datetime) -> None:
    """Count a failure of a locked operator; the fifth locks the login."""
    operator.failed_logins += 1
    if operator.failed_logins >= ALLOWED_FAILURES:
        operator.failed_logins = 0
        operator.locked_until = now + LOCK


def hashed(password: str) -> str:
    """Return the Argon2id hash of a password. Slow: not to be called inside a transaction."""
    return _hasher.hash(password)


def _leave_unfinished(session: Session, deps: Deps, operator: Operator, step: LoginStep) -> Unfinished:
    now, token = deps.now(), secrets.token_urlsafe(32)
    session.execute(
        delete(OperatorLogin).where(OperatorLogin.operator_id == operator.id, OperatorLogin.expires_at <= now)
    )
    new = totp.to_text(secrets.token_bytes(totp.SECRET_BYTES)) if step is LoginStep.ENROL else None
    session.add(
        OperatorLogin(
            token_hash=deps.vault.lookup("operator_login", token),
            operator_id=operator.id,
            totp_sealed=deps.vault.seal(TOTP, new) if new is not None else None,
            created_at=now,
            expires_at=now + STEPS_WITHIN,
        )
    )
    return Unfinished(token)


@dataclass(frozen=True, slots=True)
class _Attempt:
    operator_id: str
    password_hash: str
    locked_until: datetime | None
    """Until when this attempt locked the login, None where it did not."""


def _count_attempt(deps: Deps, login: str) -> _Attempt | LoginRefusal:
    """Count a failure before the password is looked at, so that guesses made in parallel all count.

    A right password wipes the count afterwards.
    """
    with deps.begin() as session:
        now = deps.now()
        operator = session.scalar(select(Operator).where(Operator.login == login).with_for_update())
        if operator is None or operator.disabled_at is not None:
            return LoginRefusal.WRONG
        if operator.locked_until is not None and operator.locked_until > now:
            return LoginRefusal.LOCKED
        operator.locked_until = None  # one that is over
        count_failure(operator, now)
        return _Attempt(operator.id, operator.password_hash, operator.locked_until)


def _take_back(operator: Operator, attempt: _Attempt) -> None:
    """Undo what an attempt with the right password counted, and nothing else.

    What failed before it, and beside it while the password was being looked at, counts until the last step is done, or
    codes could be guessed.
    """
    if attempt.locked_until is None:
        operator.failed_logins = max(operator.failed_logins - 1, 0)
    elif operator.locked_until == attempt.locked_until:
        operator.failed_logins, operator.locked_until = ALLOWED_FAILURES - 1, None


def current(deps: Deps, token: str) -> OperatorView | None:
    """Return the operator behind a session cookie, or None."""
    with deps.read() as session:
        row = session.get(OperatorSession, deps.vault.lookup("operator_session", token))
        if row is None or row.expires_at <= deps.now():
            return None
        operator = session.get_one(Operator, row.operator_id)
        if operator.disabled_at is not None:
            return None
        return OperatorView(
            operator.id, operator.login, operator.display_name, Role(operator.role), row.csrf, operator.team
        )


def log_out(deps: Deps, token: str) -> None:
    """End a session."""
    with deps.begin() as session:
        token_hash = deps.vault.lookup("operator_session", token)
        session.execute(delete(OperatorSession).where(OperatorSession.token_hash == token_hash))


def password_matches(stored: str, password: str) -> bool:
    """Tell whether a password is the one behind a hash. Slow, like ``hashed``."""
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
