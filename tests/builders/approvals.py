"""Builders for offers that a person has to grant, and for looking at what came of them. All is invented."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from bot.identity.roles import Role
from bot.lending.contract import ProductKind
from bot.services import approval_decisions, approvals, negotiation
from bot.services.approval_decisions import Decided, Decision, NotDecided
from bot.services.approvals import ApprovalState, ApprovalView
from bot.services.deps import Deps
from bot.services.negotiation import State
from bot.services.offer_request import request_of
from bot.services.offer_table import put_on_table, row_id
from bot.services.operators import OperatorView
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from bot.workout.authority import DecisionRefusal
from bot.workout.offer import Offer
from bot.workout.offers import compute_offers
from bot.workout.policy_sections import ApprovalRole
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.desk import a_borrower, an_operator

LATE_CARD = Owed(
    principal_fen=4_000_000,
    kind=ProductKind.CREDIT_CARD,
    days_late=300,
    lent_days_ago=400,
    annual_rate="0.18",
    penalty_annual_rate="0.09",
)
"""So late that the policy waives more than the bot may grant by itself."""

LARGE_CARD = replace(LATE_CARD, principal_fen=40_000_000)
"""So large that only a supervisor may decide."""

LATEST_CARD = replace(LATE_CARD, days_late=500, lent_days_ago=600)
"""So late that the policy asks for proof of the hardship before it waives as much."""

_MEANS = {ApprovalRole.AGENT: (600_000, 350_000), ApprovalRole.SUPERVISOR: (3_000_000, 1_000_000)}


Outcome = Decided | DecisionRefusal | NotDecided


@dataclass(frozen=True)
class Asked:
    """A request, and where it came from."""

    borrower_id: str
    conversation_id: str
    negotiation_id: str
    debt_id: str
    view: ApprovalView

    @property
    def id(self) -> str:
        """The request's id."""
        return self.view.id


def an_operator_view(deps: Deps, role: Role, login: str = "", name: str = "小陈") -> OperatorView:
    """Create an operator and return them as logged in."""
    login = login or role.value
    return OperatorView(an_operator(deps, login, name, role), login, name, role, "csrf")


def an_offer_to_approve(deps: Deps, conversation_id: str, needs: ApprovalRole) -> tuple[str, str, Offer]:
    """Negotiate up to offers that a person has to grant, and choose one; returns negotiation, row key and offer."""
    income_fen, essential_fen = _MEANS[needs]
    opened = negotiation.open_negotiation(deps, conversation_id)
    assert isinstance(opened, State), opened
    with deps.begin() as session:
        open_one = session.get_one(tables.Negotiation, opened.negotiation_id)
        open_one.monthly_income_fen, open_one.monthly_essential_fen = income_fen, essential_fen
        for _ in range(2):  # the larger waivers come with the second set
            made = compute_offers(
                request_of(session, deps, DeskWork(open_one.borrower_id, Purpose.APPROVAL), open_one)
            ).offers
            put_on_table(session, deps, open_one, made)
        offer = next(offer for offer in made if offer.needs_approval is needs)
        open_one.chosen_offer_id = offer.offer_id
        return open_one.id, row_id(open_one, offer.offer_id), offer


def an_approval(
    deps: Deps,
    needs: ApprovalRole = ApprovalRole.AGENT,
    requester: str = approvals.BOT,
    channel: str = "web",
    borrower_id: str | None = None,
    owed: Owed | None = None,
) -> Asked:
    """Let a borrower ask for an offer that such a person has to grant, on the debt that leads to it."""
    borrower_id = borrower_id or a_borrower(deps)
    debt_id = a_debt_of(deps, borrower_id, owed or (LATE_CARD if needs is ApprovalRole.AGENT else LARGE_CARD))
    conversation_id = verified(deps, borrower_id, channel)
    negotiation_id, offer_id, _ = an_offer_to_approve(deps, conversation_id, needs)
    with deps.begin() as session:
        view = approvals.request(
            session,
            deps,
            negotiation_id=negotiation_id,
            offer_id=offer_id,
            conversation_id=conversation_id,
            borrower_id=borrower_id,
            requester=requester,
        )
    return Asked(borrower_id, conversation_id, negotiation_id, debt_id, view)


def an_approval_on_proof(deps: Deps, channel: str = "web", borrower_id: str | None = None) -> Asked:
    """Let a borrower ask for an offer that an agent has to grant, on proof of the hardship."""
    asked = an_approval(deps, channel=channel, borrower_id=borrower_id, owed=LATEST_CARD)
    assert asked.view.offer.needs_evidence
    return asked


def stored(deps: Deps, asked: Asked) -> tables.Approval:
    """Return the request's row."""
    with deps.read() as session:
        return session.get_one(tables.Approval, asked.id)


def news_of(deps: Deps, asked: Asked) -> list[tables.Message]:
    """Return what the borrower has been told of the outcome."""
    with deps.read() as session:
        rows = session.scalars(
            select(tables.Message)
            .where(
                tables.Message.conversation_id == asked.conversation_id, tables.Message.client_key.like("approval:%")
            )
            .order_by(tables.Message.seq)
        )
        return list(rows)


def payloads_of(deps: Deps, message: tables.Message) -> list[str]:
    """Return what the buttons of a message stand for."""
    with deps.read() as session:
        buttons = select(tables.Button).where(tables.Button.message_id == message.id).order_by(tables.Button.position)
        return [button.payload for button in session.scalars(buttons)]


def events_of(deps: Deps, asked: Asked) -> list[str]:
    """Return what the audit log holds on a request, oldest first."""
    with deps.read() as session:
        rows = session.scalars(
            select(tables.AuditEntry)
            .where(tables.AuditEntry.subject_kind == "approval", tables.AuditEntry.subject_id == asked.id)
            .order_by(tables.AuditEntry.id)
        )
        return [row.event for row in rows]


def offer_state(deps: Deps, offer_id: str) -> ApprovalState | None:
    """Return where the request for an offer stands."""
    with deps.read() as session:
        return approvals.state_of(session, offer_id)


def decide(deps: Deps, asked: Asked, decision: Decision = Decision.APPROVE, role: Role = Role.AGENT) -> Outcome:
    """Let a new operator of this role decide."""
    operator = an_operator_view(deps, role)
    return approval_decisions.decide(deps, operator.id, asked.id, decision, "看过收入证明")
