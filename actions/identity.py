"""Proving identity, and letting go of a wrong one."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, Button, DeskAction, Turn, leave_forms, verify_first
from actions.step_form import AskStep, end_form, gives_time, leave_to_think, seen, was_seen_by
from bot.clock import local
from bot.identity.factors import (
    asks_to_send_again,
    asks_why,
    is_bare_number,
    is_out_of_reach,
    read_claim,
    read_code,
    read_id_tail,
    wants_new_code,
)
from bot.identity.levels import Level
from bot.identity.third_party import Speaker
from bot.services import identity, negotiation, third_parties
from bot.services.accounts import NotVerified
from bot.services.conversations import SHARE_PHONE
from bot.services.identity import Outcome, Progress, Step
from bot.services.negotiation import Stage

STEP = "identity_step"
_MARK = "verify"
_MAY_BE_ABOUT_IDENTITY = frozenset({"verify_identity", "deny", "inform", "nlu_fallback"})
CONTINUE, UNBIND = "continue", "unbind"
"""What a link from the web page and the command to unbind carry as their topic."""


class StartVerification(DeskAction):
    """Begins verification, unless it has been done."""

    action_name = "action_start_verification"

    def handle(self, turn: Turn) -> list[EventType]:
        """Start the form, or say that there is no need; whoever comes from the web page goes on there."""
        if turn.pressed("topic") == CONTINUE:
            return _continue(turn)
        if identity.who(turn.deps, turn.conversation_id).level is Level.VERIFIED:
            turn.say("utter_already_verified")
            return []
        return [FollowupAction(VERIFY_FORM)]


class ContinueCase(DeskAction):
    """Goes on where the borrower left off on another channel."""

    action_name = "action_continue_case"

    def handle(self, turn: Turn) -> list[EventType]:
        """Take up the negotiation that is open; else say what is agreed, or what is owed."""
        current = negotiation.state(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return verify_first(turn, self.action_name)
        is_open = current.stage not in (Stage.NONE, Stage.WAITING)
        return [FollowupAction("action_open_plan" if is_open else "action_tell_plan_status")]


class ValidateVerifyForm(DeskAction):
    """Takes one answer to the verification question of the moment."""

    action_name = "validate_verify_form"

    def handle(self, turn: Turn) -> list[EventType]:
        """Read the message as the factor that is waited for; leave it alone if it is not one."""
        if was_seen_by(_MARK, turn):
            return []
        opening = turn.slot("requested_slot") != STEP
        before = _begin(turn) if opening else identity.progress(turn.deps, turn.conversation_id)
        if before.outcome is Outcome.LOCKED:
            return [seen(_MARK, turn), end_form()]
        if before.step is Step.DONE:
            return [seen(_MARK, turn), SlotSet(STEP, "done")]
        if not opening and not turn.is_payload and _cannot_answer(turn, before.step):
            turn.say(f"utter_cannot_verify_{before.step.value}")
            return leave_to_think(turn)
        after = None if turn.is_payload else _answer(turn, before.step, opening)
        if after is None and not opening and is_bare_number(turn.text):
            # Digits of another length answer this question and no other.
            turn.say(f"utter_unfit_{before.step.value}")
            return [seen(_MARK, turn)]
        if after is None and not opening and asks_why(turn.text):
            turn.say(f"utter_simpler_verify_{before.step.value}")
            return [seen(_MARK, turn)]
        if after is None and not opening and gives_time(turn):
            turn.say("utter_take_your_time")
            return leave_to_think(turn)
        if after is None:
            return [seen(_MARK, turn)] if opening else []
        _comment(turn, before.step, after)
        events: list[EventType] = [seen(_MARK, turn)]
        if after.step is Step.DONE:
            return [*events, SlotSet(STEP, "done")]
        return [*events, end_form()] if after.outcome is Outcome.LOCKED else events


class AskIdentityStep(AskStep):
    """Asks the verification question of the moment."""

    action_name = "action_ask_identity_step"

    def ask(self, turn: Turn) -> None:
        """Ask for the claim, the code or the last four."""
        step = identity.progress(turn.deps, turn.conversation_id).step
        if step is Step.CLAIM:
            turn.say("utter_ask_claim", [Button(turn.phrase("utter_part_share_phone"), SHARE_PHONE)])
        else:
            turn.say(f"utter_ask_{step.value}" if step is not Step.DONE else "utter_already_verified")


class AfterVerification(DeskAction):
    """Takes up what the borrower wanted before identity had to be proved."""

    action_name = "action_after_verification"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go on with the remembered wish, or ask what to do."""
        done: list[EventType] = [SlotSet(STEP, None), SlotSet(GOAL, None)]
        if identity.who(turn.deps, turn.conversation_id).level is not Level.VERIFIED:
            locked = identity.progress(turn.deps, turn.conversation_id).locked_until
            if locked is not None:
                turn.say("utter_verification_locked", time=f"{local(locked):%H:%M}")
            return done
        turn.say("utter_verified")
        goal = turn.slot(GOAL)
        if goal and goal.startswith("action_"):
            return [*done, FollowupAction(goal)]
        turn.say("utter_what_now")
        return done


class MeetStranger(DeskAction):
    """Somebody is not the person, or wants their account unbound: nothing is disclosed, the binding is released."""

    action_name = "action_meet_stranger"

    def handle(self, turn: Turn) -> list[EventType]:
        """Release; apologise to a stranger, and tell a borrower what stays on the phone."""
        if turn.pressed("topic") == UNBIND:
            identity.release_binding(turn.deps, turn.conversation_id, "asked")
            turn.say("utter_unbound")
        else:
            speaker = third_parties.meet_stranger(turn.deps, turn.conversation_id, turn.text)
            turn.say("utter_number_changed" if speaker is Speaker.NUMBER_CHANGED_HANDS else "utter_wrong_person")
        return [*leave_forms(), SlotSet(GOAL, None), SlotSet(STEP, None)]


class MeetThirdParty(DeskAction):
    """Somebody speaks for another: nothing is disclosed, not even that a case exists; a person may follow up."""

    action_name = "action_meet_third_party"

    def handle(self, turn: Turn) -> list[EventType]:
        """Say what can be done for whoever speaks; a person is called."""
        speaker = third_parties.meet_third_party(turn.deps, turn.conversation_id, turn.text)
        turn.say(f"utter_third_party_{speaker.value}")
        if turn.can_say(f"utter_third_party_{speaker.value}_next"):
            turn.say(f"utter_third_party_{speaker.value}_next")
        return leave_forms()


def _continue(turn: Turn) -> list[EventType]:
    if identity.who(turn.deps, turn.conversation_id).level is Level.VERIFIED:
        return [FollowupAction(ContinueCase.action_name)]
    turn.say("utter_continue_here")
    return [SlotSet(GOAL, ContinueCase.action_name), FollowupAction(VERIFY_FORM)]


def _begin(turn: Turn) -> Progress:
    """Start afresh, unless a challenge of a moment ago is still open."""
    current = identity.progress(turn.deps, turn.conversation_id)
    return identity.start(turn.deps, turn.conversation_id) if current.step is not Step.DONE else current


def _answer(turn: Turn, step: Step, opening: bool) -> Progress | None:
    if step is Step.CLAIM:
        claim = read_claim(turn.text, expected=not opening)
        return identity.answer_claim(turn.deps, turn.conversation_id, claim) if claim else None
    if opening:
        return None
    if step is Step.CODE:
        code = read_code(turn.text)
        if code:
            return identity.answer_code(turn.deps, turn.conversation_id, code)
        if wants_new_code(turn.text):
            return identity.resend_code(turn.deps, turn.conversation_id)
        claim = read_claim(turn.text, expected=False)
        return identity.answer_claim(turn.deps, turn.conversation_id, claim) if claim else None
    tail = read_id_tail(turn.text)
    return identity.answer_id_tail(turn.deps, turn.conversation_id, tail) if tail else None


def _cannot_answer(turn: Turn, step: Step) -> bool:
    """Whether what is asked for is out of reach, and nothing beside it is an answer (忘了号,我叫张伟)."""
    if not is_out_of_reach(turn.text, is_about_identity=turn.intent in _MAY_BE_ABOUT_IDENTITY):
        return False
    if step is Step.ID_TAIL:
        return read_id_tail(turn.text) is None
    if step is Step.CODE and (read_code(turn.text) or asks_to_send_again(turn.text)):
        return False
    return read_claim(turn.text, expected=step is Step.CLAIM) is None


def _comment(turn: Turn, asked: Step, after: Progress) -> None:
    if after.outcome is Outcome.WRONG:
        turn.say(f"utter_wrong_{asked.value}", left=str(after.attempts_left))
    elif after.outcome is Outcome.CODE_EXPIRED:
        turn.say("utter_code_expired")
