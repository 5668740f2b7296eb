"""Files that belong to a case: brought by the borrower or by somebody at the desk, kept sealed, read on record."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseAct, CaseState
from bot.cases.question import CaseStep
from bot.desk.uploads import UploadKind, UploadRefusal, judge_upload
from bot.services import audit, consents
from bot.services.case_desk import Acted, Outcome, Refused
from bot.services.case_questions import told_here
from bot.services.case_record import add_note, lock_with_borrower, move, seal_for
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store.tables import CaseFile, CaseNote, Conversation

LONGEST_NAME = 120

MOST_FILES = 20
"""Files that are taken from borrowers for one case: what nobody will ever look through would only fill the disk."""


class Brought(StrEnum):
    """What became of a file that a borrower sent."""

    KEPT = "kept"
    NO_CASE = "no_case"
    """No case of theirs is open that may be spoken of in this conversation."""
    NO_CONSENT = "no_consent"
    """It may be about health or means, and the consent of its own that this takes was not given (P6)."""
    ENOUGH = "enough"
    """The case has ``MOST_FILES`` already."""


def awaits(deps: Deps, conversation_id: str) -> bool:
    """Tell whether a file sent in a conversation would belong to a case."""
    with deps.read() as session:
        return _case_for(session, deps, conversation_id) is not None


def hindrance(deps: Deps, conversation_id: str) -> Brought | None:
    """Return why no file would be kept in a conversation, so that it need not even be fetched; None if one would."""
    with deps.read() as session:
        if _case_for(session, deps, conversation_id) is None:
            return Brought.NO_CASE
        conversation = session.get_one(Conversation, conversation_id)
        return Brought.NO_CONSENT if consents.is_missing(session, deps, conversation) else None


def bring(deps: Deps, conversation_id: str, name: str, content: bytes) -> Brought | UploadRefusal:
    """Keep a borrower's file with the case that asks for it, else with the latest; the same file once for each case.

    What was asked of the borrower is answered by it.
    """
    kind = judge_upload(content)
    if isinstance(kind, UploadRefusal):
        return kind
    with deps.begin() as session:
        case_id = _case_for(session, deps, conversation_id)
        case = lock_with_borrower(session, case_id) if case_id is not None else None
        if case is None or case.state not in OPEN:
            return Brought.NO_CASE
        if consents.is_missing(session, deps, session.get_one(Conversation, conversation_id)):
            return Brought.NO_CONSENT
        actor = audit.Actor("borrower", case.borrower_id)
        if _brought(session, case) >= MOST_FILES and not _has(session, case, content):
            return Brought.ENOUGH
        _keep(session, deps, case, (name, kind, content), actor)
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
        if found is None or found.case_id != case_id or found.content_sealed is None or found.media_type is None:
            return None
        reader = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), reader, "case_file_read", ("case", case_id), note=note_id)
        return found.media_type, base64.b64decode(deps.vault.unseal(seal_for(case_id), found.content_sealed))


def _case_for(session: Session, deps: Deps, conversation_id: str) -> str | None:
    """The case that a file belongs to: the one that asks here what happened, one that waits, the latest."""
    ranked = sorted(
        (case for case in told_here(session, deps, conversation_id) if case.state in OPEN),
        key=lambda case: (
            not (case.conversation_id == conversation_id and case.asking == CaseStep.FACTS),
            case.state != CaseState.WAITING,
        ),
    )
    return ranked[0].id if ranked else None


def _brought(session: Session, case: CaseFile) -> int:
    files = (CaseNote.case_id == case.id) & (CaseNote.kind == "file") & CaseNote.operator_id.is_(None)
    return session.scalar(select(func.count()).select_from(CaseNote).where(files)) or 0


def _has(session: Session, case: CaseFile, content: bytes) -> bool:
    known = select(CaseNote.id).where(CaseNote.case_id == case.id, CaseNote.sha256 == _digest(content))
    return session.scalar(known) is not None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(
    session: Session, deps: Deps, case: CaseFile, file: tuple[str, UploadKind, bytes], actor: audit.Actor
) -> None:
    name, kind, content = file
    if _has(session, case, content):
        return
    operator_id = actor.id if actor.kind == "operator" else None
    kept = add_note(session, deps, case, "file", name[:LONGEST_NAME] or kind.name.lower(), operator_id=operator_id)
    kept.content_sealed = deps.vault.seal(seal_for(case.id), base64.b64encode(content).decode())
    kept.media_type, kept.sha256 = kind.value, _digest(content)
    audit.record(session, deps.now(), actor, "case_file_kept", ("case", case.id), sha256=kept.sha256)
