"""Reading one message as an answer to the negotiation's question of the moment, and saying what came of it."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet

from actions.base import Turn
from actions.budget_answers import OTHER_DEBTS, take_budget, take_correction
from actions.evidence_words import ask_evidence
from actions.plan_words import explain_refusal, show_agreement, show_offers
from actions.step_form import end_form, verify_again
from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.lending.money import format_yuan
from bot.lending.schedule import add_months
from bot.services import agreements, handoff, identity, negotiation
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal
from bot.services.negotiation import BUDGET_STAGES, Blocked, Countered, NoPlan, NotSettled, Result, Stage, State
from bot.text.amounts import AmountRange
from bot.text.assent import may_be_assent
from bot.text.dates import DateValue
from bot.text.normalize import normalize_text
from bot.text.periods import MonthCount
from bot.text.values import extract
from bot.workout.counter import BorrowerProposal
from bot.workout.hardship_reading import read_hardship
from bot.workout.offer import NoOfferReason
from bot.workout.policy_sections import HardshipKind
from bot.workout.reading import read_position
from bot.workout.wish_reading import read_wish

STEP = "plan_step"
PLAN_FORM = "plan_form"
MARK = "plan"
GOAL_AGAIN = "action_open_plan"

_AGREES = frozenset({"affirm", "accept_offer"})
_DECLINES = frozenset({"deny", "reject_offer"})
_WANTS_MORE = frozenset({"ask_other_options", "reject_offer", "request_relief"})
_WISHES = frozenset(
    {
        "propose_payment",
        "request_installment",
        "request_relief",
        "request_settlement",
        "request_deferral",
        "promise_to_pay",
    }
)
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

_NOT_PRESSED = frozenset({NoOfferReason.HOLD, NoOfferReason.TIME_BARRED_OR_UNKNOWN})
"""Reasons after which no other way of paying is spoken of (rule N8)."""
_TELLS_A_REASON = frozenset({"state_hardship", "inform", "deny", "affirm", "report_missed_installment"})
_CANNOT_AT_ONCE = frozenset({"deny", "state_hardship", "reject_offer", "request_installment", "refuse_to_pay"})


def take(turn: Turn, current: State) -> list[EventType] | None:
    """Hand the message to the negotiation. None means that it was no answer to the question asked."""
    match current.stage:
        case Stage.CREDITOR:
            return _take_creditor(turn, current)
        case Stage.HARDSHIP:
            return _take_hardship(turn)
        case Stage.START:
            return _take_start(turn)
        case Stage.IN_HAND:
            return _take_in_hand(turn)
        case stage if stage in BUDGET_STAGES:
            return _take_means(turn, current)
        case Stage.CHOICE:
            return _take_choice(turn, current)
        case Stage.APPROVAL:
            return _take_approval(turn, current)
        case Stage.WAITING:
            return [end_form()]
        case _:
            return _take_answer(turn, current)


def wish_in(turn: Turn, text: str, intent: str) -> BorrowerProposal | None:
    """Return what a message asks of a plan. A sum on a day, said as a promise, is one and no plan."""
    if intent in _ABOUT_SOMETHING_ELSE or not text:
        return None
    now, plain = turn.deps.now(), normalize_text(text)
    wish = read_wish(extract(plain, now), plain, business_date(now))
    return None if wish is not None and intent == "promise_to_pay" and wish.first_on is not None else wish


def show(turn: Turn, result: Result | NotVerified | Blocked, *, noted: bool = False) -> list[EventType]:
    """Say what a step led to; ``noted`` says as well that a wish is kept until it can be answered."""
    match result:
        case NotVerified():
            return verify_again(GOAL_AGAIN)
        case Blocked():
            return [*say_blocked(turn, result), end_form()]
        case NoPlan():
            turn.say(f"utter_no_plan_{result.reason.value}")
            if result.reason is NoOfferReason.NOTHING_OWED:
                return [end_form()]
            turn.say("utter_no_plan_explained" if result.reason in _NOT_PRESSED else "utter_no_plan_person")
            handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NO_PLAN_FITS)
            return [end_form()]
        case NotSettled():
            turn.say(f"utter_not_settled_{result.why.value}")
            return []
        case Countered(offer, None):
            turn.say("utter_proposal_met" if offer.needs_approval is None else "utter_proposal_met_approval")
            return []
        case Countered(offer, why):
            turn.say(f"utter_proposal_nearest_{why.value}" if why else "utter_proposal_met")
            show_offers(turn, (offer,))
            return []
        case State():
            return _show_state(turn, result, noted=noted)


def say_blocked(turn: Turn, why: Blocked) -> list[EventType]:
    """Say why there is nothing to negotiate, and call a person where one can go on."""
    turn.say(f"utter_no_negotiation_{why.value}")
    if why in (Blocked.OLD_DEBT, Blocked.ALL_DISPUTED):
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.OLD_DEBT)
    elif why is Blocked.NO_REPLANS_LEFT:
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NO_PLAN_FITS)
    elif why is Blocked.ON_HOLD:
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.ON_HOLD)
    return []


def _show_state(turn: Turn, state: State, *, noted: bool) -> list[EventType]:
    if state.no_settlement:
        turn.say("utter_not_settled_settlement_not_offered")
        return show(turn, negotiation.state_wish(turn.deps, turn.conversation_id, None))
    if state.stage is Stage.CHOICE:
        if not state.offers:
            turn.say("utter_no_better_offer")
        show_offers(turn, state.offers)
    elif noted and state.stage in (Stage.CREDITOR, Stage.HARDSHIP, *BUDGET_STAGES):
        turn.say("utter_wish_noted")
    return []


def _take_creditor(turn: Turn, current: State) -> list[EventType] | None:
    pressed = turn.pressed("choice")
    position = int(pressed) if pressed and pressed.isdigit() else read_position(turn.text, len(current.creditors))
    if position is None:
        return None
    return show(turn, negotiation.choose_creditor(turn.deps, turn.conversation_id, position))


def _take_hardship(turn: Turn) -> list[EventType] | None:
    pressed = turn.pressed("choice")
    known = {kind.value: kind for kind in HardshipKind}
    hardship = known.get(pressed or "") or read_hardship(turn.text)
    if hardship is None and turn.intent not in _TELLS_A_REASON:
        return None
    negotiation.tell_hardship(turn.deps, turn.conversation_id, hardship or HardshipKind.OTHER)
    turn.say("utter_hardship_heard")
    return _also_wished(turn)


def _also_wished(turn: Turn) -> list[EventType]:
    wish = wish_in(turn, turn.text, turn.intent)
    return show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish), noted=True) if wish else []


def _take_start(turn: Turn) -> list[EventType] | None:
    now = turn.deps.now()
    today = business_date(now)
    values = [value.payload for value in (extract(turn.text, now) if turn.text else ())]
    days = [payload.day for payload in values if isinstance(payload, DateValue) and payload.day is not None]
    spans = [payload.low for payload in values if isinstance(payload, MonthCount) and payload.low == payload.high]
    if len(days) == 1 or len(spans) == 1:
        first_on = days[0] if days else add_months(today, spans[0])
        wish = BorrowerProposal(first_on=first_on)
        return show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish), noted=True)
    if turn.intent in ("deny", "inform", "repeat") or any(isinstance(payload, DateValue) for payload in values):
        # No day can be named yet: the plans there are begin as late as the policy lets them.
        return show(turn, negotiation.state_wish(turn.deps, turn.conversation_id, None))
    return None


def _take_in_hand(turn: Turn) -> list[EventType] | None:
    wish = wish_in(turn, turn.text, turn.intent)
    if wish is not None and wish.settle_fen is None and wish.monthly_fen is None:
        return show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish), noted=True)
    now = turn.deps.now()
    amounts = [v.payload for v in (extract(turn.text, now) if turn.text else ()) if isinstance(v.payload, AmountRange)]
    if len(amounts) == 1 and turn.intent not in _ABOUT_SOMETHING_ELSE:
        amount = amounts[0]
        if amount.low_fen == amount.high_fen and amount.low_fen > 0:
            settling = BorrowerProposal(settle_fen=amount.low_fen)
            return show(turn, negotiation.propose(turn.deps, turn.conversation_id, settling))
        turn.say("utter_unclear_amount", low=format_yuan(amount.low_fen), high=format_yuan(amount.high_fen))
        return []
    if turn.intent in _CANNOT_AT_ONCE:
        turn.say("utter_no_settlement_then")
        return show(turn, negotiation.state_wish(turn.deps, turn.conversation_id, None))
    return None


def _take_means(turn: Turn, current: State) -> list[EventType] | None:
    told = take_budget(turn, current)
    if told is not None:
        return show(turn, told)
    # What opened the form has been read for a wish already.
    if turn.slot("requested_slot") != STEP or turn.intent not in _WISHES:
        return None
    return _also_wished(turn) or None


def _take_choice(turn: Turn, current: State) -> list[EventType] | None:
    offer_id = turn.pressed("offer")
    if offer_id == "back":
        return show(turn, current)
    if offer_id:
        negotiation.choose(turn.deps, turn.conversation_id, offer_id=offer_id)
        return []
    if turn.pressed("choice") == OTHER_DEBTS:
        negotiation.ask_other_debts(turn.deps, turn.conversation_id)
        return []
    wish = wish_in(turn, turn.text, turn.intent)
    if wish is None and not turn.is_payload and (told := take_correction(turn, current)) is not None:
        return show(turn, told)
    if turn.intent in _WANTS_MORE and wish is None:
        return _show_more(turn, current)
    position = read_position(turn.text, len(current.offers))
    if position is None and wish is not None:
        return show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish))
    if position is None and turn.intent in _AGREES and len(current.offers) == 1:
        position = 1
    if position is None:
        return None
    negotiation.choose(turn.deps, turn.conversation_id, position=position)
    return []


def _show_more(turn: Turn, current: State) -> list[EventType]:
    more = negotiation.more_options(turn.deps, turn.conversation_id)
    if isinstance(more, State) and {o.offer_id for o in more.offers} == {o.offer_id for o in current.offers}:
        turn.say("utter_no_better_offer")
        return []
    return show(turn, more)


def _take_approval(turn: Turn, current: State) -> list[EventType] | None:
    chosen_id = current.chosen.offer_id if current.chosen else ""
    if turn.pressed("agree") == chosen_id or (turn.intent in _AGREES and not turn.carries_choice):
        if not may_be_assent(turn.text):
            return []
        asked = negotiation.ask_approval(turn.deps, turn.conversation_id, turn.message_id)
        if isinstance(asked, NotVerified):
            return verify_again(GOAL_AGAIN)
        if asked.stage is not Stage.WAITING:
            return []  # a yes typed before the figures were there asks for nothing: they are shown, and asked again
        turn.say("utter_approval_requested")
        ask_evidence(turn)
        return [end_form()]
    return _turn_away(turn, current)


def _turn_away(turn: Turn, current: State) -> list[EventType] | None:
    """Take a message that leaves the chosen offer: for another one, for all of them, or for a wish of one's own."""
    pressed = turn.pressed("offer")
    if pressed is not None and pressed != "back":
        negotiation.choose(turn.deps, turn.conversation_id, offer_id=pressed)
        return []
    wish = wish_in(turn, turn.text, turn.intent)
    if wish is None and not turn.is_payload and turn.intent not in _ABOUT_SOMETHING_ELSE:
        told = take_correction(turn, current)
        if told is not None:
            return show(turn, told)
    if pressed == "back" or (wish is None and _wants_others(turn, current)):
        back = negotiation.unchoose(turn.deps, turn.conversation_id)
        turn.say("utter_back_to_offers")
        if isinstance(back, State) and len(back.offers) < 2:  # only what was just turned away
            return show(turn, negotiation.more_options(turn.deps, turn.conversation_id))
        return show(turn, back)
    return None if wish is None else show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish))


def _wants_others(turn: Turn, current: State) -> bool:
    if turn.intent in _DECLINES | _WANTS_MORE:
        return True
    # 第二个 names what may never have been shown: the plans are, before one of them is chosen.
    named = read_position(turn.text, len(current.offers))
    return named is not None and turn.intent not in _ABOUT_SOMETHING_ELSE


def _take_answer(turn: Turn, current: State) -> list[EventType] | None:
    if shown_hash := turn.pressed("agree"):
        return _accept(turn, shown_hash)
    left = _turn_away(turn, current)
    if left is not None or turn.intent not in _AGREES:
        return left
    if not may_be_assent(turn.text):
        return []
    seen = agreements.read_back_seen(turn.deps, turn.conversation_id, turn.message_id)
    # A yes that was typed before the text was there agrees to nothing: the text is shown, and asked again.
    return [] if isinstance(seen, AcceptRefusal) else _accept(turn, seen.text_hash)


def _accept(turn: Turn, shown_hash: str) -> list[EventType]:
    result = agreements.accept(turn.deps, turn.conversation_id, shown_hash)
    if result in (AcceptRefusal.NEEDS_FRESH_CHECK, AcceptRefusal.NOT_VERIFIED):
        turn.say("utter_fresh_check_first")
        identity.lapse(turn.deps, turn.conversation_id)
        return verify_again(GOAL_AGAIN)
    if result is AcceptRefusal.FIGURES_CHANGED:
        explain_refusal(turn, result)
        return show(turn, negotiation.more_options(turn.deps, turn.conversation_id))
    if isinstance(result, AcceptRefusal):
        explain_refusal(turn, result)
        if result is AcceptRefusal.PLAN_IN_FORCE:
            negotiation.end(turn.deps, turn.conversation_id)
            return [end_form()]
        return []
    show_agreement(turn, result)
    return [SlotSet(STEP, "agreed")]
