"""我已经还了: found on the ledger, or looked for until it is. Against both databases."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select, update

from actions.base import Turn
from actions.debt import CheckPayment
from bot.clock import SHANGHAI, business_date
from bot.desk.ownership import Owner, QueueReason
from bot.services import payment_traces, reminders
from bot.services.accounts import NotVerified
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.payment_traces import NoDebt, PaymentFound, Stated, TraceView, stated_in, working_days_after
from bot.settings import ROOT
from bot.store.tables import Conversation, Message, PaymentTrace, Reminder
from bot.text.values import extract
from tests.builders.accounts import Owed, a_debt_of, a_plan, verified
from tests.builders.desk import NOON, SetClock, a_debt, an_operator
from tests.builders.payments import paid

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
TODAY = NOON.date()  # a Saturday
ANSWER_BY = date(2026, 11, 25)


@pytest.fixture
def debt(deps: Deps, borrower: str) -> str:
    return a_debt(deps, borrower, 100_000)


def report(deps: Deps, borrower: str, stated: Stated, said: str = "我已经还了") -> PaymentFound | TraceView:
    answer = payment_traces.report_paid(deps, verified(deps, borrower, "telegram"), said, stated)
    assert isinstance(answer, PaymentFound | TraceView), answer
    return answer


def traces(deps: Deps) -> list[PaymentTrace]:
    with deps.begin() as session:
        return list(session.scalars(select(PaymentTrace)))


def told(deps: Deps, chat: str, text: str, intent: str) -> list[dict[str, str]]:
    """Everything the action says to a message."""
    dispatcher = CollectingDispatcher()
    message = {"text": text, "intent": {"name": intent}, "metadata": {}}
    tracker = Tracker(chat, {}, message, [], False, None, {}, "")
    CheckPayment(deps).handle(Turn(deps, dispatcher, tracker, DOMAIN))
    said: list[dict[str, str]] = dispatcher.messages
    return said


# Reading -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("我昨天还了1500", Stated(150_000, TODAY - timedelta(days=1))),
        ("11月18号转了三千块", Stated(300_000, date(2026, 11, 18))),
        ("已经还了", Stated()),
        ("还了1500，又还了2000", Stated()),
        ("还了一千多", Stated()),
        ("12月5号还", Stated()),
    ],
)
def test_one_amount_and_one_past_day_are_read_and_nothing_vague(text: str, stated: Stated) -> None:
    assert stated_in(extract(text, NOON), TODAY) == stated


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 11, 23), date(2026, 11, 26)),
        (TODAY, ANSWER_BY),
        (date(2026, 11, 26), date(2026, 12, 1)),
        (date(2026, 9, 30), date(2026, 10, 10)),
    ],
)
def test_working_days_leave_out_weekends_and_holidays_and_count_the_saturdays_made_up(day: date, end: date) -> None:
    assert working_days_after(day, 3) == end


# Found ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stated", [Stated(), Stated(30_000), Stated(30_000, TODAY - timedelta(days=3)), Stated(None, TODAY)]
)
def test_a_payment_on_record_is_found_with_what_is_left(deps: Deps, borrower: str, debt: str, stated: Stated) -> None:
    paid(deps, debt, 30_000, TODAY - timedelta(days=1))
    found = report(deps, borrower, stated)
    assert isinstance(found, PaymentFound)
    assert (found.amount_fen, found.paid_on) == (30_000, TODAY - timedelta(days=1))
    assert found.debt.statement.balances.total_fen == 70_000
    assert traces(deps) == []


@pytest.mark.parametrize("stated", [Stated(30_001), Stated(30_000, TODAY - timedelta(days=9)), Stated(None, None)])
def test_another_payment_is_not_taken_for_it(deps: Deps, borrower: str, debt: str, stated: Stated) -> None:
    paid(deps, debt, 30_000, TODAY - timedelta(days=20))
    assert isinstance(report(deps, borrower, stated), TraceView)


def test_a_payment_divided_over_a_plan_is_found_whole(deps: Deps, clock: SetClock, borrower: str) -> None:
    debts = [a_debt_of(deps, borrower, Owed(100_000)), a_debt_of(deps, borrower)]
    a_plan(deps, verified(deps, borrower))
    clock.move(timedelta(hours=1))
    paid(deps, debts[0], 150_000)
    found = report(deps, borrower, Stated(150_000))
    assert isinstance(found, PaymentFound)
    assert found.amount_fen == 150_000


def test_nobody_unverified_learns_whether_anything_was_paid(deps: Deps, borrower: str, debt: str) -> None:
    stranger = verified(deps, None)
    assert payment_traces.report_paid(deps, stranger, "还了", Stated()) == NotVerified()
    assert payment_traces.status(deps, stranger) == NotVerified()
    assert traces(deps) == []


def test_without_any_debt_there_is_nothing_to_look_for(deps: Deps, borrower: str) -> None:
    assert payment_traces.report_paid(deps, verified(deps, borrower), "还了", Stated()) == NoDebt()


# Looked for ----------------------------------------------------------------------------------------------------------


def test_what_is_not_on_record_is_looked_for_with_an_answer_in_three_working_days(
    deps: Deps, borrower: str, debt: str
) -> None:
    answer = report(deps, borrower, Stated(30_000, TODAY), "今天还了300")
    assert answer == TraceView(30_000, TODAY, ANSWER_BY, is_new=True)
    [trace] = traces(deps)
    assert (trace.state, trace.debt_id, trace.amount_fen, trace.paid_on) == ("open", debt, 30_000, TODAY)
    assert deps.vault.unseal("said", trace.said_sealed) == "今天还了300"
    assert "300" not in trace.said_sealed


def test_saying_it_again_adds_only_what_was_left_open(deps: Deps, borrower: str, debt: str) -> None:
    report(deps, borrower, Stated())
    again = report(deps, borrower, Stated(30_000))
    assert again == TraceView(30_000, None, ANSWER_BY)
    assert len(traces(deps)) == 1
    assert isinstance(report(deps, borrower, Stated(40_000)), TraceView)
    assert len(traces(deps)) == 2, "another amount is another payment"


def test_notices_of_the_debt_wait_for_three_working_days(deps: Deps, clock: SetClock, borrower: str) -> None:
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower, "telegram")
    plan = a_plan(deps, chat)
    clock.instant = datetime.combine(plan.instalments[0].due_on - timedelta(days=4), time(12), tzinfo=SHANGHAI)
    report(deps, borrower, Stated(1))
    answer_by = traces(deps)[0].answer_by
    while business_date(clock.now()) <= answer_by:
        clock.move(timedelta(hours=6))
        if business_date(clock.now()) <= answer_by:
            assert reminders.sweep(deps) == reminders.Swept()
    with deps.begin() as session:
        planned = session.scalars(select(Reminder.send_at).where(Reminder.state == "planned")).all()
    assert min(planned) > clock.now() - timedelta(hours=6)


def test_a_payment_that_arrives_later_closes_the_search_and_tells_the_borrower(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    report(deps, borrower, Stated(30_000, TODAY))
    clock.move(timedelta(days=2))
    paid(deps, debt, 20_000)
    assert [trace.state for trace in traces(deps)] == ["open"], "another amount"
    paid(deps, debt, 30_000, TODAY + timedelta(days=1))
    [trace] = traces(deps)
    assert (trace.state, trace.closed_at) == ("found", deps.now())
    assert reminders.sweep(deps).sent == 1
    with deps.begin() as session:
        told = session.scalars(select(Reminder.message_id).where(Reminder.topic == "payment_found")).one()
        said = session.get_one(Message, told or "").text
    assert not any(word in said for word in ("欠", "债", "¥", "还款", "300"))


def test_a_search_that_ends_without_a_payment_goes_to_a_person_once(
    deps: Deps, clock: SetClock, borrower: str, debt: str
) -> None:
    report(deps, borrower, Stated(30_000))
    clock.instant = NOON + timedelta(days=3)
    assert payment_traces.ask_persons(deps) == 0
    clock.instant = NOON + timedelta(days=4)
    assert payment_traces.ask_persons(deps) == 1
    assert payment_traces.ask_persons(deps) == 0
    with deps.begin() as session:
        conversation = session.get_one(Conversation, traces(deps)[0].conversation_id)
        assert (conversation.owner, conversation.queue_reason) == (Owner.QUEUED, QueueReason.PAYMENT_TRACE)


def test_a_person_ends_a_search_once(deps: Deps, borrower: str, debt: str) -> None:
    report(deps, borrower, Stated())
    operator = an_operator(deps)
    [trace] = traces(deps)
    assert payment_traces.close(deps, trace.id, operator)
    assert not payment_traces.close(deps, trace.id, operator)
    assert not payment_traces.close(deps, "unknown", operator)
    assert [(trace.state, trace.closed_by) for trace in traces(deps)] == [("closed", operator)]


# What is said --------------------------------------------------------------------------------------------------------


def test_the_borrower_hears_what_was_found(deps: Deps, borrower: str, debt: str) -> None:
    paid(deps, debt, 30_000)
    [said] = told(deps, verified(deps, borrower), "我今天还了300", "report_paid")
    assert (said["response"], said["day"], said["amount"], said["rest"]) == (
        "utter_payment_found",
        "11月21日",
        "¥300.00",
        "¥700.00",
    )


def test_the_borrower_hears_that_everything_is_paid(deps: Deps, borrower: str, debt: str) -> None:
    paid(deps, debt, 100_000)
    assert [said["response"] for said in told(deps, verified(deps, borrower), "还清了", "report_paid")] == [
        "utter_payment_found_all_paid"
    ]


def test_the_borrower_hears_until_when_it_is_looked_for(deps: Deps, borrower: str, debt: str) -> None:
    chat = verified(deps, borrower)
    said = told(deps, chat, "我昨天还了300", "report_paid")
    assert [each["response"] for each in said] == ["utter_payment_trace_opened", "utter_payment_trace_slip"]
    assert said[0]["day"] == "11月25日"
    assert [each["response"] for each in told(deps, chat, "真的还了", "report_paid")] == ["utter_payment_trace_known"]
    status = told(deps, chat, "到账了吗", "ask_payment_status")
    assert [each["response"] for each in status] == [
        "utter_no_payment_on_record",
        "utter_payment_trace_waiting_amount",
    ]
    assert (status[1]["amount"], status[1]["day"]) == ("¥300.00", "11月25日")


def test_without_a_search_the_status_is_what_is_on_record(deps: Deps, borrower: str, debt: str) -> None:
    paid(deps, debt, 30_000)
    said = told(deps, verified(deps, borrower), "到账了吗", "ask_payment_status")
    assert [each["response"] for each in said] == ["utter_last_payment", "utter_payment_missing_next"]


@pytest.mark.parametrize(
    ("intent", "expected"),
    [("report_paid", "utter_payment_trace_opened"), ("ask_payment_status", "utter_no_payment_on_record")],
)
def test_what_was_said_before_identity_was_proved_is_not_asked_again(
    deps: Deps, clock: SetClock, borrower: str, debt: str, intent: str, expected: str
) -> None:
    chat = verified(deps, borrower)
    record_text(deps, chat, "before", "我昨天还了300")
    with deps.begin() as session:
        session.execute(update(Message).where(Message.client_key == "before").values(intent=intent))
        clock.move(timedelta(minutes=2))
        session.get_one(Conversation, chat).verified_at = deps.now()
    assert told(deps, chat, "1234", "inform")[0]["response"] == expected
    assert [trace.amount_fen for trace in traces(deps)] == ([30_000] if intent == "report_paid" else [])
