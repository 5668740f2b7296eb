"""Whoever does not understand a question is told what it means, whichever question it is."""

from __future__ import annotations

import pytest
import yaml

from bot.cases.question import CaseStep
from bot.services.identity import Step as IdentityStep
from bot.services.negotiation import Stage
from bot.services.promises import Step as PromiseStep
from bot.settings import ROOT

RESPONSES = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["responses"]
ASKED = [
    *(f"verify_{step.value}" for step in IdentityStep if step is not IdentityStep.DONE),
    *(f"plan_{stage.value}" for stage in Stage if stage not in (Stage.NONE, Stage.WAITING, Stage.AGREED)),
    *(f"promise_{step.value}" for step in PromiseStep if step not in (PromiseStep.NONE, PromiseStep.MADE)),
    *(f"case_{step.value}" for step in CaseStep if step is not CaseStep.NONE),
]


@pytest.mark.parametrize("asked", ASKED)
def test_every_question_has_simpler_words(asked: str) -> None:
    assert f"utter_simpler_{asked}" in RESPONSES


def test_no_simpler_words_belong_to_a_question_that_is_never_asked() -> None:
    plain = {name.removeprefix("utter_simpler_") for name in RESPONSES if name.startswith("utter_simpler_")}
    assert plain == set(ASKED)
