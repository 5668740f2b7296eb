"""Rights and consequences, from the checked articles."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import DeskAction, Turn
from actions.contact_wishes import asks_why_again
from actions.contact_words import tell_known_pauses
from bot.services import knowledge


class AnswerRight(DeskAction):
    """Answers a question about rights, with its source, also in the middle of anything else."""

    action_name = "action_answer_right"

    def handle(self, turn: Turn) -> list[EventType]:
        """Tell the article of the topic, or say that nothing checked is known."""
        topic = turn.pressed("topic") or turn.topic or "overview"
        if topic == "outsourcing" and asks_why_again(turn):
            tell_known_pauses(turn)
        answer = knowledge.answer_right(turn.deps, turn.conversation_id, topic, turn.articles)
        if answer is None:
            turn.say("utter_right_unknown")
            return []
        turn.say(f"utter_rights/{topic}", answer=answer.answer)
        turn.say("utter_right_source", limits=answer.does_not_mean, citation=answer.citation)
        turn.say("utter_right_next", next_step=answer.next_step)
        return []
