"""In which order rows are locked: the borrower before all else of theirs. On PostgreSQL, which locks single rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.clock import business_date
from bot.services import approval_news, crisis, payment_traces, promises, replanning
from bot.services.conversations import Author, Reply, Stored, locked, say
from bot.services.deps import Deps
from bot.services.inbound import record_press, record_text
from bot.services.payment_traces import Stated, TraceView
from bot.services.promises import Promised, Step
from bot.store.tables import Button, Conversation, PaymentTrace
from bot.workout.promise_reading import StatedPromise
from tests.builders.accounts import a_plan
from tests.builders.approvals import an_approval, decide
from tests.builders.desk import SetClock, a_desk, an_operator

_LOCKING = re.compile(r"FROM (\w+)\b.*FOR (?:NO KEY )?UPDATE|^UPDATE (\w+)", re.DOTALL)


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock, fresh_postgresql: str) -> Iterator[Deps]:
    made = a_desk(tmp_path, clock, database_url=fresh_postgresql)
    yield made
    made.database.engine.dispose()


def locks_of(deps: Deps, work: Callable[[], object]) -> list[list[str]]:
    """The tables in which a piece of work locks rows, in order, transaction by transaction."""
    taken: list[list[str]] = []

    def begun(*_: Any) -> None:
        taken.append([])

    def executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if found := _LOCKING.search(statement):
            taken[-1].append(found[1] or found[2])

    engine = deps.database.engine
    event.listen(engine, "begin", begun)
    event.listen(engine, "before_cursor_execute", executed)
    try:
        work()
    finally:
        event.remove(engine, "begin", begun)
        event.remove(engine, "before_cursor_execute", executed)
    return taken


def assert_borrower_first(deps: Deps, work: Callable[[], object]) -> None:
    with_borrower = [taken for taken in locks_of(deps, work) if "borrower" in taken]
    assert with_borrower
    assert [taken[0] for taken in with_borrower] == ["borrower"] * len(with_borrower), with_borrower


def test_a_negotiation_from_the_first_step_to_the_agreement(deps: Deps, chat: str) -> None:
    assert_borrower_first(deps, lambda: a_plan(deps, chat))


def test_another_plan_in_the_place_of_one(deps: Deps, chat: str) -> None:
    a_plan(deps, chat)
    assert_borrower_first(deps, lambda: replanning.begin(deps, chat))


def test_a_promise(deps: Deps, chat: str) -> None:
    def promise() -> None:
        said = record_text(deps, chat, "said", "后天还五百")
        assert isinstance(said, Stored)
        promises.tell(deps, chat, StatedPromise(50_000, business_date(deps.now()) + timedelta(days=2)))
        promises.put_question(deps, chat, said.message_id)
        with deps.begin() as session:
            conversation = locked(session, chat)
            assert conversation is not None
            say(session, deps, conversation, Reply("要记下来吗"), author=Author.BOT, in_reply_to=said.message_id)
        yes = record_text(deps, chat, "yes", "好的")
        assert isinstance(yes, Stored)
        made = promises.make(deps, chat, yes.message_id)
        assert isinstance(made, Promised)
        assert made.step is Step.MADE

    assert_borrower_first(deps, promise)


def test_the_end_of_a_search_for_a_payment(deps: Deps, chat: str) -> None:
    assert isinstance(payment_traces.report_paid(deps, chat, "还了", Stated(100_000)), TraceView)
    operator = an_operator(deps)
    with deps.read() as session:
        trace = session.scalars(select(PaymentTrace.id)).one()
    assert_borrower_first(deps, lambda: payment_traces.close(deps, trace, operator))


@pytest.mark.parametrize("is_pressed", [True, False])
def test_word_that_somebody_is_in_no_danger(deps: Deps, chat: str, is_pressed: bool) -> None:
    words = crisis.respond(deps, chat)
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        for reply in words:
            say(session, deps, conversation, reply, author=Author.BOT)
    with deps.read() as session:
        token = session.scalars(select(Button.token).where(Button.payload == crisis.FINE)).one()
    if is_pressed:
        assert_borrower_first(deps, lambda: record_press(deps, chat, "fine", token))
    else:
        assert_borrower_first(deps, lambda: record_text(deps, chat, "fine", "我没事"))


def test_a_decision_on_an_offer(deps: Deps) -> None:
    asked = an_approval(deps)
    assert_borrower_first(deps, lambda: decide(deps, asked))


def test_the_lapse_of_a_request(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.instant = asked.view.expires_at
    assert_borrower_first(deps, lambda: approval_news.sweep(deps))
