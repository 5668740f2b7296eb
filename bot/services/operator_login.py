"""The steps of an operator's login after the password: a code from their app, setting that up, a password of their own.

Until the last of them nothing is open: a step in progress is kept apart from sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.identity import totp
from bot.services import audit
from bot.services.deps import Deps
from bot.services.operators import (
    PASSWORD_MINIMUM,
    TOTP,
    CreateRefusal,
    LoginStep,
    Unfinished,
    count_failure,
    hashed,
    next_step,
    open_session,
    password_matches,
)
from bot.store.tables import Operator, OperatorLogin, OperatorSession


class StepRefusal(StrEnum):
    """Why a step was not taken. With ``OVER`` and ``LOCKED`` the login has to begin anew."""

    OVER = "over"
    LOCKED = "locked"
    WRONG_CODE = "wrong_code"
    TOO_SHORT = "too_short"
    SAME_AS_BEFORE = "same_as_before"


@dataclass(frozen=True, slots=True)
class StepView:
    """What a login waits for. ``secret`` and ``address`` are for the app, and only there while it is being set up."""

    step: LoginStep
    secret: str | None = None
    address: str | None = None


def waiting_for(deps: Deps, token: str) -> StepView | None:
    """Return what the login behind a cookie lacks; None where it has to begin anew."""
    with deps.read() as session:
        found = _open(session, deps, token)
        if found is None:
            return None
        row, operator = found
        step = next_step(deps, operator, has_code=row.has_code)
        if step is LoginStep.ENROL and row.totp_sealed is not None:
            secret = deps.vault.unseal(TOTP, row.totp_sealed)
            issuer = deps.settings.lender_name
            return StepView(step, secret, totp.address(totp.from_text(secret), operator.login, issuer))
        return StepView(step) if step in (LoginStep.CODE, LoginStep.OWN_PASSWORD) else None


def give_code(deps: Deps, token: str, code: str) -> str | Unfinished | StepRefusal:
    """Take a code from the app; a first one sets it up. Returns the session's cookie where nothing is left to do.

    Wrong codes count as wrong passwords do, and a code counts once.
    """
    with deps.begin() as session:
        found = _open(session, deps, token, to_change=True)
        if found is None:
            return StepRefusal.OVER
        row, operator = found
        now, step = deps.now(), next_step(deps, operator, has_code=row.has_code)
        sealed = {LoginStep.CODE: operator.totp_sealed, LoginStep.ENROL: row.totp_sealed}.get(step) if step else None
        if sealed is None:
            return StepRefusal.OVER
        if operator.locked_until is not None and operator.locked_until > now:
            return StepRefusal.LOCKED
        used = operator.totp_step if step is LoginStep.CODE else None
        at = totp.accepted_step(totp.from_text(deps.vault.unseal(TOTP, sealed)), code, now, used)
        actor, subject = audit.Actor("operator", operator.id), ("operator", operator.id)
        if at is None:
            count_failure(operator, now)
            audit.record(session, now, audit.SYSTEM, "code_failed", subject)
            return (
                StepRefusal.LOCKED if operator.locked_until and operator.locked_until > now else StepRefusal.WRONG_CODE
            )
        if step is LoginStep.ENROL:
            operator.totp_sealed = sealed
            audit.record(session, now, actor, "second_factor_set", subject)
        operator.totp_step, row.has_code, row.totp_sealed = at, True, None
        return _go_on(session, deps, row, operator, token)


def choose_password(deps: Deps, token: str, password: str) -> str | Unfinished | StepRefusal:
    """Replace the password that somebody else has set; every session with the old one ends."""
    with deps.read() as session:
        found = _open(session, deps, token)
        if found is None or next_step(deps, found[1], has_code=found[0].has_code) is not LoginStep.OWN_PASSWORD:
            return StepRefusal.OVER
        stored = found[1].password_hash
    if len(password) < PASSWORD_MINIMUM:
        return StepRefusal.TOO_SHORT
    # The slow hashes are computed outside any transaction: SQLite would keep every borrower waiting for them.
    if password_matches(stored, password):
        return StepRefusal.SAME_AS_BEFORE
    new = hashed(password)
    with deps.begin() as session:
        found = _open(session, deps, token, to_change=True)
        if found is None or found[1].password_hash != stored:
            return StepRefusal.OVER
        row, operator = found
        operator.password_hash, operator.must_change_password = new, False
        session.execute(delete(OperatorSession).where(OperatorSession.operator_id == operator.id))
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "password_changed", ("operator", operator.id))
        return _go_on(session, deps, row, operator, token)


def reset(deps: Deps, login: str, password: str, by: audit.Actor = audit.SYSTEM) -> CreateRefusal | bool:
    """Give an operator a first password again and forget their app; they are logged out. False for an unknown login."""
    if len(password) < PASSWORD_MINIMUM:
        return CreateRefusal.PASSWORD_TOO_SHORT
    new = hashed(password)
    with deps.begin() as session:
        operator = session.scalar(select(Operator).where(Operator.login == login).with_for_update())
        if operator is None:
            return False
        operator.password_hash, operator.must_change_password = new, True
        operator.totp_sealed = operator.totp_step = operator.locked_until = None
        operator.failed_logins = 0
        for table in (OperatorSession, OperatorLogin):
            session.execute(delete(table).where(table.operator_id == operator.id))
        audit.record(session, deps.now(), by, "operator_reset", ("operator", operator.id))
        return True


def _open(
    session: Session, deps: Deps, token: str, *, to_change: bool = False
) -> tuple[OperatorLogin, Operator] | None:
    """Return a login in progress with its operator, who is locked first where something is to change."""
    known = OperatorLogin.token_hash == deps.vault.lookup("operator_login", token)
    operator_id = session.scalar(select(OperatorLogin.operator_id).where(known))
    if operator_id is None:
        return None
    operator = session.get_one(Operator, operator_id, with_for_update=True if to_change else None)
    row = session.scalar(select(OperatorLogin).where(known, OperatorLogin.expires_at > deps.now()))
    return None if row is None or operator.disabled_at is not None else (row, operator)


def _go_on(session: Session, deps: Deps, row: OperatorLogin, operator: Operator, token: str) -> str | Unfinished:
    if next_step(deps, operator, has_code=row.has_code) is not None:
        return Unfinished(token)
    session.delete(row)
    return open_session(session, deps, operator)
