"""A row with which a sweep fails: the others are done in the same round, and it is tried again in the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from bot.services import (
    approval_news,
    call_backs,
    case_sweep,
    handoff,
    payment_traces,
    promise_judging,
    servicing,
)
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.payment_traces import Stated
from bot.store.tables import Conversation, Promise
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.approvals import an_approval
from tests.builders.cases import a_complaint
from tests.builders.desk import SetClock, a_borrower, an_operator

PEOPLE = (("13900000001", "110101199002020011"), ("13900000002", "110101199002020022"))


@pytest.fixture
def people(deps: Deps) -> list[str]:
    return [a_borrower(deps, phone=phone, id_number=id_number) for phone, id_number in PEOPLE]


@pytest.fixture
def chats(deps: Deps, people: list[str]) -> list[str]:
    """A conversation with each of two people who owe something."""
    for person in people:
        a_debt_of(deps, person)
    return [verified(deps, person) for person in people]


@pytest.fixture
def fails_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType, str], None]:
    """Have the first call of a function fail, as with a row that contradicts itself."""

    def of(module: ModuleType, name: str) -> None:
        work: Callable[..., object] = getattr(module, name)
        failed: list[bool] = []

        def once(*args: Any, **kwargs: Any) -> object:
            if not failed:
                failed.append(True)
                raise ValueError("made up")
            return work(*args, **kwargs)

        monkeypatch.setattr(module, name, once)

    return of


FailsOnce = Callable[[ModuleType, str], None]


@pytest.mark.parametrize("limit", [100, 1])
def test_a_plan_takes_nobodys_place(
    deps: Deps, clock: SetClock, chats: list[str], fails_once: FailsOnce, limit: int
) -> None:
    plans = [a_plan(deps, chat) for chat in chats]
    clock.instant += plans[0].instalments[0].due_on - clock.now().date() + timedelta(days=2)
    fails_once(servicing, "_look")
    assert [servicing.sweep(deps, limit).looked_at for _ in range(3)] == [1, 1, 0]


def test_a_promise(deps: Deps, clock: SetClock, people: list[str], chats: list[str], fails_once: FailsOnce) -> None:
    today = clock.now().date()
    with deps.begin() as session:
        for person, chat in zip(people, chats, strict=True):
            session.add(
                Promise(
                    borrower_id=person,
                    conversation_id=chat,
                    state="open",
                    debt_ids=[],
                    policy_code="consumer_loan_relief",
                    amount_fen=100,
                    due_on=today,
                    created_at=clock.now(),
                    made_at=clock.now(),
                )
            )
    clock.move(timedelta(days=3))
    fails_once(promise_judging, "_judge")
    assert [promise_judging.sweep(deps).broken for _ in range(3)] == [1, 1, 0]


def test_a_payment_that_is_looked_for(deps: Deps, clock: SetClock, chats: list[str], fails_once: FailsOnce) -> None:
    for chat in chats:
        payment_traces.report_paid(deps, chat, "还了", Stated(100_000))
    clock.move(timedelta(days=10))
    fails_once(payment_traces, "_ask_person")
    assert [payment_traces.ask_persons(deps) for _ in range(3)] == [1, 1, 0]


def test_a_call(deps: Deps, chats: list[str], fails_once: FailsOnce) -> None:
    for chat in chats:
        call_backs.arrange(deps, chat)
        with deps.begin() as session:
            session.get_one(Conversation, chat).borrower_id = None
    fails_once(call_backs, "_close")
    assert [call_backs.sweep(deps) for _ in range(3)] == [1, 1, 0]


def test_a_request_for_approval(deps: Deps, clock: SetClock, people: list[str], fails_once: FailsOnce) -> None:
    asked = [an_approval(deps, borrower_id=person) for person in people]
    clock.instant = max(each.view.expires_at for each in asked)
    fails_once(approval_news, "_lapse")
    assert [approval_news.sweep(deps).expired for _ in range(3)] == [1, 1, 0]


def test_a_case(deps: Deps, clock: SetClock, chats: list[str], fails_once: FailsOnce) -> None:
    for chat in chats:
        a_complaint(deps, chat)
    clock.move(timedelta(days=60))
    fails_once(case_sweep, "_alarm")
    assert [case_sweep.sweep(deps).alarmed for _ in range(3)] == [1, 1, 0]


def test_a_conversation_that_was_left(deps: Deps, clock: SetClock, chats: list[str], fails_once: FailsOnce) -> None:
    operator = an_operator(deps)
    for chat in chats:
        handoff.take(deps, chat, operator)
        record_text(deps, chat, "key-00000001", "在吗")
    clock.move(timedelta(days=1))
    fails_once(handoff, "_requeue")
    assert [handoff.requeue_abandoned(deps) for _ in range(3)] == [1, 1, 0]
