"""Plans that an operator tries with a borrower's figures and puts forward in the conversation.

The engine, the policy and the limits are those of the dialogue. What is put forward is a proposal and never an
agreement: the borrower reads the whole text back to the bot and confirms it with a fresh proof, as with every other
offer. What the bot may not grant by itself becomes a request to a colleague, for whoever puts it forward as for anybody
else (``bot.services.approvals``): nobody grants what they propose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.desk.ownership import Owner
from bot.lending.money import format_yuan
from bot.outreach.gate import Purpose, Verdict
from bot.services import approvals, audit, offer_basis
from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.approvals import ApprovalState
from bot.services.contact import decide_for_person
from bot.services.conversations import Author, QuickReply, Reply, say, seen_before
from bot.services.deps import Deps
from bot.services.handoff import unfitting
from bot.services.locking import locked_in_turn
from bot.services.negotiation_opening import new_negotiation, take_up, why_blocked
from bot.services.negotiation_state import Blocked, CreditorChoice, eligible, total_of
from bot.services.offer_request import request_of
from bot.services.offer_table import active, put_on_table, row_id, tabled
from bot.services.offer_trial import tried
from bot.services.operators import OperatorView
from bot.store import tables
from bot.text.display import day_text
from bot.workout.authority import GrantLimit, grant_limits
from bot.workout.bounds import Objection
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason, Offer
from bot.workout.policy_sections import HardshipKind
from bot.workout.request import OfferRequest

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
class Figures:
    """What an operator tries: a month's means in fen, and what the borrower would like.

    None leaves a figure as the borrower told it last. ``creditor`` counts from 1 among the creditors to choose from,
    where no negotiation has settled on one.
    """

    income_fen: int | None = None
    essential_fen: int | None = None
    hardship: HardshipKind | None = None
    wish: BorrowerProposal | None = None
    creditor: int = 1


@dataclass(frozen=True, slots=True)
class OnOffer:
    """One offer, with what is needed before it binds the desk. ``asked`` is where a request for it stands.

    ``is_within`` tells whether the operator's role could grant it to somebody else's borrower: never one's own.
    """

    offer: Offer
    is_within: bool
    asked: ApprovalState | None

    @property
    def may_be_sent(self) -> bool:
        """Whether it can be put before the borrower at once, without anybody's leave."""
        return self.offer.needs_approval is None or self.asked is ApprovalState.APPROVED

    @property
    def may_be_requested(self) -> bool:
        """Whether a colleague can be asked for it."""
        return self.offer.needs_approval is not None and self.asked is None


@dataclass(frozen=True, slots=True)
class Trial:
    """What an operator may put forward, and what it rests on; amounts in fen.

    ``figures`` are those of the trial, filled up with what is known. ``facts`` is None where there is nothing to
    negotiate (``blocked``), or no means are known yet. ``creditors`` are those to choose from, empty where there is
    one or a negotiation has settled on one.
    """

    figures: Figures
    facts: OfferRequest | None = None
    offers: tuple[OnOffer, ...] = ()
    why: Objection | NoOfferReason | None = None
    blocked: Blocked | None = None
    creditors: tuple[CreditorChoice, ...] = ()
    grants: tuple[GrantLimit, ...] = ()


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
        return _trial(session, deps, operator, party, figures)[0]


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
        if (refused := _may_not_speak(session, deps, conversation, operator.id, note)) is not None:
            return refused
        trial, ground = _trial(session, deps, operator, party, figures)
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
        _tell(session, deps, conversation, operator, wanted.offer, key, note, is_asked=approval_id is not None)
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


def _may_not_speak(
    session: Session, deps: Deps, conversation: tables.Conversation, operator_id: str, note: str
) -> NotProposed | None:
    """Why an operator may not speak of a plan now, by the contact rules or for the words they would put before it."""
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
    return None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a trial is for: the borrower's open negotiation, or one that no session knows yet."""

    negotiation: tables.Negotiation
    open_one: tables.Negotiation | None
    creditors: tuple[CreditorChoice, ...] = ()


def _trial(
    session: Session, deps: Deps, operator: OperatorView, party: RightParty, figures: Figures
) -> tuple[Trial, _Ground | None]:
    ground = _ground(session, deps, party, figures)
    if isinstance(ground, Blocked):
        return Trial(figures, blocked=ground), None
    known = _known(session, party, ground, figures)
    trial = Trial(known, creditors=ground.creditors)
    if known.income_fen is None or known.essential_fen is None:
        return trial, ground
    facts = _facts(session, deps, party, ground.negotiation, known)
    found = tried(facts, known.wish)
    grants = grant_limits(facts.policy, facts.owed_fen)
    offers = tuple(_on_offer(session, operator, ground, offer) for offer in found.offers)
    return replace(trial, facts=facts, offers=offers, why=found.why, grants=grants), ground


def _ground(session: Session, deps: Deps, party: RightParty, figures: Figures) -> _Ground | Blocked:
    open_one = active(session, party)
    if open_one is not None and open_one.debt_ids:
        return _Ground(open_one, open_one)
    if open_one is None and (why := why_blocked(session, deps, party)) is not None:
        return why
    groups = list(eligible(session, deps, party).values())
    if not groups:
        return Blocked.ALL_DISPUTED
    chosen = groups[min(max(figures.creditor, 1), len(groups)) - 1]
    draft = new_negotiation(deps, party)
    if not take_up(session, deps, draft, [debt.debt_id for debt in chosen]):
        return Blocked.NO_REPLANS_LEFT
    creditors = tuple(CreditorChoice(debts[0].creditor_id, debts[0].creditor, total_of(debts)) for debts in groups)
    return _Ground(draft, open_one, creditors if len(creditors) > 1 else ())


def _known(session: Session, party: RightParty, ground: _Ground, figures: Figures) -> Figures:
    """Fill in what the operator left as it was: from this negotiation, else from the one before it."""
    told = ground.open_one or session.scalar(
        select(tables.Negotiation)
        .where(tables.Negotiation.borrower_id == party.borrower_id)
        .order_by(tables.Negotiation.updated_at.desc())
        .limit(1)
    )
    if told is None:
        return figures
    hardship = HardshipKind(told.hardship) if told.hardship else None
    return replace(
        figures,
        income_fen=told.monthly_income_fen if figures.income_fen is None else figures.income_fen,
        essential_fen=told.monthly_essential_fen if figures.essential_fen is None else figures.essential_fen,
        hardship=figures.hardship or (hardship if ground.open_one is not None else None),
    )


def _facts(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation, known: Figures
) -> OfferRequest:
    """What the offers are computed from: the facts on record, with the figures of the trial in their place."""
    on_record = request_of(session, deps, party, negotiation)
    means = replace(
        on_record.affordability,
        monthly_income_fen=known.income_fen or 0,
        monthly_essential_fen=known.essential_fen or 0,
    )
    return replace(
        on_record,
        affordability=means,
        hardship=known.hardship,
        available_now_fen=_in_hand_fen(known) or on_record.available_now_fen,
    )


def _in_hand_fen(figures: Figures) -> int | None:
    return None if figures.wish is None else figures.wish.settle_fen or figures.wish.lump_fen


def _on_offer(session: Session, operator: OperatorView, ground: _Ground, offer: Offer) -> OnOffer:
    role = approvals.acts_as(operator.role)
    asked = None
    if offer.needs_approval is not None and ground.open_one is not None:
        asked = approvals.state_of(session, row_id(ground.open_one, offer.offer_id))
    return OnOffer(offer, offer.approval_rank <= (role.rank if role is not None else 0), asked)


def _put_forward(
    session: Session, deps: Deps, party: RightParty, ground: _Ground, trial: Trial, offer: Offer
) -> tables.Negotiation:
    """Put an offer on the table as the one that is spoken of; the means and all else it follows from are kept."""
    draft, negotiation = ground.negotiation, ground.open_one or ground.negotiation
    if ground.open_one is None:
        session.add(negotiation)
    negotiation.debt_ids = draft.debt_ids
    negotiation.policy_code, negotiation.policy_version = draft.policy_code, draft.policy_version
    negotiation.monthly_income_fen = trial.figures.income_fen
    negotiation.monthly_essential_fen = trial.figures.essential_fen
    negotiation.hardship = trial.figures.hardship.value if trial.figures.hardship else None
    if (in_hand_fen := _in_hand_fen(trial.figures)) is not None:
        negotiation.available_now_fen = in_hand_fen
    negotiation.wish = negotiation.wish_kind = negotiation.budget_asks = None
    session.flush()
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


def _tell(
    session: Session,
    deps: Deps,
    conversation: tables.Conversation,
    operator: OperatorView,
    offer: Offer,
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
        say(session, deps, conversation, each, author=Author.OPERATOR, operator_id=operator.id, key=its_key)


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
