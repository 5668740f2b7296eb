"""Proving who is on the other side: a claim, a one-time code, the last four of the identity number.

Answers never tell whether somebody is known: an unknown claim gets the same questions, the same words and the same
work as a known one, and only fails at the end. Nor do locks: one that others have caused elsewhere is told to nobody
who has not passed a code that went to the phone on record. Until then it only lets nobody in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.identity.attempts import Attempt, attempts_left, locked_until
from bot.identity.factors import Claim
from bot.identity.levels import Level, Viewer
from bot.services import audit, challenges, joining, vouching
from bot.services.challenges import CODE_EVERY, HALF_PROVED, Subject
from bot.services.channel_links import awaited, forget
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.services.proof import viewer_of
from bot.store.tables import Borrower, ChannelBinding, Conversation, VerificationAttempt, VerificationChallenge
from bot.text.scripts import fold_name


class Step(StrEnum):
    """What verification waits for."""

    CLAIM = "claim"
    CODE = "code"
    ID_TAIL = "id_tail"
    DONE = "done"


class Outcome(StrEnum):
    """How an answer was received."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    WRONG = "wrong"
    CODE_EXPIRED = "code_expired"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where verification stands after an answer. ``locked_until`` is aware and set when it is locked."""

    step: Step
    outcome: Outcome
    attempts_left: int
    locked_until: datetime | None = None


def who(deps: Deps, conversation_id: str) -> Viewer:
    """Return who is looking over a conversation, now."""
    with deps.read() as session:
        return viewer_of(session, deps, conversation_id)


def progress(deps: Deps, conversation_id: str) -> Progress:
    """Return what verification waits for, without changing anything."""
    with deps.read() as session:
        if viewer_of(session, deps, conversation_id).level is Level.VERIFIED:
            return Progress(Step.DONE, Outcome.ACCEPTED, deps.settings.verification_attempts)
        challenge = challenges.open_challenge(session, conversation_id, deps.now())
        if challenge is None and (locked := _told_before(session, deps, conversation_id)):
            return Progress(Step.CODE, Outcome.LOCKED, 0, locked)
        return _progress(session, deps, conversation_id, challenge, Outcome.ASKED)


def start(deps: Deps, conversation_id: str) -> Progress:
    """Begin to verify afresh.

    A conversation bound to somebody, or reached by their link, goes straight to the code, sent to their phone. One for
    whom the lender has just vouched goes there too, or past it after a fresh login.
    """
    with deps.begin() as session:
        vouched = vouching.vouched_for(session, conversation_id, deps.now())
        known = (
            (vouched.borrower_id if vouched is not None else None)
            or awaited(session, conversation_id, deps.now())
            or viewer_of(session, deps, conversation_id).borrower_id
        )
        subject = Subject(conversation_id, known)
        has_logged_in = vouched is not None and vouched.is_factor
        told = _lock(session, deps, _told_about(deps, subject, has_logged_in))
        if locked := told or _told_before(session, deps, conversation_id):
            return Progress(Step.CLAIM, Outcome.LOCKED, 0, locked)
        challenges.drop(session, conversation_id)
        if known is None:
            return _progress(session, deps, conversation_id, None, Outcome.ASKED)
        if has_logged_in:
            challenge = challenges.issue_after_login(session, deps, subject)
        else:
            challenge = challenges.issue(session, deps, subject)
        return _progress(session, deps, conversation_id, challenge, Outcome.ASKED)


def answer_claim(deps: Deps, conversation_id: str, claim: Claim) -> Progress:
    """Take a phone or a name, and send a code to the phone on record if it is known."""
    with deps.begin() as session:
        subject = Subject(conversation_id, _find(session, deps, claim), _claim_hash(deps, claim))
        _wait_for_turn(session, subject)
        if locked := _lock(session, deps, _told_about(deps, subject, has_proved=False)):
            return Progress(Step.CLAIM, Outcome.LOCKED, 0, locked)
        challenges.drop(session, conversation_id)
        challenge = challenges.issue(session, deps, subject)
        return _progress(session, deps, conversation_id, challenge, Outcome.ASKED)


def answer_code(deps: Deps, conversation_id: str, code: str) -> Progress:
    """Check a one-time code. An expired one is replaced by a new code."""
    with deps.begin() as session:
        challenge = challenges.open_challenge(session, conversation_id, deps.now())
        if challenge is None:
            return _progress(session, deps, conversation_id, None, Outcome.ASKED)
        subject = challenges.subject_of(challenge)
        _wait_for_turn(session, subject)
        if locked := _lock(session, deps, _told_about(deps, subject, challenge.code_passed)):
            return Progress(Step.CODE, Outcome.LOCKED, 0, locked)
        if challenge.code_expires_at <= deps.now():
            challenge.state = "dropped"
            fresh = challenges.issue(session, deps, subject)
            return _progress(session, deps, conversation_id, fresh, Outcome.CODE_EXPIRED)
        passed = deps.vault.matches("code", f"{challenge.id}:{code}", challenge.code_hash)
        if passed and deps.code_sender is not None and (locked := _lock(session, deps, subject)):
            challenge.state = "shut"  # who has the phone may know why; that a code was right opens nothing later
            return Progress(Step.CODE, Outcome.LOCKED, 0, locked)
        if passed and not challenge.code_passed:
            challenge.code_passed, challenge.code_expires_at = True, deps.now() + HALF_PROVED
        return _after_attempt(session, deps, challenge, "code", passed)


def resend_code(deps: Deps, conversation_id: str) -> Progress:
    """Send a new code for the open challenge; the old one is worth nothing from now on."""
    with deps.begin() as session:
        challenge = challenges.open_challenge(session, conversation_id, deps.now())
        if challenge is None:
            return _progress(session, deps, conversation_id, None, Outcome.ASKED)
        subject = challenges.subject_of(challenge)
        _wait_for_turn(session, subject)
        if locked := _lock(session, deps, _told_about(deps, subject, challenge.code_passed)):
            return Progress(Step.CODE, Outcome.LOCKED, 0, locked)
        if deps.code_sender is not None and deps.now() - challenge.created_at < CODE_EVERY:
            return _progress(session, deps, conversation_id, challenge, Outcome.ASKED)
        challenge.state = "dropped"
        fresh = challenges.issue(session, deps, subject)
        return _progress(session, deps, conversation_id, fresh, Outcome.ASKED)


def answer_id_tail(deps: Deps, conversation_id: str, tail: str) -> Progress:
    """Check the last four of the identity number; with the code passed before, this proves identity (level 2)."""
    with deps.begin() as session:
        challenge = challenges.open_challenge(session, conversation_id, deps.now())
        if challenge is None or not challenge.code_passed:
            return _progress(session, deps, conversation_id, challenge, Outcome.ASKED)
        subject = challenges.subject_of(challenge)
        _wait_for_turn(session, subject)
        if locked := _lock(session, deps, _told_about(deps, subject, challenge.code_passed)):
            return Progress(Step.ID_TAIL, Outcome.LOCKED, 0, locked)
        borrower = session.get(Borrower, challenge.borrower_id) if challenge.borrower_id else None
        expected = borrower.id_tail_hash if borrower else deps.vault.lookup("id_tail", secrets.token_hex(8))
        passed = deps.vault.matches("id_tail", tail, expected) and borrower is not None and not borrower.deceased
        passed = passed and _lock(session, deps, subject) is None  # one that is not told lets nobody in either
        if passed and borrower is not None:
            challenge.state = "passed"
            vouching.end(session, conversation_id, deps.now())
            bind(session, deps, conversation_id, borrower.id)
        return _after_attempt(session, deps, challenge, "id_tail", passed)


def lapse(deps: Deps, conversation_id: str) -> None:
    """End level 2 now, so that identity is proved afresh before something important."""
    with deps.begin() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is not None:
            conversation.verified_at = None


def release_binding(deps: Deps, conversation_id: str, reason: str) -> None:
    """Undo a conversation's binding: the number changed hands, or a stranger answers. Never undone by itself."""
    with deps.begin() as session:
        release(session, deps, conversation_id, reason)


def release(session: Session, deps: Deps, conversation_id: str, reason: str) -> None:
    """Undo a conversation's binding within a transaction."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return
    now = deps.now()
    for binding in session.scalars(
        select(ChannelBinding).where(
            ChannelBinding.conversation_id == conversation_id, ChannelBinding.released_at.is_(None)
        )
    ):
        binding.released_at = now
        binding.released_reason = reason
    forget(session, conversation_id)
    vouching.end(session, conversation_id, now)
    challenges.drop(session, conversation_id)
    if conversation.borrower_id is not None:
        touch(session, conversation.borrower_id, now)  # their notices are planned anew, for where they can still go
    conversation.borrower_id = None
    conversation.verified_at = None
    audit.record(session, now, audit.BOT, "binding_released", ("conversation", conversation_id), reason=reason)


def _find(session: Session, deps: Deps, claim: Claim) -> str | None:
    if claim.phone:
        return session.scalar(select(Borrower.id).where(Borrower.phone_hash == deps.vault.lookup("phone", claim.phone)))
    name_hash = deps.vault.lookup("name", fold_name(claim.name or ""))
    found = session.scalars(select(Borrower.id).where(Borrower.name_hash == name_hash).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _claim_hash(deps: Deps, claim: Claim) -> str:
    """Return a claim's keyed hash."""
    return deps.vault.lookup("claim", f"phone:{claim.phone}" if claim.phone else f"name:{fold_name(claim.name or '')}")


def _after_attempt(
    session: Session, deps: Deps, challenge: VerificationChallenge, factor: str, passed: bool
) -> Progress:
    now = deps.now()
    is_locked = _lock(session, deps, challenges.subject_of(challenge)) is not None
    session.add(
        VerificationAttempt(
            conversation_id=challenge.conversation_id,
            # What cannot succeed does not make the borrower's lock longer.
            borrower_id=None if is_locked else challenge.borrower_id,
            claim_hash=challenge.claim_hash,
            factor=factor,
            passed=passed,
            at=now,
        )
    )
    session.flush()
    event = "factor_passed" if passed else "factor_failed"
    audit.record(session, now, audit.BOT, event, ("conversation", challenge.conversation_id), factor=factor)
    outcome = Outcome.ACCEPTED if passed else Outcome.WRONG
    return _progress(session, deps, challenge.conversation_id, challenge, outcome)


def _progress(
    session: Session, deps: Deps, conversation_id: str, challenge: VerificationChallenge | None, outcome: Outcome
) -> Progress:
    subject = Subject(conversation_id)
    if challenge is not None:
        subject = _told_about(deps, challenges.subject_of(challenge), challenge.code_passed)
    if challenge is None:
        step = Step.CLAIM
    elif challenge.state == "passed":
        return Progress(Step.DONE, outcome, deps.settings.verification_attempts)
    else:
        step = Step.ID_TAIL if challenge.code_passed else Step.CODE
    if locked := _lock(session, deps, subject):
        return Progress(step, Outcome.LOCKED, 0, locked)
    left = attempts_left(
        _attempts(session, deps, subject),
        deps.now(),
        deps.settings.verification_attempts,
        timedelta(minutes=deps.settings.verification_lock_minutes),
    )
    return Progress(step, outcome, left)


def _told_about(deps: Deps, subject: Subject, has_proved: bool) -> Subject:
    """Return a subject as far as its lock, and the answers left, may be told.

    Wrong answers over this conversation and to this claim are known to whoever gives them. Those that were given about
    the borrower elsewhere would tell that two claims are one person, or that somebody is known at all: they count for
    everybody, and are told to whoever has the phone on record, or has logged in at the lender. A code that is shown in
    the chat proves neither.
    """
    if has_proved and deps.code_sender is not None:
        return subject
    return replace(subject, borrower_id=None)


def _told_before(session: Session, deps: Deps, conversation_id: str) -> datetime | None:
    """Return until when the borrower is locked of whom this was told in a conversation after a right code."""
    challenge = challenges.shut_challenge(session, conversation_id)
    return _lock(session, deps, challenges.subject_of(challenge)) if challenge is not None else None


def _attempts(session: Session, deps: Deps, subject: Subject) -> list[Attempt]:
    since = deps.now() - 2 * timedelta(minutes=deps.settings.verification_lock_minutes)
    mine = VerificationAttempt.conversation_id == subject.conversation_id
    if subject.borrower_id is not None:
        mine = mine | (VerificationAttempt.borrower_id == subject.borrower_id)
    if subject.claim_hash is not None:
        mine = mine | (VerificationAttempt.claim_hash == subject.claim_hash)
    rows = session.scalars(select(VerificationAttempt).where(mine, VerificationAttempt.at >= since))
    return [Attempt(row.at, row.passed) for row in rows]


def _wait_for_turn(session: Session, subject: Subject) -> None:
    """Judge answers about one borrower one after the other, over all channels: guesses made at once all count."""
    if subject.borrower_id is not None:
        # FOR NO KEY UPDATE: rows that merely refer to the borrower can still be written meanwhile.
        session.scalar(select(Borrower.id).where(Borrower.id == subject.borrower_id).with_for_update(key_share=True))
    session.scalar(select(Conversation.id).where(Conversation.id == subject.conversation_id).with_for_update())


def _lock(session: Session, deps: Deps, subject: Subject) -> datetime | None:
    return locked_until(
        _attempts(session, deps, subject),
        deps.now(),
        deps.settings.verification_attempts,
        timedelta(minutes=deps.settings.verification_lock_minutes),
    )


def bind(session: Session, deps: Deps, conversation_id: str, borrower_id: str) -> None:
    """Make a conversation a borrower's who has just proved to be who they are, in an open transaction.

    It is released from whoever it was bound to before, and goes on record.
    """
    now = deps.now()
    conversation = session.get_one(Conversation, conversation_id)
    if conversation.borrower_id != borrower_id:
        for old in session.scalars(
            select(ChannelBinding).where(
                ChannelBinding.conversation_id == conversation_id, ChannelBinding.released_at.is_(None)
            )
        ):
            old.released_at = now
            old.released_reason = "other_borrower"
        session.add(ChannelBinding(conversation_id=conversation_id, borrower_id=borrower_id, bound_at=now))
    conversation.borrower_id = borrower_id
    conversation.verified_at = now
    session.flush()
    joining.join(session, deps, conversation_id, borrower_id)
    audit.record(session, now, audit.BOT, "identity_proved", ("conversation", conversation_id), borrower=borrower_id)
