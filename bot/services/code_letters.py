"""One-time codes on their way to phones: written with the challenge, handed over after the borrower has been answered.

A claim is a lease: a process that dies in the middle leaves its letters to the next one. A letter is tried again while
its code is worth something, always with the same code and the same id, and is deleted when nothing is left to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.services.claims import LONGEST_CLAIM, free
from bot.services.deps import Deps
from bot.store.tables import Borrower, CodeLetter, VerificationChallenge

LONGEST_WAIT = timedelta(seconds=30)
"""Between two attempts: a code is good for minutes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A code that this process may now hand over, until its lease ends. ``attempts`` counts this one too."""

    id: str
    phone: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime
    attempts: int


def write(session: Session, deps: Deps, challenge: VerificationChallenge, code: str, borrower_id: str | None) -> None:
    """Put a challenge's code on its way; without a borrower to nobody, which is the same work."""
    session.add(
        CodeLetter(
            challenge_id=challenge.id,
            borrower_id=borrower_id,
            code_sealed=deps.vault.seal("one_time_code", code),
            next_attempt_at=deps.now(),
        )
    )


def claim_due(deps: Deps, limit: int, lease: timedelta) -> list[Letter]:
    """Claim letters that are due, longest due first; delete those among them that have nobody or nothing to reach."""
    now = deps.now()
    is_due = (CodeLetter.next_attempt_at <= now, free(CodeLetter.claimed_until, now, now + LONGEST_CLAIM))
    with deps.read() as session:  # most looks find nothing, and need not keep writers waiting
        if session.scalar(select(CodeLetter.id).where(*is_due).limit(1)) is None:
            return []
    due = (
        select(CodeLetter, VerificationChallenge, Borrower)
        .join(VerificationChallenge, VerificationChallenge.id == CodeLetter.challenge_id)
        .outerjoin(Borrower, Borrower.id == CodeLetter.borrower_id)
        .where(*is_due)
        .order_by(CodeLetter.next_attempt_at, CodeLetter.id)
        .limit(limit)
        .with_for_update(of=CodeLetter, skip_locked=True)
    )
    claimed = []
    with deps.begin() as session:
        for row, challenge, borrower in session.execute(due).all():
            waits = challenge.state == "open" and not challenge.code_passed and now < challenge.code_expires_at
            if borrower is None or not waits:
                session.delete(row)
                continue
            row.attempts += 1
            row.claimed_until = now + lease
            phone = deps.vault.unseal("phone", borrower.phone_sealed)
            code = deps.vault.unseal("one_time_code", row.code_sealed)
            claimed.append(Letter(row.id, phone, code, challenge.code_expires_at, row.attempts))
    return claimed


def done(deps: Deps, letter: Letter) -> None:
    """Delete a letter: its code was handed over, or never can be."""
    with deps.begin() as session:
        session.execute(delete(CodeLetter).where(CodeLetter.id == letter.id))


def put_off(deps: Deps, letter: Letter) -> bool:
    """Give a letter back to be tried again; False when its code will be worth nothing by then, and it is deleted."""
    retry_at = deps.now() + retry_delay(letter.attempts)
    if retry_at >= letter.expires_at:
        done(deps, letter)
        return False
    with deps.begin() as session:
        session.execute(
            update(CodeLetter)
            .where(CodeLetter.id == letter.id, CodeLetter.attempts == letter.attempts)
            .values(claimed_until=None, next_attempt_at=retry_at)
        )
    return True


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 1, 2, 4 … seconds up to ``LONGEST_WAIT``."""
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(attempts - 1, 16)))
