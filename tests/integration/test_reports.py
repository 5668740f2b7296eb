"""Every figure of the reports is what the SQL in the documentation gives, and as many rows as it leads to."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import bindparam, func, select, text, update

from bot.cases.kinds import CaseKind
from bot.console.charts import bars
from bot.console.rendering import Pages
from bot.desk.calls import CallOutcome, CallState
from bot.desk.ownership import Owner, QueueReason
from bot.desk.spans import Span, Unit
from bot.identity.roles import Role
from bot.lending.ledger import Entry, EntryKind
from bot.outreach.notice import WRITTEN
from bot.services import accounts, audit, call_backs, handoff, report_listing, reports
from bot.services.call_backs import Arranged
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.report_listing import Figure
from bot.services.report_measures import Measure
from bot.services.reports import BREAKDOWNS, COLUMNS, Asked, Section, SpanRow
from bot.settings import ROOT
from bot.store.base import UtcDateTime
from bot.store.tables import Agreement, CaseFile, Message, Negotiation, NluTurn, Offer, Promise, Reminder, Satisfaction
from bot.workout.promise import PromiseState
from tests.builders.approvals import an_operator_view
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation, a_debt, an_operator
from tests.builders.review import a_reviewer

DAY = 24 * 60
QUERIES = {
    re.match(r"-- (\w+)", found)[1]: found  # type: ignore[index]
    for found in re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "reports.md").read_text("utf-8"), re.DOTALL)
}
EIGHT_WEEKS = Asked()
MAY_BE_SEVERAL = (Measure.QUEUED, Measure.RESOLVED)
"""A conversation may wait for two reasons, or come to two things."""

THIS_WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))


@pytest.fixture
def desk(deps: Deps, clock: SetClock) -> Deps:
    """A desk with two weeks of work: the clock stands on Saturday 21 November 2026."""
    chen, borrower = an_operator(deps), a_borrower(deps)
    waiting = Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED)
    for talk in (Talk(), Talk(said=(Said("好", minutes_ago=8 * DAY),)), Talk(said=(Said("好", minutes_ago=40 * DAY),))):
        a_conversation(deps, talk)
    said = (
        Said("周五还", intent="promise_to_pay", confidence=0.9),
        Said("一定", intent="nlu_fallback", confidence=0.2),
    )
    promised = a_conversation(deps, Talk(said=said, borrower_id=borrower))
    _some_calls(deps, promised)
    asked = a_conversation(deps)
    handoff.ask_human(deps, asked, QueueReason.ASKED)
    clock.move(timedelta(minutes=7))
    handoff.ask_human(deps, asked, QueueReason.ASKED)
    clock.move(timedelta(minutes=5))
    handoff.take(deps, asked, chen)
    complained = a_conversation(deps, waiting)
    with deps.begin() as session:
        days = {"received_on": date(2026, 11, 10), "created_at": deps.now(), "kind": CaseKind.FEES.value}
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
                    made_at=None if state == "draft" else deps.now(),
                )
            )
        for score, operator in ((5, None), (2, chen), (None, None)):
            session.add(
                Satisfaction(
                    conversation_id=promised,
                    borrower_id=borrower,
                    operator_id=operator,
                    moment="goodbye",
                    asked_at=deps.now(),
                    score=score,
                )
            )
        actor = audit.Actor("operator", chen)
        audit.record(session, deps.now(), actor, "reply_refused", ("conversation", asked), rule="F1")
    _some_plans_and_notices(deps, borrower, promised)
    return deps


def _some_calls(deps: Deps, talk: str) -> None:
    """One call that nobody answered and one that somebody did, before a payment: contacts, and no notices."""
    caller = an_operator_view(deps, Role.AGENT, "wu", "小吴")
    for outcome in (CallOutcome.NO_ANSWER, CallOutcome.SPOKEN):
        assert isinstance(call_backs.arrange(deps, talk), Arranged)
        call = call_backs.of_conversation(deps, talk)
        assert call is not None
        assert isinstance(call_backs.settle(deps, caller, talk, call.made, outcome), CallState)
    with deps.read() as session:
        kept = select(func.count()).where(Reminder.state == "sent", Reminder.channel == "phone")
        assert session.scalar(kept) == 2


def _some_plans_and_notices(deps: Deps, borrower: str, talk: str) -> None:
    debt, now = a_debt(deps, borrower, 1_000_00), deps.now()
    with deps.begin() as session:
        for number in range(3):
            negotiation = Negotiation(
                borrower_id=borrower,
                state="agreed",
                debt_ids=[debt],
                policy_code="x",
                policy_version="1",
                created_at=now,
                updated_at=now,
            )
            session.add(negotiation)
            session.flush()
            if number == 2:  # it never came to an offer
                continue
            offer = Offer(
                negotiation_id=negotiation.id, round=1, position=1, content_hash=f"{number}", terms={}, expires_at=now
            )
            session.add(offer)
            session.flush()
            agreement = Agreement(
                number=f"A{number}",
                borrower_id=borrower,
                negotiation_id=negotiation.id,
                offer_id=offer.id,
                idempotency_key=f"{number}",
                text="",
                text_hash="",
                debt_ids=[debt],
                total_fen=1,
                accepted_conversation_id=talk,
                accepted_at=now,
            )
            session.add(agreement)
            session.flush()
            ended = "plan_broken" if number else "plan_completed"
            audit.record(session, now, audit.SYSTEM, ended, ("agreement", agreement.id))
        for key, state, days_ago, rule in (
            ("paid", "sent", 6, "allowed"),
            ("unpaid", "sent", 8, "allowed"),
            ("refused", "refused", 1, "F1"),
            ("planned", "planned", 1, None),
        ):
            at = now - timedelta(days=days_ago)
            session.add(
                Reminder(
                    key=key,
                    borrower_id=borrower,
                    purpose="reminder",
                    send_at=at,
                    state=state,
                    rule=rule,
                    created_at=at,
                    decided_at=None if rule is None else at,
                )
            )
        for read_as, corrected in (("greet", "thank"), ("greet", "greet"), (None, "thank")):
            session.add(
                NluTurn(
                    conversation_id=talk,
                    reason="low",
                    state="corrected",
                    text="好",
                    read_as=read_as,
                    corrected=corrected,
                    at=now,
                    changed_at=now,
                )
            )
        paid = Entry(
            key="paid",
            kind=EntryKind.PAYMENT,
            amount_fen=100,
            effective_on=now.date(),
            booked_at=now,
            source="test",
        )
        assert accounts.book(session, debt, paid) is None


def by_the_book(deps: Deps, measure: Measure, span: Span) -> int:
    """Run the query of the documentation, in the words of the database that is asked."""
    query = QUERIES[measure]
    if deps.database.engine.dialect.name == "sqlite":
        query = re.sub(r"(\w+) AT TIME ZONE 'Asia/Shanghai'", r"datetime(\1, '+8 hours')", query)
        query = query.replace("') + INTERVAL '7 days'", "', '+7 days')")
    values = {"begins": span.begins, "ends": span.ends, "first": span.first, "last": span.last}
    values["today"] = date(2026, 11, 21)
    used = {each: value for each, value in values.items() if f":{each}" in query}
    instants = [bindparam(each, type_=UtcDateTime) for each in ("begins", "ends") if each in used]
    with deps.read() as session:
        found: int = session.execute(text(query).bindparams(*instants), used).scalar_one()
        return found


def counted(deps: Deps, asked: Asked = EIGHT_WEEKS) -> tuple[SpanRow, ...]:
    """Return all that is counted, section by section, in one row a span."""
    reviewer = a_reviewer(deps)
    pages = [reports.report(deps, reviewer, section, asked).rows for section in Section]
    return tuple(
        SpanRow(
            parts[0].span,
            {measure: count for part in parts for measure, count in part.counts.items()},
            parts[0].wait_median,
            parts[0].wait_long,
        )
        for parts in zip(*pages, strict=True)
    )


def test_every_measure_stands_on_a_page_and_in_the_documentation() -> None:
    shown = {measure for tables in (COLUMNS, BREAKDOWNS) for measures in tables.values() for measure in measures}
    assert shown == set(Measure)
    assert set(QUERIES) == set(Measure) - {Measure.WAITED, Measure.CONTAINED}


def test_every_figure_is_what_the_documented_query_gives_and_leads_to_as_many_rows(desk: Deps) -> None:
    reviewer = a_reviewer(desk, login="rui")
    for row in counted(desk, Asked(Unit.WEEK, 2)):
        for measure, count in row.counts.items():
            if measure in QUERIES:
                assert (measure, count) == (measure, by_the_book(desk, measure, row.span))
            behind = report_listing.rows_behind(desk, reviewer, Figure(measure, row.span))
            assert (measure, behind.count, len(behind.rows)) == (measure, count, count)


def test_what_rows_are_told_apart_by_adds_up_to_the_documented_query(desk: Deps) -> None:
    reviewer = a_reviewer(desk, login="rui")
    for section in Section:
        report = reports.report(desk, reviewer, section, Asked(Unit.WEEK, 2))
        for measure, parts in report.breakdowns.items():
            total = sum(count for _, count in parts)
            known = by_the_book(desk, measure, report.whole)
            assert total == known or (measure in MAY_BE_SEVERAL and total > known), measure
            for detail, count in parts[:1]:
                figure = Figure(measure, report.whole, detail=detail)
                assert len(report_listing.rows_behind(desk, reviewer, figure).rows) == count
    talks = reports.report(desk, reviewer, Section.TALKS, EIGHT_WEEKS)
    assert talks.breakdowns[Measure.MESSAGES] == (("12", 7),)
    assert talks.breakdowns[Measure.QUEUED] == (("asked", 1),)


def test_the_figures_of_a_week_are_those_of_what_happened_in_it(desk: Deps) -> None:
    last, this = counted(desk)[-2:]
    assert {measure.value: count for measure, count in this.counts.items()} == {
        "written": 4, "contained": 3, "handed_over": 1, "waited": 1, "resolved": 2,
        "plans_offered": 2, "plans_accepted": 2, "plans_completed": 1, "plans_broken": 1,
        "promises_made": 5, "promises_judged": 3, "promises_kept": 1,
        "notices_sent": 0, "paid_after_notice": 0, "notices_refused": 1, "replies_refused": 1,
        "complaints_received": 0, "complaints_due": 4, "complaints_late": 2,
        "read": 2, "not_understood": 1, "low_confidence": 0, "misread": 2,
        "rating_asked": 3, "rated": 2, "satisfied": 1,
    }  # fmt: skip
    assert [last.counts[each] for each in (Measure.WRITTEN, Measure.NOTICES_SENT, Measure.PAID_AFTER_NOTICE)] == [
        1,
        2,
        1,
    ]
    assert (this.percent(Measure.CONTAINED), this.percent(Measure.RESOLVED), last.percent(Measure.SATISFIED)) == (
        75,
        50,
        None,
    )
    assert (this.wait_median, this.wait_long, last.wait_median) == (timedelta(minutes=12), timedelta(minutes=12), None)


def test_who_was_in_a_person_s_hands_since_an_earlier_week_is_not_contained(deps: Deps, clock: SetClock) -> None:
    chen = an_operator(deps)
    clock.move(timedelta(days=-8))
    kept, given_back = a_conversation(deps), a_conversation(deps)
    for talk in (kept, given_back):
        handoff.take(deps, talk, chen)
    handoff.give_back(deps, given_back, chen)
    clock.move(timedelta(days=8))
    with deps.begin() as session:
        for talk in (kept, given_back):
            session.execute(
                update(Message)
                .where(Message.conversation_id == talk, Message.author == Author.BORROWER)
                .values(created_at=deps.now())
            )
    row = counted(deps)[-1]
    assert (row.counts[Measure.WRITTEN], row.counts[Measure.HANDED_OVER]) == (2, 1)
    figure = Figure(Measure.HANDED_OVER, row.span)
    behind = report_listing.rows_behind(deps, a_reviewer(deps, login="rui"), figure)
    assert [each.conversation_id for each in behind.rows] == [kept]


def test_a_product_narrows_every_measure_to_borrowers_who_have_it(desk: Deps) -> None:
    of_all, with_loan = counted(desk)[-1], counted_for(desk, "consumer_loan")
    assert set(counted_for(desk, "credit_card").counts.values()) == {0}
    for measure in (Measure.PLANS_ACCEPTED, Measure.PROMISES_KEPT, Measure.READ, Measure.RATED):
        assert with_loan.counts[measure] == of_all.counts[measure] > 0
    assert (with_loan.counts[Measure.WRITTEN], with_loan.counts[Measure.WAITED]) == (1, 0)


def counted_for(deps: Deps, product: str) -> SpanRow:
    reviewer = a_reviewer(deps, login=product)
    rows = {}
    for section in Section:
        rows.update(reports.report(deps, reviewer, section, Asked(product=product)).rows[-1].counts)
    return SpanRow(THIS_WEEK, rows)


def test_the_pages_show_words_and_bars_and_every_figure_leads_to_its_rows(desk: Deps, clock: SetClock) -> None:
    console = ConsoleBrowser(desk, clock)
    console.log_in_as(Role.COMPLIANCE, "rui", "小芮")
    for section in Section:
        page = unescape(console.shown(f"/reports?section={section}&count=2"))
        extra = 1 if section is Section.TALKS else 0
        assert page.count('role="img"') == len(COLUMNS[section]) + extra
        assert "style=" not in page
        links = re.findall(r'href="/console(/reports/rows\?[^"]+)"><u>(\d+)</u>', page)
        assert links, section
        for address, number in (links[0], links[-1]):
            rows = console.shown(address)
            assert f"：{number} <span" in rows, address
            assert rows.count('class="row"') == int(number), address
    file = console.browser.get("/console/reports/figures.csv?count=2").content.decode("utf-8-sig").splitlines()
    assert file[0].startswith("first_day,last_day,written,contained,handed_over,waited,resolved,plans_offered,")
    assert file[2].startswith("2026-11-16,2026-11-22,4,3,1,1,2,2,2,1,1,5,3,1,")
    assert file[2].endswith(",720,720")
    assert console.browser.get("/console/reports?count=32").status_code == 422
    assert console.browser.get("/console/reports?product=%00").status_code == 422
    assert "没有。" in console.shown("/reports/rows?measure=read&since=2020-01-01&until=2020-01-07")


@pytest.mark.parametrize("measure", [Measure.READ, Measure.WAITED])
@pytest.mark.parametrize(("since", "until"), [("0001-01-01", "2026-01-01"), ("2026-01-01", "9999-12-31")])
def test_days_at_the_ends_of_the_calendar_are_no_days_of_the_desk(
    deps: Deps, clock: SetClock, measure: Measure, since: str, until: str
) -> None:
    console = ConsoleBrowser(deps, clock)
    console.log_in_as(Role.COMPLIANCE, "rui", "小芮")
    page = console.browser.get(f"/console/reports/rows?measure={measure}&since={since}&until={until}")
    assert page.status_code == 422
    assert "没有。" in console.shown(f"/reports/rows?measure={measure}&since=2000-01-01&until=2100-12-31")


def test_every_code_of_the_reports_has_words(deps: Deps) -> None:
    words = Pages(deps).words("_report_words.html")
    for table, codes in (
        ("SECTION", Section),
        ("UNIT", Unit),
        ("MEASURE", Measure),
        ("PROMISE", PromiseState),
        ("TOPIC", WRITTEN),
        ("TOLD_APART", {measure for measures in BREAKDOWNS.values() for measure in measures}),
    ):
        assert set(words[table]) == set(codes), table


def test_a_bar_says_what_it_shows_and_nothing_of_it_is_markup() -> None:
    drawn = bars("k", "<等>", ["11/9", "11/16"], [None, 3], "%")
    assert '<desc id="k-d">11/9 没有；11/16 3%</desc>' in drawn
    assert "&lt;等&gt;" in drawn
    assert drawn.count("<rect") == 1
    assert bars("k", "空", [], []).count("<rect") == 0
