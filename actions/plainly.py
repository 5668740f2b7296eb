"""Saying the open question again in simpler words, for whoever did not understand it."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions import cases as case_form
from actions import identity as verify_form
from actions import plan_answers as plan_form
from actions import promise as promise_form
from actions.base import DeskAction, Turn
from actions.plan_words import say_plainly
from bot.services import cases, identity, negotiation, promises
from bot.services.case_questions import Asked
from bot.services.negotiation import Stage, State
from bot.services.promises import Promised


class SayPlainly(DeskAction):
    """Says what the open question means, why it is asked, and what would do as an answer; the form asks it again."""

    action_name = "action_say_plainly"

    def handle(self, turn: Turn) -> list[EventType]:
        """Explain what is asked at the moment; where nothing is, say what there is to do here."""
        plan = _plan(turn)
        asked = f"plan_{plan.stage.value}" if plan is not None else _asked(turn)
        if asked is None or not turn.can_say(f"utter_simpler_{asked}"):
            turn.say("utter_repeat")
            return []
        if plan is not None:
            say_plainly(turn, plan)
        turn.say(f"utter_simpler_{asked}")
        return []


def _plan(turn: Turn) -> State | None:
    """Return the negotiation, if it is what waits for an answer."""
    if turn.slot("requested_slot") != plan_form.STEP:
        return None
    plan = negotiation.state(turn.deps, turn.conversation_id)
    return plan if isinstance(plan, State) and plan.stage is not Stage.NONE else None


def _asked(turn: Turn) -> str | None:
    """Return any other form and its step that wait for an answer, as the responses name them."""
    match turn.slot("requested_slot"):
        case verify_form.STEP:
            return f"verify_{identity.progress(turn.deps, turn.conversation_id).step.value}"
        case promise_form.STEP:
            promise = promises.state(turn.deps, turn.conversation_id)
            return f"promise_{promise.step.value}" if isinstance(promise, Promised) else None
        case case_form.STEP:
            case = cases.asked(turn.deps, turn.conversation_id)
            return f"case_{case.step.value}" if isinstance(case, Asked) else None
    return None
