"""A plan in the place of another: offered within the policy, agreed to once, the old one kept on record."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.clock import business_date
from bot.outreach.gate import HoldKind
from bot.services import accounts, agreements, negotiation, replanning
from bot.services.accounts import NotVerified
from bot.services.agreements import AgreementView, ReadBack
from bot.services.deps import Deps
from bot.services.negotiation import Blocked, Countered, Stage, State
from bot.services.replanning import NoReplan
from bot.store.tables import Agreement, Hold, Instalment, Negotiation, Reminder
from bot.workout.policy_sections import HardshipKind
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock
from tests.builders.threads import at_once


def offered(deps: Deps, chat: str, income_fen: int = 450_000, essential_fen: int = 350_000) -> State:
    """Ask for another plan, say why, and tell the means."""
    begun = replanning.begin(deps, chat)
    assert isinstance(begun, State), begun
    negotiation.tell_hardship(deps, chat, HardshipKind.INCOME_CUT)
    answer = negotiation.state_means(deps, chat, income_fen=income_fen, essential_fen=essential_fen, other_debts_fen=0)
    assert isinstance(answer, State), answer
    return answer


def replanned(deps: Deps, chat: str) -> AgreementView:
    offered(deps, chat)
    negotiation.choose(deps, chat, 1)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack), shown
    accepted = agreements.accept(deps, chat, shown.text_hash)
    assert isinstance(accepted, AgreementView), accepted
    return accepted


def states(deps: Deps) -> list[tuple[str, int, str]]:
    with deps.begin() as session:
        rows = session.scalars(select(Agreement).order_by(Agreement.version))
        return [(row.number, row.version, row.state) for row in rows]


def test_the_reason_is_asked_before_anything_else(deps: Deps, chat: str) -> None:
    first = a_plan(deps, chat)
    begun = replanning.begin(deps, chat)
    assert isinstance(begun, State)
    assert (begun.stage, begun.replaces) == (Stage.HARDSHIP, first.number)
    asked = negotiation.state_means(deps, chat, income_fen=450_000, essential_fen=350_000)
    assert isinstance(asked, State)
    assert (asked.stage, asked.offers) == (Stage.HARDSHIP, ())


def test_a_new_plan_takes_the_place_of_the_old_one_under_the_next_number(deps: Deps, chat: str) -> None:
    first = a_plan(deps, chat)
    second = replanned(deps, chat)
    assert (second.number, second.version) == (f"{first.number}-2", 2)
    assert states(deps) == [(first.number, 1, "replaced"), (second.number, 2, "in_force")]
    assert agreements.plan_in_force(deps, chat) == (second,)
    assert f"代替编号{first.number}的协议" in second.text
    with deps.begin() as session:
        kept = session.scalars(select(Instalment.agreement_id)).all()
        assert len(set(kept)) == 2
        assert [hold.kind for hold in session.scalars(select(Hold))] == [HoldKind.PLAN]


def test_the_old_plan_stays_in_force_until_the_new_one_is_agreed_to(deps: Deps, chat: str) -> None:
    first = a_plan(deps, chat)
    offered(deps, chat)
    assert agreements.plan_in_force(deps, chat) == (first,)
    negotiation.end(deps, chat)
    assert agreements.plan_in_force(deps, chat) == (first,)


def test_notices_of_the_old_plan_are_called_off(deps: Deps, chat: str) -> None:
    a_plan(deps, chat)
    replanned(deps, chat)
    with deps.begin() as session:
        rows = session.execute(
            select(Agreement.version, Reminder.state)
            .join(Instalment, Instalment.agreement_id == Agreement.id)
            .join(Reminder, Reminder.instalment_id == Instalment.id)
        )
        assert {(version, state) for version, state in rows} == {(1, "superseded"), (2, "planned")}


def test_interest_that_the_old_plan_stopped_stays_stopped(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str
) -> None:
    a_plan(deps, chat)
    clock.move(timedelta(days=40))
    later = verified(deps, borrower)
    before = accounts.portfolio(deps, later)
    assert not isinstance(before, NotVerified)
    second = replanned(deps, later)
    after = accounts.portfolio(deps, later)
    assert not isinstance(after, NotVerified)
    assert after.total_fen == before.total_fen
    assert after.total_fen == second.total_fen + after.debts[0].waived_on_completion_fen


def test_the_new_plan_is_about_what_is_left(deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str) -> None:
    first = a_plan(deps, chat)
    clock.move(timedelta(days=10))
    a_payment(deps, debt, 200_000)
    second = replanned(deps, verified(deps, borrower))
    assert second.total_fen < first.total_fen


def test_replans_run_out_and_a_person_goes_on(deps: Deps, borrower: str, debt: str, chat: str) -> None:
    a_plan(deps, chat)
    for _ in range(2):
        replanned(deps, chat)
    assert replanning.begin(deps, chat) is NoReplan.NO_REPLANS_LEFT
    assert [state for _, _, state in states(deps)] == ["replaced", "replaced", "in_force"]
    assert states(deps)[2][0].endswith("-3")
    with deps.begin() as session:
        assert session.scalars(select(Negotiation.active_key).where(Negotiation.active_key.is_not(None))).all() == []


def test_after_a_breach_the_new_plan_carries_the_next_number(deps: Deps, chat: str) -> None:
    first = a_plan(deps, chat)
    with deps.begin() as session:
        session.scalars(select(Agreement)).one().state = "broken"
    assert replanning.begin(deps, chat) is NoReplan.NO_PLAN
    second = a_plan(deps, chat)
    assert second.number == f"{first.number}-2"
    assert [state for _, _, state in states(deps)] == ["broken", "in_force"]


def test_after_a_breach_of_the_last_plan_the_policy_allows_a_person_goes_on(deps: Deps, chat: str) -> None:
    a_plan(deps, chat)
    for _ in range(2):
        replanned(deps, chat)
    with deps.begin() as session:
        for row in session.scalars(select(Agreement).where(Agreement.state == "in_force")):
            row.state = "broken"
    assert negotiation.open_negotiation(deps, chat) is Blocked.NO_REPLANS_LEFT


def test_a_negotiation_about_another_debt_gives_way(deps: Deps, borrower: str, chat: str) -> None:
    a_plan(deps, chat)
    a_debt_of(deps, borrower, Owed(creditor="演示网贷"))
    assert isinstance(negotiation.open_negotiation(deps, chat), State)
    begun = replanning.begin(deps, chat)
    assert isinstance(begun, State)
    assert begun.replaces is not None


def test_another_pay_day_asks_nothing_but_the_yes(deps: Deps, chat: str) -> None:
    first = a_plan(deps, chat)
    moved = replanning.move_pay_day(deps, chat, 15)
    assert isinstance(moved, Countered)
    assert moved.why is None
    assert {part.due_on.day for part in moved.offer.schedule} == {15}
    assert moved.offer.months == len(first.instalments)
    assert moved.offer.schedule[0].due_on > business_date(deps.now())


def test_without_a_plan_there_is_nothing_to_replace(deps: Deps, chat: str) -> None:
    assert replanning.begin(deps, chat) is NoReplan.NO_PLAN
    assert replanning.move_pay_day(deps, chat, 15) is NoReplan.NO_PLAN
    assert replanning.begin(deps, verified(deps, None)) == NotVerified()


def test_begun_over_two_channels_at_once_there_is_one(deps: Deps, borrower: str, chat: str) -> None:
    a_plan(deps, chat)
    chats = [chat, verified(deps, borrower, channel="telegram")]
    begun = at_once(2, lambda turn: replanning.begin(deps, chats[turn]))
    assert all(isinstance(each, State) for each in begun)
    with deps.begin() as session:
        assert len(session.scalars(select(Negotiation).where(Negotiation.active_key.is_not(None))).all()) == 1


def test_agreed_to_over_two_channels_at_once_there_is_one_new_plan(deps: Deps, borrower: str, chat: str) -> None:
    a_plan(deps, chat)
    offered(deps, chat)
    negotiation.choose(deps, chat, 1)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    chats = [chat, verified(deps, borrower, channel="telegram")]
    answers = at_once(2, lambda turn: agreements.accept(deps, chats[turn], shown.text_hash))
    assert sorted(answer.repeated for answer in answers if isinstance(answer, AgreementView)) == [False, True]
    assert [state for _, _, state in states(deps)] == ["replaced", "in_force"]
