"""Offers beyond the bot's authority: putting them before a person, and where such a request stands.

A request is made for one stored offer and lapses with it. Deciding is in ``bot.services.approval_decisions``, telling
the borrower in ``bot.services.approval_news``. An offer that needs approval binds nobody before it is granted (N3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.identity.masking import mask_name
from bot.identity.roles import Role
from bot.services import approval_notes, audit
from bot.services.approval_notes import EvidenceStanding
from bot.services.deps import Deps
from bot.services.offer_table import read_offer
from bot.services.operators import OperatorView
from bot.store import tables
from bot.workout.authority import DecisionRefusal, MayDecide, may_decide
from bot.workout.offer import Offer
from bot.workout.policy_sections import ApprovalRole

BOT = "bot"
"""The requester of what a borrower asked the bot for."""

SHOWN_AFTERWARDS = timedelta(days=7)
"""How long a settled request stays in the list."""

MOST_SETTLED = 50

_ACTS_AS = {
    Role.AGENT: ApprovalRole.AGENT,
    Role.SUPERVISOR: ApprovalRole.SUPERVISOR,
    Role.ADMIN: ApprovalRole.SUPERVISOR,
}


class ApprovalState(StrEnum):
    """Where a request stands. ``EXPIRED`` also where the negotiation ended before anybody decided."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class EvidenceFinding(StrEnum):
    """On what an offer that needs proof was granted: on proof that was seen and is enough, or without."""

    SEEN = "seen"
    WITHOUT = "without"


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A request as the desk sees it; instants aware, amounts inside the offers in fen.

    ``offer_id`` is the key of the offer's row (``offer_table.row_id``), ``conversation_id`` where the request came
    from. ``borrower`` is a masked name. ``requester`` is ``BOT`` or an operator's id. ``decider`` is a display name and
    ``reason`` the decider's own. ``granted`` is what was granted: ``offer``, or another in its place. ``evidence``
    tells how far there is proof, ``evidence_finding`` what the decider made of it where the granted offer needs some.
    """

    id: str
    offer_id: str
    negotiation_id: str
    conversation_id: str
    borrower: str
    requester: str
    needs: ApprovalRole
    state: ApprovalState
    offer: Offer
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decider: str | None = None
    reason: str | None = None
    granted: Offer | None = None
    evidence: EvidenceStanding = EvidenceStanding.NOT_NEEDED
    evidence_finding: EvidenceFinding | None = None

    @property
    def owed_fen(self) -> int:
        """What is owed on the debts of the offer."""
        return sum(share.owed_fen for share in self.offer.shares)


def request(
    session: Session,
    deps: Deps,
    *,
    negotiation_id: str,
    offer_id: str,
    conversation_id: str,
    borrower_id: str,
    requester: str = BOT,
) -> ApprovalView:
    """Ask a person to grant an offer, inside an open transaction; asking again returns the same request as it stands.

    ``offer_id`` is the key of the offer's row, not the id that follows from its content. ``requester`` is ``BOT`` or
    the id of the operator who puts the offer forward and may then not decide.

    Raises:
        ValueError: the offer needs nobody's approval, or belongs to another negotiation.
    """
    row = session.get_one(tables.Offer, offer_id, with_for_update=True)  # two requests for one offer come in turn
    needs = read_offer(row).needs_approval
    if needs is None or row.negotiation_id != negotiation_id:
        raise ValueError("only an offer of this negotiation that needs approval can be put before a person")
    known = session.scalar(select(tables.Approval).where(tables.Approval.offer_id == offer_id))
    if known is None:
        known = tables.Approval(
            offer_id=offer_id,
            negotiation_id=negotiation_id,
            conversation_id=conversation_id,
            borrower_id=borrower_id,
            requester=requester,
            needs_role=needs.value,
            requested_at=deps.now(),
            expires_at=row.expires_at,
        )
        session.add(known)
        session.flush()
        actor = audit.BOT if requester == BOT else audit.Actor("operator", requester)
        audit.record(
            session,
            deps.now(),
            actor,
            "approval_requested",
            ("approval", known.id),
            offer=row.content_hash,
            needs=needs.value,
        )
    return view(session, deps, known)


def state_of(session: Session, offer_id: str) -> ApprovalState | None:
    """Return where the request for an offer stands, by the key of the offer's row; None if nobody was asked.

    An offer granted in place of another is ``APPROVED``, and the one it replaced ``REJECTED``. An approval does not
    outlive its offer, whose own expiry the caller looks at.
    """
    granted = select(tables.Approval.id).where(
        tables.Approval.granted_offer_id == offer_id, tables.Approval.state == ApprovalState.APPROVED
    )
    if session.scalar(granted.limit(1)) is not None:
        return ApprovalState.APPROVED
    asked = session.scalar(select(tables.Approval).where(tables.Approval.offer_id == offer_id))
    if asked is None:
        return None
    if asked.state == ApprovalState.APPROVED:  # other figures were granted
        return ApprovalState.REJECTED
    if asked.state == ApprovalState.WAITING and not _goes_on(session, asked):
        return ApprovalState.EXPIRED
    return ApprovalState(asked.state)


def acts_as(role: Role) -> ApprovalRole | None:
    """Return what an operator's role may decide as; None for one without authority over offers."""
    return _ACTS_AS.get(role)


def may_decide_on(deps: Deps, operator_id: str, role: Role, found: ApprovalView) -> MayDecide | DecisionRefusal:
    """Tell whether an operator may decide on a request now, or why not."""
    if found.state is ApprovalState.EXPIRED:
        return DecisionRefusal.OFFER_EXPIRED
    if found.state is not ApprovalState.WAITING:
        return DecisionRefusal.NOTHING_TO_DECIDE
    today = business_date(deps.now())
    return may_decide(found.requester, operator_id, acts_as(role), found.needs, found.offer.expires_on, today)


def open_requests(deps: Deps, operator: OperatorView) -> tuple[ApprovalView, ...]:
    """Return the requests an operator has to do with: those that wait, the oldest first, then those settled lately.

    Whoever may decide at all sees what their role may decide; who only reads sees everything.
    """
    approval = tables.Approval
    settled_at = func.coalesce(approval.decided_at, approval.expires_at)
    with deps.read() as session:
        waiting = session.scalars(
            select(approval).where(waits(deps), _concerns(operator)).order_by(approval.requested_at, approval.id)
        ).all()
        settled = session.scalars(
            select(approval)
            .where(~waits(deps), _concerns(operator), settled_at > deps.now() - SHOWN_AFTERWARDS)
            .order_by(settled_at.desc(), approval.id)
            .limit(MOST_SETTLED)
        ).all()
        return tuple(view(session, deps, row) for row in (*waiting, *settled))


def waiting_count(deps: Deps, operator: OperatorView) -> int:
    """Count the waiting requests among those of ``open_requests``."""
    with deps.read() as session:
        counted = select(func.count()).select_from(tables.Approval).where(waits(deps), _concerns(operator))
        return session.scalar(counted) or 0


def waiting_ids(deps: Deps) -> frozenset[str]:
    """Return the ids of all requests that wait. Cheap enough to be asked once a second."""
    with deps.read() as session:
        return frozenset(session.scalars(select(tables.Approval.id).where(waits(deps))))


def view(session: Session, deps: Deps, row: tables.Approval) -> ApprovalView:
    """Return a stored request as the desk sees it now, inside an open transaction."""
    borrower = session.get_one(tables.Borrower, row.borrower_id)
    decider = session.get(tables.Operator, row.decided_by) if row.decided_by else None
    granted = session.get(tables.Offer, row.granted_offer_id) if row.granted_offer_id else None
    offer = read_offer(session.get_one(tables.Offer, row.offer_id))
    return ApprovalView(
        id=row.id,
        offer_id=row.offer_id,
        negotiation_id=row.negotiation_id,
        conversation_id=row.conversation_id,
        borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)),
        requester=row.requester,
        needs=ApprovalRole(row.needs_role),
        state=_state_now(session, deps, row),
        offer=offer,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        decider=decider.display_name if decider else None,
        reason=row.reason,
        granted=read_offer(granted) if granted else None,
        evidence=approval_notes.standing_of(session, row.id, needed=offer.needs_evidence),
        evidence_finding=EvidenceFinding(row.evidence_finding) if row.evidence_finding else None,
    )


def _state_now(session: Session, deps: Deps, row: tables.Approval) -> ApprovalState:
    waits = row.state == ApprovalState.WAITING
    if waits and (row.expires_at <= deps.now() or not _goes_on(session, row)):
        return ApprovalState.EXPIRED
    return ApprovalState(row.state)


def _goes_on(session: Session, row: tables.Approval) -> bool:
    return session.get_one(tables.Negotiation, row.negotiation_id).active_key is not None


def waits(deps: Deps) -> ColumnElement[bool]:
    """Return the condition that a request still can be decided on: neither it nor its negotiation is over."""
    goes_on = (
        select(tables.Negotiation.id)
        .where(tables.Negotiation.id == tables.Approval.negotiation_id, tables.Negotiation.active_key.is_not(None))
        .exists()
    )
    return and_(tables.Approval.state == ApprovalState.WAITING, tables.Approval.expires_at > deps.now(), goes_on)


def _concerns(operator: OperatorView) -> ColumnElement[bool]:
    role = acts_as(operator.role)
    if role is None:
        return true()
    return tables.Approval.needs_role.in_([needed.value for needed in ApprovalRole if needed.rank <= role.rank])
