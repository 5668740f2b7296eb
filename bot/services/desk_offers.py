"""Plans that an operator tries with a borrower's figures and puts forward in the conversation.

The engine, the policy and the limits are those of the dialogue. What is put forward is a proposal and never an
agreement: the borrower reads the whole text back to the bot and confirms it with a fresh proof, as with every other
offer. What the bot may not grant by itself becomes a request to a colleague, for whoever puts it forward as for anybody
else (``bot.services.approvals``): nobody grants what they propose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import Owner
from bot.lending.money import format_yuan
from bot.outreach.gate import Purpose, Verdict
from bot.services import approvals, audit, negotiation_budget, offer_basis
from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.approvals import ApprovalState
from bot.services.contact import decide_for_person
from bot.services.conversations import Author, QuickReply, Reply, say, seen_before
from bot.services.deps import Deps
from bot.services.desk_trial import Figures, Ground, Trial, trial_of
from bot.services.handoff import unfitting
from bot.services.locking import locked_in_turn
from bot.services.offer_request import stated_of
from bot.services.offer_table import put_on_table, row_id, tabled
from bot.services.operators import OperatorView
from bot.store import tables
from bot.text.display import day_text
from bot.workout.offer import Offer

LONGEST_NOTE = 500
"""Characters of the words that an operator may put before a proposal."""


class NotProposed(StrEnum):
    """Why nothing can be tried or was put forward; nothing was changed."""

    UNKNOWN = "unknown"
    NOT_YOURS = "not_yours"
    NOT_VERIFIED = "not_verified"
    CONTACT_RULES = "contact_rules"
    DEBT_TALK = "debt_talk"
    UNFITTING = "unfitting"
    NOTE_TOO_LONG = "note_too_long"
    OUT_OF_DATE = "offer_out_of_date"
    ASKED_ALREADY = "offer_asked_already"
    NOT_GRANTED = "offer_not_granted"


@dataclass(frozen=True, slots=True)
class Proposed:
    """The borrower has been told; ``approval_id`` names the request where a colleague has to decide first."""

    approval_id: str | None


def try_offers(deps: Deps, operator: OperatorView, conversation_id: str, figures: Figures) -> Trial | NotProposed:
    """Return what could be put before the borrower on these figures. Nothing is kept but the entry in the audit log."""
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        party = _party(session, deps, conversation, operator.id)
        if isinstance(party, NotProposed):
            return party
        actor = audit.Actor("operator", operator.id)
        audit.record(session, deps.now(), actor, "offers_tried", ("conversation", conversation_id))
        return trial_of(session, deps, operator, party, figures)[0]


def propose(
    deps: Deps,
    operator: OperatorView,
    conversation_id: str,
    figures: Figures,
    offer_id: str,
    key: str,
    note: str = "",
) -> Proposed | NotProposed:
    """Put one of the offers that ``try_offers`` gives for these figures before the borrower, once per key.

    The offers are computed anew: figures come from the policy, never from a form. The means are kept as the borrower's,
    and the offer becomes the one that the bot goes on with once it has the conversation back. ``note`` goes before it
    in the operator's own words. Only the one who answers the conversation may propose, and only to somebody verified.
    """
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        return NotProposed.NOTE_TOO_LONG
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        party = _party(session, deps, conversation, operator.id)
        if isinstance(party, NotProposed) or conversation is None:
            return party if isinstance(party, NotProposed) else NotProposed.UNKNOWN
        if seen_before(session, conversation_id, f"offer:{key}"):
            return Proposed(None)
        purpose = _purpose_of_speaking(session, deps, conversation, operator.id, note)
        if isinstance(purpose, NotProposed):
            return purpose
        trial, ground = trial_of(session, deps, operator, party, figures)
        wanted = next((one for one in trial.offers if one.offer.offer_id == offer_id), None)
        if wanted is None or ground is None:
            return NotProposed.OUT_OF_DATE
        if not (wanted.may_be_sent or wanted.may_be_requested):
            waits = wanted.asked is ApprovalState.WAITING
            return NotProposed.ASKED_ALREADY if waits else NotProposed.NOT_GRANTED
        negotiation = _put_forward(session, deps, party, ground, trial, wanted.offer)
        actor, subject = audit.Actor("operator", operator.id), ("conversation", conversation_id)
        approval_id = None
        if not wanted.may_be_sent:
            approval_id = approvals.request(
                session,
                deps,
                negotiation_id=negotiation.id,
                offer_id=row_id(negotiation, offer_id),
                conversation_id=conversation_id,
                borrower_id=party.borrower_id,
                requester=operator.id,
            ).id
        _tell(session, deps, conversation, operator, wanted.offer, purpose, key, note, is_asked=approval_id is not None)
        audit.record(
            session,
            deps.now(),
            actor,
            "offer_sent" if approval_id is None else "offer_put_forward",
            subject,
            offer=offer_id,
            policy=f"{wanted.offer.policy_code}:{wanted.offer.policy_version}",
            approval=approval_id,
        )
        return Proposed(approval_id)


def _party(
    session: Session, deps: Deps, conversation: tables.Conversation | None, operator_id: str
) -> RightParty | NotProposed:
    """Return the verified borrower whose conversation the operator has in hand, or why nothing can be tried."""
    if conversation is None:
        return NotProposed.UNKNOWN
    if conversation.owner != Owner.HUMAN or conversation.owner_operator_id != operator_id:
        return NotProposed.NOT_YOURS
    party = right_party(session, deps, conversation.id)
    return NotProposed.NOT_VERIFIED if isinstance(party, NotVerified) else party


def _purpose_of_speaking(
    session: Session, deps: Deps, conversation: tables.Conversation, operator_id: str, note: str
) -> Purpose | NotProposed:
    """As what an operator may speak of a plan now; or why not, by the contact rules or for the words put before it."""
    actor, subject = audit.Actor("operator", operator_id), ("conversation", conversation.id)
    purpose, decision = decide_for_person(session, deps, conversation)
    if decision.verdict is not Verdict.ALLOWED:
        audit.record(session, deps.now(), actor, "reply_refused", subject, rule=decision.rule)
        return NotProposed.CONTACT_RULES
    if purpose is Purpose.SAFETY:
        audit.record(session, deps.now(), actor, "reply_refused", subject, rule="H2")
        return NotProposed.DEBT_TALK
    if note and (findings := unfitting(deps, note)):
        broken = ",".join(finding.rule for finding in findings)
        audit.record(session, deps.now(), actor, "reply_unfitting", subject, rules=broken)
        return NotProposed.UNFITTING
    return purpose


def _put_forward(
    session: Session, deps: Deps, party: RightParty, ground: Ground, trial: Trial, offer: Offer
) -> tables.Negotiation:
    """Put an offer on the table as the one that is spoken of; the means and all else it follows from are kept."""
    draft, negotiation = ground.negotiation, ground.open_one or ground.negotiation
    if ground.open_one is None:
        session.add(negotiation)
    negotiation.debt_ids = draft.debt_ids
    negotiation.policy_code, negotiation.policy_version = draft.policy_code, draft.policy_version
    negotiation_budget.take(negotiation, _told_anew(negotiation, trial.figures))
    negotiation.hardship = trial.figures.hardship.value if trial.figures.hardship else None
    negotiation.available_now_fen = trial.figures.in_hand_fen or draft.available_now_fen
    negotiation.wish = negotiation.wish_kind = None
    session.flush()
    negotiation_budget.settle_open(session, deps, party, negotiation)
    offers = offer_basis.offers_for(session, deps, party, negotiation).offers
    if trial.figures.wish is not None:
        offer_basis.answer_to(session, deps, party, negotiation, trial.figures.wish)
    if not tabled(session, negotiation):
        # Laid out beside it: whoever then asks for others is not left with what is gentler than this one plan.
        put_on_table(session, deps, negotiation, offers)
    put_on_table(session, deps, negotiation, (offer,))
    negotiation.chosen_offer_id, negotiation.asked_in = offer.offer_id, None
    negotiation.updated_at = deps.now()
    return negotiation


def _told_anew(negotiation: tables.Negotiation, figures: Figures) -> negotiation_budget.Figures:
    """The figures of the budget that differ from what was told: how an income was put stays with the income."""
    told = stated_of(negotiation)
    return negotiation_budget.Figures(
        figures.income_fen if figures.income_fen != told.monthly_income_fen else None,
        figures.essential_fen if figures.essential_fen != told.monthly_essential_fen else None,
        figures.dependants if figures.dependants != told.dependants else None,
        figures.other_debts_fen if figures.other_debts_fen != told.other_debts_monthly_fen else None,
    )


def _tell(
    session: Session,
    deps: Deps,
    conversation: tables.Conversation,
    operator: OperatorView,
    offer: Offer,
    purpose: Purpose,
    key: str,
    note: str,
    *,
    is_asked: bool,
) -> None:
    wording = deps.wording
    if is_asked:
        reply = Reply(wording.one("desk_offer_asked", operator=operator.display_name))
    else:
        look = QuickReply(wording.one("desk_offer_look"), "/accept_offer" + json.dumps({"offer": offer.offer_id}))
        others = QuickReply(wording.one("desk_offer_others"), "/ask_other_options" + json.dumps({"offer": "back"}))
        reply = Reply(_words(deps, operator, offer), (look, others))
    spoken = [(Reply(note), f"offer:{key}:note")] if note else []
    for each, its_key in (*spoken, (reply, f"offer:{key}")):
        say(
            session,
            deps,
            conversation,
            each,
            author=Author.OPERATOR,
            operator_id=operator.id,
            key=its_key,
            purpose=purpose.value,
        )


def _words(deps: Deps, operator: OperatorView, offer: Offer) -> str:
    today = business_date(deps.now())
    down = offer.down_payment_fen
    first_on, first_fen = (offer.expires_on, down) if down else (offer.schedule[0].due_on, offer.schedule[0].amount_fen)
    return deps.wording.one(
        "desk_offer_waives" if offer.waived_fen else "desk_offer",
        operator=operator.display_name,
        total=format_yuan(offer.total_fen),
        waived=format_yuan(offer.waived_fen),
        payments=str(len(offer.schedule) + bool(down)),
        first_day=day_text(first_on, today),
        first=format_yuan(first_fen),
        last_day=day_text(offer.schedule[-1].due_on, today),
        until=day_text(offer.expires_on, today),
    )
