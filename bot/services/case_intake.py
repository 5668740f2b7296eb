"""Cases that begin outside the questions of the chat: requests about data, and those an operator takes down.

A complaint by phone has the same number, clock and holds as one that was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases.course import CaseState
from bot.cases.kinds import CaseKind, Family
from bot.clock import business_date
from bot.identity.roles import Permission, may
from bot.services import audit
from bot.services.accounts import portfolio_of
from bot.services.case_desk import LONGEST_TEXT, Refused
from bot.services.case_record import QUEUE, CaseView, add_note, key_for, open_cases, receive, take_down, view_of
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.locking import locked_in_turn
from bot.services.offer_table import close
from bot.services.operators import OperatorView
from bot.services.promises import end_draft
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import CaseFile, Conversation, Negotiation, Promise

LONGEST_AGO = timedelta(days=30)
"""How long ago something may have reached the lender that is put on record now."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The case is on record; ``is_new`` says that it was opened now, and was not open before."""

    case: CaseView
    is_new: bool


def request_data(deps: Deps, conversation_id: str, kind: CaseKind, said: str, message_id: str | None) -> Opened | None:
    """Put a request about data on record and call a person; asked again it is the same one, with the same day.

    Anybody may ask: nothing is told, and whose data it is about is for the person to find out. None: the conversation
    is unknown, or the kind is no request about data.
    """
    if kind.family is not Family.DATA:
        return None
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return None
        case, is_new = _case_of(session, deps, conversation, kind, [])
        if is_new:
            receive(session, deps, case, conversation)
        take_down(session, deps, case, said, message_id)
        enqueue(session, conversation, QUEUE[Family.DATA], deps.now())
        view = view_of(deps, case, openly=False)
        return Opened(view, is_new) if view is not None else None


def take_up(
    deps: Deps,
    operator: OperatorView,
    conversation_id: str,
    kind: CaseKind,
    text: str,
    received_on: date | None = None,
    disputed: Sequence[str] = (),
) -> Opened | Refused:
    """Open a case on somebody's behalf: what they said on the phone, in a letter, or to a person in the chat.

    ``text`` is what they said, in the operator's words; ``received_on`` the day it reached the lender (Asia/Shanghai),
    from which the clock counts. A dispute is about the ``disputed`` debts, by their ids, and where none is named about
    every debt of the borrower that is not disputed yet; where nobody has proved to be the borrower there is none to
    dispute. Other cases are about no debt.
    """
    text, today = text.strip(), business_date(deps.now())
    if not may(operator.role, Permission.REPLY):
        return Refused.ROLE_TOO_LOW
    if not text:
        return Refused.NO_TEXT
    if len(text) > LONGEST_TEXT:
        return Refused.TEXT_TOO_LONG
    if received_on is not None and not today - LONGEST_AGO <= received_on <= today:
        return Refused.DAY_OUT_OF_RANGE
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return Refused.UNKNOWN
        debt_ids, left = list[str](), set[str]()
        if kind.family is Family.DISPUTE:
            open_to_dispute = _undisputed(session, deps, conversation)
            debt_ids = [debt_id for debt_id in open_to_dispute if not disputed or debt_id in disputed]
            if not debt_ids or not set(disputed) <= set(debt_ids):
                return Refused.NOTHING_TO_DISPUTE
            left = set(open_to_dispute) - set(debt_ids)
        case, is_new = _case_of(session, deps, conversation, kind, debt_ids)
        actor = audit.Actor("operator", operator.id)
        if debt_ids and conversation.borrower_id is not None:
            _end_talks(session, deps, conversation.borrower_id, set(debt_ids), left)
        if is_new:
            receive(session, deps, case, conversation, actor=actor, received_on=received_on)
        add_note(session, deps, case, "fact", text, operator_id=operator.id)
        audit.record(session, deps.now(), actor, "case_told", ("case", case.id))
        enqueue(session, conversation, QUEUE[kind.family], deps.now())
        view = view_of(deps, case, openly=True)
        return Opened(view, is_new) if view is not None else Refused.UNKNOWN


def _case_of(
    session: Session, deps: Deps, conversation: Conversation, kind: CaseKind, debt_ids: Sequence[str]
) -> tuple[CaseFile, bool]:
    """Return the open case of this kind, or a new one without a number yet; and whether it is new."""
    family = kind.family
    same = [
        case
        for case in open_cases(session, family, conversation.id, conversation.borrower_id)
        if case.kind == kind.value and family is not Family.DISPUTE
    ]
    if same:
        same[0].borrower_id = same[0].borrower_id or conversation.borrower_id
        return same[0], False
    case = CaseFile(
        family=family.value,
        kind=kind.value,
        state=CaseState.RECEIVED.value,
        # A dispute is kept apart by its debts: none is disputed twice.
        active_key=key_for(session, conversation.id, kind) if family is not Family.DISPUTE else None,
        conversation_id=conversation.id,
        borrower_id=conversation.borrower_id,
        debt_ids=list(debt_ids),
        created_at=deps.now(),
    )
    session.add(case)
    session.flush()
    return case, True


def _undisputed(session: Session, deps: Deps, conversation: Conversation) -> list[str]:
    if conversation.borrower_id is None:
        return []
    known = {
        debt_id
        for case in open_cases(session, Family.DISPUTE, conversation.id, conversation.borrower_id)
        for debt_id in case.debt_ids
    }
    owed = portfolio_of(session, deps, DeskWork(conversation.borrower_id, Purpose.CASE)).open_debts
    return [debt.debt_id for debt in owed if debt.debt_id not in known]


def _end_talks(session: Session, deps: Deps, borrower_id: str, disputed: set[str], left: set[str]) -> None:
    """Close what is being agreed about a disputed debt; where it has come to no debt yet, only if none is ``left``."""

    def is_about(debt_ids: Sequence[str]) -> bool:
        return not disputed.isdisjoint(debt_ids) if debt_ids else not left

    negotiation = session.scalar(select(Negotiation).where(Negotiation.active_key == borrower_id).with_for_update())
    if negotiation is not None and is_about(negotiation.debt_ids):
        close(session, deps, negotiation, "ended")
    draft = session.scalar(select(Promise).where(Promise.draft_key == borrower_id).with_for_update())
    if draft is not None and is_about(draft.debt_ids):
        end_draft(draft)
