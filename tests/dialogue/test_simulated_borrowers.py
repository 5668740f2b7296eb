"""Ten invented borrowers, one of each persona, through the running desk: no leak, no harm, the same facts alike."""

from __future__ import annotations

import asyncio

import pytest

from tests.running.desk import RunningDesk
from tests.simulation.dialogue import simulate
from tests.simulation.personas import SAME_FACTS, Persona

pytestmark = [pytest.mark.running, pytest.mark.timeout(240)]


def test_each_persona_is_treated_as_it_must_be(desk: RunningDesk) -> None:
    verdict = asyncio.run(simulate(desk.deps, (desk.base,), len(Persona), seed=7, at_once=3))
    shown = "\n".join(verdict.lines())
    assert verdict.wrong == [], shown
    assert not [life.persona for life in verdict.lives if life.unanswered], shown
    plans = {life.persona for life in verdict.lives if life.turns_to_plan is not None}
    # Who is angry may be heard as somebody who complains: a person takes that up, and plans wait.
    assert plans >= set(SAME_FACTS) - {Persona.ANGRY}, shown
    assert not plans & {Persona.THIRD_PARTY, Persona.FRAUDSTER, Persona.IN_CRISIS}, shown
