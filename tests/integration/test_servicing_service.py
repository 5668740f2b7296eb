"""What becomes of a plan once it is agreed: paid, late, completed, ended. Against both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.clock import SHANGHAI, business_date
from bot.desk.ownership import Owner, QueueReason
from bot.lending.ledger import EntryKind
from bot.outreach.gate import HoldKind
from bot.services import (
    accounts,
    agreements,
    contact_wishes,
    negotiation,
    payment_traces,
    payments,
    reminders,
    servicing,
)
from bot.services.accounts import DebtView
from bot.services.agreements import AgreementView, ReadBack
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import place_hold
from bot.services.history import messages_after
from bot.services.payment_traces import Stated
from bot.services.payments import Rejected, RejectReason
from bot.services.proof import DeskWork, Purpose
from bot.services.servicing import PlansSwept
from bot.store.tables import (
    Agreement,
    Conversation,
    Document,
    Hold,
    Instalment,
    LedgerEntry,
    Message,
    PlanEvent,
    Reminder,
)
from bot.workout.counter import BorrowerProposal
from tests.builders.accounts import Owed, a_debt_of, a_plan, an_entry, verified
from tests.builders.desk import SetClock
from tests.builders.payments import a_payment_of, paid
from tests.builders.threads import at_once

SOON = timedelta(hours=1)


@pytest.fixture
def chat(deps: Deps, borrower: str, debt: str) -> str:
    return verified(deps, borrower, "telegram")


@pytest.fixture
def plan(deps: Deps, clock: SetClock, chat: str) -> AgreementView:
    made = a_plan(deps, chat)
    clock.move(SOON)
    return made


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def states(deps: Deps) -> list[tuple[str, int]]:
    with deps.begin() as session:
        rows = session.scalars(select(Instalment).order_by(Instalment.number))
        return [(row.state, row.paid_fen) for row in rows]


def state_of(deps: Deps) -> str:
    with deps.begin() as session:
        return session.scalars(select(Agreement.state)).one()


def topics(deps: Deps, state: str) -> list[str | None]:
    with deps.begin() as session:
        return list(session.scalars(select(Reminder.topic).where(Reminder.state == state).order_by(Reminder.send_at)))


def view_of(deps: Deps, borrower: str, debt: str, as_of: date | None = None) -> DebtView:
    with deps.begin() as session:
        owed = accounts.portfolio_of(session, deps, DeskWork(borrower, Purpose.PAYMENT), as_of)
    return next(view for view in owed.debts if view.debt_id == debt)


def events(deps: Deps) -> set[str]:
    with deps.begin() as session:
        return set(session.scalars(select(PlanEvent.kind)))


def open_holds(deps: Deps) -> list[str]:
    with deps.begin() as session:
        return list(session.scalars(select(Hold.kind).where(Hold.lifted_at.is_(None))))


def queued(deps: Deps, chat: str) -> str | None:
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        return conversation.queue_reason if conversation.owner == Owner.QUEUED else None


def pay_all(deps: Deps, clock: SetClock, debt: str, plan: AgreementView) -> None:
    for part in plan.remaining:
        clock.instant = at(part.due_on)
        paid(deps, debt, part.amount_fen - part.paid_fen)


def day_by_day(deps: Deps, clock: SetClock, until: date) -> list[PlansSwept]:
    """Let the scheduler work at noon of every day, as it does many times a day."""
    swept = []
    while business_date(clock.now()) < until:
        clock.instant = at(business_date(clock.now()) + timedelta(days=1))
        swept.append(servicing.sweep(deps))
        reminders.sweep(deps)
    return [each for each in swept if each != PlansSwept()]


# Paying --------------------------------------------------------------------------------------------------------------


def test_a_payment_settles_the_oldest_instalments_in_the_same_transaction(
    deps: Deps, debt: str, plan: AgreementView
) -> None:
    each = plan.instalments[0].amount_fen
    paid(deps, debt, each + 5_000)
    assert states(deps)[:3] == [("paid", each), ("partly_paid", 5_000), ("due", 0)]


def test_notices_of_a_paid_instalment_are_superseded_and_the_others_stay(
    deps: Deps, debt: str, plan: AgreementView
) -> None:
    planned = len(topics(deps, "planned"))
    paid(deps, debt, plan.instalments[0].amount_fen)
    assert topics(deps, "superseded") == ["plan", "plan"]
    assert len(topics(deps, "planned")) == planned - 2


def test_a_payment_after_the_due_date_is_paid_late(deps: Deps, clock: SetClock, debt: str, plan: AgreementView) -> None:
    clock.instant = at(plan.instalments[0].due_on + timedelta(days=4))
    paid(deps, debt, plan.instalments[0].amount_fen)
    assert states(deps)[0][0] == "paid_late"


def test_a_payment_that_arrives_late_but_was_made_in_time_is_in_time(
    deps: Deps, clock: SetClock, debt: str, plan: AgreementView
) -> None:
    first = plan.instalments[0]
    clock.instant = at(first.due_on + timedelta(days=4))
    servicing.sweep(deps)
    assert states(deps)[0][0] == "late"
    paid(deps, debt, first.amount_fen, first.due_on)
    assert states(deps)[0][0] == "paid"
    assert "late" in topics(deps, "superseded")


def test_a_payment_from_before_the_plan_that_arrives_after_it_counts_for_the_plan(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    first = plan.instalments[0]
    asked_fen = view_of(deps, borrower, debt).statement.balances.total_fen
    paid(deps, debt, first.amount_fen, business_date(clock.now()) - timedelta(days=30))
    assert states(deps)[0] == ("paid", first.amount_fen)
    saved_fen = asked_fen - first.amount_fen - view_of(deps, borrower, debt).statement.balances.total_fen
    assert saved_fen > 0, "earlier payment, less interest"
    for part in in_force(deps, borrower).remaining[:-1]:
        paid(deps, debt, part.amount_fen)
    paid(deps, debt, plan.instalments[-1].amount_fen - saved_fen)
    assert state_of(deps) == "completed"
    balances = view_of(deps, borrower, debt).statement.balances
    assert (balances.total_fen, balances.credit_fen) == (0, 0)


def in_force(deps: Deps, borrower: str) -> AgreementView:
    plans = agreements.plan_in_force(deps, verified(deps, borrower))
    assert isinstance(plans, tuple)
    return plans[0]


def test_what_was_paid_before_the_plan_is_not_counted_twice(deps: Deps, clock: SetClock, debt: str, chat: str) -> None:
    paid(deps, debt, 200_000)
    clock.move(timedelta(minutes=1))
    a_plan(deps, chat)
    clock.move(SOON)
    paid(deps, debt, 100)
    assert sum(paid_fen for _, paid_fen in states(deps)) == 100


def test_payments_on_one_plan_at_once_are_all_settled(deps: Deps, debt: str, plan: AgreementView) -> None:
    each = [a_payment_of(deps, debt, 10_000) for _ in range(4)]
    at_once(4, lambda turn: payments.receive(deps, each[turn]))
    assert sum(paid_fen for _, paid_fen in states(deps)) == 40_000


def test_a_plan_over_two_debts_is_settled_by_payments_on_either(deps: Deps, clock: SetClock, borrower: str) -> None:
    debts = [a_debt_of(deps, borrower), a_debt_of(deps, borrower, Owed(300_000))]
    plan = a_plan(deps, verified(deps, borrower))
    clock.move(SOON)
    pay_all(deps, clock, debts[1], plan)  # every payment names the small debt
    assert state_of(deps) == "completed"
    assert [view_of(deps, borrower, debt).is_open for debt in debts] == [False, False]
    assert sum(view_of(deps, borrower, debt).statement.balances.credit_fen for debt in debts) == 0


def test_a_plan_goes_on_to_its_end_after_the_debt_that_every_payment_names_stands_at_zero(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    named, other = (
        a_debt_of(deps, borrower, Owed(fen, days_late=20, penalty_annual_rate="0")) for fen in (300_000, 600_000)
    )
    plan = a_plan(deps, verified(deps, borrower))
    for part in plan.remaining:
        clock.instant = at(part.due_on)
        servicing.sweep(deps)
        paid(deps, named, part.amount_fen)
    assert {state for state, _ in states(deps)} == {"paid"}
    assert (state_of(deps), events(deps)) == ("completed", {"completed"})
    for each in (named, other):
        balances = view_of(deps, borrower, each).statement.balances
        assert (balances.total_fen, balances.credit_fen) == (0, 0)
    clock.move(timedelta(days=2))
    late = payments.receive(deps, a_payment_of(deps, named, 500))
    assert late == Rejected(RejectReason.DEBT_CLOSED), "the whole plan is closed"


def test_a_down_payment_is_due_first_and_settled_first(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str
) -> None:
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.propose(deps, chat, BorrowerProposal(months=10, lump_fen=200_000))
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack), shown
    plan = agreements.accept(deps, chat, shown.text_hash)
    assert isinstance(plan, AgreementView)
    clock.move(SOON)
    first, second = plan.instalments[:2]
    assert (first.number, first.amount_fen, plan.next_due) == (0, 200_000, first)
    paid(deps, debt, first.amount_fen + 100)
    assert states(deps)[:2] == [("paid", first.amount_fen), ("partly_paid", 100)]
    assert in_force(deps, borrower).next_due == replace(second, paid_fen=100, state="partly_paid")
    pay_all(deps, clock, debt, in_force(deps, borrower))
    assert state_of(deps) == "completed"
    assert not view_of(deps, borrower, debt).is_open


# Completing ----------------------------------------------------------------------------------------------------------


def test_the_last_payment_completes_the_plan_and_brings_the_debt_to_zero(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    waits_fen = view_of(deps, borrower, debt).waived_on_completion_fen
    assert waits_fen > 0
    pay_all(deps, clock, debt, plan)
    view = view_of(deps, borrower, debt)
    assert (view.statement.balances.total_fen, view.statement.balances.credit_fen, view.plan_number) == (0, 0, None)
    assert {state for state, _ in states(deps)} == {"paid"}
    assert state_of(deps) == "completed"
    with deps.begin() as session:
        waivers = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.WAIVER)).all()
        assert sum(row.amount_fen for row in waivers) == waits_fen
        assert all(row.key.startswith(f"waiver:{plan.number}:") for row in waivers)
        assert all(row.effective_on == business_date(plan.accepted_at) for row in waivers)
        assert session.scalars(select(Document.kind)).all() == ["clearance_letter"]
    assert open_holds(deps) == []
    assert topics(deps, "planned") == ["completed"]
    clock.move(timedelta(days=400))
    assert not view_of(deps, borrower, debt).is_open


def test_one_payment_of_all_that_is_left_completes_the_plan(
    deps: Deps, borrower: str, debt: str, plan: AgreementView
) -> None:
    paid(deps, debt, plan.total_fen)
    assert state_of(deps) == "completed"
    assert topics(deps, "planned") == ["completed"]
    assert not view_of(deps, borrower, debt).is_open


def test_what_is_paid_beyond_the_plan_is_credit(deps: Deps, borrower: str, debt: str, plan: AgreementView) -> None:
    paid(deps, debt, plan.total_fen + 700)
    balances = view_of(deps, borrower, debt).statement.balances
    assert (state_of(deps), balances.total_fen, balances.credit_fen) == ("completed", 0, 700)


def test_the_thanks_go_through_the_gate_and_tell_nothing_to_whoever_holds_the_phone(
    deps: Deps, clock: SetClock, chat: str, debt: str, plan: AgreementView
) -> None:
    clock.instant = at(plan.instalments[0].due_on, hour=23)
    paid(deps, debt, plan.total_fen)
    assert reminders.sweep(deps).deferred == 1
    clock.move(timedelta(hours=11))
    assert reminders.sweep(deps).sent == 1
    [thanks] = [m.text for m in messages_after(deps, chat, 0) if "走完了" in m.text]
    assert not any(word in thanks for word in ("欠", "债", "¥", "还款", plan.number))


def test_waivers_that_stood_from_the_beginning_are_not_booked_again(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str
) -> None:
    for code, policy in list(deps.policies.items()):
        deps.policies[code] = policy.model_copy(update={"conditional_on_completion": False})
    plan = a_plan(deps, chat)
    clock.move(SOON)
    pay_all(deps, clock, debt, plan)
    assert state_of(deps) == "completed"
    assert not view_of(deps, borrower, debt).is_open


def test_a_charge_the_plan_knows_nothing_of_keeps_it_open_and_asks_a_person(
    deps: Deps, clock: SetClock, chat: str, debt: str, plan: AgreementView
) -> None:
    with deps.begin() as session:
        charge = an_entry("charge", EntryKind.OTHER_FEE, 500_000, business_date(clock.now()))
        assert accounts.book(session, debt, charge) is None
    paid(deps, debt, plan.total_fen)
    assert state_of(deps) == "in_force"
    assert events(deps) == {"uneven"}
    assert queued(deps, chat) == QueueReason.PAYMENT_TRACE
    with deps.begin() as session:
        assert session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.WAIVER)).all() == []


def test_days_before_the_last_payment_still_show_the_plan(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    pay_all(deps, clock, debt, plan)
    then = plan.instalments[-1].due_on - timedelta(days=1)
    view = view_of(deps, borrower, debt, then)
    assert view.plan_number == plan.number
    assert view.statement.balances.total_fen == plan.instalments[-1].amount_fen


# Falling behind ------------------------------------------------------------------------------------------------------


def test_a_day_late_is_written_down_and_mentioned_once_after_three_days(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    due_on = plan.instalments[0].due_on
    clock.instant = at(due_on)
    assert servicing.sweep(deps) == PlansSwept()
    clock.instant = at(due_on + timedelta(days=1))
    assert servicing.sweep(deps) == PlansSwept(looked_at=1)
    assert servicing.sweep(deps) == PlansSwept()
    assert states(deps)[0] == ("late", 0)
    with deps.begin() as session:
        late = session.scalars(select(Reminder).where(Reminder.topic == "late")).one()
        assert late.send_at == at(due_on + timedelta(days=3), 10)
    day_by_day(deps, clock, due_on + timedelta(days=9))
    with deps.begin() as session:
        told = session.scalars(select(Reminder.message_id).where(Reminder.topic == "late")).one()
        said = session.get_one(Message, told or "").text
    assert not any(word in said for word in ("欠", "债", "¥", "还款", "起诉", "征信"))


def test_a_person_is_asked_once_after_the_days_of_grace_and_the_plan_goes_on(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    due_on = plan.instalments[0].due_on
    day_by_day(deps, clock, due_on + timedelta(days=10))
    assert queued(deps, chat) is None
    swept = day_by_day(deps, clock, due_on + timedelta(days=15))
    assert swept == [PlansSwept(looked_at=1, persons_asked=1)]
    assert queued(deps, chat) == QueueReason.PLAN_MISSED
    assert (states(deps)[0][0], state_of(deps), open_holds(deps)) == ("missed", "in_force", ["plan"])


def test_a_plan_missed_twice_ends_after_the_borrower_was_told_and_with_it_the_hold(
    deps: Deps, clock: SetClock, borrower: str, chat: str, debt: str, plan: AgreementView
) -> None:
    second = plan.instalments[1].due_on
    day_by_day(deps, clock, second + timedelta(days=10))
    assert state_of(deps) == "in_force"
    with deps.begin() as session:
        told_at = session.scalars(select(Reminder.decided_at).where(Reminder.topic == "ending")).one()
    assert told_at is not None
    assert told_at < clock.now()
    day_by_day(deps, clock, second + timedelta(days=11))
    assert state_of(deps) == "broken"
    assert open_holds(deps) == []
    assert topics(deps, "planned") == []
    assert queued(deps, chat) == QueueReason.PLAN_MISSED
    view = view_of(deps, borrower, debt)
    assert (view.plan_number, view.waived_on_completion_fen) == (None, 0)


def test_after_a_breach_interest_runs_again_but_not_for_the_days_of_the_plan(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    agreed = view_of(deps, borrower, debt).statement.balances.total_fen
    ended_on = plan.instalments[1].due_on + timedelta(days=11)
    day_by_day(deps, clock, ended_on)
    assert state_of(deps) == "broken"
    assert view_of(deps, borrower, debt).statement.balances.total_fen == agreed
    clock.move(timedelta(days=1))
    a_day = view_of(deps, borrower, debt).statement.balances.total_fen - agreed
    assert 0 < a_day <= 1_200_000 * 0.216 / 360 + 1


def test_a_plan_is_not_ended_while_nobody_could_be_told(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    contact_wishes.opt_out(deps, chat)
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=25))
    assert state_of(deps) == "in_force"
    assert "ending" in topics(deps, "refused")
    assert queued(deps, chat) == QueueReason.PLAN_MISSED


@pytest.mark.parametrize("kind", [HoldKind.DISTRESS, HoldKind.COMPLAINT, HoldKind.DISPUTE])
def test_a_plan_is_not_ended_under_a_hold(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView, kind: HoldKind
) -> None:
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=9))
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        place_hold(session, kind, deps.now(), conversation)
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=20))
    assert state_of(deps) == "in_force"


def test_a_plan_is_not_ended_while_a_payment_is_looked_for(
    deps: Deps, clock: SetClock, borrower: str, plan: AgreementView
) -> None:
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=9))
    payment_traces.report_paid(deps, verified(deps, borrower), "还了", Stated(100_000))
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=20))
    assert state_of(deps) == "in_force"


def test_catching_up_mends_a_plan_that_was_about_to_end(
    deps: Deps, clock: SetClock, debt: str, plan: AgreementView
) -> None:
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=10))
    paid(deps, debt, plan.instalments[0].amount_fen + plan.instalments[1].amount_fen)
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=20))
    assert [state for state, _ in states(deps)[:3]] == ["paid_late", "paid_late", "due"]
    assert state_of(deps) == "in_force"


def test_a_payment_on_a_late_day_before_the_sweep_does_not_hide_it_from_the_sweep(
    deps: Deps, clock: SetClock, debt: str, plan: AgreementView
) -> None:
    clock.instant = at(plan.instalments[0].due_on + timedelta(days=1))
    paid(deps, debt, 5_000)
    assert states(deps)[0] == ("partly_paid", 5_000)
    assert servicing.sweep(deps) == PlansSwept(looked_at=1)
    assert states(deps)[0] == ("late", 5_000)
    assert "late" in topics(deps, "planned")


def test_after_a_long_outage_there_is_one_notice_and_no_end_without_it(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = at(plan.instalments[1].due_on + timedelta(days=12))
    assert servicing.sweep(deps) == PlansSwept(looked_at=1, persons_asked=1)
    assert state_of(deps) == "in_force"
    assert [topic for topic in topics(deps, "planned") if topic != "plan"] == ["ending"]
    day_by_day(deps, clock, plan.instalments[1].due_on + timedelta(days=17))
    assert state_of(deps) == "broken"


def test_with_another_plan_in_force_the_hold_on_collection_stays(
    deps: Deps, clock: SetClock, borrower: str, debt: str, plan: AgreementView
) -> None:
    other = a_debt_of(deps, borrower, Owed(creditor="演示网贷"))
    clock.move(-SOON)
    second = a_plan(deps, verified(deps, borrower))
    clock.move(SOON)
    paid(deps, debt, plan.total_fen)
    assert open_holds(deps) != []
    paid(deps, other, second.total_fen)
    assert open_holds(deps) == []


def test_of_sweepers_at_once_each_plan_is_taken_once(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = at(plan.instalments[0].due_on + timedelta(days=11))
    swept = at_once(3, lambda _: servicing.sweep(deps))
    assert sum(each.persons_asked for each in swept) == 1
    assert [topic for topic in topics(deps, "planned") if topic == "late"] == ["late"]


def test_the_scheduler_does_it_all_in_one_tick(deps: Deps, clock: SetClock, plan: AgreementView) -> None:
    from bot import scheduler

    clock.instant = at(plan.instalments[0].due_on + timedelta(days=4))
    scheduler.tick(deps)
    assert states(deps)[0][0] == "late"
    assert "late" in topics(deps, "sent")
