"""Requests about data, and what an operator takes down for somebody: number, clock, holds, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.cases.clock import Alarm, act_by, alarm_on, due_on
from bot.cases.course import CaseAct, CaseState
from bot.cases.kinds import CaseKind, Family, kinds_of
from bot.clock import business_date
from bot.desk.ownership import QueueReason
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind, Purpose
from bot.outreach.workdays import is_working_day
from bot.services import case_desk, case_intake, case_pages, case_sweep, cases, handoff, negotiation, promises
from bot.services.case_desk import Acted, Refused, UnfitWords
from bot.services.case_intake import Opened
from bot.services.case_pages import Show
from bot.services.contact import decide
from bot.services.deps import Deps, make_deps
from bot.store.tables import AuditEntry, CaseNote, Conversation
from bot.workout.promise_reading import StatedPromise
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.cases import a_dispute, case_of, open_holds_of, somebody
from tests.builders.desk import SetClock, a_borrower, a_conversation

K = CaseKind
DAY = timedelta(days=1)
REQUESTS = kinds_of(Family.DATA)
TOLD = "电话里说，昨天有人骂他。"


def requested(deps: Deps, chat: str, kind: CaseKind = K.DATA_DELETION, said: str = "删除我的信息") -> Opened:
    done = case_intake.request_data(deps, chat, kind, said, None)
    assert done is not None
    return done


def taken_up(deps: Deps, chat: str, kind: CaseKind, on: date | None = None) -> Opened:
    done = case_intake.take_up(deps, somebody(deps, Role.AGENT, kind.value), chat, kind, TOLD, on)
    assert isinstance(done, Opened), done
    return done


def of(deps: Deps, chat: str) -> Conversation:
    with deps.read() as session:
        return session.get_one(Conversation, chat)


def may_collect(deps: Deps, chat: str) -> bool:
    with deps.read() as session:
        conversation = session.get_one(Conversation, chat)
        whose = conversation.borrower_id
        return decide(session, deps, whose, conversation, Purpose.DUE_NOTICE, None).verdict == "allowed"


# Requests about data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUESTS)
def test_anybody_may_ask_and_asked_again_the_day_stays(deps: Deps, clock: SetClock, kind: CaseKind) -> None:
    chat = a_conversation(deps)
    first = requested(deps, chat, kind)
    assert (first.is_new, first.case.due_on) == (True, business_date(clock.now()) + 15 * DAY)
    assert of(deps, chat).owner == "queued"
    clock.move(3 * DAY)
    again = requested(deps, chat, kind, "什么时候删")
    assert (again.is_new, again.case.number, again.case.due_on) == (False, first.case.number, first.case.due_on)
    assert [view.number for view in cases.progress(deps, chat).cases] == [first.case.number]


def test_two_wishes_are_two_requests_and_an_answered_one_may_be_made_again(deps: Deps) -> None:
    chat, boss = a_conversation(deps), somebody(deps)
    first, other = requested(deps, chat), requested(deps, chat, K.DATA_CORRECTION)
    assert first.case.number != other.case.number
    for what in (CaseAct.REVIEW, CaseAct.REJECT):
        case_desk.act(deps, boss, first.case.case_id, what, "协议要保存到结清，暂时不能删除。")
    assert requested(deps, chat).is_new


def test_a_request_silences_nothing(deps: Deps, chat: str) -> None:
    before = may_collect(deps, chat)
    done = requested(deps, chat)
    assert open_holds_of(deps, done.case.case_id) == []
    assert may_collect(deps, chat) is before is True


def test_what_is_no_request_about_data_is_refused(deps: Deps) -> None:
    assert case_intake.request_data(deps, a_conversation(deps), K.TONE, "骂人", None) is None
    assert case_intake.request_data(deps, "0" * 32, K.DATA_ACCESS, "副本", None) is None


def test_operators_see_requests_by_their_day_and_answer_in_fit_words(deps: Deps, clock: SetClock, chat: str) -> None:
    boss = somebody(deps)
    asked = [requested(deps, chat, kind) for kind in REQUESTS if clock.move(timedelta(minutes=1)) is None]
    listed = case_pages.listing(deps, Show.OPEN)
    assert [row.number for row in listed] == [each.case.number for each in asked]
    case_id = asked[-1].case.case_id
    page = case_pages.open_page(deps, boss, case_id)
    assert page is not None
    assert (page.is_silencing, page.evidence) == (False, ())
    assert isinstance(case_desk.act(deps, boss, case_id, CaseAct.REVIEW), Acted)
    assert case_desk.act(deps, boss, case_id, CaseAct.UPHOLD) is Refused.NO_TEXT
    unfit = case_desk.act(deps, boss, case_id, CaseAct.REJECT, "再问就让你坐牢。")
    assert isinstance(unfit, UnfitWords)
    assert isinstance(case_desk.act(deps, boss, case_id, CaseAct.UPHOLD, "副本已经给您了。"), Acted)
    told = next(view for view in cases.progress(deps, chat).cases if view.case_id == case_id)
    assert (told.state, told.reason) == (CaseState.UPHELD, "副本已经给您了。")
    assert case_id not in {row.id for row in case_pages.listing(deps, Show.OPEN)}


def test_a_request_is_extended_once_with_a_reason(deps: Deps) -> None:
    boss, done = somebody(deps), requested(deps, a_conversation(deps))
    assert isinstance(case_desk.extend(deps, boss, done.case.case_id, "要向合作机构核对"), Acted)
    assert case_of(deps, done.case.case_id).due_on == done.case.received_on + 30 * DAY
    assert case_desk.extend(deps, boss, done.case.case_id, "还要") is Refused.NO_EXTENSION_LEFT


# On somebody's behalf ------------------------------------------------------------------------------------------------


def test_a_complaint_by_phone_has_the_clock_and_the_silence_of_one_that_was_typed(deps: Deps, chat: str) -> None:
    done = taken_up(deps, chat, K.TONE)
    today = business_date(deps.now())
    assert (done.is_new, done.case.received_on, done.case.due_on) == (True, today, today + 15 * DAY)
    assert open_holds_of(deps, done.case.case_id) == [(HoldKind.COMPLAINT, None)]
    assert of(deps, chat).queue_reason == QueueReason.COMPLAINT
    assert not may_collect(deps, chat)
    with deps.read() as session:
        [note] = session.scalars(select(CaseNote))
        assert note.operator_id is not None
        opened = session.scalars(select(AuditEntry).where(AuditEntry.event == "case_opened")).one()
        assert opened.actor_kind == "operator"
    assert [view.number for view in cases.progress(deps, chat).cases] == [done.case.number], "the borrower may ask"


def test_the_clock_counts_from_the_day_it_reached_the_lender(deps: Deps, chat: str) -> None:
    today = business_date(deps.now())
    done = taken_up(deps, chat, K.VISIT, today - 10 * DAY)
    assert (done.case.received_on, done.case.due_on) == (today - 10 * DAY, today + 5 * DAY)


def test_what_is_said_twice_is_one_case(deps: Deps, chat: str) -> None:
    typed = cases.complain(deps, chat, K.TONE, "骂人", None)
    assert typed is not None
    again = taken_up(deps, chat, K.TONE)
    assert (again.is_new, again.case.number) == (False, typed.case.number)
    with deps.read() as session:
        assert len(session.scalars(select(CaseNote)).all()) == 2, "nothing that was said is lost"


def test_a_dispute_by_phone_holds_every_debt_and_ends_what_was_being_agreed(deps: Deps, borrower: str) -> None:
    debts = {a_debt_of(deps, borrower), a_debt_of(deps, borrower, Owed(creditor="另一家银行"))}
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    promises.tell(deps, chat, StatedPromise(100_000, None))
    done = taken_up(deps, chat, K.NOT_MINE)
    assert {debt for _, debt in open_holds_of(deps, done.case.case_id)} == debts
    assert negotiation.open_negotiation(deps, chat) == negotiation.Blocked.ALL_DISPUTED
    assert case_intake.take_up(deps, somebody(deps), chat, K.AMOUNT, TOLD) is Refused.NOTHING_TO_DISPUTE


def test_a_dispute_by_phone_can_name_its_debt_and_leaves_the_talk_about_another_one(deps: Deps, borrower: str) -> None:
    disputed = a_debt_of(deps, borrower, Owed(creditor="另一家银行"))
    a_debt_of(deps, borrower)
    chat, agent = verified(deps, borrower), somebody(deps, Role.AGENT)
    negotiation.open_negotiation(deps, chat)
    done = case_intake.take_up(deps, agent, chat, K.AMOUNT, TOLD, disputed=[disputed])
    assert isinstance(done, Opened), done
    assert open_holds_of(deps, done.case.case_id) == [("dispute", disputed)]
    assert not isinstance(negotiation.open_negotiation(deps, chat), negotiation.Blocked)
    assert case_intake.take_up(deps, agent, chat, K.AMOUNT, TOLD, disputed=[disputed]) is Refused.NOTHING_TO_DISPUTE
    strangers = a_debt_of(deps, a_borrower(deps, "林甲乙", "13900000001", "110101199001011234"))
    assert case_intake.take_up(deps, agent, chat, K.AMOUNT, TOLD, disputed=[strangers]) is Refused.NOTHING_TO_DISPUTE


def test_of_two_debts_one_that_is_disputed_already_is_left_alone(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower, Owed(creditor="另一家银行", days_late=30))
    chat = verified(deps, borrower)
    first = case_of(deps, a_dispute(deps, chat, positions=(1,)))
    second = case_of(deps, taken_up(deps, chat, K.AMOUNT).case.case_id)
    assert len(second.debt_ids) == 1
    assert set(first.debt_ids).isdisjoint(second.debt_ids)


def test_what_cannot_be_taken_up_says_why(deps: Deps, chat: str) -> None:
    agent, reader = somebody(deps, Role.AGENT, "agent"), somebody(deps, Role.COMPLIANCE, "reader")
    today = business_date(deps.now())

    def refused(operator: case_desk.OperatorView = agent, where: str = chat, text: str = TOLD, **more: date) -> object:
        return case_intake.take_up(deps, operator, where, K.TONE, text, **more)

    assert refused(reader) is Refused.ROLE_TOO_LOW
    assert refused(where="0" * 32) is Refused.UNKNOWN
    assert refused(text=" ") is Refused.NO_TEXT
    assert refused(text="说" * 1001) is Refused.TEXT_TOO_LONG
    assert refused(received_on=today + DAY) is Refused.DAY_OUT_OF_RANGE
    assert refused(received_on=today - 31 * DAY) is Refused.DAY_OUT_OF_RANGE
    unbound = case_intake.take_up(deps, agent, a_conversation(deps), K.NOT_MINE, TOLD)
    assert unbound is Refused.NOTHING_TO_DISPUTE, "nobody has proved whose debts they would be"
    assert case_pages.listing(deps, Show.OPEN) == ()


# The clock, day by day, over holidays and restarts -------------------------------------------------------------------

FALLS_ON = {
    "national day": datetime(2026, 9, 19, 4, tzinfo=UTC),
    "new year": datetime(2026, 12, 18, 4, tzinfo=UTC),
    "plain days": datetime(2026, 11, 2, 4, tzinfo=UTC),
}


@pytest.mark.parametrize("begins", FALLS_ON.values(), ids=FALLS_ON)
@pytest.mark.parametrize("kind", [K.TONE, K.AMOUNT, K.DATA_ACCESS])
def test_each_alarm_is_raised_once_on_its_day_and_the_hold_stands_through_restarts(
    deps: Deps, clock: SetClock, kind: CaseKind, begins: datetime
) -> None:
    clock.instant = begins
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat, boss = verified(deps, borrower), somebody(deps)
    case_id = taken_up(deps, chat, kind).case.case_id
    last = due_on(kind.family, business_date(begins), 0)
    raised: list[tuple[date, Alarm]] = []
    for _ in range(18):
        started = make_deps(deps.settings, clock)  # a process that knows nothing of the one before
        try:
            if case_sweep.sweep(started).alarmed:
                raised.append((business_date(clock.now()), Alarm(case_of(started, case_id).alarm)))
            assert case_sweep.sweep(started).alarmed == 0, "once"
            silenced = {kind for kind, _ in open_holds_of(started, case_id)}
        finally:
            started.database.engine.dispose()
        assert silenced == ({kind.family.value} if kind.family is not Family.DATA else set())
        clock.move(DAY)
    expected = [(day, alarm_on(last, day, is_working_day)) for day, _ in raised]
    assert raised == expected
    assert [alarm for _, alarm in raised] == [Alarm.SOON, Alarm.LAST_DAY, Alarm.OVERDUE]
    assert raised[1][0] == act_by(last, is_working_day), "on the last working day, not in the holiday"
    assert raised[2][0] == last + DAY
    handoff.take(deps, chat, boss.id)
    for what in (CaseAct.REVIEW, CaseAct.REJECT):
        assert isinstance(case_desk.act(deps, boss, case_id, what, "查过了，说明在这里。"), Acted)
    assert open_holds_of(deps, case_id) == []
    assert case_sweep.sweep(deps).alarmed == 0
