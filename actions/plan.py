"""Finding a plan together: from 还不上 to an agreement, and what was agreed afterwards."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, DeskAction, Turn, VerifiedAction, verify_first
from actions.documents import agreement_button, hand_over, hand_over_agreement, wanted_agreement
from actions.plan_answers import GOAL_AGAIN, MARK, PLAN_FORM, STEP, say_blocked, show, take, wish_in
from actions.plan_words import ask_approval, ask_confirmation, ask_stage, explain_refusal, show_agreement, show_offers
from actions.promise_words import stated_in, tell_promise
from actions.step_form import AskStep, ValidateStepForm, seen, was_seen
from bot.clock import business_date
from bot.lending.money import format_yuan
from bot.services import agreements, cases, clearance, negotiation, promises, said
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal
from bot.services.case_questions import Asked
from bot.services.negotiation import Blocked, NotSettled, Stage, State
from bot.text.display import day_text
from bot.workout.hardship_reading import read_hardship
from bot.workout.offer import OfferKind
from bot.workout.policy_sections import HardshipKind

_OPENS = frozenset(
    {
        "state_hardship",
        "request_installment",
        "request_relief",
        "request_settlement",
        "request_deferral",
        "propose_payment",
        "modify_plan",
        "report_missed_installment",
        "refuse_to_pay",
    }
)
"""Messages in which it is said what is wished for."""

_ASKED_LATER = {"request_settlement": OfferKind.SETTLEMENT, "request_deferral": OfferKind.DEFERRAL}


class OpenPlan(VerifiedAction):
    """The borrower cannot pay, or wants instalments, relief, time or a settlement: begins a negotiation, or goes on."""

    action_name = GOAL_AGAIN

    def tell(self, turn: Turn) -> list[EventType]:
        """Open the negotiation and start the form, or say why there is nothing to negotiate."""
        if _is_promise(turn):
            return [FollowupAction("action_note_promise")]
        if _agreed_before(turn):
            return []
        opened = negotiation.open_negotiation(turn.deps, turn.conversation_id)
        if isinstance(opened, NotVerified):
            return verify_first(turn, self.action_name)
        if isinstance(opened, Blocked):
            return say_blocked(turn, opened)
        _let_go_of_dispute(turn)
        if opened.stage is Stage.WAITING:
            if turn.intent not in ("ask_other_options", "reject_offer"):
                ask_stage(turn, opened)
                return []
            negotiation.unchoose(turn.deps, turn.conversation_id)
        _introduce(turn, opened)
        taken = _take_wish(turn, opened)
        # What has been answered here must not be read once more by the form that begins now.
        events: list[EventType] = [seen(MARK, turn), *taken] if taken is not None else []
        now = negotiation.state(turn.deps, turn.conversation_id)
        if isinstance(now, State) and now.stage is Stage.CHOICE and not now.offers:
            # Everything on the table has lapsed meanwhile.
            events += show(turn, negotiation.more_options(turn.deps, turn.conversation_id))
        return [*events, FollowupAction(PLAN_FORM)] if _goes_on(turn) else events


class ValidatePlanForm(ValidateStepForm[State]):
    """Takes one answer to the negotiation's question of the moment; leaves any other message alone."""

    action_name = "validate_plan_form"
    form, goal = MARK, GOAL_AGAIN

    def current(self, turn: Turn) -> State | NotVerified | None:
        """Return the negotiation that is open; under a hold nothing is asked, and that is said."""
        if negotiation.is_on_hold(turn.deps, turn.conversation_id):
            say_blocked(turn, Blocked.ON_HOLD)
            return None
        state = negotiation.state(turn.deps, turn.conversation_id)
        return None if isinstance(state, State) and state.stage is Stage.NONE else state

    def wait(self, turn: Turn, current: State) -> None:
        """Say until when what is on the table stays there."""
        offers = current.offers or ((current.chosen,) if current.chosen is not None else ())
        if not offers:
            super().wait(turn, current)
            return
        until = min(offer.expires_on for offer in offers)
        turn.say("utter_think_it_over", day=day_text(until, business_date(turn.deps.now())))

    def take(self, turn: Turn, current: State) -> list[EventType] | None:
        """Read the message for the present stage and hand it to the negotiation."""
        return take(turn, current)


class AskPlanStep(AskStep):
    """Asks the negotiation's question of the moment: means, choice of plan, or the final yes."""

    action_name = "action_ask_plan_step"

    def ask(self, turn: Turn) -> None:
        """Ask for what the negotiation waits for."""
        current = negotiation.state(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified) or current.stage is Stage.NONE:
            return
        if current.stage is Stage.APPROVAL and current.chosen is not None:
            ask_approval(turn, current.chosen, whole=was_seen(turn))
            negotiation.put_approval_question(turn.deps, turn.conversation_id, turn.message_id)
        elif current.stage is Stage.CONFIRMATION:
            shown = agreements.read_back(turn.deps, turn.conversation_id)
            if isinstance(shown, AcceptRefusal):
                explain_refusal(turn, shown)
            else:
                ask_confirmation(turn, shown, whole=was_seen(turn))
        else:
            ask_stage(turn, current)


class AfterPlan(DeskAction):
    """The form has ended: with an agreement, with a person, or because identity has to be proved again."""

    action_name = "action_after_plan"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go on with verification if that is what ended the form."""
        ended: list[EventType] = [SlotSet(STEP, None)]
        if turn.slot(GOAL) == GOAL_AGAIN:
            return [*ended, FollowupAction(VERIFY_FORM)]
        return ended


class TellPlanStatus(VerifiedAction):
    """What is agreed: the next instalment, what remains; and what was promised."""

    action_name = "action_tell_plan_status"

    def tell(self, turn: Turn) -> list[EventType]:
        """Describe the plans in force, or hand over the agreement whose button was pressed."""
        if number := wanted_agreement(turn):
            hand_over_agreement(turn, number)
            return []
        plans = agreements.plan_in_force(turn.deps, turn.conversation_id)
        promised = promises.open_promises(turn.deps, turn.conversation_id)
        if isinstance(plans, NotVerified) or isinstance(promised, NotVerified):
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
        for promise in promised:
            tell_promise(turn, promise)
        return [] if plans or promised else _tell_without_plan(turn)


def _tell_without_plan(turn: Turn) -> list[EventType]:
    """Say what there is instead: an answer that is awaited, a letter, or what is owed, which a notice may be about."""
    current = negotiation.state(turn.deps, turn.conversation_id)
    if isinstance(current, State) and current.stage is Stage.WAITING:
        ask_stage(turn, current)
        return []
    found = clearance.clearance(turn.deps, turn.conversation_id)
    if isinstance(found, NotVerified) or found.open_debts or not found.letters:
        turn.say("utter_no_plan")
        return [] if isinstance(found, NotVerified) else [FollowupAction("action_tell_balance")]
    for letter in found.letters:
        hand_over(turn, letter)
    return []


def _let_go_of_dispute(turn: Turn) -> None:
    """Drop a dispute whose question was passed over: it would take the next 算了 in place of the plan."""
    asked = cases.asked(turn.deps, turn.conversation_id)
    is_draft = isinstance(asked, Asked) and asked.draft_id is not None
    if is_draft and turn.slot("requested_slot") == "case_step" and not turn.carries_choice:
        cases.stop_asking(turn.deps, turn.conversation_id)
        turn.say("utter_dispute_dropped")


def _agreed_before(turn: Turn) -> bool:
    """Show the agreement again if its button was pressed: the answer to the first time may never have arrived."""
    shown_hash = turn.pressed("agree")
    known = agreements.accepted(turn.deps, turn.conversation_id, shown_hash) if shown_hash else None
    if known is None:
        return False
    show_agreement(turn, known)
    return True


def _is_promise(turn: Turn) -> bool:
    """Whether what is offered is a sum on a day, and no plan."""
    if turn.intent != "propose_payment" or turn.slot("requested_slot") == STEP:
        return False
    stated = stated_in(turn, turn.text)
    return bool(stated.amount_fen and stated.due_on) and wish_in(turn, turn.text, turn.intent) is None


def _introduce(turn: Turn, opened: State) -> None:
    begins = turn.slot("requested_slot") != STEP and not turn.carries_choice and opened.chosen is None
    if turn.intent == "state_hardship":
        turn.say("utter_hardship_heard")
    elif begins and not opened.offers and turn.intent not in _ASKED_LATER:
        turn.say("utter_plan_intro")
    if begins and not opened.offers:
        turn.say("utter_plan_caution")
    if begins and opened.stage is Stage.CHOICE and opened.offers and wish_in(turn, turn.text, turn.intent) is None:
        # They may have been shown in another chat, or long ago.
        turn.say("utter_plan_goes_on")
        show_offers(turn, opened.offers)
    for product in opened.set_aside:
        turn.say("utter_set_aside", product=product)


def _take_wish(turn: Turn, opened: State) -> list[EventType] | None:
    """Hand on what is wished for and why, as said now, or before identity was proved where nothing is known yet.

    None: nothing was answered, and the form may read the message for figures.
    """
    intent, text = turn.intent, turn.text
    if intent not in _OPENS:
        if opened.stage not in (Stage.CREDITOR, Stage.INCOME) or turn.carries_choice:
            return None
        intent, text = said.before_proof(turn.deps, turn.conversation_id, _OPENS)
    hardship = read_hardship(text) or (HardshipKind.OTHER if intent == "state_hardship" else None)
    if hardship is not None:
        negotiation.tell_hardship(turn.deps, turn.conversation_id, hardship)
    if opened.chosen is not None or opened.offers:
        return None  # the form reads the message against what is on the table
    wish = wish_in(turn, text, intent)
    if wish is not None:
        answer = negotiation.propose(turn.deps, turn.conversation_id, wish)
        events = show(turn, answer, noted=True)
        return None if isinstance(answer, State | NotSettled) and intent == turn.intent else events
    if intent in _ASKED_LATER and opened.stage in (Stage.CREDITOR, Stage.INCOME):
        return show(turn, negotiation.state_wish(turn.deps, turn.conversation_id, _ASKED_LATER[intent]))
    return None


def _goes_on(turn: Turn) -> bool:
    current = negotiation.state(turn.deps, turn.conversation_id)
    return isinstance(current, State) and current.stage is not Stage.NONE
