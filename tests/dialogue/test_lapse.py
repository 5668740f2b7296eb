"""Identity that lapses in the middle of a plan is proved again in two steps, and the plan goes on."""

from __future__ import annotations

import pytest

from bot.services import identity
from tests.builders.people import a_person
from tests.dialogue.conftest import NewLine
from tests.dialogue.proving import prove, shown_code, words
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


def test_a_bound_borrower_is_asked_for_the_code_and_not_for_the_phone(desk: RunningDesk, web_line: NewLine) -> None:
    person = a_person(desk.deps)
    line = web_line()
    prove(line, person)
    line.say("还不上,能不能分期")
    identity.lapse(desk.deps, line.conversation_id)
    asked = words(line.say("6000"))
    assert "六位验证码" in asked
    assert "手机号" not in asked
    line.say(shown_code(line))
    assert "每个月到手的收入" in words(line.say(person.id_tail))
