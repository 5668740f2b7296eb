"""A lender vouches for its customer: what that spares, what it never spares, and that it counts once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.channels import vouching_api
from bot.identity.levels import Level
from bot.identity.vouch import Vouch, VouchRefusal, sign_vouch
from bot.services import identity, vouching
from bot.services.deps import Deps
from bot.services.identity import Step
from bot.services.web_sessions import open_session
from bot.store.tables import Contract, VerificationChallenge
from tests.builders.accounts import a_debt_of, shown_code
from tests.builders.desk import SetClock, a_borrower, a_desk
from tests.builders.documents import prove
from tests.builders.threads import at_once

KEY = "a key that lender and desk share, long enough"
DESK = "https://desk.lender.example"
TAIL = "0014"


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock, database_url: str) -> Iterator[Deps]:
    made = a_desk(tmp_path, clock, DESK, database_url, embed_origins="https://www.lender.example", vouch_key=KEY)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def borrower(deps: Deps) -> str:
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id)
    return borrower_id


@pytest.fixture
def chat(deps: Deps) -> str:
    return open_session(deps).conversation_id


def a_token(deps: Deps, borrower_id: str | None, login: timedelta = timedelta(minutes=5)) -> str:
    """Vouch for a borrower who logged in so long ago; None: for somebody the desk does not know."""
    with deps.read() as session:
        number = session.scalar(select(Contract.number).where(Contract.borrower_id == borrower_id))
    now = deps.now()
    life = timedelta(minutes=2)
    return sign_vouch(Vouch(DESK, number or "unknown", now, now + life, now - login, secrets.token_urlsafe(16)), KEY)


def test_after_a_fresh_login_the_last_four_are_enough_and_needed(deps: Deps, chat: str, borrower: str) -> None:
    assert vouching.accept(deps, chat, a_token(deps, borrower)) is None
    assert identity.who(deps, chat).level is Level.ANONYMOUS

    assert identity.start(deps, chat).step is Step.ID_TAIL
    assert identity.who(deps, chat).level is Level.ANONYMOUS
    assert identity.answer_id_tail(deps, chat, "9999").step is Step.ID_TAIL
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.DONE
    seen = identity.who(deps, chat)
    assert (seen.level, seen.borrower_id) == (Level.VERIFIED, borrower)


def test_after_an_older_login_the_code_is_asked_for_as_well(deps: Deps, chat: str, borrower: str) -> None:
    vouching.accept(deps, chat, a_token(deps, borrower, login=vouching.FRESH_LOGIN))

    assert identity.start(deps, chat).step is Step.CODE
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.CODE
    assert identity.answer_code(deps, chat, shown_code(deps, chat)).step is Step.ID_TAIL
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.DONE


def test_a_contract_that_nobody_knows_is_taken_alike_and_asks_who_it_is(deps: Deps, chat: str, borrower: str) -> None:
    assert vouching.accept(deps, chat, a_token(deps, None)) is None
    assert identity.start(deps, chat).step is Step.CLAIM


def test_it_is_forgotten_after_a_while(deps: Deps, chat: str, borrower: str, clock: SetClock) -> None:
    vouching.accept(deps, chat, a_token(deps, borrower))
    clock.move(vouching.COUNTS_FOR)
    assert identity.start(deps, chat).step is Step.CLAIM


def test_once_it_has_helped_to_prove_identity_it_helps_no_more(deps: Deps, chat: str, borrower: str) -> None:
    vouching.accept(deps, chat, a_token(deps, borrower))
    identity.start(deps, chat)
    identity.answer_id_tail(deps, chat, TAIL)
    identity.lapse(deps, chat)
    assert identity.start(deps, chat).step is Step.CODE


def test_a_stranger_who_says_so_ends_it(deps: Deps, chat: str, borrower: str) -> None:
    vouching.accept(deps, chat, a_token(deps, borrower))
    identity.release_binding(deps, chat, "stranger")
    assert identity.start(deps, chat).step is Step.CLAIM


def test_somebody_elses_login_ends_the_proof_of_whoever_was_there(deps: Deps, chat: str, borrower: str) -> None:
    prove(deps, chat, borrower)
    other = a_borrower(deps, "李小红", "13800000002", "110101199002020023")
    a_debt_of(deps, other)
    vouching.accept(deps, chat, a_token(deps, borrower))
    assert identity.who(deps, chat).level is Level.VERIFIED
    vouching.accept(deps, chat, a_token(deps, other))
    assert identity.who(deps, chat).level is Level.BOUND
    identity.start(deps, chat)
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.ID_TAIL, "the other's last four are asked for"


def test_a_token_counts_for_one_conversation_only_also_at_once(deps: Deps, borrower: str) -> None:
    token = a_token(deps, borrower)
    chats = [open_session(deps).conversation_id for _ in range(4)]
    outcomes = at_once(4, lambda turn: vouching.accept(deps, chats[turn], token))
    assert sorted(outcomes, key=str) == [None, *[VouchRefusal.USED] * 3]
    steps = [identity.start(deps, chat).step for chat in chats]
    assert sorted(steps) == sorted([Step.ID_TAIL, Step.CLAIM, Step.CLAIM, Step.CLAIM])


def test_no_code_fits_a_challenge_that_a_login_opened_and_none_is_made(deps: Deps, chat: str, borrower: str) -> None:
    vouching.accept(deps, chat, a_token(deps, borrower))
    identity.start(deps, chat)
    with deps.read() as session:
        assert session.scalar(select(func.count()).select_from(VerificationChallenge)) == 1
    with pytest.raises(IndexError):
        shown_code(deps, chat)


class TestRoute:
    @pytest.fixture
    def frame(self, deps: Deps) -> TestClient:
        app = FastAPI()
        app.include_router(vouching_api.make_router(deps))
        token = open_session(deps).token
        return TestClient(app, base_url=DESK, cookies={"desk_embedded": token}, headers={"Origin": DESK})

    def test_a_token_is_taken_once(self, deps: Deps, frame: TestClient, borrower: str) -> None:
        token = a_token(deps, borrower)
        answers = [frame.post("/embedded/chat/vouch", json={"token": token}) for _ in range(2)]
        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (403, b"")]

    def test_only_the_desks_own_page_with_a_session_hands_it_in(
        self, deps: Deps, frame: TestClient, borrower: str
    ) -> None:
        def status(**headers: str) -> int:
            answer = frame.post("/embedded/chat/vouch", json={"token": a_token(deps, borrower)}, headers=headers)
            return answer.status_code

        assert status(Origin="https://www.lender.example") == 403
        assert status(Origin="null") == 403
        del frame.headers["Origin"]
        assert status() == 403
        assert status(Origin=DESK) == 204
        frame.cookies.clear()
        assert status(Origin=DESK) == 403

    def test_there_is_none_outside_the_frame(self, frame: TestClient) -> None:
        assert frame.post("/chat/vouch", json={"token": "x"}).status_code == 404
