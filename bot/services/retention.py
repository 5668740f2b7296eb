"""Deleting what has been kept long enough (rule A2; ``data/retention.yml``).

Each job deletes what it finds by now and nothing more, so a second run finds nothing; every run that deleted something
is on record. Money, agreements, promises and documents stay as long as the contract: they are not touched here. What
the desk recorded around the talk (cases, notices, holds, reviews) is deleted by ``retention_records``, old entries of
the audit log by ``audit_chain``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from bot.cases.course import OPEN
from bot.services import audit, audit_chain, payment_uploads, retention_records
from bot.services.deps import Deps
from bot.services.holds import standing
from bot.services.offer_table import close
from bot.services.retention_records import owes, years_ago
from bot.store import tables as t
from bot.store.dialogue_tracker import DialogueTracker

AT_ONCE = 200
"""Conversations whose talk is deleted in one transaction, so that writers are not kept waiting."""

_NOBODY = "anonymised"

_GOES_ON = timedelta(days=1)
"""Whoever wrote so lately has not left."""


@dataclass(frozen=True, slots=True)
class Retained:
    """How many rows of each sort a run deleted or emptied."""

    anonymous_messages: int = 0
    borrower_messages: int = 0
    means: int = 0
    identity_rows: int = 0
    unsent_notices: int = 0
    sessions: int = 0
    evidence_files: int = 0
    circumstances: int = 0
    cases: int = 0
    sent_notices: int = 0
    holds: int = 0
    call_backs: int = 0
    payment_uploads: int = 0
    reviews: int = 0
    findings: int = 0
    audit_entries: int = 0
    tracker_events: int = 0

    def counts(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


def run(deps: Deps) -> Retained:
    """Do every job once and put on record what was deleted, if anything was.

    A job that fails ends the run; what those before it deleted is on record all the same.
    """
    counts: dict[str, int] = {}
    try:
        for name, job in _jobs():
            counts[name] = job(deps)
    finally:
        done = Retained(**counts)
        if any(counts.values()):
            with deps.begin() as session:
                audit.record(session, deps.now(), audit.SYSTEM, "retention_run", ("desk", "retention"), **done.counts())
    return done


def _jobs() -> tuple[tuple[str, Callable[[Deps], int]], ...]:
    """Return the jobs by the name of their figure. The engine's store comes last: it may be away."""
    return (
        ("anonymous_messages", _anonymous_talk),
        ("borrower_messages", _borrowers_talk),
        ("means", _means),
        ("identity_rows", _identity),
        ("unsent_notices", _unsent_notices),
        ("sessions", _sessions),
        ("evidence_files", retention_records.evidence_files),
        ("circumstances", _circumstances),
        ("cases", retention_records.cases),
        ("sent_notices", retention_records.sent_notices),
        ("holds", retention_records.holds),
        ("call_backs", retention_records.call_backs),
        ("payment_uploads", payment_uploads.forget_old),
        ("reviews", retention_records.reviews),
        ("findings", retention_records.findings),
        ("audit_entries", _audit_entries),
        ("tracker_events", _tracker),
    )


def _audit_entries(deps: Deps) -> int:
    return audit_chain.remove_before(deps, years_ago(deps, deps.retention.audit_years))


def _anonymous_talk(deps: Deps) -> int:
    """Talk with somebody who never proved to be anybody, and that nobody has to look at any more."""
    before = deps.now() - timedelta(days=deps.retention.anonymous_talk_days)
    bound = exists().where(t.ChannelBinding.conversation_id == t.Conversation.id)
    waits = exists().where(t.Hold.conversation_id == t.Conversation.id, standing(deps.now()))
    pending = exists().where(t.CaseFile.conversation_id == t.Conversation.id, t.CaseFile.state.in_(tuple(OPEN)))
    old = select(t.Conversation.id).where(
        t.Conversation.borrower_id.is_(None),
        t.Conversation.last_activity_at < before,
        t.Conversation.owner.in_(("bot", "closed")),
        t.Conversation.address_sealed != _NOBODY,
        ~bound,
        ~waits,
        ~pending,
    )
    some = old.order_by(t.Conversation.id).limit(AT_ONCE)
    deleted = 0
    while True:
        with deps.begin() as session:
            free = session.scalars(some.with_for_update(skip_locked=True, of=t.Conversation)).all()
            if not free:
                return deleted
            # Looked at again under the lock: somebody may have written since.
            found = session.scalars(old.where(t.Conversation.id.in_(free))).all()
            deleted += _delete_messages(session, found, None)
            session.execute(delete(t.WebSession).where(t.WebSession.conversation_id.in_(found)))
            for conversation_id in found:  # the address goes with the talk; whoever writes again begins anew
                session.execute(
                    update(t.Conversation)
                    .where(t.Conversation.id == conversation_id)
                    .values(address_sealed=_NOBODY, address_hash=uuid4().hex)
                )


def _borrowers_talk(deps: Deps) -> int:
    """Talk with borrowers that is old enough, if everything they owed has been settled meanwhile."""
    before = years_ago(deps, deps.retention.talk_years)
    with deps.read() as session:
        old = select(t.Message.conversation_id).where(t.Message.created_at < before)
        bound = select(t.ChannelBinding.conversation_id, t.ChannelBinding.borrower_id).where(
            t.ChannelBinding.conversation_id.in_(old)
        )
        # Letters and text messages go to conversations that nobody was bound to by proving who they are.
        addressed = select(t.Conversation.id, t.Conversation.borrower_id).where(
            t.Conversation.borrower_id.is_not(None), t.Conversation.id.in_(old)
        )
        chats = session.execute(bound.union(addressed)).all()
        owing = {each for _, each in chats if owes(session, deps, each)}
        kept = {conversation_id for conversation_id, each in chats if each in owing}
    free = sorted({conversation_id for conversation_id, _ in chats} - kept)
    deleted = 0
    for start in range(0, len(free), AT_ONCE):
        with deps.begin() as session:
            deleted += _delete_messages(session, free[start : start + AT_ONCE], before)
    return deleted


def _circumstances(deps: Deps) -> int:
    """Circumstances that are reckoned with no more, and consents that were taken back as long ago."""
    now = deps.now()
    consents_before = years_ago(deps, deps.retention.record_years)
    with deps.begin() as session:
        ended = session.execute(
            delete(t.Circumstance).where(t.Circumstance.until < now).returning(t.Circumstance.id)
        ).all()
        taken_back = session.execute(
            delete(t.EvidenceConsent)
            .where(t.EvidenceConsent.withdrawn_at < consents_before)
            .returning(t.EvidenceConsent.id)
        ).all()
        return len(ended) + len(taken_back)


def _delete_messages(session: Session, conversation_ids: Sequence[str], before: datetime | None) -> int:
    """Delete messages with all that hangs on them; notices keep that they were sent, not their words."""
    old = select(t.Message.id).where(t.Message.conversation_id.in_(conversation_ids))
    if before is not None:
        old = old.where(t.Message.created_at < before)
    options = {"synchronize_session": False}
    for table in (t.Button, t.Outbox, t.MessageDocument, t.SearchEntry):
        session.execute(delete(table).where(table.message_id.in_(old)), execution_options=options)
    # What was told for a case is kept with the case, sealed.
    session.execute(
        update(t.CaseNote).where(t.CaseNote.message_id.in_(old)).values(message_id=None), execution_options=options
    )
    session.execute(
        update(t.Reminder).where(t.Reminder.message_id.in_(old)).values(message_id=None), execution_options=options
    )
    # What somebody has corrected is an example by now; what nobody has looked at goes.
    untouched = t.NluTurn.state.in_(("open", "suggested"))
    session.execute(delete(t.NluTurn).where(t.NluTurn.message_id.in_(old), untouched), execution_options=options)
    session.execute(
        update(t.NluTurn).where(t.NluTurn.message_id.in_(old)).values(message_id=None), execution_options=options
    )
    judged = delete(t.Satisfaction).where(t.Satisfaction.conversation_id.in_(conversation_ids))
    session.execute(
        judged if before is None else judged.where(t.Satisfaction.asked_at < before), execution_options=options
    )
    gone = session.execute(delete(t.Message).where(t.Message.id.in_(old)).returning(t.Message.id)).all()
    return len(gone)


_MEANS = (
    "monthly_income_fen",
    "monthly_essential_fen",
    "dependants",
    "other_debts_monthly_fen",
    "income_told",
    "hardship",
    "available_now_fen",
)


def _means(deps: Deps) -> int:
    """What somebody told of income, spending, household and hardship in a talk about plans that ended without one.

    A talk that nobody went on with for as long is ended by it.
    """
    before = deps.now() - timedelta(days=deps.retention.means_without_plan_days)
    left = _end_left(deps, before)
    told = or_(*(getattr(t.Negotiation, name).is_not(None) for name in _MEANS))
    agreed = exists().where(t.Agreement.negotiation_id == t.Negotiation.id)
    ended = select(t.Negotiation.id).where(
        t.Negotiation.active_key.is_(None), or_(t.Negotiation.updated_at < before, t.Negotiation.id.in_(left))
    )
    with deps.begin() as session:
        session.execute(
            update(t.Offer)
            .where(t.Offer.budget.is_not(None), t.Offer.negotiation_id.in_(ended.where(~agreed)))
            .values(budget=None)
            .execution_options(synchronize_session=False)
        )
        emptied = session.scalars(
            update(t.Negotiation)
            .where(t.Negotiation.id.in_(ended), told, ~agreed)
            .values(dict.fromkeys(_MEANS))
            .returning(t.Negotiation.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.execute(delete(t.OfferBasis).where(t.OfferBasis.negotiation_id.in_(emptied)))
        return len(emptied)


def _end_left(deps: Deps, before: datetime) -> list[str]:
    """End negotiations that stand as they stood ``before`` (aware), with nothing left to accept; returns their ids.

    Whoever writes at this moment may be about to go on: theirs waits for the next run.
    """
    now = deps.now()
    offered = exists().where(t.Offer.negotiation_id == t.Negotiation.id, t.Offer.expires_at > now)
    writes = exists().where(
        t.Conversation.borrower_id == t.Negotiation.borrower_id, t.Conversation.last_inbound_at > now - _GOES_ON
    )
    left = select(t.Negotiation).where(
        t.Negotiation.active_key.is_not(None), t.Negotiation.updated_at < before, ~offered, ~writes
    )
    with deps.read() as session:
        found = [each.id for each in session.scalars(left)]
    ended = []
    for negotiation_id in found:
        with deps.begin() as session:
            one = left.where(t.Negotiation.id == negotiation_id)
            negotiation = session.scalar(one.with_for_update(skip_locked=True, of=t.Negotiation))
            if negotiation is not None:
                close(session, deps, negotiation, "ended")
                ended.append(negotiation_id)
    return ended


def _identity(deps: Deps) -> int:
    before = years_ago(deps, deps.retention.identity_years)
    with deps.begin() as session:
        challenges = session.execute(
            delete(t.VerificationChallenge)
            .where(t.VerificationChallenge.created_at < before)
            .returning(t.VerificationChallenge.id)
        ).all()
        attempts = session.execute(
            delete(t.VerificationAttempt).where(t.VerificationAttempt.at < before).returning(t.VerificationAttempt.id)
        ).all()
        return len(challenges) + len(attempts)


def _unsent_notices(deps: Deps) -> int:
    before = deps.now() - timedelta(days=deps.retention.unsent_notice_days)
    with deps.begin() as session:
        gone = session.execute(
            delete(t.Reminder)
            .where(t.Reminder.state.in_(("superseded", "refused")), t.Reminder.decided_at < before)
            .where(t.Reminder.message_id.is_(None))
            .returning(t.Reminder.id)
        )
        return len(gone.all())


def _tracker(deps: Deps) -> int:
    """What the dialogue engine keeps of conversations that are over, or whose talk has been deleted here."""
    tracker = DialogueTracker(deps.settings.sqlalchemy_tracker_url)
    with deps.read() as session:
        talked = exists().where(t.Message.conversation_id == t.Conversation.id, t.Message.author == "borrower")
        silent = session.scalars(select(t.Conversation.id).where(~talked).order_by(t.Conversation.id)).all()
    return tracker.forget(silent) + tracker.forget_idle(deps.now() - timedelta(days=deps.retention.tracker_idle_days))


def _sessions(deps: Deps) -> int:
    before = deps.now() - timedelta(days=deps.retention.expired_session_days)
    with deps.begin() as session:
        web = session.execute(
            delete(t.WebSession).where(t.WebSession.expires_at < before).returning(t.WebSession.token_hash)
        ).all()
        operators = session.execute(
            delete(t.OperatorSession)
            .where(t.OperatorSession.expires_at < before)
            .returning(t.OperatorSession.token_hash)
        ).all()
        logins = session.execute(
            delete(t.OperatorLogin).where(t.OperatorLogin.expires_at < before).returning(t.OperatorLogin.id)
        ).all()
        links = session.execute(
            delete(t.ChannelLink).where(t.ChannelLink.expires_at < before).returning(t.ChannelLink.token_hash)
        ).all()
        visits = session.execute(
            delete(t.VouchedVisit).where(t.VouchedVisit.expires_at < before).returning(t.VouchedVisit.nonce_hash)
        ).all()
        codes = session.execute(
            delete(t.SenderCode).where(t.SenderCode.expires_at < before).returning(t.SenderCode.code_hash)
        ).all()
        return len(web) + len(operators) + len(logins) + len(links) + len(visits) + len(codes)
