"""Every figure of the reports is what the SQL in the documentation gives, and the page shows it in words and bars."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import bindparam, text

from bot.console.charts import bars
from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.services import handoff, reports
from bot.services.deps import Deps
from bot.services.reports import WeekRow
from bot.settings import ROOT
from bot.store.base import UtcDateTime
from bot.store.tables import CaseFile, Promise
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation, an_operator
from tests.builders.review import a_reviewer

DAY = 24 * 60
QUERIES = {
    re.match(r"-- (\w+)", found)[1]: found  # type: ignore[index]
    for found in re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "reports.md").read_text("utf-8"), re.DOTALL)
}


@pytest.fixture
def desk(deps: Deps, clock: SetClock) -> Deps:
    """A desk with two weeks of work: the clock stands on Saturday 21 November 2026."""
    chen, borrower = an_operator(deps), a_borrower(deps)
    waiting = Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED)
    for talk in (Talk(), Talk(said=(Said("好", minutes_ago=8 * DAY),)), Talk(said=(Said("好", minutes_ago=40 * DAY),))):
        a_conversation(deps, talk)
    promised = a_conversation(deps, Talk(said=(Said("周五还"), Said("一定", minutes_ago=0)), borrower_id=borrower))
    asked = a_conversation(deps)
    handoff.ask_human(deps, asked, QueueReason.ASKED)
    clock.move(timedelta(minutes=7))
    handoff.ask_human(deps, asked, QueueReason.ASKED)
    clock.move(timedelta(minutes=5))
    handoff.take(deps, asked, chen)
    complained = a_conversation(deps, waiting)
    with deps.begin() as session:
        days = {"received_on": date(2026, 11, 10), "created_at": deps.now()}
        for number, state, due, decided in (
            ("1", "received", date(2026, 11, 20), None),
            ("2", "upheld", date(2026, 11, 20), deps.now()),
            ("3", "upheld", date(2026, 11, 21), deps.now()),
            ("4", "received", date(2026, 11, 21), None),
            ("5", "withdrawn", date(2026, 11, 17), None),
            (None, "draft", date(2026, 11, 17), None),
        ):
            session.add(
                CaseFile(
                    number=number,
                    family="complaint",
                    state=state,
                    due_on=due,
                    decided_at=decided,
                    conversation_id=complained,
                    **days,
                )
            )
        for state, due in (
            ("kept", 16),
            ("broken", 22),
            ("partly_kept", 20),
            ("open", 20),
            ("kept", 15),
            ("draft", 20),
        ):
            session.add(
                Promise(
                    borrower_id=borrower,
                    conversation_id=promised,
                    state=state,
                    debt_ids=[],
                    policy_code="x",
                    due_on=date(2026, 11, due),
                    created_at=deps.now(),
                    made_at=deps.now(),
                )
            )
    return deps


def by_the_book(deps: Deps, name: str, row: WeekRow) -> int:
    """Run the query of the documentation."""
    week = row.week
    values = {"begins": week.begins, "ends": week.ends, "monday": week.monday, "sunday": week.sunday}
    instants = [bindparam(each, type_=UtcDateTime) for each in ("begins", "ends") if f":{each}" in QUERIES[name]]
    asked = text(QUERIES[name]).bindparams(*instants)
    used = {each: value for each, value in values.items() if f":{each}" in QUERIES[name]}
    with deps.read() as session:
        found: int = session.execute(asked, used).scalar_one()
        return found


def test_every_figure_is_what_the_documented_query_gives(desk: Deps) -> None:
    rows = reports.weekly(desk, a_reviewer(desk))
    assert len(QUERIES) == 7
    for row in rows:
        assert {name: getattr(row, name) for name in QUERIES} == {
            name: by_the_book(desk, name, row) for name in QUERIES
        }


def test_the_figures_of_a_week_are_those_of_what_happened_in_it(desk: Deps) -> None:
    last, this = reports.weekly(desk, a_reviewer(desk))[-2:]
    assert (this.written, this.handed_over, this.contained, this.contained_percent) == (4, 1, 3, 75)
    assert (this.resolved, this.resolved_percent) == (2, 50)
    assert (this.waits, this.wait_median, this.wait_long) == (1, timedelta(minutes=12), timedelta(minutes=12))
    assert (this.promises_judged, this.promises_kept, this.kept_percent) == (3, 1, 33)
    assert (this.complaints_due, this.complaints_late, last.complaints_received) == (4, 2, 5)
    assert (last.written, last.promises_kept, last.waits, last.wait_median) == (1, 1, 0, None)


def test_the_page_shows_words_and_bars_and_leads_to_the_rows(desk: Deps, clock: SetClock) -> None:
    console = ConsoleBrowser(desk, clock)
    console.log_in_as(Role.COMPLIANCE, "rui", "小芮")
    page = unescape(console.shown("/reports?weeks=2"))
    assert page.count('role="img"') == 6
    assert "<desc" in page
    assert 'href="/console/search?author=borrower&since=2026-11-16&until=2026-11-22"' in page
    assert "style=" not in page
    file = console.browser.get("/console/reports/weeks.csv?weeks=2").content.decode("utf-8-sig").splitlines()
    assert file[0] == ",".join(reports.COLUMNS)
    assert file[2] == "2026-11-16,4,3,75,1,2,50,3,1,33,0,4,2,1,720,720"
    assert console.browser.get("/console/reports?weeks=27").status_code == 422


def test_a_bar_says_what_it_shows_and_nothing_of_it_is_markup() -> None:
    drawn = bars("k", "<等>", ["11/9", "11/16"], [None, 3], "%")
    assert '<desc id="k-d">11/9 没有；11/16 3%</desc>' in drawn
    assert "&lt;等&gt;" in drawn
    assert drawn.count("<rect") == 1
    assert bars("k", "空", [], []).count("<rect") == 0
