"""Files that belong to a case: brought by the borrower or by somebody at the desk, kept sealed, read on record."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseAct, CaseState
from bot.desk.uploads import Brought, UploadKind, UploadRefusal, judge_upload
from bot.services import audit, consents, sealed_files
from bot.services.case_desk import Acted, Outcome, Refused
from bot.services.case_record import add_note, lock_with_borrower, move, seal_for
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.services.sealed_files import MOST_FILES
from bot.store.tables import CaseFile, CaseNote, Conversation


def bring(
    session: Session, deps: Deps, conversation_id: str, case_id: str, file: tuple[str, UploadKind, bytes]
) -> Brought:
    """Keep a borrower's file (name, kind, content) with a case; the same file once for each case.

    Inside an open transaction. What was asked of the borrower is answered by it.
    """
    case = lock_with_borrower(session, case_id)
    if case is None or case.state not in OPEN:
        return Brought.NO_CASE
    if consents.is_missing(session, deps, session.get_one(Conversation, conversation_id)):
        return Brought.NO_CONSENT
    actor = audit.Actor("borrower", case.borrower_id)
    if _brought(session, case) >= MOST_FILES and not _has(session, case, file[2]):
        return Brought.ENOUGH
    _keep(session, deps, case, file, actor)
    if case.state == CaseState.WAITING:
        move(session, deps, case, CaseAct.ANSWER, actor)
        case.wanted_sealed = None
    return Brought.KEPT


def attach(
    deps: Deps, operator: OperatorView, case_id: str, name: str, content: bytes, *, consented: bool = False
) -> Outcome:
    """Keep a file that somebody at the desk was given; the same file once for each case.

    ``consented``: whoever gave it has given the consent of its own that files about health or means take; it is put on
    record. Without one such a file is refused.
    """
    kind = judge_upload(content)
    if isinstance(kind, UploadRefusal):
        return kind
    with deps.begin() as session:
        case = lock_with_borrower(session, case_id)
        if case is None or case.number is None:
            return Refused.UNKNOWN
        conversation = session.get_one(Conversation, case.conversation_id)
        if consents.is_missing(session, deps, conversation):
            if not consented:
                return Refused.NO_CONSENT
            consents.give(session, deps, conversation, audit.Actor("operator", operator.id))
        _keep(session, deps, case, (name, kind, content), audit.Actor("operator", operator.id))
        return Acted(case.conversation_id)


def file_of(deps: Deps, operator: OperatorView, case_id: str, note_id: str) -> tuple[str, bytes] | None:
    """Return media type and content of a case's file, and put on record who had it; None where there is none."""
    with deps.begin() as session:
        found = session.get(CaseNote, note_id)
        if found is None or found.case_id != case_id:
            return None
        file = sealed_files.content_of(deps, found, seal_for(case_id))
        if file is not None:
            reader = audit.Actor("operator", operator.id)
            audit.record(session, deps.now(), reader, "case_file_read", ("case", case_id), note=note_id)
        return file


def _brought(session: Session, case: CaseFile) -> int:
    files = (CaseNote.case_id == case.id) & (CaseNote.kind == "file") & CaseNote.operator_id.is_(None)
    return session.scalar(select(func.count()).select_from(CaseNote).where(files)) or 0


def _has(session: Session, case: CaseFile, content: bytes) -> bool:
    known = select(CaseNote.id).where(CaseNote.case_id == case.id, CaseNote.sha256 == sealed_files.digest(content))
    return session.scalar(known) is not None


def _keep(
    session: Session, deps: Deps, case: CaseFile, file: tuple[str, UploadKind, bytes], actor: audit.Actor
) -> None:
    name, kind, content = file
    if _has(session, case, content):
        return
    operator_id = actor.id if actor.kind == "operator" else None
    name = sealed_files.name_of(name, kind)
    kept = add_note(session, deps, case, "file", name, operator_id=operator_id)
    sealed_files.fill(deps, kept, seal_for(case.id), kind, content)
    audit.record(session, deps.now(), actor, "case_file_kept", ("case", case.id), sha256=kept.sha256)
