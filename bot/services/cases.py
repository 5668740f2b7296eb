"""What a borrower does with cases in the chat: raises one, tells what happened, takes it back, asks what became of it.

Complaining needs no proof of identity and is never put off: the case has a number before the first question about it.
A dispute tells which debt it is about, so it needs the verified borrower; it is read back, and opened by an explicit
yes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseAct, CaseState, NotPossible
from bot.cases.kinds import CaseKind, Family, silences_everything
from bot.cases.question import CaseStep
from bot.identity.levels import Level
from bot.services import audit, promises
from bot.services.accounts import NotVerified, RightParty, lock_borrower, right_party
from bot.services.case_questions import Asked, disputable, end_questions, open_question, question_of, told_here, told_of
from bot.services.case_record import (
    QUEUE,
    CaseView,
    key_for,
    lock_with_borrower,
    move,
    open_cases,
    receive,
    take_down,
    view_of,
)
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.locking import locked_in_turn
from bot.services.negotiation_state import eligible
from bot.services.offer_table import close
from bot.services.proof import viewer_of
from bot.services.said import answers_question
from bot.store.tables import CaseFile, Negotiation

MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Complained:
    """A complaint is on record; ``is_new`` says that it was opened now."""

    case: CaseView
    is_new: bool


class NotDisputed(StrEnum):
    """Why no dispute was begun."""

    NOTHING_OWED = "nothing_owed"
    ALL_KNOWN = "all_known"
    """Every debt is under an open dispute already."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The cases that may be told of here, the latest first. ``is_verified``: with what the answers say."""

    cases: tuple[CaseView, ...]
    is_verified: bool


def complain(
    deps: Deps, conversation_id: str, kind: CaseKind | None, said: str, message_id: str | None, *, asks: bool = True
) -> Complained | None:
    """Put a complaint on record, or add to the one that is open: one for each kind in a conversation.

    A person is asked at once, and collecting rests until it is closed (F6). A complaint that did not say what it was
    about takes the kind it is told later. ``asks`` has what happened asked for next. None: unknown conversation.
    """
    try:
        return _complain(deps, conversation_id, kind, said, message_id, asks)
    except IntegrityError:  # raised over another connection between the look and the write: it is there now
        return _complain(deps, conversation_id, kind, said, message_id, asks)


def begin_dispute(
    deps: Deps, conversation_id: str, kind: CaseKind | None, said: str, message_id: str | None
) -> Asked | NotDisputed | NotVerified:
    """Begin a dispute, or go on with the one that was begun; nothing is held before the yes."""
    try:
        return _begin(deps, conversation_id, kind, said, message_id)
    except IntegrityError:  # begun over another channel between the look and the write: it is there now
        return _begin(deps, conversation_id, kind, said, message_id)


def asked(deps: Deps, conversation_id: str) -> Asked | NotVerified:
    """Return the question about a case that is open in a conversation."""
    with deps.read() as session:
        case = open_question(session, conversation_id)
        return question_of(session, deps, case, conversation_id) if case is not None else Asked(CaseStep.NONE)


def choose_debts(deps: Deps, conversation_id: str, positions: tuple[int, ...] | None) -> Asked | NotVerified:
    """Choose which debts are disputed by their places, counted from 1 in the order shown; None: all of them."""
    with deps.begin() as session:
        case = open_question(session, conversation_id, lock=True)
        if case is None:
            return Asked(CaseStep.NONE)
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        choices = disputable(session, deps, party)
        chosen = choices if positions is None else [debt for n, debt in enumerate(choices, 1) if n in positions]
        if case.state == CaseState.DRAFT and not case.debt_ids and chosen:
            case.debt_ids = [debt.debt_id for debt in chosen]
        return question_of(session, deps, case, conversation_id)


def choose_kind(deps: Deps, conversation_id: str, kind: CaseKind) -> Asked | NotVerified:
    """Say what a dispute or a complaint is about, where that is still open."""
    with deps.begin() as session:
        case = open_question(session, conversation_id, lock=True)
        if case is None:
            return Asked(CaseStep.NONE)
        if case.kind is None and kind.family == case.family:
            _name(session, deps, case, kind)
        return question_of(session, deps, case, conversation_id)


def put_question(deps: Deps, conversation_id: str, message_id: str) -> None:
    """Note in answer to which message a dispute was read back."""
    with deps.begin() as session:
        case = open_question(session, conversation_id, lock=True)
        if case is not None and case.asked_in is None:
            case.asked_in = message_id


def confirm(deps: Deps, conversation_id: str, message_id: str, draft_id: str | None = None) -> Asked | NotVerified:
    """Open the dispute if the yes in ``message_id`` answers what was read back; once, however often it is said.

    ``draft_id`` is what a button named: then only that one. Notices about its debts stop at once, and so does a
    negotiation that one of them is part of; a person is asked to look into it.
    """
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        lock_borrower(session, party.borrower_id)
        conversation = locked(session, conversation_id)
        case = open_question(session, conversation_id, lock=True)
        if case is None or conversation is None or (draft_id is not None and case.id != draft_id):
            return Asked(CaseStep.NONE)
        shown = question_of(session, deps, case, conversation_id)
        if not isinstance(shown, Asked) or shown.step is not CaseStep.YES:
            return shown
        if not answers_question(session, conversation_id, case.asked_in, message_id):
            return shown
        plan_ended = _end_talks(session, deps, party, case)
        receive(session, deps, case, conversation)
        case.active_key, case.asking = None, CaseStep.FACTS
        enqueue(session, conversation, QUEUE[Family.DISPUTE], deps.now())
        return replace(told_of(session, deps, case, party), plan_ended=plan_ended)


def add_fact(deps: Deps, conversation_id: str, said: str, message_id: str) -> Asked | NotVerified:
    """Take down what happened, in the borrower's words; what was asked of them is answered by it."""
    with deps.begin() as session:
        found = open_question(session, conversation_id)
        case = lock_with_borrower(session, found.id) if found is not None else None
        if case is None or case.asking != CaseStep.FACTS:
            return Asked(CaseStep.NONE)
        take_down(session, deps, case, said, message_id)
        if case.state == CaseState.WAITING:
            move(session, deps, case, CaseAct.ANSWER, audit.Actor("borrower", case.borrower_id))
            case.wanted_sealed = None
        return question_of(session, deps, case, conversation_id)


def ask_facts(deps: Deps, conversation_id: str, case_id: str | None = None) -> Asked | NotVerified:
    """Take up telling what happened again, for one case or the latest that is open here."""
    with deps.begin() as session:
        end_questions(session, deps, conversation_id)
        case = next((one for one in told_here(session, deps, conversation_id) if case_id in (None, one.id)), None)
        if case is None or case.state not in OPEN:
            return Asked(CaseStep.NONE)
        # What is asked is asked here, wherever the case was raised.
        case.conversation_id, case.asking = conversation_id, CaseStep.FACTS
        return question_of(session, deps, case, conversation_id)


def stop_asking(deps: Deps, conversation_id: str) -> bool:
    """End the questions about a case; a dispute not yet confirmed is dropped. Returns whether one was."""
    with deps.begin() as session:
        return end_questions(session, deps, conversation_id)


def withdraw(deps: Deps, conversation_id: str, case_id: str) -> CaseView | None:
    """Take a case back at the borrower's wish; its holds end. None where it is unknown here or over."""
    with deps.begin() as session:
        if case_id not in {case.id for case in told_here(session, deps, conversation_id)}:
            return None
        case = lock_with_borrower(session, case_id)
        if case is None:
            return None
        done = move(session, deps, case, CaseAct.WITHDRAW, audit.Actor("borrower", case.borrower_id))
        return None if isinstance(done, NotPossible) else view_of(deps, case, openly=False)


def progress(deps: Deps, conversation_id: str) -> Progress:
    """Return the cases that may be told of in a conversation: see ``told_here``."""
    with deps.read() as session:
        verified = viewer_of(session, deps, conversation_id).level is Level.VERIFIED
        views = [
            view_of(deps, case, openly=verified or case.borrower_id is None)
            for case in told_here(session, deps, conversation_id)
        ]
        return Progress(tuple(view for view in views if view is not None)[:MOST_SHOWN], verified)


def _complain(
    deps: Deps, conversation_id: str, kind: CaseKind | None, said: str, message_id: str | None, asks: bool
) -> Complained | None:
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return None
        borrower_id = conversation.borrower_id
        if asks:
            end_questions(session, deps, conversation_id)
        here = open_cases(session, Family.COMPLAINT, conversation_id, borrower_id)
        same = [case for case in here if kind is None or case.kind == kind.value]
        unnamed = [case for case in here if case.kind is None and case.conversation_id == conversation_id]
        case = next(iter(same or unnamed), None)
        is_new = case is None
        if case is not None:
            case.borrower_id = case.borrower_id or borrower_id
        if case is None:
            case = CaseFile(
                family=Family.COMPLAINT.value,
                kind=kind.value if kind else None,
                state=CaseState.RECEIVED.value,
                active_key=key_for(session, conversation_id, kind),
                conversation_id=conversation_id,
                borrower_id=borrower_id,
                created_at=deps.now(),
            )
            session.add(case)
            session.flush()
            receive(session, deps, case, conversation)
        elif case.kind is None and kind is not None:
            _name(session, deps, case, kind)
        take_down(session, deps, case, said, message_id)
        if asks and case.conversation_id == conversation_id:
            case.asking = CaseStep.FACTS
        enqueue(session, conversation, QUEUE[Family.COMPLAINT], deps.now())
        view = view_of(deps, case, openly=False)
        return Complained(view, is_new) if view is not None else None


def _begin(
    deps: Deps, conversation_id: str, kind: CaseKind | None, said: str, message_id: str | None
) -> Asked | NotDisputed | NotVerified:
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        lock_borrower(session, party.borrower_id)
        locked(session, conversation_id)
        key = f"dispute:{party.borrower_id}"
        case = session.scalar(select(CaseFile).where(CaseFile.active_key == key).with_for_update())
        if case is None:
            choices = disputable(session, deps, party)
            if not choices:
                known = open_cases(session, Family.DISPUTE, conversation_id, party.borrower_id)
                return NotDisputed.ALL_KNOWN if known else NotDisputed.NOTHING_OWED
            end_questions(session, deps, conversation_id)
            case = CaseFile(
                family=Family.DISPUTE.value,
                state=CaseState.DRAFT.value,
                active_key=key,
                conversation_id=conversation_id,
                borrower_id=party.borrower_id,
                debt_ids=[choices[0].debt_id] if len(choices) == 1 else [],
                created_at=deps.now(),
            )
            session.add(case)
            session.flush()
        if case.conversation_id != conversation_id:
            case.conversation_id, case.asked_in = conversation_id, None
        if kind is not None and case.kind != kind.value:
            case.kind, case.asked_in = kind.value, None
        case.asking = CaseStep.YES
        take_down(session, deps, case, said, message_id)
        return question_of(session, deps, case, conversation_id)


def _name(session: Session, deps: Deps, case: CaseFile, kind: CaseKind) -> None:
    case.kind = kind.value
    if case.family == Family.COMPLAINT.value:
        case.active_key = key_for(session, case.conversation_id, kind, case.id)
    actor = audit.Actor("borrower", case.borrower_id)
    audit.record(session, deps.now(), actor, "case_named", ("case", case.id), kind=kind.value)


def _end_talks(session: Session, deps: Deps, party: RightParty, case: CaseFile) -> bool:
    """Close what is being agreed about a disputed debt, a plan or a promise: it would be about something else.

    What has not come to which debt it is about ends when no other is left to choose. A death is about every debt,
    whichever were named.
    """
    disputed = set(case.debt_ids)
    about_all = silences_everything(Family.DISPUTE, CaseKind(case.kind) if case.kind else None)
    free = {debt.debt_id for debts in eligible(session, deps, party).values() for debt in debts}
    negotiation = session.scalar(
        select(Negotiation).where(Negotiation.active_key == party.borrower_id).with_for_update()
    )
    ended = negotiation is not None and (about_all or _is_about(negotiation.debt_ids, disputed, free))
    if negotiation is not None and ended:
        close(session, deps, negotiation, "ended")
    draft = promises.draft_of(session, party)
    if draft is not None and (about_all or _is_about(draft.debt_ids, disputed, free)):
        promises.end_draft(draft)
        ended = True
    return ended


def _is_about(debt_ids: Collection[str], disputed: set[str], free: set[str]) -> bool:
    return not disputed.isdisjoint(debt_ids) if debt_ids else free <= disputed
