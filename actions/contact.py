"""People: a person in one step, a way out of every step."""

from __future__ import annotations

import json

from rasa_sdk.events import EventType, SlotSet

from actions.base import GOAL, Button, DeskAction, Turn, leave_forms
from actions.call_backs import answer_call_wish, call_off, names_a_call, offer_after_hours, tell_after_hours
from actions.contact_wishes import heard_pause, pause
from actions.step_form import gives_time
from bot.desk.ownership import QueueReason
from bot.services import cases, handoff, negotiation

_CLARIFIED = 3


class RequestHuman(DeskAction):
    """Puts the conversation into the queue; works from every state."""

    action_name = "action_request_human"

    def handle(self, turn: Turn) -> list[EventType]:
        """Queue and say what happens now."""
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.ASKED)
        turn.say("utter_human_coming")
        tell_after_hours(turn)
        return leave_forms()


class Cancel(DeskAction):
    """Stops the present step; works from every state. Nothing is lost that had been agreed."""

    action_name = "action_cancel"

    def handle(self, turn: Turn) -> list[EventType]:
        """Leave the form and the negotiation, or only a dispute not yet confirmed; the queue when there was neither."""
        if gives_time(turn):
            # Nothing is thrown away because somebody wants to think.
            turn.say("utter_take_your_time")
            return []
        if cases.stop_asking(turn.deps, turn.conversation_id):
            turn.say("utter_dispute_dropped")
            return [*leave_forms(), SlotSet("case_step", None), SlotSet("case_back", None)]
        ended = negotiation.end(turn.deps, turn.conversation_id)
        left_queue = not ended and handoff.withdraw(turn.deps, turn.conversation_id)
        case_stays = handoff.keeps_waiting(turn.deps, turn.conversation_id)
        if ended:
            turn.say("utter_cancelled_plan")
        elif not case_stays and not call_off(turn):
            turn.say("utter_left_queue" if left_queue else "utter_cancelled")
        if case_stays:
            turn.say("utter_cancelled_case_stays")
        return [
            *leave_forms(),
            SlotSet(GOAL, None),
            SlotSet("identity_step", None),
            SlotSet("plan_step", None),
            SlotSet("case_back", None),
        ]


class PassOn(DeskAction):
    """What only a person can do: the wish is queued for one, and the borrower is told so; a call gets its time."""

    action_name = "action_pass_on"

    def handle(self, turn: Turn) -> list[EventType]:
        """Queue, and say what happens with this wish; 下个月再联系我 asks for silence until then, and for nobody."""
        later = heard_pause(turn) if turn.intent == "request_callback" and not names_a_call(turn) else None
        if later is not None:
            return pause(turn, turn.text, later)
        if turn.intent == "request_callback":
            return answer_call_wish(turn)
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.ASKED)
        turn.say(f"utter_pass_on_{turn.intent}")
        return []


class Clarify(DeskAction):
    """Not sure what was meant: offers the likeliest meanings as buttons; the second time in a row, a person."""

    action_name = "action_clarify"

    def handle(self, turn: Turn) -> list[EventType]:
        """Offer meanings, or hand over after two misunderstandings (H1)."""
        if turn.not_understood_in_a_row() > 1:
            handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NOT_UNDERSTOOD)
            turn.say("utter_not_understood_person")
            offer_after_hours(turn)
            return []
        meanings = [name for name in turn.ranking if turn.can_say(f"utter_part_meaning_{_key(name)}")][:_CLARIFIED]
        buttons = [Button(turn.phrase(f"utter_part_meaning_{_key(name)}"), _payload(name)) for name in meanings]
        turn.say("utter_clarify", [*buttons, Button(turn.phrase("utter_part_human_button"), "/request_human")])
        return []


def _payload(meaning: str) -> str:
    intent, _, topic = meaning.partition("/")
    return f"/{intent}" + (json.dumps({"topic": topic}) if topic else "")


def _key(intent: str) -> str:
    return intent.replace("/", "_")
