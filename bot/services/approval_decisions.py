"""Deciding on an offer beyond the bot's authority: what a person looks at first, and the decision with four eyes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.identity.roles import Role
from bot.services import approval_news, approval_notes, approvals, audit
from bot.services.accounts import lock_borrower, portfolio_of
from bot.services.approval_notes import EvidenceLine
from bot.services.approvals import ApprovalState, ApprovalView, EvidenceFinding
from bot.services.deps import Deps
from bot.services.negotiation_budget import income_told_of
from bot.services.offer_request import request_of
from bot.services.offer_table import budget_of, put_on_table, row_id, stated_of, tabled
from bot.services.offer_trial import tried
from bot.services.operators import OperatorView
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from bot.workout.authority import DecisionRefusal, GrantLimit, MayDecide, grant_limits
from bot.workout.bounds import Objection
from bot.workout.budget import IncomeTold, StatedBudget
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason, Offer
from bot.workout.policy_sections import ApprovalRole
from bot.workout.request import OfferRequest

LONGEST_REASON = 500
"""Characters of a decider's reason."""


class Decision(StrEnum):
    """What a person decides: the figures as asked, none, or others in their place."""

    APPROVE = "approve"
    REJECT = "reject"
    CHANGE = "change"


class NotDecided(StrEnum):
    """Why a decision did not take effect, besides ``DecisionRefusal``; nothing was changed."""

    UNKNOWN = "unknown"
    NO_REASON = "no_reason"
    REASON_TOO_LONG = "reason_too_long"
    FIGURES_CHANGED = "figures_changed"
    ON_HOLD = "on_hold"
    CHANGE_OUT_OF_DATE = "change_out_of_date"
    EVIDENCE_OPEN = "evidence_open"
    """The offer needs proof, and it was not said whether it was seen or is done without."""
    NO_EVIDENCE = "no_evidence"
    """Proof is said to have been seen, and there is none."""
    EVIDENCE_UNREAD = "evidence_unread"
    """Proof is said to have been seen, and whoever decides has opened none of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Other figures to grant: which of the offers that ``alternatives`` gave for a proposal.

    They are computed anew when the decision is taken: figures come from the policy, never from a form.
    """

    offer_id: str
    proposal: BorrowerProposal | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision took effect. ``told_conversation_id`` is where the borrower was told at once, None if not yet."""

    state: ApprovalState
    told_conversation_id: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what a decision rests on. Amounts in fen.

    ``facts`` is what offers are computed from today. ``capacity_fen`` is the most an instalment of the asked offer may
    be by the borrower's means, ``grants`` what the bot, an agent and a supervisor may grant. ``standing`` tells whether
    this operator may decide. ``stated`` is the budget that the offer was computed from, as the borrower told it, and
    ``income_told`` how the income was put. ``still_true`` is false where something else was booked on the debts since.
    ``evidence`` is what was brought or said as proof, and asked for, the oldest first.
    """

    view: ApprovalView
    facts: OfferRequest
    capacity_fen: int
    grants: tuple[GrantLimit, ...]
    standing: MayDecide | DecisionRefusal
    still_true: bool
    alternatives: tuple[Offer, ...]
    objection: Objection | NoOfferReason | None
    stated: StatedBudget
    income_told: IncomeTold | None
    evidence: tuple[EvidenceLine, ...]

    @property
    def may_be_decided(self) -> bool:
        """Whether this operator may decide now; granting it as it is may still meet the ``obstacle``."""
        return isinstance(self.standing, MayDecide)

    @property
    def obstacle(self) -> NotDecided | None:
        """Why nobody may grant it at the moment, whoever they are."""
        return _obstacle(self.facts, self.still_true)


def open_case(
    deps: Deps, operator: OperatorView, approval_id: str, proposal: BorrowerProposal | None = None
) -> Case | NotDecided:
    """Return a request with all that a decision rests on; that it was read goes into the audit log.

    ``proposal`` asks for other figures: the nearest ones that the policy allows come first among the alternatives, and
    ``objection`` says why they are not exactly those, or why there are none.
    """
    with deps.begin() as session:
        row = session.get(tables.Approval, approval_id)
        if row is None:
            return NotDecided.UNKNOWN
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "approval_read", ("approval", approval_id))
        found = approvals.view(session, deps, row)
        facts = _facts(session, deps, row)
        negotiation = session.get_one(tables.Negotiation, row.negotiation_id)
        others, objection = _alternatives(facts, found.offer, approvals.acts_as(operator.role), proposal)
        return Case(
            view=found,
            facts=facts,
            capacity_fen=facts.capacity_after(found.offer.deferral_months),
            grants=grant_limits(facts.policy, found.owed_fen),
            standing=approvals.may_decide_on(deps, operator.id, operator.role, found),
            still_true=_still_true(session, deps, _work(row), found.offer),
            alternatives=others,
            objection=objection,
            stated=budget_of(session.get_one(tables.Offer, row.offer_id)) or stated_of(negotiation),
            income_told=income_told_of(negotiation),
            evidence=approval_notes.lines_of(session, deps, row.id),
        )


def decide(
    deps: Deps,
    operator_id: str,
    approval_id: str,
    decision: Decision,
    reason: str,
    changed_offer: Change | None = None,
    evidence: EvidenceFinding | None = None,
) -> Decided | DecisionRefusal | NotDecided:
    """Decide on a request, once: of two people who decide at the same moment one is refused.

    Needs the role of the offer, and of the changed one; nobody decides on their own request. A grant also needs the
    debts to stand as the offer says and no hold on talking about plans, and for an offer that needs proof the word
    whether it was seen and is enough, or is done without: then the ``reason`` says why, and is in the audit log too.
    The ``reason`` stays inside the desk. The borrower is told in the same transaction or, where the contact rules say
    so, later.
    """
    reason = reason.strip()
    if not reason:
        return NotDecided.NO_REASON
    if len(reason) > LONGEST_REASON:
        return NotDecided.REASON_TOO_LONG
    with deps.begin() as session:
        row = lock(session, approval_id)
        operator = session.get(tables.Operator, operator_id)
        if row is None or operator is None:
            return NotDecided.UNKNOWN
        role, actor = Role(operator.role), audit.Actor("operator", operator_id)
        granted = _granted(session, deps, row, operator_id, role, decision, changed_offer)
        if isinstance(granted, Offer):
            granted = _unproved(session, row, operator_id, granted, evidence) or granted
        if isinstance(granted, (DecisionRefusal, NotDecided)):
            audit.record(
                session,
                deps.now(),
                actor,
                "approval_refused",
                ("approval", approval_id),
                decision=decision.value,
                refusal=granted.value,
            )
            return granted
        state = _settle(session, deps, row, granted)
        row.decided_at, row.decided_by, row.reason = deps.now(), operator_id, reason
        found = evidence if granted is not None and granted.needs_evidence else None
        row.evidence_finding = found
        audit.record(
            session,
            deps.now(),
            actor,
            f"approval_{state}",
            ("approval", approval_id),
            decision=decision.value,
            role=role.value,
            granted=granted.offer_id if granted else None,
            policy=f"{granted.policy_code}:{granted.policy_version}" if granted else None,
            evidence=found,
            without_evidence_because=reason if found is EvidenceFinding.WITHOUT else None,
        )
        session.flush()
        return Decided(state, approval_news.announce(session, deps, row))


def lock(session: Session, approval_id: str) -> tables.Approval | None:
    """Return a request locked with its borrower and negotiation, in the order in which the borrower's side locks them.

    Lines of proof may still be added to it by whoever holds the conversation already: they wait for nobody here.
    """
    row = session.get(tables.Approval, approval_id)
    if row is None:
        return None
    lock_borrower(session, row.borrower_id)
    session.get_one(tables.Negotiation, row.negotiation_id, with_for_update=True)
    session.refresh(row, with_for_update={"key_share": True})
    return row


def _granted(
    session: Session,
    deps: Deps,
    row: tables.Approval,
    operator_id: str,
    role: Role,
    decision: Decision,
    change: Change | None,
) -> Offer | DecisionRefusal | NotDecided | None:
    """The offer that a decision grants, None for a rejection, or why the decision may not be taken."""
    found = approvals.view(session, deps, row)
    standing = approvals.may_decide_on(deps, operator_id, role, found)
    if isinstance(standing, DecisionRefusal):
        return standing
    if decision is Decision.REJECT:
        return None
    facts = _facts(session, deps, row)
    if decision is Decision.APPROVE:
        obstacle = _obstacle(facts, _still_true(session, deps, _work(row), found.offer))
        return obstacle or found.offer
    if facts.on_hold:
        return NotDecided.ON_HOLD
    others, _ = _alternatives(facts, found.offer, approvals.acts_as(role), change.proposal if change else None)
    wanted = next((offer for offer in others if change is not None and offer.offer_id == change.offer_id), None)
    return wanted or NotDecided.CHANGE_OUT_OF_DATE


def _unproved(
    session: Session, row: tables.Approval, operator_id: str, granted: Offer, finding: EvidenceFinding | None
) -> NotDecided | None:
    """Why an offer that needs proof may not be granted on such a finding; None where it may, or needs none."""
    if not granted.needs_evidence or finding is EvidenceFinding.WITHOUT:
        return None
    if finding is None:
        return NotDecided.EVIDENCE_OPEN
    there = {file.id for file in approval_notes.files_of(session, row.id)}
    if not there:
        return NotDecided.NO_EVIDENCE
    looked = session.scalars(
        select(tables.AuditEntry).where(
            tables.AuditEntry.subject_kind == "approval",
            tables.AuditEntry.subject_id == row.id,
            tables.AuditEntry.event == "approval_file_read",
            tables.AuditEntry.actor_id == operator_id,
        )
    )
    return None if there & {str(entry.detail.get("note")) for entry in looked} else NotDecided.EVIDENCE_UNREAD


def _settle(session: Session, deps: Deps, row: tables.Approval, granted: Offer | None) -> ApprovalState:
    if granted is None:  # the offer stays the chosen one, so that the negotiation can say what became of it
        row.state = ApprovalState.REJECTED
        return ApprovalState.REJECTED
    negotiation = session.get_one(tables.Negotiation, row.negotiation_id)
    asked = session.get_one(tables.Offer, row.offer_id)
    key, rows = row_id(negotiation, granted.offer_id), tabled(session, negotiation)
    if key not in {each.id for each in rows if each.round == rows[-1].round}:
        put_on_table(session, deps, negotiation, (granted,))
    # Whoever has chosen something else meanwhile keeps that choice; the granted offer is on the table beside it.
    if negotiation.chosen_offer_id == asked.content_hash != granted.offer_id:
        negotiation.chosen_offer_id, negotiation.asked_in = granted.offer_id, None
    negotiation.updated_at = deps.now()
    row.state, row.granted_offer_id = ApprovalState.APPROVED, key
    return ApprovalState.APPROVED


def _facts(session: Session, deps: Deps, row: tables.Approval) -> OfferRequest:
    """What offers of this negotiation are computed from today, with leave to go beyond the bot's authority."""
    negotiation = session.get_one(tables.Negotiation, row.negotiation_id)
    return replace(request_of(session, deps, _work(row), negotiation), may_seek_approval=True)


def _alternatives(
    facts: OfferRequest, asked: Offer, role: ApprovalRole | None, proposal: BorrowerProposal | None
) -> tuple[tuple[Offer, ...], Objection | NoOfferReason | None]:
    """Other offers that this role may grant: the nearest to a proposal first, then what the policy offers now."""
    found = tried(facts, proposal)
    rank = role.rank if role is not None else 0
    others = (offer for offer in found.offers if offer.approval_rank <= rank and offer.offer_id != asked.offer_id)
    return tuple(others), found.why if proposal is not None else None


def _obstacle(facts: OfferRequest, still_true: bool) -> NotDecided | None:
    if facts.on_hold:
        return NotDecided.ON_HOLD
    return None if still_true else NotDecided.FIGURES_CHANGED


def _work(row: tables.Approval) -> DeskWork:
    return DeskWork(row.borrower_id, Purpose.APPROVAL)


def _still_true(session: Session, deps: Deps, work: DeskWork, offer: Offer) -> bool:
    """Whether an offer still fits the debts: only interest has run since, which the plan forgives."""
    now = portfolio_of(session, deps, work, accrued_until=offer.as_of)
    owed = {debt.debt_id: debt.statement.balances.total_fen for debt in now.debts}
    return all(owed.get(share.debt_id) == share.owed_fen for share in offer.shares)
