"""What was brought or said as proof for a request, line by line, and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import audit, sealed_files
from bot.services.deps import Deps
from bot.store.tables import Approval, ApprovalNote, Operator


class NoteKind(StrEnum):
    """What a line of proof is: a file, word that there is none, a person's further wish, or a consent taken back."""

    FILE = "file"
    LACKING = "lacking"
    ASKED = "asked"
    WITHDRAWN = "withdrawn"


class EvidenceStanding(StrEnum):
    """Where a request stands with its proof. ``WITHDRAWN`` and ``LACKING``: there is nothing to see."""

    NOT_NEEDED = "not_needed"
    AWAITED = "awaited"
    BROUGHT = "brought"
    LACKING = "lacking"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One line as the desk's operators see it; ``by`` is an operator's name, None the borrower.

    ``media_type`` is None where it is no file, or its content was deleted.
    """

    id: str
    kind: NoteKind
    text: str
    at: datetime
    media_type: str | None
    by: str | None


def seal_for(approval_id: str) -> str:
    """Bind what is sealed to its request: it opens under no other's name."""
    return f"approval:{approval_id}"


def add(
    session: Session,
    deps: Deps,
    approval_id: str,
    kind: NoteKind,
    text: str = "",
    operator_id: str | None = None,
) -> ApprovalNote:
    """Add a line to a request, sealed, inside an open transaction."""
    note = ApprovalNote(
        approval_id=approval_id,
        kind=kind.value,
        operator_id=operator_id,
        text_sealed=deps.vault.seal(seal_for(approval_id), text),
        created_at=deps.now(),
    )
    session.add(note)
    session.flush()
    return note


def add_lacking(session: Session, deps: Deps, request: Approval, words: str) -> None:
    """Note on a request, in the borrower's words, that no proof is given; inside an open transaction."""
    add(session, deps, request.id, NoteKind.LACKING, words)
    actor = audit.Actor("borrower", request.borrower_id)
    audit.record(session, deps.now(), actor, "approval_evidence_lacking", ("approval", request.id))


def files_of(session: Session, approval_id: str) -> Sequence[ApprovalNote]:
    """Return the lines of a request whose file is still there."""
    kept = (ApprovalNote.approval_id == approval_id) & ApprovalNote.media_type.is_not(None)
    return session.scalars(select(ApprovalNote).where(kept)).all()


def lines_of(session: Session, deps: Deps, approval_id: str) -> tuple[EvidenceLine, ...]:
    """Return every line of a request, the oldest first."""
    rows = session.execute(
        select(ApprovalNote, Operator.display_name)
        .outerjoin(Operator, Operator.id == ApprovalNote.operator_id)
        .where(ApprovalNote.approval_id == approval_id)
        .order_by(ApprovalNote.created_at, ApprovalNote.id)
    )
    return tuple(
        EvidenceLine(
            id=row.id,
            kind=NoteKind(row.kind),
            text=deps.vault.unseal(seal_for(approval_id), row.text_sealed),
            at=row.created_at,
            media_type=row.media_type,
            by=name,
        )
        for row, name in rows
    )


def standing_of(session: Session, approval_id: str, *, needed: bool) -> EvidenceStanding:
    """Return where a request stands with its proof; a file that is there counts before all that was said."""
    if not needed:
        return EvidenceStanding.NOT_NEEDED
    if files_of(session, approval_id):
        return EvidenceStanding.BROUGHT
    said = session.scalar(
        select(ApprovalNote.kind)
        .where(
            ApprovalNote.approval_id == approval_id,
            ApprovalNote.kind.in_([NoteKind.LACKING.value, NoteKind.WITHDRAWN.value]),
        )
        .order_by(ApprovalNote.created_at.desc(), ApprovalNote.kind.desc())
        .limit(1)
    )
    return EvidenceStanding(said) if said is not None else EvidenceStanding.AWAITED


def last_asked(session: Session, deps: Deps, approval_id: str) -> str | None:
    """Return what a person asked for last; None where nobody asked for more."""
    row = session.scalar(
        select(ApprovalNote)
        .where(ApprovalNote.approval_id == approval_id, ApprovalNote.kind == NoteKind.ASKED.value)
        .order_by(ApprovalNote.created_at.desc(), ApprovalNote.id)
        .limit(1)
    )
    return deps.vault.unseal(seal_for(approval_id), row.text_sealed) if row is not None else None


def times_asked(session: Session, approval_id: str) -> int:
    """Count how often a person asked for more."""
    asked = select(ApprovalNote.id).where(
        ApprovalNote.approval_id == approval_id, ApprovalNote.kind == NoteKind.ASKED.value
    )
    return len(session.scalars(asked).all())


def delete_file(session: Session, deps: Deps, note: ApprovalNote, actor: audit.Actor) -> None:
    """Delete what a file holds and how it was called; that there was one stays with the request, with its hash."""
    sealed_files.clear(deps, note, seal_for(note.approval_id))
    subject = ("approval", note.approval_id)
    audit.record(session, deps.now(), actor, "approval_file_deleted", subject, sha256=note.sha256)
