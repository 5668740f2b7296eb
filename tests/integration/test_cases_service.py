"""Disputes and complaints from the chat's side, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.cases.course import CaseState
from bot.cases.kinds import CaseKind, Family
from bot.cases.number import read_number
from bot.cases.question import CaseStep
from bot.clock import business_date
from bot.desk.ownership import Owner, QueueReason
from bot.outreach.gate import HoldKind
from bot.services import cases, holds, negotiation, promises
from bot.services.accounts import NotVerified, Portfolio, portfolio
from bot.services.case_questions import Asked
from bot.services.cases import Complained, NotDisputed
from bot.services.deps import Deps, make_deps
from bot.services.negotiation import Stage, State
from bot.store.tables import AuditEntry, CaseFile, CaseNote, Conversation, Hold, Negotiation
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.cases import a_complaint, a_dispute, a_draft, answers, case_of, open_holds_of, says
from tests.builders.desk import SetClock, a_borrower

K = CaseKind


def count(deps: Deps, table: type) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def conversation(deps: Deps, conversation_id: str) -> Conversation:
    with deps.read() as session:
        return session.get_one(Conversation, conversation_id)


def disputed(deps: Deps, chat: str) -> dict[str, bool]:
    owed = portfolio(deps, chat)
    assert isinstance(owed, Portfolio)
    return {debt.debt_id: debt.disputed for debt in owed.debts}


# Complaints ----------------------------------------------------------------------------------------------------------


def test_a_stranger_complains_without_proof_and_gets_a_number_and_a_day(deps: Deps) -> None:
    chat = verified(deps, None)
    done = cases.complain(deps, chat, None, "我要投诉", None)
    assert isinstance(done, Complained)
    assert done.is_new
    assert read_number(done.case.number) == done.case.number
    today = business_date(deps.now())
    assert (done.case.received_on, done.case.due_on) == (today, today + timedelta(days=15))
    assert open_holds_of(deps, done.case.case_id) == [(HoldKind.COMPLAINT, None)]
    waiting = conversation(deps, chat)
    assert (waiting.owner, waiting.queue_reason) == (Owner.QUEUED, QueueReason.COMPLAINT)


def test_saying_it_again_is_the_same_case_and_naming_it_later_too(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    first = cases.complain(deps, chat, None, "我要投诉", says(deps, chat, "我要投诉"))
    again = cases.complain(deps, chat, None, "投诉!", says(deps, chat, "投诉!"))
    named = cases.complain(deps, chat, K.THREATS, "他威胁我", says(deps, chat, "他威胁我"))
    assert isinstance(first, Complained)
    assert isinstance(again, Complained)
    assert isinstance(named, Complained)
    assert (again.is_new, named.is_new) == (False, False)
    assert {first.case.case_id} == {again.case.case_id, named.case.case_id}
    assert case_of(deps, first.case.case_id).kind == K.THREATS
    other = cases.complain(deps, chat, K.FEES, "乱收费", says(deps, chat, "乱收费"))
    assert isinstance(other, Complained)
    assert other.is_new
    assert count(deps, CaseFile) == 2


def test_the_same_message_is_taken_down_once_and_sealed(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    message = says(deps, chat, "催收员骂我")
    for _ in range(2):
        cases.complain(deps, chat, K.TONE, "催收员骂我", message)
    with deps.read() as session:
        [note] = session.scalars(select(CaseNote)).all()
    assert "骂" not in note.text_sealed


@pytest.mark.parametrize("kind", [None, K.TONE])
def test_of_two_complaints_at_once_one_case_comes(deps: Deps, borrower: str, kind: CaseKind | None) -> None:
    chat = verified(deps, borrower)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: cases.complain(deps, chat, kind, "投诉", None), range(2)))
    assert len({one.case.case_id for one in done if one is not None}) == 1
    assert sorted(one.is_new for one in done if one is not None) == [False, True]
    assert (count(deps, CaseFile), count(deps, Hold)) == (1, 1)


def test_two_complaints_share_the_hold_until_both_are_over(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    tone, fees = a_complaint(deps, chat, K.TONE), a_complaint(deps, chat, K.FEES)
    assert count(deps, Hold) == 1
    assert cases.withdraw(deps, chat, tone) is not None
    assert open_holds_of(deps, fees) == [(HoldKind.COMPLAINT, None)]
    assert cases.withdraw(deps, chat, fees) is not None
    assert open_holds_of(deps, fees) == []


def test_a_hold_that_a_person_placed_outlives_the_case(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    with deps.begin() as session:
        holds.place(
            session, deps.now(), HoldKind.COMPLAINT, borrower_id=borrower, conversation_id=chat, placed_by="boss"
        )
    assert cases.withdraw(deps, chat, a_complaint(deps, chat)) is not None
    with deps.read() as session:
        assert holds.open_holds(session, borrower, deps.now()).kinds == {HoldKind.COMPLAINT}


# Disputes ------------------------------------------------------------------------------------------------------------


def test_nobody_unverified_begins_a_dispute(deps: Deps) -> None:
    assert cases.begin_dispute(deps, verified(deps, None), K.NOT_MINE, "", None) == NotVerified()
    assert count(deps, CaseFile) == 0


def test_a_dispute_asks_which_debt_and_what_and_holds_only_after_the_yes(deps: Deps, borrower: str) -> None:
    first, second = a_debt_of(deps, borrower, Owed(days_late=60)), a_debt_of(deps, borrower, Owed(days_late=30))
    chat = verified(deps, borrower)
    said = says(deps, chat, "这账不对")
    begun = cases.begin_dispute(deps, chat, None, "这账不对", said)
    assert isinstance(begun, Asked)
    assert (begun.step, [debt.debt_id for debt in begun.debts]) == (CaseStep.DEBT, [first, second])
    chosen = cases.choose_debts(deps, chat, (2,))
    assert isinstance(chosen, Asked)
    assert chosen.step is CaseStep.KIND
    named = cases.choose_kind(deps, chat, K.AMOUNT)
    assert isinstance(named, Asked)
    assert (named.step, [debt.debt_id for debt in named.debts]) == (CaseStep.YES, [second])
    assert count(deps, Hold) == 0
    cases.put_question(deps, chat, said)
    answers(deps, chat, said)
    done = cases.confirm(deps, chat, says(deps, chat, "对"))
    assert isinstance(done, Asked)
    assert done.case is not None
    assert (done.step, done.case.state) == (CaseStep.FACTS, CaseState.RECEIVED)
    assert open_holds_of(deps, done.case.case_id) == [(HoldKind.DISPUTE, second)]
    assert disputed(deps, chat) == {first: False, second: True}
    assert conversation(deps, chat).queue_reason == QueueReason.DISPUTE


def test_a_yes_from_before_the_question_opens_nothing(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    said = says(deps, chat, "不是我借的")
    early = says(deps, chat, "是")
    cases.begin_dispute(deps, chat, K.NOT_MINE, "不是我借的", said)
    cases.put_question(deps, chat, said)
    answers(deps, chat, said)
    done = cases.confirm(deps, chat, early)
    assert isinstance(done, Asked)
    assert (done.step, done.case) == (CaseStep.YES, None)
    assert count(deps, Hold) == 0


def test_of_two_yeses_at_once_one_case_and_one_hold_come(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    draft = a_draft(deps, chat)
    yes = says(deps, chat, "是的")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: cases.confirm(deps, chat, yes, draft), range(2)))
    assert (count(deps, CaseFile), count(deps, Hold)) == (1, 1)
    with deps.read() as session:
        opened = select(func.count()).select_from(AuditEntry).where(AuditEntry.event == "case_opened")
        assert session.scalar(opened) == 1


def test_one_debt_is_disputed_once_and_the_rest_goes_on(deps: Deps, borrower: str) -> None:
    first, second = a_debt_of(deps, borrower, Owed(days_late=60)), a_debt_of(deps, borrower, Owed(days_late=30))
    chat = verified(deps, borrower)
    a_dispute(deps, chat, positions=(1,))
    begun = cases.begin_dispute(deps, chat, K.AMOUNT, "", None)
    assert isinstance(begun, Asked)
    assert [debt.debt_id for debt in begun.debts] == [second], "the other is under a dispute already"
    opened = negotiation.open_negotiation(deps, chat)
    assert isinstance(opened, State)
    assert opened.stage is Stage.INCOME
    assert disputed(deps, chat)[first]


def test_there_is_nothing_to_dispute_without_debts_or_when_all_are_disputed(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    assert cases.begin_dispute(deps, chat, K.AMOUNT, "", None) is NotDisputed.NOTHING_OWED
    a_debt_of(deps, borrower)
    a_dispute(deps, chat)
    assert cases.begin_dispute(deps, chat, K.AMOUNT, "", None) is NotDisputed.ALL_KNOWN


def test_a_plan_that_was_talked_about_ends_when_its_debt_is_disputed(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    a_draft(deps, chat)
    done = cases.confirm(deps, chat, says(deps, chat, "是的"))
    assert isinstance(done, Asked)
    assert done.plan_ended
    state = negotiation.state(deps, chat)
    assert isinstance(state, State)
    assert state.stage is Stage.NONE


def test_a_dropped_draft_leaves_no_trace_but_the_record(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    draft = a_draft(deps, chat)
    assert cases.stop_asking(deps, chat)
    assert (case_of(deps, draft).state, case_of(deps, draft).number) == (CaseState.DROPPED, None)
    assert count(deps, Hold) == 0
    assert cases.progress(deps, chat).cases == ()
    assert conversation(deps, chat).owner == Owner.BOT


def test_somebody_who_reports_a_death_silences_everything(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower)
    case = a_dispute(deps, verified(deps, borrower), K.DECEASED)
    assert open_holds_of(deps, case) == [(HoldKind.DISPUTE, None)]


def test_a_death_ends_what_was_being_agreed_about_any_debt(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    with deps.read() as session:
        assert session.scalars(select(Negotiation)).one().debt_ids, "it has come to which debts it is about"
    a_draft(deps, chat, K.DECEASED)
    done = cases.confirm(deps, chat, says(deps, chat, "是的"))
    assert isinstance(done, Asked)
    assert done.plan_ended
    state = negotiation.state(deps, chat)
    assert isinstance(state, State)
    assert state.stage is Stage.NONE


# What happened, and what became of it --------------------------------------------------------------------------------


def test_facts_are_taken_down_until_they_end(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    case = a_complaint(deps, chat, said="")
    for text in ("昨天晚上十点", "自称小李"):
        told = cases.add_fact(deps, chat, text, says(deps, chat, text))
        assert isinstance(told, Asked)
        assert told.step is CaseStep.FACTS
    cases.stop_asking(deps, chat)
    late = cases.add_fact(deps, chat, "还有", says(deps, chat, "还有"))
    assert isinstance(late, Asked)
    assert late.step is CaseStep.NONE
    assert count(deps, CaseNote) == 2
    assert isinstance(cases.ask_facts(deps, chat, case), Asked)
    cases.add_fact(deps, chat, "还有", says(deps, chat, "还有"))
    assert count(deps, CaseNote) == 3


def test_progress_shows_disputes_to_the_verified_only_and_complaints_where_they_were_raised(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    a_debt_of(deps, borrower)
    chat, other = verified(deps, borrower), verified(deps, borrower, "telegram")
    a_dispute(deps, chat)
    a_complaint(deps, chat)
    families = [case.family for case in cases.progress(deps, other).cases]
    assert sorted(families) == [Family.COMPLAINT, Family.DISPUTE]
    clock.move(timedelta(hours=3))
    assert [case.family for case in cases.progress(deps, chat).cases] == [Family.COMPLAINT]
    assert cases.progress(deps, other).cases == ()
    assert cases.progress(deps, verified(deps, None)).cases == ()


def test_a_conversation_that_became_somebody_elses_tells_nothing(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    case = a_complaint(deps, chat)
    stranger = a_borrower(deps, "李小红", "13800000002", "110101199001010022")
    with deps.begin() as session:
        session.get_one(Conversation, chat).borrower_id = stranger
    assert cases.progress(deps, chat).cases == ()
    assert cases.withdraw(deps, chat, case) is None


def test_withdrawing_ends_the_silence_and_happens_once(deps: Deps, borrower: str) -> None:
    debt = a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    case = a_dispute(deps, chat)
    done = cases.withdraw(deps, chat, case)
    assert done is not None
    assert not isinstance(done, NotVerified)
    assert done.state is CaseState.WITHDRAWN
    assert disputed(deps, chat) == {debt: False}
    assert cases.withdraw(deps, chat, case) is None


def test_nobody_else_withdraws_a_case(deps: Deps, borrower: str) -> None:
    case = a_complaint(deps, verified(deps, borrower))
    assert cases.withdraw(deps, verified(deps, None), case) is None
    assert case_of(deps, case).state == CaseState.RECEIVED


def test_everything_stands_after_a_restart(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    draft = a_draft(deps, chat)
    complaint = a_complaint(deps, verified(deps, borrower, "telegram"))
    fresh = make_deps(deps.settings, clock)
    done = cases.confirm(fresh, chat, says(fresh, chat, "是的"), draft)
    assert isinstance(done, Asked)
    assert done.case is not None
    assert open_holds_of(fresh, complaint) == [(HoldKind.COMPLAINT, None)]
    fresh.database.engine.dispose()


@pytest.mark.parametrize("wish", [promises.open_promises, cases.progress])
def test_a_case_keeps_nobody_from_anything_else(deps: Deps, borrower: str, wish: Callable[..., object]) -> None:
    chat = verified(deps, borrower)
    a_complaint(deps, chat)
    assert not isinstance(wish(deps, chat), NotVerified)
