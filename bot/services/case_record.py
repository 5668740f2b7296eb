"""What every use case of cases shares: opening and moving a row, its holds, what is told for it, and its views."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases.clock import Alarm, due_on
from bot.cases.course import OPEN, CaseAct, CaseState, NotPossible, after, keeps_silence
from bot.cases.kinds import CaseKind, Family, silences_everything
from bot.cases.number import new_number
from bot.cases.question import CaseStep
from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic, event_notice
from bot.services import audit, holds, notice_planning, sealed_files
from bot.services.accounts import lock_borrower
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.store.tables import CaseFile, CaseNote, Conversation, Message

QUEUE = {
    Family.DISPUTE: QueueReason.DISPUTE,
    Family.COMPLAINT: QueueReason.COMPLAINT,
    Family.DATA: QueueReason.ASKED,
}
"""Why a conversation waits for a person about a case of a family."""

_HOLD = {Family.DISPUTE: HoldKind.DISPUTE, Family.COMPLAINT: HoldKind.COMPLAINT}
_STILL_OPEN = tuple(state.value for state in OPEN)


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as a borrower may be told of it; days are in Asia/Shanghai, ``due_on`` is the last day for an answer.

    ``wanted`` is what somebody asked of the borrower, ``reason`` what the answer says; both None to whoever may not
    read facts.
    """

    case_id: str
    number: str
    family: Family
    kind: CaseKind | None
    state: CaseState
    received_on: date
    due_on: date
    wanted: str | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still owed."""
        return self.state in OPEN


def seal_for(case_id: str) -> str:
    """Bind what is sealed to its case: it opens under no other's name."""
    return f"case:{case_id}"


def lock_with_borrower(session: Session, case_id: str) -> CaseFile | None:
    """Return a case locked for change, after its borrower and conversation: the order in which everybody takes them."""
    found = session.execute(
        select(CaseFile.borrower_id, CaseFile.conversation_id).where(CaseFile.id == case_id)
    ).one_or_none()
    if found is None:
        return None
    if found[0] is not None:
        lock_borrower(session, found[0])
    locked(session, found[1])
    return session.get_one(CaseFile, case_id, with_for_update=True, populate_existing=True)


def receive(
    session: Session,
    deps: Deps,
    case: CaseFile,
    conversation: Conversation,
    *,
    actor: audit.Actor | None = None,
    received_on: date | None = None,
) -> None:
    """Number a case, start its clock and place its holds; borrower and conversation are locked.

    ``actor`` is who put it on record where that is not the borrower; ``received_on`` the day it reached the lender
    where that was before today (Asia/Shanghai).
    """
    now = deps.now()
    case.state = CaseState.RECEIVED
    case.number = _unused_number(session)
    case.received_on = received_on or business_date(now)
    case.due_on = due_on(Family(case.family), case.received_on, 0)
    session.flush()
    _silence(session, deps, case, conversation)
    detail = {"family": case.family, "kind": case.kind, "due_on": case.due_on.isoformat()}
    by = actor or audit.Actor("borrower", case.borrower_id)
    audit.record(session, now, by, "case_opened", ("case", case.id), **detail)
    if case.borrower_id is not None:
        notice_planning.touch(session, case.borrower_id, now)


def move(
    session: Session, deps: Deps, case: CaseFile, act: CaseAct, actor: audit.Actor, **detail: str | int | bool | None
) -> CaseState | NotPossible:
    """Take a case to its next state; its holds are lifted when nothing keeps them, and it asks nothing any more."""
    family, before = Family(case.family), CaseState(case.state)
    state = after(family, before, act)
    if isinstance(state, NotPossible):
        return state
    case.state = state
    if state not in OPEN:
        case.asking, case.active_key, case.wanted_sealed = CaseStep.NONE, None, None
    audit.record(session, deps.now(), actor, f"case_{act.value}", ("case", case.id), state=state.value, **detail)
    if keeps_silence(family, before) and not keeps_silence(family, state):
        end_silence(session, deps, case, lifted_by=actor.id if actor.kind == "operator" else None)
    return state


def end_silence(session: Session, deps: Deps, case: CaseFile, lifted_by: str | None) -> None:
    """Lift the holds of a case that no other case keeps."""
    session.flush()
    others = _others(session, case)
    kept = {hold_id for other in others if _is_silencing(other) for hold_id in other.hold_ids}
    for hold_id in case.hold_ids:
        if hold_id not in kept:
            holds.lift(session, deps, hold_id, lifted_by=lifted_by)


def tell(session: Session, deps: Deps, case: CaseFile) -> None:
    """Plan the notice that something became of a case: one a day for each state; nobody unknown is written to."""
    borrower_id = case.borrower_id or session.get_one(Conversation, case.conversation_id).borrower_id
    if borrower_id is None:
        return
    now = deps.now()
    key = f"{case.id}:{case.state}{case.extensions}:{business_date(now).isoformat()}"
    notice = event_notice(Topic.CASE, key, "case", now)
    notice_planning.add(session, borrower_id, [notice], now)
    notice_planning.touch(session, borrower_id, now)


def take_down(session: Session, deps: Deps, case: CaseFile, said: str, message_id: str | None) -> bool:
    """Keep the borrower's own words, sealed, once for each message; False where they were kept before or are none.

    Words whose message is not on record are kept without it: nothing told for a case is lost.
    """
    if not said.strip():
        return False
    if message_id is not None and session.get(Message, message_id) is None:
        message_id = None
    if message_id is not None:
        known = select(CaseNote.id).where(CaseNote.case_id == case.id, CaseNote.message_id == message_id)
        if session.scalar(known) is not None:
            return False
    add_note(session, deps, case, "fact", said, message_id=message_id)
    audit.record(session, deps.now(), audit.Actor("borrower", case.borrower_id), "case_told", ("case", case.id))
    return True


def add_note(
    session: Session,
    deps: Deps,
    case: CaseFile,
    kind: str,
    text: str,
    *,
    message_id: str | None = None,
    operator_id: str | None = None,
) -> CaseNote:
    """Add a line to a case, sealed."""
    note = CaseNote(
        case_id=case.id,
        kind=kind,
        message_id=message_id,
        operator_id=operator_id,
        text_sealed=deps.vault.seal(seal_for(case.id), text),
        created_at=deps.now(),
    )
    session.add(note)
    session.flush()
    return note


def empty_file(session: Session, deps: Deps, note: CaseNote, actor: audit.Actor) -> None:
    """Delete what a file of a case holds and how it was called; that there was one stays, with its hash."""
    sealed_files.clear(deps, note, seal_for(note.case_id))
    audit.record(session, deps.now(), actor, "case_file_deleted", ("case", note.case_id), sha256=note.sha256)


def view_of(deps: Deps, case: CaseFile, *, openly: bool) -> CaseView | None:
    """Describe a case; None for one that has no number. ``openly``: the reader may be told facts."""
    if case.number is None or case.received_on is None or case.due_on is None:
        return None

    def opened(sealed: str | None) -> str | None:
        return deps.vault.unseal(seal_for(case.id), sealed) if sealed is not None and openly else None

    return CaseView(
        case_id=case.id,
        number=case.number,
        family=Family(case.family),
        kind=CaseKind(case.kind) if case.kind else None,
        state=CaseState(case.state),
        received_on=case.received_on,
        due_on=case.due_on,
        wanted=opened(case.wanted_sealed),
        reason=opened(case.reason_sealed),
    )


def open_cases(session: Session, family: Family, conversation_id: str, borrower_id: str | None) -> Sequence[CaseFile]:
    """Return the open cases of a family that were raised in a conversation or by a borrower, the latest first."""
    mine = CaseFile.conversation_id == conversation_id
    if borrower_id is not None:
        mine = mine | (CaseFile.borrower_id == borrower_id)
    return session.scalars(
        select(CaseFile)
        .where(mine, CaseFile.family == family.value, CaseFile.state.in_(_STILL_OPEN))
        .order_by(CaseFile.created_at.desc(), CaseFile.id)
    ).all()


def key_for(session: Session, conversation_id: str, kind: CaseKind | None, case_id: str = "") -> str | None:
    """Return the key that keeps a complaint or a request the only open one of its kind in a conversation.

    None where another than ``case_id`` has it. The conversation is locked.
    """
    key = f"{kind.family.value if kind else Family.COMPLAINT.value}:{conversation_id}:{kind.value if kind else ''}"
    taken = session.scalar(select(CaseFile.id).where(CaseFile.active_key == key, CaseFile.id != case_id))
    return None if taken is not None else key


def extended(case: CaseFile) -> date:
    """Return the last day for an answer after one more extension.

    Raises:
        ValueError: there is none left, or the case has no clock.
    """
    if case.received_on is None:
        raise ValueError("a case without a number has no clock")
    return due_on(Family(case.family), case.received_on, case.extensions + 1)


def set_clock(case: CaseFile, last_day: date, extensions: int) -> None:
    """Give a case another last day; alarms begin anew."""
    case.due_on, case.extensions, case.alarm = last_day, extensions, Alarm.NONE.value


def _silence(session: Session, deps: Deps, case: CaseFile, conversation: Conversation) -> None:
    family, kind = Family(case.family), CaseKind(case.kind) if case.kind else None
    if family not in _HOLD:
        return
    whose: list[str | None] = [None] if silences_everything(family, kind) else list(case.debt_ids)
    known = {hold_id for other in _others(session, case) for hold_id in other.hold_ids}
    placed = [
        holds.place(
            session,
            deps.now(),
            _HOLD[family],
            borrower_id=case.borrower_id,
            conversation_id=conversation.id,
            debt_id=debt_id,
        )
        for debt_id in whose
    ]
    # A hold that stood before and is no case's was placed by a person, and is lifted by one.
    case.hold_ids = [each.hold_id for each in placed if each.is_new or each.hold_id in known]


def _others(session: Session, case: CaseFile) -> Sequence[CaseFile]:
    same = CaseFile.conversation_id == case.conversation_id
    if case.borrower_id is not None:
        same = same | (CaseFile.borrower_id == case.borrower_id)
    return session.scalars(select(CaseFile).where(same, CaseFile.id != case.id)).all()


def _is_silencing(case: CaseFile) -> bool:
    return keeps_silence(Family(case.family), CaseState(case.state))


def _unused_number(session: Session) -> str:
    while True:
        number = new_number(secrets.randbelow)
        if session.scalar(select(CaseFile.id).where(CaseFile.number == number)) is None:
            return number
