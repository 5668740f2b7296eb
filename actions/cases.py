"""Disputes and complaints in the chat: raised from anywhere, told piece by piece, taken back, asked about."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, DeskAction, Turn, VerifiedAction, leave_forms, verify_first
from actions.case_answers import BACK, FACT, GOAL_AGAIN, confirm, drop, kind_said, take
from actions.case_words import (
    ask_case,
    ask_withdrawal,
    say_complained,
    say_tell_later,
    tell_case,
)
from actions.step_form import AskStep, ValidateStepForm, seen, was_seen_by
from bot.cases.kinds import Family
from bot.cases.question import CaseStep
from bot.cases.reading import asks_for_progress, read_kind, takes_back, wants_a_plan
from bot.services import cases, negotiation, promises, said
from bot.services.accounts import NotVerified
from bot.services.case_questions import Asked
from bot.services.cases import NotDisputed
from bot.services.negotiation import Stage, State
from bot.services.promises import Promised
from bot.services.promises import Step as PromiseStep
from bot.text.normalize import normalize_text

STEP = "case_step"
FORM = "case_form"
_MARK = "case"
_FORMS = {"plan_step": "plan_form", "promise_step": "promise_form"}


class Complain(DeskAction):
    """Takes a complaint at once, from whoever makes it; what was going on goes on afterwards."""

    action_name = "action_complain"

    def handle(self, turn: Turn) -> list[EventType]:
        """Put it on record, say number, day and outside routes, and ask what happened unless something else waits."""
        kind = kind_said(turn, Family.COMPLAINT)
        current = cases.asked(turn.deps, turn.conversation_id)
        is_draft = isinstance(current, Asked) and current.draft_id is not None
        waits = (turn.slot("requested_slot") not in (None, STEP)) or is_draft
        done = cases.complain(turn.deps, turn.conversation_id, kind, _words(turn), turn.message_id, asks=not waits)
        if done is None:
            return []
        named = kind or done.case.kind
        say_complained(
            turn, done.case, is_new=done.is_new, may_be_dangerous=named is not None and named.may_be_dangerous
        )
        if named is None and turn.intent == "complain_harassment":
            # What they did was not said in words that are known: it may be a threat.
            turn.say("utter_complaint_evidence")
        if waits:
            say_tell_later(turn)
            return []
        return [seen(_MARK, turn), *_goes_on(turn)]


class OpenDispute(VerifiedAction):
    """The borrower disputes a debt: asks which and why, reads it back, and opens it by an explicit yes."""

    action_name = GOAL_AGAIN

    def tell(self, turn: Turn) -> list[EventType]:
        """Begin the dispute, or go on with it; a question about one that is open is answered instead."""
        if draft_id := turn.pressed("agree"):
            return [seen(_MARK, turn), *confirm(turn, draft_id), *_goes_on(turn)]
        if turn.pressed("choice") == "drop":
            return [seen(_MARK, turn), *drop(turn)]
        words = _words(turn) if turn.intent == "dispute_debt" else _before_proof(turn)
        plain = normalize_text(words)
        if asks_for_progress(plain) and _has_dispute(turn):
            return [FollowupAction(TellCases.action_name)]
        if turn.pressed("choice") == "plan" or (not turn.is_payload and wants_a_plan(plain)):
            return _rather_plan(turn)
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
        return [seen(_MARK, turn), SlotSet(BACK, back), FollowupAction(FORM)]


class ValidateCaseForm(ValidateStepForm[Asked]):
    """Takes a debt, a kind, the yes, or what happened; leaves any other message alone."""

    action_name = "validate_case_form"
    form, goal = _MARK, GOAL_AGAIN

    def current(self, turn: Turn) -> Asked | NotVerified | None:
        """Return the question about a case that is open."""
        asked = cases.asked(turn.deps, turn.conversation_id)
        return None if isinstance(asked, Asked) and asked.step is CaseStep.NONE else asked

    def take(self, turn: Turn, current: Asked) -> list[EventType] | None:
        """Read the message for what is asked."""
        return take(turn, current)


class AskCaseStep(AskStep):
    """Asks the question of the moment."""

    action_name = "action_ask_case_step"

    def ask(self, turn: Turn) -> None:
        """Ask, and note for the yes in answer to what it was asked."""
        current = cases.asked(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return
        ask_case(turn, current, goes_on=was_seen_by(FACT, turn))
        if current.step is CaseStep.YES:
            cases.put_question(turn.deps, turn.conversation_id, turn.message_id)


class AfterCase(DeskAction):
    """The questions have ended: what they interrupted goes on, if it is still open."""

    action_name = "action_after_case"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go back to the form that was left, or prove identity again where that ended it."""
        ended: list[EventType] = [SlotSet(STEP, None), SlotSet(BACK, None)]
        if turn.slot(GOAL) == GOAL_AGAIN:
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


def _goes_on(turn: Turn) -> list[EventType]:
    """Have the form ask what is still to be asked, if anything is: one without a question would swallow an answer."""
    current = cases.asked(turn.deps, turn.conversation_id)
    return [FollowupAction(FORM)] if isinstance(current, Asked) and current.step is not CaseStep.NONE else []


def _rather_plan(turn: Turn) -> list[EventType]:
    """Let go of a dispute that is none, and talk about paying."""
    cases.stop_asking(turn.deps, turn.conversation_id)
    return [*leave_forms(), SlotSet(STEP, None), SlotSet(BACK, None), FollowupAction("action_open_plan")]


def _ask_facts(turn: Turn, case_id: str | None) -> list[EventType]:
    asked = cases.ask_facts(turn.deps, turn.conversation_id, case_id)
    if isinstance(asked, NotVerified) or asked.step is CaseStep.NONE:
        turn.say("utter_case_gone")
        return []
    back = _FORMS.get(turn.slot("requested_slot") or "")
    return [seen(_MARK, turn), SlotSet(BACK, back), FollowupAction(FORM)]


def _withdraw(turn: Turn, case_id: str) -> list[EventType]:
    done = cases.withdraw(turn.deps, turn.conversation_id, case_id)
    if done is None:
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


def _words(turn: Turn) -> str:
    return "" if turn.is_payload else turn.raw_text


def _before_proof(turn: Turn) -> str:
    return said.before_proof(turn.deps, turn.conversation_id, frozenset({"dispute_debt"}))[1]
