"""What a file that is sent in a conversation is for: a case that is open, or a request that waits for proof."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN, CaseState
from bot.cases.question import CaseStep
from bot.services import approvals
from bot.services.accounts import NotVerified, right_party
from bot.services.case_questions import told_here
from bot.services.deps import Deps
from bot.services.offer_table import read_offer
from bot.store.tables import Approval, CaseFile, Conversation, Offer


def place_of(session: Session, deps: Deps, conversation_id: str) -> CaseFile | Approval | NotVerified | None:
    """Return what a file would belong to: the case that asks here what happened, the request, or another open case.

    ``NotVerified``: it could only be for a request, and whoever writes has not proved to be its borrower.
    """
    cases = sorted(
        (case for case in told_here(session, deps, conversation_id) if case.state in OPEN),
        key=lambda case: (not _asks_here(case, conversation_id), case.state != CaseState.WAITING),
    )
    if cases and _asks_here(cases[0], conversation_id):
        return cases[0]
    request = request_in(session, deps, conversation_id)
    if isinstance(request, Approval) or not cases:
        return request
    return cases[0]


def request_in(session: Session, deps: Deps, conversation_id: str) -> Approval | NotVerified | None:
    """Return the borrower's request that waits and whose offer needs proof, to the right party only."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.borrower_id is None:
        return None
    waiting = session.execute(
        select(Approval, Offer)
        .join(Offer, Offer.id == Approval.offer_id)
        .where(Approval.borrower_id == conversation.borrower_id, approvals.waits(deps))
        .order_by(Approval.requested_at.desc(), Approval.id)
    )
    found = next((approval for approval, offer in waiting if read_offer(offer).needs_evidence), None)
    if found is None:
        return None
    party = right_party(session, deps, conversation_id)
    return party if isinstance(party, NotVerified) else found


def _asks_here(case: CaseFile, conversation_id: str) -> bool:
    return case.conversation_id == conversation_id and case.asking == CaseStep.FACTS
