"""What the database holds after a conversation, compared with what its file says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from bot.identity.levels import Level
from bot.outreach.notice import Topic
from bot.services import identity
from bot.store.tables import (
    Agreement,
    Approval,
    ApprovalNote,
    Conversation,
    Document,
    Hold,
    Instalment,
    Message,
    Negotiation,
    Promise,
    Reminder,
    VerificationAttempt,
)
from tests.builders.people import Person
from tests.dialogue.lines import LONGEST_WAIT
from tests.dialogue.script import Facts
from tests.running.borrower import Said
from tests.running.desk import RunningDesk


def check_facts(desk: RunningDesk, wanted: Facts, conversation_id: str, person: Person, heard: Sequence[Said]) -> None:
    """Compare every fact that is named.

    Raises:
        AssertionError: one is otherwise.
    """
    if wanted.promises is not None:
        # They are judged by a sweep of the scheduler, a moment after the payment.
        desk.wait_until(lambda: _promises(desk, person) == wanted.promises, LONGEST_WAIT, f"promises {wanted.promises}")
    if wanted.reminders is not None:
        # Planned, and planned anew, by a sweep as well, which may be under way.
        desk.wait_until(
            lambda: _facts(desk, conversation_id, person)["reminders"] == wanted.reminders,
            LONGEST_WAIT,
            f"reminders {wanted.reminders}",
        )
    found = _facts(desk, conversation_id, person)
    for name, value in wanted.model_dump(exclude_none=True, exclude={"hash", "promises"}).items():
        expected = sorted(value) if name in ("holds", "papers") else value
        assert found[name] == expected, f"{name}: {found[name]!r} instead of {expected!r}"
    if wanted.hash == "shown":
        _check_agreement(desk, person, heard)


def _facts(desk: RunningDesk, conversation_id: str, person: Person) -> dict[str, object]:
    level = identity.who(desk.deps, conversation_id).level
    with desk.deps.begin() as session:
        conversation = session.get_one(Conversation, conversation_id)
        agreements = _agreements(session, person)
        # What the scheduler plans of its own accord for a debt that is overdue depends on when it looks.
        of_agreed = or_(Reminder.instalment_id.is_not(None), Reminder.topic == Topic.PROMISE)
        planned = and_(Reminder.state == "planned", of_agreed)
        holds = select(Hold.kind).where(
            or_(Hold.conversation_id == conversation_id, Hold.borrower_id == (person.borrower_id or "nobody")),
            Hold.lifted_at.is_(None),
        )
        negotiations = session.scalars(
            select(Negotiation.state)
            .where(Negotiation.borrower_id == person.borrower_id)
            .order_by(Negotiation.created_at)
        ).all()
        last = session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.author == "borrower")
            .order_by(Message.seq.desc())
        ).first()
        model = str((last.understanding or {}).get("model") or "") if last else ""
        requests = session.scalars(
            select(Approval).where(Approval.borrower_id == person.borrower_id).order_by(Approval.requested_at)
        ).all()
        mine = ApprovalNote.approval_id.in_([each.id for each in requests])
        return {
            "agreements": len(agreements),
            "proof": _count(session, ApprovalNote, mine, ApprovalNote.media_type.is_not(None)),
            "finding": requests[-1].evidence_finding if requests else None,
            "plans": tuple(each.state for each in agreements),
            "papers": sorted(
                set(session.scalars(select(Document.kind).where(Document.borrower_id == person.borrower_id)))
            ),
            "instalments": sum(_count(session, Instalment, Instalment.agreement_id == each.id) for each in agreements),
            "reminders": _count(session, Reminder, Reminder.borrower_id == person.borrower_id, planned),
            "holds": sorted(set(session.scalars(holds))),
            "queue": conversation.queue_reason or "none",
            "owner": conversation.owner,
            "verified": level is Level.VERIFIED,
            "bound": conversation.borrower_id is not None,
            "negotiation": negotiations[-1] if negotiations else "none",
            "attempts": _count(session, VerificationAttempt, VerificationAttempt.conversation_id == conversation_id),
            "last_intent": last.intent if last else None,
            "engine_asked": bool(model) and not model.startswith("guard"),
        }


def _agreements(session: Session, person: Person) -> Sequence[Agreement]:
    mine = select(Agreement).where(Agreement.borrower_id == person.borrower_id)
    return session.scalars(mine.order_by(Agreement.accepted_at, Agreement.version)).all()


def _promises(desk: RunningDesk, person: Person) -> tuple[str, ...]:
    mine = select(Promise.state).where(Promise.borrower_id == person.borrower_id).order_by(Promise.made_at)
    with desk.deps.read() as session:
        return tuple(session.scalars(mine))


def _count(session: Session, table: type, *conditions: object) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]


def _check_agreement(desk: RunningDesk, person: Person, heard: Sequence[Said]) -> None:
    """What was agreed is the text that was read back, its hash is the one confirmed, and its parts add up."""
    with desk.deps.begin() as session:
        agreement = _agreements(session, person)[-1]
        parts = session.scalars(select(Instalment.amount_fen).where(Instalment.agreement_id == agreement.id)).all()
        text, text_hash, total = agreement.text, agreement.text_hash, agreement.total_fen
    assert hashlib.sha256(text.encode()).hexdigest() == text_hash, "the hash is not the text's"
    assert sum(parts) == total, f"instalments add up to {sum(parts)} instead of {total}"
    said = [each.text for each in heard]
    assert any(text.strip() == shown.strip() for shown in said), "the agreed text was never shown as it is"
    assert any(text_hash[:12] in shown for shown in said), "the hash was not confirmed"
