"""Finding a plan together: from 还不上 to an agreement, and what was agreed afterwards."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, DeskAction, Turn, VerifiedAction, verify_first
from actions.documents import agreement_button, hand_over, hand_over_agreement, wanted_agreement
from actions.plan_words import ask_confirmation, ask_stage, explain_refusal, show_agreement, show_offers
from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.lending.money import format_yuan
from bot.services import agreements, documents, handoff, identity, negotiation
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal
from bot.services.documents import NotMade
from bot.services.negotiation import Blocked, Countered, NoPlan, Stage, State
from bot.text.display import day_text
from bot.workout.counter import BorrowerProposal
from bot.workout.reading import (
    StatedAmount,
    UnclearAmount,
    read_budget,
    read_essentials,
    read_income,
    read_position,
    read_proposal,
)

STEP = "plan_step"
SEEN = "form_seen"
PLAN_FORM = "plan_form"

_AGREES = frozenset({"affirm", "accept_offer"})
_DECLINES = frozenset({"deny", "reject_offer"})
_WANTS_MORE = frozenset({"ask_other_options", "reject_offer", "request_relief"})
_ABOUT_SOMETHING_ELSE = frozenset(
    {
        "report_paid",
        "ask_payment_status",
        "dispute_debt",
        "rights",
        "set_reminder",
        "request_callback",
        "complain_harassment",
        "complain_service",
        "third_party_inquiry",
        "wrong_person",
        "stop_contact",
        "request_human",
        "cancel",
    }
)
"""Messages that may name figures without proposing anything."""


class OpenPlan(VerifiedAction):
    """The borrower cannot pay, or wants instalments or relief: begins, or goes on with, a negotiation."""

    action_name = "action_open_plan"

    def tell(self, turn: Turn) -> list[EventType]:
        """Open the negotiation and start the form, or say why there is nothing to negotiate."""
        opened = negotiation.open_negotiation(turn.deps, turn.conversation_id)
        if isinstance(opened, NotVerified):
            return verify_first(turn, self.action_name)
        if isinstance(opened, Blocked):
            turn.say(f"utter_no_negotiation_{opened.value}")
            if opened in (Blocked.OLD_DEBT, Blocked.ALL_DISPUTED):
                handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.OLD_DEBT)
            return []
        if turn.intent == "state_hardship":
            turn.say("utter_hardship_heard")
        elif turn.slot("requested_slot") != STEP and not turn.carries_choice:
            turn.say("utter_plan_intro")
        for product in opened.set_aside:
            turn.say("utter_set_aside", product=product)
        return [FollowupAction(PLAN_FORM)]


class ValidatePlanForm(DeskAction):
    """Takes one answer to the negotiation's question of the moment; leaves any other message alone."""

    action_name = "validate_plan_form"

    def handle(self, turn: Turn) -> list[EventType]:
        """Read the message for the present stage and hand it to the negotiation."""
        if _used(turn):
            return []
        current = negotiation.state(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return _verify_again(turn)
        if current.stage is Stage.NONE:
            return [SlotSet(SEEN, _mark(turn)), SlotSet("requested_slot", None)]
        result = _take(turn, current)
        return [] if result is None else [SlotSet(SEEN, _mark(turn)), *result]


class AskPlanStep(DeskAction):
    """Asks the negotiation's question of the moment: means, choice of plan, or the final yes."""

    action_name = "action_ask_plan_step"

    def handle(self, turn: Turn) -> list[EventType]:
        """Ask for what the negotiation waits for."""
        current = negotiation.state(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return []
        if current.stage is Stage.CONFIRMATION:
            shown = agreements.read_back(turn.deps, turn.conversation_id)
            if isinstance(shown, AcceptRefusal):
                explain_refusal(turn, shown)
            else:
                ask_confirmation(turn, shown, whole=_used(turn))
            return []
        ask_stage(turn, current)
        return []


class AfterPlan(DeskAction):
    """The form has ended: with an agreement, with a person, or because identity has to be proved again."""

    action_name = "action_after_plan"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go on with verification if that is what ended the form."""
        ended: list[EventType] = [SlotSet(STEP, None)]
        if turn.slot(GOAL) == "action_open_plan":
            return [*ended, FollowupAction(VERIFY_FORM)]
        return ended


class TellPlanStatus(VerifiedAction):
    """What is agreed: the next instalment, what remains."""

    action_name = "action_tell_plan_status"

    def tell(self, turn: Turn) -> list[EventType]:
        """Describe the plans in force, or hand over the agreement whose button was pressed."""
        if number := wanted_agreement(turn):
            hand_over_agreement(turn, number)
            return []
        plans = agreements.plan_in_force(turn.deps, turn.conversation_id)
        if isinstance(plans, NotVerified):
            return verify_first(turn, self.action_name)
        today = business_date(turn.deps.now())
        for plan in plans:
            due = plan.next_due
            if due is None:
                turn.say("utter_plan_completed", number=plan.number)
                continue
            turn.say(
                "utter_plan_next_late" if due.due_on < today else "utter_plan_next",
                [agreement_button(turn, plan.number)],
                number=plan.number,
                day=day_text(due.due_on, today),
                amount=format_yuan(due.amount_fen - due.paid_fen),
                left=str(len(plan.remaining)),
                rest=format_yuan(sum(part.amount_fen - part.paid_fen for part in plan.remaining)),
            )
        if not plans:
            _tell_without_plan(turn)
        return []


def _tell_without_plan(turn: Turn) -> None:
    letters = documents.clearance_letters(turn.deps, turn.conversation_id)
    if isinstance(letters, NotMade) or not letters:
        turn.say("utter_no_plan")
        return
    for letter in letters:
        hand_over(turn, letter)


class MissedInstalment(VerifiedAction):
    """An instalment cannot be paid: ask why, never scold; a person re-plans."""

    action_name = "action_missed_instalment"

    def tell(self, turn: Turn) -> list[EventType]:
        """Take it calmly and queue for a person."""
        plans = agreements.plan_in_force(turn.deps, turn.conversation_id)
        if isinstance(plans, NotVerified):
            return verify_first(turn, self.action_name)
        if not plans:
            return [FollowupAction("action_open_plan")]
        turn.say("utter_missed_instalment")
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NO_PLAN_FITS)
        return []


def _take(turn: Turn, current: State) -> list[EventType] | None:
    """Hand the message to the negotiation. None means that it was no answer to the question asked."""
    if current.stage is Stage.CREDITOR:
        pressed = turn.pressed("choice")
        position = int(pressed) if pressed and pressed.isdigit() else read_position(turn.text, len(current.creditors))
        if position is None:
            return None
        negotiation.choose_creditor(turn.deps, turn.conversation_id, position)
        return []
    if current.stage in (Stage.INCOME, Stage.ESSENTIALS):
        return _take_means(turn, current.stage)
    if current.stage is Stage.CHOICE:
        return _take_choice(turn, current)
    return _take_answer(turn)


def _take_means(turn: Turn, stage: Stage) -> list[EventType] | None:
    values = turn.values()
    if both := read_budget(turn.text, values):
        return _means(turn, income_fen=both.income_fen, essential_fen=both.essential_fen)
    reader = read_income if stage is Stage.INCOME else read_essentials
    amount = reader(turn.text, values, turn.intent)
    if isinstance(amount, UnclearAmount):
        turn.say("utter_unclear_amount", low=format_yuan(amount.low_fen), high=format_yuan(amount.high_fen))
        return []
    if not isinstance(amount, StatedAmount):
        return None
    if stage is Stage.INCOME:
        return _means(turn, income_fen=amount.fen)
    return _means(turn, essential_fen=amount.fen)


def _means(turn: Turn, income_fen: int | None = None, essential_fen: int | None = None) -> list[EventType]:
    if income_fen is not None:
        turn.say("utter_income_noted", amount=format_yuan(income_fen))
    if essential_fen is not None:
        turn.say("utter_essentials_noted", amount=format_yuan(essential_fen))
    result = negotiation.state_means(
        turn.deps, turn.conversation_id, income_fen=income_fen, essential_fen=essential_fen
    )
    return _show(turn, result)


def _take_choice(turn: Turn, current: State) -> list[EventType] | None:
    if offer_id := turn.pressed("offer"):
        negotiation.choose(turn.deps, turn.conversation_id, offer_id=offer_id)
        return []
    if turn.intent in _WANTS_MORE and _proposal(turn) is None:
        return _show_more(turn, current)
    proposal = _proposal(turn)
    position = read_position(turn.text, len(current.offers))
    if position is None and proposal is not None:
        return _answer_proposal(turn, negotiation.propose(turn.deps, turn.conversation_id, proposal))
    if position is None and turn.intent in _AGREES and len(current.offers) == 1:
        position = 1
    if position is None:
        return None
    negotiation.choose(turn.deps, turn.conversation_id, position=position)
    return []


def _proposal(turn: Turn) -> BorrowerProposal | None:
    return None if turn.intent in _ABOUT_SOMETHING_ELSE else read_proposal(turn.values(), turn.text)


def _show_more(turn: Turn, current: State) -> list[EventType]:
    more = negotiation.more_options(turn.deps, turn.conversation_id)
    if isinstance(more, State) and {o.offer_id for o in more.offers} == {o.offer_id for o in current.offers}:
        turn.say("utter_no_better_offer")
        return []
    return _show(turn, more)


def _answer_proposal(turn: Turn, answer: Countered | NoPlan | NotVerified | State) -> list[EventType]:
    if not isinstance(answer, Countered):
        return _show(turn, answer)
    if answer.why is None:
        turn.say("utter_proposal_met")
    else:
        turn.say(f"utter_proposal_nearest_{answer.why.value}")
        show_offers(turn, (answer.offer,))
    return []


def _take_answer(turn: Turn) -> list[EventType] | None:
    if shown_hash := turn.pressed("agree"):
        return _accept(turn, shown_hash)
    pressed = turn.pressed("offer")
    if pressed is not None and pressed != "back":
        negotiation.choose(turn.deps, turn.conversation_id, offer_id=pressed)
        return []
    if pressed == "back" or turn.intent in _DECLINES or turn.intent == "ask_other_options":
        negotiation.unchoose(turn.deps, turn.conversation_id)
        turn.say("utter_back_to_offers")
        current = negotiation.state(turn.deps, turn.conversation_id)
        return _show(turn, current)
    proposal = _proposal(turn)
    if proposal is not None:
        return _answer_proposal(turn, negotiation.propose(turn.deps, turn.conversation_id, proposal))
    if turn.intent in _AGREES:
        seen = agreements.read_back_seen(turn.deps, turn.conversation_id, turn.message_id)
        # A yes that was typed before the text was there agrees to nothing: the text is shown, and asked again.
        return [] if isinstance(seen, AcceptRefusal) else _accept(turn, seen.text_hash)
    return None


def _accept(turn: Turn, shown_hash: str) -> list[EventType]:
    result = agreements.accept(turn.deps, turn.conversation_id, shown_hash)
    if result in (AcceptRefusal.NEEDS_FRESH_CHECK, AcceptRefusal.NOT_VERIFIED):
        turn.say("utter_fresh_check_first")
        identity.lapse(turn.deps, turn.conversation_id)
        return _verify_again(turn)
    if result is AcceptRefusal.FIGURES_CHANGED:
        explain_refusal(turn, result)
        negotiation.unchoose(turn.deps, turn.conversation_id)
        return _show(turn, negotiation.more_options(turn.deps, turn.conversation_id))
    if isinstance(result, AcceptRefusal):
        explain_refusal(turn, result)
        return []
    show_agreement(turn, result)
    return [SlotSet(STEP, "agreed")]


def _show(turn: Turn, result: State | NoPlan | NotVerified) -> list[EventType]:
    if isinstance(result, NotVerified):
        return _verify_again(turn)
    if isinstance(result, NoPlan):
        turn.say(f"utter_no_plan_{result.reason.value}")
        turn.say("utter_no_plan_person")
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NO_PLAN_FITS)
        return [SlotSet("requested_slot", None)]
    if result.stage is Stage.CHOICE:
        show_offers(turn, result.offers)
    return []


def _verify_again(turn: Turn) -> list[EventType]:
    return [SlotSet(SEEN, _mark(turn)), SlotSet(GOAL, "action_open_plan"), SlotSet("requested_slot", None)]


def _mark(turn: Turn) -> str:
    """Name this form and this message: one message may end one form and open the other."""
    return f"plan:{turn.message_id}"


def _used(turn: Turn) -> bool:
    """Whether this message has been used already, by this form or as the last proof of identity before it."""
    return (turn.slot(SEEN) or "").endswith(f":{turn.message_id}")
