"""What a lock tells: to whoever has proved nothing, not that a name and a phone are one person, nor that one is known.

Codes go to phones here, as in production; codes that are shown in the chat prove nothing and tell nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from bot.identity.factors import Claim
from bot.identity.levels import Level
from bot.services import identity
from bot.services.deps import Deps
from bot.services.identity import Outcome, Progress, Step
from bot.store.tables import VerificationAttempt
from tests.builders.accounts import shown_code
from tests.builders.codes import Phones, codes_handed_over
from tests.builders.desk import NOON, SetClock, a_borrower, a_conversation, a_desk

PHONE, NAME, TAIL = "13800000001", "王小明", "0014"
BY_NAME, UNKNOWN_NAME = Claim(None, NAME), Claim(None, "没有此人")
WRONG = "------"
"""No code is ever this."""


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def served(deps: Deps, phones: Phones, borrower: str) -> Deps:
    """A desk whose codes go to phones."""
    return replace(deps, code_sender=phones)


def locked_by_phone(deps: Deps) -> None:
    """Have a stranger lock the borrower by five wrong codes for their phone."""
    chat = a_conversation(deps)
    identity.answer_claim(deps, chat, Claim(PHONE, None))
    outcomes = [identity.answer_code(deps, chat, WRONG).outcome for _ in range(5)]
    assert outcomes[-1] is Outcome.LOCKED


def code_of(deps: Deps, phones: Phones) -> str:
    """The code that has just come to the phone on record."""
    codes_handed_over(deps)
    return phones.sent[-1][1]


Try = Callable[[Deps, str, Claim, SetClock], Progress]


def _wait(deps: Deps, chat: str, _claim: Claim, clock: SetClock) -> Progress:
    clock.move(timedelta(minutes=2))
    return identity.progress(deps, chat)


STEPS: dict[str, Try] = {
    "start": lambda deps, chat, _claim, _clock: identity.start(deps, chat),
    "claim": lambda deps, chat, claim, _clock: identity.answer_claim(deps, chat, claim),
    "code": lambda deps, chat, _claim, _clock: identity.answer_code(deps, chat, WRONG),
    "again": lambda deps, chat, _claim, _clock: identity.resend_code(deps, chat),
    "tail": lambda deps, chat, _claim, _clock: identity.answer_id_tail(deps, chat, TAIL),
    "wait": _wait,
}


class Tries:
    """Tries sequences of answers on one desk, each hours after the one before, so that no lock is left of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.deps = replace(a_desk(folder, self.clock), code_sender=Phones())
        self.borrower_id = a_borrower(self.deps, NAME, PHONE)

    def told(self, claim: Claim, steps: Sequence[str]) -> list[Progress]:
        """What is told for these steps while the borrower is locked; instants as if it were noon."""
        self.clock.move(timedelta(hours=3))
        deps, began_at = self.deps, self.clock.now()
        elsewhere, chat = a_conversation(deps), a_conversation(deps)
        with deps.begin() as session:
            session.add_all(
                VerificationAttempt(
                    conversation_id=elsewhere,
                    borrower_id=self.borrower_id,
                    claim_hash="of the phone",
                    factor="code",
                    passed=False,
                    at=began_at,
                )
                for _ in range(deps.settings.verification_attempts)
            )
        found = []
        for each in steps:
            found += [STEPS[each](deps, chat, claim, self.clock), identity.progress(deps, chat)]
        return [
            replace(each, locked_until=NOON + (each.locked_until - began_at)) if each.locked_until else each
            for each in found
        ]


def test_a_locked_person_and_nobody_are_told_the_same_whatever_is_tried(tmp_path: Path) -> None:
    tries = Tries(tmp_path)
    for rest in product(STEPS, repeat=3):
        steps = ("claim", *rest)
        assert tries.told(BY_NAME, steps) == tries.told(UNKNOWN_NAME, steps), steps


@pytest.mark.parametrize(
    "steps",
    [
        ("claim", *["code"] * 7),
        ("claim", "code", "code", "code", "claim", "code", "wait", "code", "again", "start", "claim"),
        ("claim", *["code", "again", "wait"] * 5),
        ("claim", "wait", "wait", "wait", "code", "code", "code", "code", "code", "code", "tail"),
        ("claim", "code", *["wait"] * 16, "claim", *["code"] * 6, *["wait"] * 16, "claim", "code"),
    ],
)
def test_a_locked_person_and_nobody_are_told_the_same_for_long(tmp_path: Path, steps: Sequence[str]) -> None:
    tries = Tries(tmp_path)
    known, unknown = tries.told(BY_NAME, steps), tries.told(UNKNOWN_NAME, steps)
    assert known == unknown


def test_guesses_at_a_phone_do_not_tell_whose_name_belongs_to_it(served: Deps) -> None:
    locked_by_phone(served)
    by_name = identity.answer_claim(served, a_conversation(served), BY_NAME)
    assert by_name == identity.answer_claim(served, a_conversation(served), UNKNOWN_NAME)
    assert by_name == Progress(Step.CODE, Outcome.ASKED, 5)


def test_a_locked_borrower_with_the_right_code_is_told_until_when_and_not_let_in(
    served: Deps, phones: Phones, clock: SetClock
) -> None:
    locked_by_phone(served)
    until = clock.now() + timedelta(minutes=30)
    clock.move(timedelta(minutes=2))
    chat = a_conversation(served)
    assert identity.answer_claim(served, chat, BY_NAME).outcome is Outcome.ASKED
    told = identity.answer_code(served, chat, code_of(served, phones))
    assert (told.outcome, told.locked_until) == (Outcome.LOCKED, until)
    for asked in (identity.progress(served, chat), identity.start(served, chat)):
        assert (asked.outcome, asked.locked_until) == (Outcome.LOCKED, until), "they are told again"
    assert identity.answer_id_tail(served, chat, TAIL).step is Step.CLAIM
    assert identity.who(served, chat).level is Level.ANONYMOUS


def test_a_code_that_was_right_during_a_lock_opens_nothing_after_it(
    served: Deps, phones: Phones, clock: SetClock
) -> None:
    locked_by_phone(served)
    clock.move(timedelta(minutes=2))
    chat = a_conversation(served)
    identity.answer_claim(served, chat, BY_NAME)
    identity.answer_code(served, chat, code_of(served, phones))
    clock.move(timedelta(minutes=30))
    assert identity.progress(served, chat) == Progress(Step.CLAIM, Outcome.ASKED, 5)
    assert identity.answer_id_tail(served, chat, TAIL).step is Step.CLAIM
    identity.answer_claim(served, chat, BY_NAME)
    assert identity.answer_code(served, chat, code_of(served, phones)).step is Step.ID_TAIL
    assert identity.answer_id_tail(served, chat, TAIL).step is Step.DONE


def test_a_lock_that_comes_after_the_code_is_told_at_the_tail(served: Deps, phones: Phones, clock: SetClock) -> None:
    chat = a_conversation(served)
    identity.answer_claim(served, chat, BY_NAME)
    identity.answer_code(served, chat, code_of(served, phones))
    clock.move(timedelta(minutes=2))
    locked_by_phone(served)
    assert identity.answer_id_tail(served, chat, TAIL).outcome is Outcome.LOCKED
    assert identity.who(served, chat).level is Level.ANONYMOUS


def test_guesses_during_a_lock_do_not_make_it_longer(served: Deps, phones: Phones, clock: SetClock) -> None:
    locked_by_phone(served)
    clock.move(timedelta(minutes=20))
    chat = a_conversation(served)
    identity.answer_claim(served, chat, BY_NAME)
    for _ in range(5):
        identity.answer_code(served, chat, WRONG)
    clock.move(timedelta(minutes=10))
    honest = a_conversation(served)
    identity.answer_claim(served, honest, Claim(PHONE, None))
    assert identity.answer_code(served, honest, code_of(served, phones)).step is Step.ID_TAIL


def test_where_codes_are_shown_a_locked_borrower_is_let_in_by_nothing_and_nothing_is_told(
    deps: Deps, borrower: str
) -> None:
    locked_by_phone(deps)

    def told(claim: Claim) -> list[Progress]:
        chat = a_conversation(deps)
        steps = [identity.answer_claim(deps, chat, claim)]
        steps.append(identity.answer_code(deps, chat, shown_code(deps, chat)))
        return [*steps, *(identity.answer_id_tail(deps, chat, TAIL) for _ in range(5)), identity.progress(deps, chat)]

    known = told(BY_NAME)
    assert known == told(UNKNOWN_NAME)
    assert [each.outcome for each in known[2:6]] == [Outcome.WRONG] * 4
    assert known[-1].outcome is Outcome.LOCKED
