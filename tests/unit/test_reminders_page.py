"""docs/reminders.md says what the ladder and the topics are."""

from __future__ import annotations

import re

from bot.outreach.ladder import Ladder
from bot.outreach.notice import WRITTEN
from bot.settings import ROOT
from tests.unit.test_docs import code, rows

PAGE = ROOT / "docs" / "reminders.md"
LADDER = Ladder.load(ROOT / "data" / "outreach" / "ladder.yml")


def test_the_ladder_is_shown_as_it_is() -> None:
    assert rows(PAGE, "## The ladder") == [
        [f"`{step.stage}`", f"{step.from_day}–{step.to_day}", ", ".join(map(str, step.days))] for step in LADDER.steps
    ]


def test_the_numbers_beside_the_ladder_are_its_own() -> None:
    text = PAGE.read_text("utf-8")
    said = re.search(
        r"At most (\d+) notices within thirty days; nothing within (\d+) days .* more than (\d+) days", text
    )
    assert said is not None
    assert tuple(map(int, said.groups())) == (
        LADDER.per_thirty_days,
        LADDER.quiet_days_after_contact,
        LADDER.days_late,
    )
    assert f"below ¥{LADDER.least_owed_fen // 100}.00" in text


def test_every_topic_is_listed() -> None:
    assert {code(row[0])[0] for row in rows(PAGE, "## What is planned")} == {topic.value for topic in WRITTEN}
