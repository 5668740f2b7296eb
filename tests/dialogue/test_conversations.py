"""Every conversation of ``conversations/`` played against the running desk, one test each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dialogue.facts import check_facts
from tests.dialogue.lines import Line, TelegramLine, WebLine
from tests.dialogue.play import Play, person_for
from tests.dialogue.script import Case, cases
from tests.dialogue.world import World
from tests.doubles.telegram_server import TelegramServer
from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
def test_conversation_goes_as_written(
    case: Case, desk: RunningDesk, telegram_cloud: TelegramServer, borrower: Callable[..., Borrower]
) -> None:
    person = person_for(desk, case.conversation)
    line: Line = (
        TelegramLine(desk, telegram_cloud) if case.conversation.channel == "telegram" else WebLine(desk, borrower())
    )
    play = Play(case, line, World(desk, person))
    play.run()
    try:
        check_facts(desk, case.conversation.then, line.conversation_id, person, line.heard)
    except AssertionError as error:
        raise AssertionError(f"{error}\n\n{play.transcript()}") from error
