"""Answers about rights as they are said: in short, and in full when that is asked for."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Turn
from actions.plan_answers import show
from actions.rights import AnswerRight
from bot.services.deps import Deps
from bot.services.negotiation import NoPlan
from bot.settings import ROOT
from bot.workout.offer import NoOfferReason

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))


def a_turn(deps: Deps, chat: str, message: dict[str, Any]) -> tuple[Turn, list[dict[str, Any]]]:
    """A turn, and what will have been said in it."""
    dispatcher = CollectingDispatcher()
    tracker = Tracker(chat, {}, message, [], False, None, {}, "")
    said: list[dict[str, Any]] = dispatcher.messages
    return Turn(deps, dispatcher, tracker, DOMAIN), said


def pressed(deps: Deps, chat: str, topic: str) -> list[dict[str, Any]]:
    turn, said = a_turn(
        deps,
        chat,
        {
            "text": "",
            "intent": {"name": "rights"},
            "entities": [{"entity": "topic", "value": topic}],
            "metadata": {"is_payload": True},
        },
    )
    AnswerRight(deps).handle(turn)
    return said


def test_the_longer_answer_is_one_button_away(deps: Deps, chat: str) -> None:
    short = pressed(deps, chat, "legal_action")
    (button,) = short[-1]["buttons"]
    assert button["payload"] == '/rights{"topic": "legal_action.civil_matter"}'
    (longer,) = pressed(deps, chat, "legal_action.civil_matter")
    article = deps.rights.article("legal_action.civil_matter")
    assert article is not None
    assert longer["response"] == "utter_right_longer"
    assert [line.removeprefix("· ") for line in longer["paragraphs"].split("\n")] == list(article.longer_answer)


@pytest.mark.parametrize("unknown", ["legal_action.nothing", "."])
def test_an_article_that_is_not_there_is_not_made_up(deps: Deps, chat: str, unknown: str) -> None:
    assert [message["response"] for message in pressed(deps, chat, unknown)] == ["utter_right_unknown"]


@pytest.mark.parametrize(
    ("reason", "after"),
    [
        (NoOfferReason.NOTHING_OWED, []),
        (NoOfferReason.TIME_BARRED_OR_UNKNOWN, ["utter_no_plan_explained"]),
        (NoOfferReason.HOLD, ["utter_no_plan_explained"]),
        (NoOfferReason.NO_SURPLUS, ["utter_no_plan_person"]),
    ],
)
def test_other_ways_of_paying_are_spoken_of_only_where_they_may_be(
    deps: Deps, chat: str, reason: NoOfferReason, after: list[str]
) -> None:
    turn, said = a_turn(deps, chat, {"text": "想分期", "intent": {"name": "request_installment"}})
    show(turn, NoPlan(reason))
    assert [message["response"] for message in said] == [f"utter_no_plan_{reason.value}", *after]
