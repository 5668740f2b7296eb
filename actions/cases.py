"""Disputes and complaints in the chat: raised from anywhere, told piece by piece, taken back, asked about."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, DeskAction, Turn, VerifiedAction, verify_first
from actions.case_words import (
    ask_case,
    ask_withdrawal,
    say_complained,
    say_evidence,
    say_opened,
    say_tell_later,
    tell_case,
)
from bot.cases.kinds import CaseKind, Family
from bot.cases.reading import asks_for_progress, means_every_debt, read_kind, says_enough, takes_back
from bot.services import cases, negotiation, promises, said
from bot.services.accounts import NotVerified
from bot.services.cases import Asked, NotDisputed, Step
from bot.services.negotiation import Stage, State
from bot.services.promises import Promised
from bot.services.promises import Step as PromiseStep
from bot.text.normalize import normalize_text
from bot.workout.reading import read_position

STEP = "case_step"
SEEN = "form_seen"
BACK = "case_back"
FORM = "case_form"
_FORMS = {"plan_step": "plan_form", "promise_step": "promise_form"}
_AGREES = frozenset({"affirm", "accept_offer"})
_DECLINES = frozenset({"deny", "reject_offer"})
_SAYS_ALL = frozenset({"deny", "thank", "goodbye", "affirm"})
_NO_FACTS = frozenset(
    {
        "cancel",
        "request_human",
        "request_callback",
        "stop_contact",
        "set_reminder",
        "express_distress",
        "ask_complaint",
        "ask_balance",
        "ask_breakdown",
        "ask_capabilities",
        "ask_legitimacy",
        "ask_plan_status",
        "ask_repayment_channel",
        "bot_challenge",
        "greet",
        "repeat",
        "rights",
        "verify_identity",
        "request_installment",
    }
)
"""Messages that tell nothing of what happened, even where that was asked."""

_LONG_ENOUGH = 6
"""Characters from which a text that names no kind is a story told, and no answer to which kind it is."""


class Complain(DeskAction):
    """Takes a complaint at once, from whoever makes it; what was going on goes on afterwards."""

    action_name = "action_complain"

    def handle(self, turn: Turn) -> list[EventType]:
        """Put it on record, say number, day and outside routes, and ask what happened unless something else waits."""
        kind = _kind_said(turn, Family.COMPLAINT)
        current = cases.asked(turn.deps, turn.conversation_id)
        is_draft = isinstance(current, Asked) and current.draft_id is not None
        waits = (turn.slot("requested_slot") not in (None, STEP)) or is_draft
        done = cases.complain(turn.deps, turn.conversation_id, kind, _words(turn), turn.message_id, asks=not waits)
        if done is None:
            return []
        named = done.case.kind
        dangerous = turn.intent == "complain_harassment" or (named is not None and named.may_be_dangerous)
        say_complained(turn, done.case, is_new=done.is_new, may_be_dangerous=dangerous)
        if waits:
            say_tell_later(turn)
            return []
        return [SlotSet(SEEN, _mark(turn)), *_goes_on(turn)]


class OpenDispute(VerifiedAction):
    """The borrower disputes a debt: asks which and why, reads it back, and opens it by an explicit yes."""

    action_name = "action_open_dispute"

    def tell(self, turn: Turn) -> list[EventType]:
        """Begin the dispute, or go on with it; a question about one that is open is answered instead."""
        if draft_id := turn.pressed("agree"):
            return [SlotSet(SEEN, _mark(turn)), *_confirm(turn, draft_id), *_goes_on(turn)]
        if turn.pressed("choice") == "drop":
            return [SlotSet(SEEN, _mark(turn)), *_drop(turn)]
        words = _words(turn) if turn.intent == "dispute_debt" else _before_proof(turn)
        plain = normalize_text(words)
        if asks_for_progress(plain) and _has_dispute(turn):
            return [FollowupAction(TellCases.action_name)]
        kind = read_kind(Family.DISPUTE, plain)
        begun = cases.begin_dispute(turn.deps, turn.conversation_id, kind, words, turn.message_id)
        if isinstance(begun, NotVerified):
            return verify_first(turn, self.action_name)
        if begun is NotDisputed.NOTHING_OWED:
            turn.say("utter_nothing_owed")
            return []
        if isinstance(begun, NotDisputed):
            turn.say("utter_dispute_known")
            return [FollowupAction(TellCases.action_name)]
        back = _FORMS.get(turn.slot("requested_slot") or "")
        return [SlotSet(SEEN, _mark(turn)), SlotSet(BACK, back), FollowupAction(FORM)]


class ValidateCaseForm(DeskAction):
    """Takes one answer to the question about a case; leaves any other message alone."""

    action_name = "validate_case_form"

    def handle(self, turn: Turn) -> list[EventType]:
        """Read the message for a debt, a kind, the yes, or what happened."""
        if (turn.slot(SEEN) or "").endswith(f":{turn.message_id}"):
            return []
        current = cases.asked(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return [
                SlotSet(SEEN, _mark(turn)),
                SlotSet(GOAL, OpenDispute.action_name),
                SlotSet("requested_slot", None),
            ]
        if current.step is Step.NONE:
            return [SlotSet(SEEN, _mark(turn)), SlotSet("requested_slot", None)]
        result = _take(turn, current)
        return [] if result is None else [SlotSet(SEEN, _mark(turn)), *result]


class AskCaseStep(DeskAction):
    """Asks the question of the moment."""

    action_name = "action_ask_case_step"

    def handle(self, turn: Turn) -> list[EventType]:
        """Ask, and note for the yes in answer to what it was asked."""
        current = cases.asked(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return []
        ask_case(turn, current)
        if current.step is Step.YES:
            cases.put_question(turn.deps, turn.conversation_id, turn.message_id)
        return []


class AfterCase(DeskAction):
    """The questions have ended: what they interrupted goes on, if it is still open."""

    action_name = "action_after_case"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go back to the form that was left, or prove identity again where that ended it."""
        ended: list[EventType] = [SlotSet(STEP, None), SlotSet(BACK, None)]
        if turn.slot(GOAL) == OpenDispute.action_name:
            return [SlotSet(STEP, None), FollowupAction(VERIFY_FORM)]
        back = turn.slot(BACK)
        return [*ended, FollowupAction(back)] if back and _is_still_open(turn, back) else ended


class TellCases(DeskAction):
    """What became of complaints and disputes, taking one back, telling more, and the outside routes."""

    action_name = "action_tell_cases"

    def handle(self, turn: Turn) -> list[EventType]:
        """Do what a button says, else tell every case that may be told of here, and where else to go."""
        choice, named = turn.pressed("choice"), turn.pressed("agree")
        if choice == "facts":
            return _ask_facts(turn, named)
        if choice == "withdrawn" and named:
            return _withdraw(turn, named)
        if choice == "keep":
            turn.say("utter_case_kept")
            return []
        found = cases.progress(turn.deps, turn.conversation_id)
        open_ones = [case for case in found.cases if case.is_open and named in (None, case.case_id)]
        if choice == "withdraw" or (not turn.is_payload and takes_back(turn.text)):
            for case in open_ones:
                ask_withdrawal(turn, case)
            if open_ones:
                return []
        for case in found.cases:
            tell_case(turn, case, openly=found.is_verified)
        if not found.is_verified and any(not case.is_open for case in found.cases):
            turn.say("utter_case_more_after_proof")
        elif not found.cases and asks_for_progress(turn.text):
            turn.say("utter_case_none" if found.is_verified else "utter_case_none_here")
        turn.say("utter_complaint_routes")
        return []


def _take(turn: Turn, current: Asked) -> list[EventType] | None:
    choice = turn.pressed("choice")
    if draft_id := turn.pressed("agree"):
        return _confirm(turn, draft_id) if current.step is Step.YES else None
    if choice == "drop":
        return _drop(turn)
    if current.step is Step.DEBT:
        return _take_debt(turn, current, choice)
    if current.step is Step.KIND:
        return _take_kind(turn, current, choice)
    if current.step is Step.YES:
        return _take_yes(turn, current)
    return _take_fact(turn, current, choice)


def _take_debt(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    if choice == "all" or (choice is None and means_every_debt(turn.text)):
        cases.choose_debts(turn.deps, turn.conversation_id, None)
        return []
    place = int(choice) if choice and choice.isdigit() else read_position(turn.text, len(current.debts))
    if place is None:
        return _drop(turn) if turn.intent in _DECLINES else None
    cases.choose_debts(turn.deps, turn.conversation_id, (place,))
    return []


def _take_kind(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    family = current.family or Family.COMPLAINT
    kind = _kind_said(turn, family)
    tells = choice is None and not turn.is_payload and turn.intent not in _NO_FACTS
    if kind is None and family is Family.COMPLAINT and choice == "enough":
        return _end_facts(turn)
    if kind is None and family is Family.COMPLAINT and tells:
        if says_enough(turn.text) or turn.intent in _SAYS_ALL:
            return _end_facts(turn)
        kind = CaseKind.SERVICE if len(turn.text) >= _LONG_ENOUGH else None
    if kind is None:
        return _drop(turn) if family is Family.DISPUTE and turn.intent in _DECLINES else None
    named = cases.choose_kind(turn.deps, turn.conversation_id, kind)
    if family is Family.COMPLAINT and isinstance(named, Asked):
        if kind.may_be_dangerous:
            turn.say("utter_complaint_evidence")
        say_evidence(turn, kind)
        if tells:
            cases.add_fact(turn.deps, turn.conversation_id, turn.raw_text, turn.message_id)
    return []


def _take_yes(turn: Turn, current: Asked) -> list[EventType] | None:
    if turn.is_payload:
        return None
    if turn.intent in _DECLINES:
        return _drop(turn)
    if turn.intent in _AGREES:
        return _confirm(turn, None)
    other = read_kind(Family.DISPUTE, turn.text)
    if turn.intent in ("dispute_debt", "inform") and other is not None and other is not current.kind:
        cases.begin_dispute(turn.deps, turn.conversation_id, other, turn.raw_text, turn.message_id)
        return []
    return None


def _take_fact(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    if choice == "enough":
        return _end_facts(turn)
    if turn.is_payload or not turn.raw_text.strip():
        return None
    if says_enough(turn.text) or turn.intent in _SAYS_ALL:
        return _end_facts(turn)
    if turn.intent in _NO_FACTS:
        return None
    cases.add_fact(turn.deps, turn.conversation_id, turn.raw_text, turn.message_id)
    turn.say("utter_case_fact_noted")
    heard = read_kind(Family.COMPLAINT, turn.text)
    if heard is not None and heard.may_be_dangerous and not (current.kind and current.kind.may_be_dangerous):
        turn.say("utter_complaint_evidence")
    return []


def _confirm(turn: Turn, draft_id: str | None) -> list[EventType]:
    done = cases.confirm(turn.deps, turn.conversation_id, turn.message_id, draft_id)
    if isinstance(done, NotVerified):
        return [SlotSet(GOAL, OpenDispute.action_name), SlotSet("requested_slot", None)]
    if done.step is Step.NONE:
        turn.say("utter_case_gone")
        return [SlotSet("requested_slot", None)]
    if done.case is None:
        return []
    say_opened(turn, done)
    if done.plan_ended or not turn.slot(BACK):
        return []
    # Something waits for its answer: telling more comes later, and what was interrupted goes on.
    cases.stop_asking(turn.deps, turn.conversation_id)
    say_tell_later(turn)
    return [SlotSet("requested_slot", None)]


def _goes_on(turn: Turn) -> list[EventType]:
    """Have the form ask what is still to be asked, if anything is: one without a question would swallow an answer."""
    current = cases.asked(turn.deps, turn.conversation_id)
    return [FollowupAction(FORM)] if isinstance(current, Asked) and current.step is not Step.NONE else []


def _drop(turn: Turn) -> list[EventType]:
    cases.stop_asking(turn.deps, turn.conversation_id)
    turn.say("utter_dispute_dropped")
    return [SlotSet("requested_slot", None)]


def _end_facts(turn: Turn) -> list[EventType]:
    cases.stop_asking(turn.deps, turn.conversation_id)
    turn.say("utter_case_facts_done")
    return [SlotSet("requested_slot", None)]


def _ask_facts(turn: Turn, case_id: str | None) -> list[EventType]:
    asked = cases.ask_facts(turn.deps, turn.conversation_id, case_id)
    if isinstance(asked, NotVerified) or asked.step is Step.NONE:
        turn.say("utter_case_gone")
        return []
    back = _FORMS.get(turn.slot("requested_slot") or "")
    return [SlotSet(SEEN, _mark(turn)), SlotSet(BACK, back), FollowupAction(FORM)]


def _withdraw(turn: Turn, case_id: str) -> list[EventType]:
    done = cases.withdraw(turn.deps, turn.conversation_id, case_id)
    if isinstance(done, NotVerified) or done is None:
        turn.say("utter_case_gone")
    else:
        turn.say(f"utter_case_withdrawn_{done.family.value}", number=done.number)
    return []


def _has_dispute(turn: Turn) -> bool:
    found = cases.progress(turn.deps, turn.conversation_id).cases
    return any(case.family is Family.DISPUTE for case in found)


def _is_still_open(turn: Turn, form: str) -> bool:
    if form == "plan_form":
        plan = negotiation.state(turn.deps, turn.conversation_id)
        return isinstance(plan, State) and plan.stage is not Stage.NONE
    promise = promises.state(turn.deps, turn.conversation_id)
    return isinstance(promise, Promised) and promise.step not in (PromiseStep.NONE, PromiseStep.MADE)


def _kind_said(turn: Turn, family: Family) -> CaseKind | None:
    if turn.is_payload:
        pressed = turn.pressed("choice")
        return next((kind for kind in CaseKind if kind.value == pressed and kind.family is family), None)
    return read_kind(family, turn.text)


def _words(turn: Turn) -> str:
    return "" if turn.is_payload else turn.raw_text


def _before_proof(turn: Turn) -> str:
    return said.before_proof(turn.deps, turn.conversation_id, frozenset({"dispute_debt"}))[1]


def _mark(turn: Turn) -> str:
    return f"case:{turn.message_id}"
