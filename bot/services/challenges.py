"""What a proof of identity is asked for: challenges, and the one-time codes that are sent for them.

An unknown claim gets a challenge as a known one does; only a phone on record gets its code. Nothing is sent here: the
code is written down with the challenge, and handed over once the borrower has been answered (``code_letters``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.services import audit, code_letters
from bot.services.conversations import Author, Reply, say
from bot.services.deps import Deps
from bot.store.tables import Borrower, Conversation, VerificationChallenge

HALF_PROVED = timedelta(minutes=15)
"""How long the first factor counts after it was passed: the second has to follow."""

CODE_EVERY = timedelta(minutes=1)
CODES_A_DAY = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom answers are about. Wrong ones count against each, so that an unknown claim locks as a known one does."""

    conversation_id: str
    borrower_id: str | None = None
    claim_hash: str | None = None


def subject_of(challenge: VerificationChallenge) -> Subject:
    """Return whom the answers to a challenge are about."""
    return Subject(challenge.conversation_id, challenge.borrower_id, challenge.claim_hash)


def issue(session: Session, deps: Deps, subject: Subject) -> VerificationChallenge:
    """Open a challenge; its code is on its way when the transaction has been committed."""
    now = deps.now()
    code = f"{secrets.randbelow(1_000_000):06d}"
    challenge = VerificationChallenge(
        conversation_id=subject.conversation_id,
        borrower_id=subject.borrower_id,
        claim_hash=subject.claim_hash,
        code_hash="",
        code_expires_at=now + timedelta(minutes=deps.settings.code_minutes),
        created_at=now,
    )
    session.add(challenge)
    session.flush()
    challenge.code_hash = deps.vault.lookup("code", f"{challenge.id}:{code}")
    audit.record(session, now, audit.BOT, "code_issued", ("conversation", subject.conversation_id))
    if deps.code_sender is None:
        _show_demo_code(session, deps, subject.conversation_id, code)
        return challenge
    borrower = session.get(Borrower, subject.borrower_id) if subject.borrower_id else None
    gets_it = borrower is not None and not borrower.deceased and _may_send_code(session, borrower.id, challenge, now)
    code_letters.write(session, deps, challenge, code, subject.borrower_id if gets_it else None)
    return challenge


def issue_after_login(session: Session, deps: Deps, subject: Subject) -> VerificationChallenge:
    """Open a challenge whose first factor is a login at the lender: no code is made, and none would fit."""
    now = deps.now()
    challenge = VerificationChallenge(
        conversation_id=subject.conversation_id,
        borrower_id=subject.borrower_id,
        code_hash=deps.vault.lookup("code", secrets.token_hex(16)),
        code_expires_at=now + HALF_PROVED,
        code_passed=True,
        created_at=now,
    )
    session.add(challenge)
    session.flush()
    audit.record(session, now, audit.BOT, "login_vouched", ("conversation", subject.conversation_id))
    return challenge


def _may_send_code(session: Session, borrower_id: str, challenge: VerificationChallenge, now: datetime) -> bool:
    """Whether a phone may get another code: one a minute and ten a day, whoever asks. Nobody can flood it by asking."""
    earlier = session.scalars(
        select(VerificationChallenge.created_at).where(
            VerificationChallenge.borrower_id == borrower_id,
            VerificationChallenge.id != challenge.id,
            VerificationChallenge.created_at > now - timedelta(days=1),
        )
    ).all()
    return len(earlier) < CODES_A_DAY and all(now - at >= CODE_EVERY for at in earlier)


def _show_demo_code(session: Session, deps: Deps, conversation_id: str, code: str) -> None:
    conversation = session.get_one(Conversation, conversation_id)
    text = deps.wording.one("demo_code", code=code, minutes=str(deps.settings.code_minutes))
    say(session, deps, conversation, Reply(text), author=Author.NOTICE)


def open_challenge(session: Session, conversation_id: str, now: datetime) -> VerificationChallenge | None:
    """Return the challenge that a conversation has to answer; None without one, or when its first factor has lapsed."""
    challenge = _latest(session, conversation_id, "open")
    if challenge is None or (challenge.code_passed and challenge.code_expires_at <= now):
        return None
    return challenge


def shut_challenge(session: Session, conversation_id: str) -> VerificationChallenge | None:
    """Return the challenge whose code was right while the borrower was locked; None without one."""
    return _latest(session, conversation_id, "shut")


def drop(session: Session, conversation_id: str) -> None:
    """Have a conversation answer no challenge that it was given before."""
    for challenge in session.scalars(
        _given_to(conversation_id).where(VerificationChallenge.state.in_(("open", "shut")))
    ):
        challenge.state = "dropped"


def _latest(session: Session, conversation_id: str, state: str) -> VerificationChallenge | None:
    latest = _given_to(conversation_id).where(VerificationChallenge.state == state)
    return session.scalar(latest.order_by(VerificationChallenge.created_at.desc()).limit(1))


def _given_to(conversation_id: str) -> Select[VerificationChallenge]:
    return select(VerificationChallenge).where(VerificationChallenge.conversation_id == conversation_id)
