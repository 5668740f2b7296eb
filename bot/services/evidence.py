"""The door for files that borrowers send, from whichever channel: each finds the case or the request that it is for."""

from __future__ import annotations

from bot.desk.uploads import Brought, UploadRefusal, judge_upload
from bot.services import approval_evidence, case_files, consents
from bot.services.accounts import NotVerified
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.evidence_place import place_of
from bot.store.tables import Approval, CaseFile, Conversation


def awaits(deps: Deps, conversation_id: str) -> bool:
    """Tell whether a file sent in a conversation would belong to a case or a request."""
    with deps.read() as session:
        return isinstance(place_of(session, deps, conversation_id), CaseFile | Approval)


def hindrance(deps: Deps, conversation_id: str) -> Brought | None:
    """Return why no file would be kept in a conversation, so that it need not even be fetched; None if one would."""
    with deps.read() as session:
        place = place_of(session, deps, conversation_id)
        if place is None or isinstance(place, NotVerified):
            return Brought.NO_CASE if place is None else Brought.NOT_VERIFIED
        request = place if isinstance(place, Approval) else None
        conversation = session.get_one(Conversation, conversation_id)
        return Brought.NO_CONSENT if consents.is_missing(session, deps, conversation, request) else None


def bring(deps: Deps, conversation_id: str, name: str, content: bytes) -> Brought | UploadRefusal:
    """Keep a borrower's file with what it is for, sealed; the same file once for each matter."""
    kind = judge_upload(content)
    if isinstance(kind, UploadRefusal):
        return kind
    with deps.begin() as session:
        match place_of(session, deps, conversation_id):
            case CaseFile() as case:
                return case_files.bring(session, deps, conversation_id, case.id, (name, kind, content))
            case Approval() as request:
                return approval_evidence.bring(session, deps, conversation_id, request.id, (name, kind, content))
            case NotVerified():
                return Brought.NOT_VERIFIED
            case _:
                return Brought.NO_CASE


def spoken_by(outcome: str) -> Author:
    """Return who says what came of a file: of a plan the bot, so that nobody else reads of it later."""
    return Author.BOT if outcome == Brought.KEPT_FOR_PLAN else Author.NOTICE


def values_for(deps: Deps, conversation_id: str, outcome: str) -> dict[str, str]:
    """Return what fills the words ``evidence_…`` of an outcome: for a plan, what is still missing, and the end."""
    if outcome != Brought.KEPT_FOR_PLAN:
        return {}
    return {"days": str(deps.retention.evidence_days), "still": approval_evidence.still_missing(deps, conversation_id)}
