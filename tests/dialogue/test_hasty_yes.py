"""A yes that was typed before the text could be read agrees to nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from bot.store.tables import Agreement
from tests.builders.people import a_person
from tests.dialogue.conftest import NewLine
from tests.dialogue.proving import prove
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


def agreements_of(desk: RunningDesk, borrower_id: str | None) -> int:
    with desk.deps.begin() as session:
        found = select(func.count()).select_from(Agreement).where(Agreement.borrower_id == borrower_id)
        return session.scalar(found) or 0


def test_a_yes_sent_together_with_the_choice_does_not_bind(desk: RunningDesk, web_line: NewLine) -> None:
    person = a_person(desk.deps)
    line = web_line()
    prove(line, person)
    for text in ("还不上,能不能分期", "6000", "3500"):
        line.say(text)
    line.borrower.send({"type": "say", "key": uuid4().hex, "text": "第二个"})
    line.borrower.send({"type": "say", "key": uuid4().hex, "text": "好的"})

    def asked_twice() -> bool:
        line.borrower.listen(0.1)
        return sum("同意吗" in said.text for said in line.borrower.heard if said.author == "bot") >= 2

    RunningDesk.wait_until(asked_twice, 20, "the text to be read back again")
    assert agreements_of(desk, person.borrower_id) == 0
    line.say("同意")
    assert agreements_of(desk, person.borrower_id) == 1
