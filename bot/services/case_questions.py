"""Where a conversation stands with its case: the question that is open, what it is about, and ending it.

Which question is open stands in the row, not in the dialogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseAct, CaseState
from bot.cases.kinds import CaseKind, Family, silences_everything
from bot.cases.question import CaseStep
from bot.identity.levels import Level
from bot.services import audit
from bot.services.accounts import DebtView, NotVerified, RightParty, portfolio_of, right_party
from bot.services.case_record import CaseView, move, open_cases, view_of
from bot.services.deps import Deps
from bot.services.proof import viewer_of
from bot.store.tables import CaseFile, Conversation

REMEMBERED = timedelta(days=180)
"""How long after it was raised a case that is over is still told of in the chat."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a conversation stands with its case. ``case`` is None while a dispute is a draft.

    ``debts`` are those to choose from, or those chosen. ``plan_ended``: a negotiation about a disputed debt was closed.
    """

    step: CaseStep
    family: Family | None = None
    kind: CaseKind | None = None
    draft_id: str | None = None
    case: CaseView | None = None
    debts: tuple[DebtView, ...] = ()
    plan_ended: bool = False


def question_of(session: Session, deps: Deps, case: CaseFile, conversation_id: str) -> Asked | NotVerified:
    """Return what a case still has to be told: which debt, what about, the yes, or what happened."""
    family, kind = Family(case.family), CaseKind(case.kind) if case.kind else None
    if family is not Family.DISPUTE:
        step = CaseStep.KIND if kind is None else CaseStep.FACTS
        return Asked(step, family, kind, case=view_of(deps, case, openly=False))
    party = right_party(session, deps, conversation_id)
    if isinstance(party, NotVerified):
        return party
    if case.state != CaseState.DRAFT:
        return told_of(session, deps, case, party)
    choices = disputable(session, deps, party)
    chosen = tuple(debt for debt in choices if debt.debt_id in case.debt_ids)
    if not case.debt_ids and not (kind is not None and silences_everything(family, kind)):
        return Asked(CaseStep.DEBT, family, kind, case.id, debts=tuple(choices))
    return Asked(CaseStep.KIND if kind is None else CaseStep.YES, family, kind, case.id, debts=chosen or tuple(choices))


def told_of(session: Session, deps: Deps, case: CaseFile, party: RightParty) -> Asked:
    """Return a dispute that is on record, with its debts."""
    debts = tuple(debt for debt in portfolio_of(session, deps, party).debts if debt.debt_id in case.debt_ids)
    kind = CaseKind(case.kind) if case.kind else None
    step = CaseStep(case.asking)
    return Asked(step, Family.DISPUTE, kind, case=view_of(deps, case, openly=True), debts=debts)


def open_question(session: Session, conversation_id: str, *, lock: bool = False) -> CaseFile | None:
    """Return the case that a conversation is asked about, the latest first; None if nothing is asked."""
    found = (
        select(CaseFile)
        .where(CaseFile.conversation_id == conversation_id, CaseFile.asking != CaseStep.NONE)
        .order_by(CaseFile.created_at.desc(), CaseFile.id)
        .limit(1)
    )
    return session.scalar(found.with_for_update() if lock else found)


def end_questions(session: Session, deps: Deps, conversation_id: str) -> bool:
    """End what is asked in a conversation; returns whether an unconfirmed dispute was dropped with it."""
    dropped = False
    while (case := open_question(session, conversation_id, lock=True)) is not None:
        case.asking = CaseStep.NONE
        if case.state == CaseState.DRAFT:
            move(session, deps, case, CaseAct.DROP, audit.Actor("borrower", case.borrower_id))
            dropped = True
        session.flush()
    return dropped


def disputable(session: Session, deps: Deps, party: RightParty) -> list[DebtView]:
    """Open debts that are under no open dispute of the borrower's."""
    cases = open_cases(session, Family.DISPUTE, party.conversation_id, party.borrower_id)
    known = {debt_id for case in cases for debt_id in case.debt_ids}
    return [debt for debt in portfolio_of(session, deps, party).open_debts if debt.debt_id not in known]


def told_here(session: Session, deps: Deps, conversation_id: str) -> list[CaseFile]:
    """Cases that may be told of in a conversation, the latest first.

    To the verified borrower all of theirs. To anybody else what was raised in this very conversation and says nothing
    of a debt: complaints and requests about data; a dispute is a fact about one.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return []
    seen = viewer_of(session, deps, conversation_id)
    here = (CaseFile.conversation_id == conversation_id) & (CaseFile.family != Family.DISPUTE.value)
    # A conversation that has become somebody else's tells nothing of whoever had it before.
    mine = here & or_(CaseFile.borrower_id.is_(None), CaseFile.borrower_id == conversation.borrower_id)
    if seen.level is Level.VERIFIED:
        mine = mine | (CaseFile.borrower_id == seen.borrower_id)
    since = deps.now() - REMEMBERED
    return list(
        session.scalars(
            select(CaseFile)
            .where(
                mine,
                CaseFile.number.is_not(None),
                CaseFile.state.in_([state.value for state in OPEN]) | (CaseFile.created_at > since),
            )
            .order_by(CaseFile.created_at.desc(), CaseFile.id)
        )
    )
