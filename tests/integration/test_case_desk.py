"""What operators do to cases and what the scheduler does about them, on both databases, on a clock that is moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.cases.clock import Alarm
from bot.cases.course import CaseAct, CaseState
from bot.cases.kinds import CaseKind, Family
from bot.cases.question import CaseStep
from bot.clock import business_date
from bot.desk.ownership import Owner, QueueReason
from bot.desk.uploads import LARGEST_UPLOAD, Brought, UploadRefusal
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.services import case_desk, case_files, case_pages, case_sweep, cases, evidence, handoff, reminders
from bot.services.case_desk import Acted, Refused, UnfitWords
from bot.services.case_pages import Show
from bot.services.case_questions import Asked
from bot.services.case_sweep import Swept
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store.tables import AuditEntry, CaseFile, CaseNote, Conversation, Reminder
from tests.builders.accounts import Owed, a_debt_of, a_plan, verified
from tests.builders.cases import a_complaint, a_dispute, a_draft, case_of, open_holds_of, says, somebody
from tests.builders.desk import SetClock, a_borrower

K, A = CaseKind, CaseAct
REASON = "我们核对了通话录音，情况和您说的一致，已经处理，对不起。"
PNG = b"\x89PNG\r\n\x1a\n" + b"made up"


@pytest.fixture
def boss(deps: Deps) -> OperatorView:
    return somebody(deps)


def reminders_of(deps: Deps, topic: Topic) -> list[Reminder]:
    with deps.read() as session:
        return list(session.scalars(select(Reminder).where(Reminder.topic == topic).order_by(Reminder.send_at)))


def audited(deps: Deps, event: str) -> int:
    with deps.read() as session:
        return len(session.scalars(select(AuditEntry).where(AuditEntry.event == event)).all())


def reviewed(deps: Deps, boss: OperatorView, case: str) -> str:
    assert isinstance(case_desk.act(deps, boss, case, A.REVIEW), Acted)
    return case


# The course ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [A.UPHOLD, A.UPHOLD_PARTLY, A.REJECT])
def test_an_answer_ends_a_complaint_and_its_silence_and_the_borrower_is_told(
    deps: Deps, borrower: str, boss: OperatorView, how: CaseAct
) -> None:
    chat = verified(deps, borrower, "telegram")
    case = reviewed(deps, boss, a_complaint(deps, chat))
    assert isinstance(case_desk.act(deps, boss, case, how, REASON), Acted)
    assert open_holds_of(deps, case) == []
    [told] = cases.progress(deps, chat).cases
    assert (told.is_open, told.reason) == (False, REASON)
    assert reminders.sweep(deps).sent == 1
    [notice] = reminders_of(deps, Topic.CASE)
    assert notice.state == "sent"
    assert REASON not in (case_of(deps, case).reason_sealed or "")


def test_a_dispute_found_right_stays_silent_until_the_account_is_corrected(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    debt = a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    case = reviewed(deps, boss, a_dispute(deps, chat))
    case_desk.act(deps, boss, case, A.UPHOLD, REASON)
    assert open_holds_of(deps, case) == [(HoldKind.DISPUTE, debt)]
    assert isinstance(case_desk.act(deps, boss, case, A.CORRECT), Acted)
    assert open_holds_of(deps, case) == []
    assert case_of(deps, case).state == CaseState.CORRECTED


def test_nothing_is_decided_unseen_unnamed_or_without_a_reason(deps: Deps, borrower: str, boss: OperatorView) -> None:
    chat = verified(deps, borrower)
    case = a_complaint(deps, chat, None)
    assert case_desk.act(deps, boss, case, A.UPHOLD, REASON) is Refused.NO_KIND
    assert isinstance(case_desk.classify(deps, boss, case, K.TONE), Acted)
    assert case_desk.classify(deps, boss, case, K.AMOUNT) is Refused.UNKNOWN
    assert case_desk.act(deps, boss, case, A.UPHOLD, REASON) is Refused.NOT_POSSIBLE
    reviewed(deps, boss, case)
    assert case_desk.act(deps, boss, case, A.UPHOLD, "  ") is Refused.NO_TEXT
    assert case_desk.act(deps, boss, case, A.UPHOLD, "好" * 1001) is Refused.TEXT_TOO_LONG
    assert case_desk.act(deps, boss, case, A.WITHDRAW) is Refused.UNKNOWN
    assert case_desk.act(deps, boss, "0" * 32, A.REVIEW) is Refused.UNKNOWN
    assert case_of(deps, case).state == CaseState.IN_REVIEW


def test_a_letter_never_says_what_must_not_be_said(deps: Deps, borrower: str, boss: OperatorView) -> None:
    case = reviewed(deps, boss, a_complaint(deps, verified(deps, borrower)))
    assert isinstance(case_desk.act(deps, boss, case, A.REJECT, "再不还钱我们就上门找你家人"), UnfitWords)
    assert isinstance(case_desk.extend(deps, boss, case, "再不还钱我们就上门找你家人"), UnfitWords)
    assert case_of(deps, case).state == CaseState.IN_REVIEW


@pytest.mark.parametrize(("role", "may_decide"), [(Role.AGENT, False), (Role.COMPLIANCE, True), (Role.ADMIN, True)])
def test_who_answers_borrowers_looks_into_it_and_others_decide(
    deps: Deps, borrower: str, boss: OperatorView, role: Role, may_decide: bool
) -> None:
    other = somebody(deps, role, "other")
    case = reviewed(deps, boss, a_complaint(deps, verified(deps, borrower)))
    done = case_desk.act(deps, other, case, A.REJECT, REASON)
    assert isinstance(done, Acted) if may_decide else done is Refused.ROLE_TOO_LOW


def test_nobody_decides_on_a_complaint_about_their_own_talk(
    deps: Deps, clock: SetClock, borrower: str, boss: OperatorView
) -> None:
    chat = verified(deps, borrower)
    handoff.take(deps, chat, boss.id)
    handoff.reply(deps, chat, boss.id, "您好，我来看看。", "k")
    clock.move(timedelta(minutes=5))
    case = reviewed(deps, boss, a_complaint(deps, chat))
    assert case_desk.act(deps, boss, case, A.REJECT, REASON) is Refused.OWN_CONDUCT
    assert isinstance(case_desk.act(deps, somebody(deps, login="other"), case, A.REJECT, REASON), Acted)


@pytest.mark.parametrize("is_raised_elsewhere", [True, False])
def test_nobody_decides_on_a_complaint_about_their_own_talk_over_another_channel(
    deps: Deps, clock: SetClock, borrower: str, boss: OperatorView, is_raised_elsewhere: bool
) -> None:
    chat, other = verified(deps, borrower), verified(deps, borrower, "telegram")
    handoff.take(deps, chat, boss.id)
    handoff.reply(deps, chat, boss.id, "您好，我来看看。", "k")
    clock.move(timedelta(minutes=5))
    case = a_complaint(deps, other if is_raised_elsewhere else chat)
    cases.ask_facts(deps, other, case)
    assert case_of(deps, case).conversation_id == other
    reviewed(deps, boss, case)
    assert case_desk.act(deps, boss, case, A.REJECT, REASON) is Refused.OWN_CONDUCT
    assert isinstance(case_desk.act(deps, somebody(deps, login="other"), case, A.REJECT, REASON), Acted)


def test_a_talk_with_somebody_else_keeps_nobody_from_deciding(
    deps: Deps, clock: SetClock, borrower: str, boss: OperatorView
) -> None:
    another = verified(deps, a_borrower(deps, "李二", "13800000002", "110101199001010022"))
    handoff.take(deps, another, boss.id)
    handoff.reply(deps, another, boss.id, "您好，我来看看。", "k")
    clock.move(timedelta(minutes=5))
    case = reviewed(deps, boss, a_complaint(deps, verified(deps, borrower)))
    assert isinstance(case_desk.act(deps, boss, case, A.REJECT, REASON), Acted)


def test_after_a_complaint_was_named_otherwise_the_same_can_be_complained_of_again(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    chat = verified(deps, borrower)
    first = a_complaint(deps, chat, K.TONE)
    assert isinstance(case_desk.classify(deps, boss, first, K.FREQUENCY), Acted)
    second = a_complaint(deps, chat, K.TONE)
    assert second != first
    assert isinstance(case_desk.classify(deps, boss, second, K.FREQUENCY), Acted)
    assert [case_of(deps, case).kind for case in (first, second)] == [K.FREQUENCY, K.FREQUENCY]
    assert a_complaint(deps, chat, K.TONE) not in (first, second)


def test_a_complaint_is_taken_though_another_case_holds_its_key(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    first = a_complaint(deps, chat, K.TONE)
    with deps.begin() as session:
        session.get_one(CaseFile, first).kind = K.FREQUENCY.value
    assert a_complaint(deps, chat, K.TONE) != first


def test_what_was_asked_is_shown_and_telling_it_goes_on_with_the_review(
    deps: Deps, clock: SetClock, borrower: str, boss: OperatorView
) -> None:
    chat = verified(deps, borrower)
    case = a_complaint(deps, chat)
    case_desk.act(deps, boss, case, A.ASK_BORROWER, "请问是几点打来的？")
    [view] = cases.progress(deps, chat).cases
    assert (view.state, view.wanted) == (CaseState.WAITING, "请问是几点打来的？")
    clock.move(timedelta(minutes=5))
    cases.add_fact(deps, chat, "晚上九点", says(deps, chat, "晚上九点"))
    assert case_of(deps, case).state == CaseState.IN_REVIEW
    page = case_pages.open_page(deps, boss, case)
    assert page is not None
    assert [note.text for note in page.notes] == ["催收员骂人", "晚上九点"]
    assert audited(deps, "case_read") == 1


def test_a_finding_against_our_own_people_waits_for_whoever_decides(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    agent = somebody(deps, Role.AGENT, "agent")
    case = reviewed(deps, boss, a_complaint(deps, verified(deps, borrower)))
    case_desk.act(deps, boss, case, A.UPHOLD, REASON, by_our_people=True)
    assert [row.id for row in case_pages.listing(deps, Show.FINDINGS)] == [case]
    assert case_desk.see_finding(deps, agent, case) is Refused.ROLE_TOO_LOW
    assert isinstance(case_desk.see_finding(deps, boss, case), Acted)
    assert case_pages.listing(deps, Show.FINDINGS) == ()
    assert [row.id for row in case_pages.listing(deps, Show.CLOSED)] == [case]
    assert case_pages.counts(deps) == {Show.OPEN: 0, Show.FINDINGS: 0}


def test_a_rejected_complaint_is_no_finding(deps: Deps, borrower: str, boss: OperatorView) -> None:
    case = reviewed(deps, boss, a_complaint(deps, verified(deps, borrower)))
    case_desk.act(deps, boss, case, A.REJECT, REASON, by_our_people=True)
    assert case_pages.listing(deps, Show.FINDINGS) == ()


def test_files_are_sealed_kept_once_and_their_reading_is_on_record(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    case = a_complaint(deps, verified(deps, borrower))
    for _ in range(2):
        assert isinstance(case_files.attach(deps, boss, case, "截图.png", PNG), Acted)
    with deps.read() as session:
        [kept] = session.scalars(select(CaseNote).where(CaseNote.kind == "file")).all()
        assert kept.content_sealed is not None
        assert "made up" not in kept.content_sealed
    assert case_files.file_of(deps, boss, case, kept.id) == ("image/png", PNG)
    assert case_files.file_of(deps, boss, a_complaint(deps, verified(deps, None)), kept.id) is None
    assert audited(deps, "case_file_read") == 1
    for content, why in ((b"", UploadRefusal.EMPTY), (b"<html>", UploadRefusal.UNKNOWN_KIND)):
        assert case_files.attach(deps, boss, case, "x", content) is why
    assert case_files.attach(deps, boss, case, "x", PNG + b"0" * LARGEST_UPLOAD) is UploadRefusal.TOO_LARGE


def test_a_borrowers_file_goes_to_the_case_that_asks_for_something(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    conversation = verified(deps, borrower)
    waiting = reviewed(deps, boss, a_complaint(deps, conversation, CaseKind.FEES))
    assert isinstance(case_desk.act(deps, boss, waiting, A.ASK_BORROWER, "请发一张扣款的截图，谢谢。"), Acted)
    cases.stop_asking(deps, conversation)
    later = a_complaint(deps, conversation, CaseKind.TONE)
    cases.stop_asking(deps, conversation)

    assert evidence.bring(deps, conversation, "截图.png", PNG) is Brought.KEPT

    assert case_of(deps, waiting).state == CaseState.IN_REVIEW
    with deps.read() as session:
        assert session.scalars(select(CaseNote.case_id).where(CaseNote.kind == "file")).all() == [waiting]
    assert later != waiting


def test_a_file_of_somebody_unproved_reaches_no_dispute(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_dispute(deps, verified(deps, borrower))
    stranger = verified(deps, None)

    assert not evidence.awaits(deps, stranger)
    assert evidence.bring(deps, stranger, "截图.png", PNG) is Brought.NO_CASE


# The clock -----------------------------------------------------------------------------------------------------------


def test_a_complaint_is_extended_to_30_and_60_days_and_no_further_and_never_late(
    deps: Deps, clock: SetClock, borrower: str, boss: OperatorView
) -> None:
    chat = verified(deps, borrower, "telegram")
    case = a_complaint(deps, chat)
    received = business_date(deps.now())
    assert case_desk.extend(deps, somebody(deps, Role.AGENT, "agent"), case, REASON) is Refused.ROLE_TOO_LOW
    for days in (30, 60):
        assert isinstance(case_desk.extend(deps, boss, case, "还在等通信公司的记录"), Acted)
        assert case_of(deps, case).due_on == received + timedelta(days=days)
    assert case_desk.extend(deps, boss, case, REASON) is Refused.NO_EXTENSION_LEFT
    late = a_complaint(deps, verified(deps, None))
    clock.move(timedelta(days=16))
    assert case_desk.extend(deps, boss, late, REASON) is Refused.TOO_LATE


def test_that_it_takes_longer_is_told_in_spite_of_the_silence_the_complaint_brought(
    deps: Deps, borrower: str, boss: OperatorView
) -> None:
    case = a_complaint(deps, verified(deps, borrower, "telegram"))
    case_desk.extend(deps, boss, case, "还在等通信公司的记录")
    assert reminders.sweep(deps).sent == 1
    assert open_holds_of(deps, case) == [(HoldKind.COMPLAINT, None)]


@pytest.mark.parametrize("silence", [HoldKind.DISTRESS, HoldKind.OPT_OUT])
def test_no_news_is_sent_to_somebody_in_distress_or_who_stopped_everything(
    deps: Deps, borrower: str, boss: OperatorView, silence: HoldKind
) -> None:
    chat = verified(deps, borrower, "telegram")
    case = a_complaint(deps, chat)
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        handoff.place_hold(session, silence, deps.now(), conversation)
    case_desk.extend(deps, boss, case, "还在等通信公司的记录")
    swept = reminders.sweep(deps)
    assert (swept.sent, swept.refused) == (0, 1)


@pytest.mark.parametrize(
    ("received", "alarms"),
    [
        # Received on a Saturday in September, the 15 days end in the week of the national day; the 25th is a holiday.
        (date(2026, 9, 19), {date(2026, 9, 24): "soon", date(2026, 9, 30): "last_day", date(2026, 10, 5): "overdue"}),
        # Ends on the second day of the year, in its holiday.
        (date(2026, 12, 18), {date(2026, 12, 28): "soon", date(2026, 12, 31): "last_day", date(2027, 1, 3): "overdue"}),
    ],
)
def test_alarms_come_once_each_before_holidays_and_queue_the_conversation(
    deps: Deps, clock: SetClock, borrower: str, received: date, alarms: dict[date, str]
) -> None:
    clock.instant = datetime(received.year, received.month, received.day, 4, tzinfo=UTC)
    chat = verified(deps, borrower)
    case = a_complaint(deps, chat)
    seen: dict[date, str] = {}
    for _ in range(20):
        with deps.begin() as session:
            session.get_one(Conversation, chat).owner = Owner.BOT.value
        if case_sweep.sweep(deps).alarmed:
            seen[business_date(deps.now())] = case_of(deps, case).alarm
            with deps.read() as session:
                waiting = session.get_one(Conversation, chat)
                assert (waiting.owner, waiting.queue_reason) == (Owner.QUEUED, QueueReason.COMPLAINT)
        assert case_sweep.sweep(deps) == Swept()
        clock.move(timedelta(days=1))
    assert seen == alarms


def test_an_answered_case_alarms_nobody(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = verified(deps, borrower)
    cases.withdraw(deps, chat, a_complaint(deps, chat))
    clock.move(timedelta(days=40))
    assert case_sweep.sweep(deps) == Swept()


def test_a_dispute_left_without_yes_or_no_goes_to_a_person(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    draft = a_draft(deps, chat)
    clock.move(timedelta(minutes=59))
    assert case_sweep.sweep(deps).lapsed == 0
    clock.move(timedelta(minutes=2))
    assert case_sweep.sweep(deps).lapsed == 1
    assert case_of(deps, draft).state == CaseState.DROPPED
    with deps.read() as session:
        assert session.get_one(Conversation, chat).queue_reason == QueueReason.DISPUTE
    asked = cases.asked(deps, chat)
    assert isinstance(asked, Asked)
    assert asked.step is CaseStep.NONE


# Only the disputed debt is silent ------------------------------------------------------------------------------------


def test_reminders_of_a_plan_go_on_when_another_debt_is_disputed(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=60))
    chat = verified(deps, borrower, "telegram")
    plan = a_plan(deps, chat)
    a_debt_of(deps, borrower, Owed(days_late=30, creditor="另一家银行"))
    case = a_dispute(deps, chat, positions=(2,))
    assert case_of(deps, case).hold_ids
    first = plan.instalments[0].due_on
    clock.instant = datetime(first.year, first.month, first.day, 3, tzinfo=UTC) - timedelta(days=3)
    assert reminders.sweep(deps).sent == 1


def test_reminders_of_a_plan_rest_when_its_own_debt_is_disputed(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=60))
    chat = verified(deps, borrower, "telegram")
    plan = a_plan(deps, chat)
    a_dispute(deps, chat)
    first = plan.instalments[0].due_on
    clock.instant = datetime(first.year, first.month, first.day, 3, tzinfo=UTC) - timedelta(days=3)
    swept = reminders.sweep(deps)
    assert (swept.sent, swept.refused) == (0, 1)


def test_the_list_shows_first_what_is_due_first(deps: Deps, clock: SetClock, borrower: str, boss: OperatorView) -> None:
    later = a_complaint(deps, verified(deps, None), K.FEES)
    case_desk.extend(deps, boss, later, "还在等记录")
    clock.move(timedelta(days=2))
    sooner = a_complaint(deps, verified(deps, borrower), K.THREATS)
    rows = case_pages.listing(deps, Show.OPEN)
    assert [row.id for row in rows] == [sooner, later]
    assert [(row.family, row.borrower is None, row.alarm) for row in rows] == [
        (Family.COMPLAINT, False, Alarm.NONE),
        (Family.COMPLAINT, True, Alarm.NONE),
    ]
