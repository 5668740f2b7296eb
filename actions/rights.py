"""Rights and consequences, from the checked articles."""

from __future__ import annotations

import json

from rasa_sdk.events import EventType

from actions.base import Button, DeskAction, Turn
from actions.contact_wishes import asks_why_again
from actions.contact_words import tell_known_pauses
from bot.services import knowledge

_IN_FULL = "."
"""What the id of an article holds, and no topic: a button with an id asks for its longer answer."""


class AnswerRight(DeskAction):
    """Answers a question about rights, with its source, also in the middle of anything else."""

    action_name = "action_answer_right"

    def handle(self, turn: Turn) -> list[EventType]:
        """Tell the article of the topic, or say that nothing checked is known."""
        topic = turn.pressed("topic") or turn.topic or "overview"
        if _IN_FULL in topic:
            _tell_in_full(turn, topic)
            return []
        if topic == "outsourcing" and asks_why_again(turn):
            tell_known_pauses(turn)
        answer = knowledge.answer_right(turn.deps, turn.conversation_id, topic, turn.articles)
        if answer is None:
            turn.say("utter_right_unknown")
            return []
        turn.say(f"utter_rights/{topic}", answer=answer.answer)
        turn.say("utter_right_source", limits=answer.does_not_mean, citation=answer.citation)
        more = Button(turn.phrase("utter_part_longer_button"), "/rights" + json.dumps({"topic": answer.article_id}))
        turn.say("utter_right_next", [more], next_step=answer.next_step)
        return []


def _tell_in_full(turn: Turn, article_id: str) -> None:
    """Tell the longer answer of an article that was told in short."""
    paragraphs = knowledge.longer_answer(turn.deps, article_id)
    if paragraphs is None:
        turn.say("utter_right_unknown")
    else:
        turn.say("utter_right_longer", paragraphs="\n".join(f"· {paragraph}" for paragraph in paragraphs))
