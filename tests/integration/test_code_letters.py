"""One-time codes on their way: handed over after the answer, once, after a crash too, and never when worth nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import func, select

from bot.channels.code_delivery import LEASE, CodeDelivery
from bot.channels.pacing import Pace
from bot.identity.factors import Claim
from bot.services import code_letters, identity
from bot.services.deps import CodeFate, Deps
from bot.store.tables import CodeLetter
from tests.builders.codes import Phones
from tests.builders.desk import SetClock, a_conversation
from tests.builders.threads import at_once

PHONE = "13800000001"
KNOWN, UNKNOWN = Claim(PHONE, None), Claim("13800009999", None)


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def served(deps: Deps, phones: Phones, borrower: str) -> Deps:
    """A desk whose codes go to phones."""
    return replace(deps, code_sender=phones)


def asked(deps: Deps, claim: Claim = KNOWN) -> str:
    chat = a_conversation(deps)
    identity.answer_claim(deps, chat, claim)
    return chat


def waiting(deps: Deps) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(CodeLetter)) or 0


async def rounds(deps: Deps, phones: Phones) -> int:
    delivery, attempted = CodeDelivery(deps), 0
    while count := await delivery.round(phones):
        attempted += count
    await delivery.stop()
    return attempted


async def test_a_code_is_handed_over_after_the_answer_and_then_gone(served: Deps, phones: Phones) -> None:
    chat = asked(served)
    assert phones.sent == []
    assert await rounds(served, phones) == 1
    [(phone, code)] = phones.sent
    assert phone == PHONE
    assert waiting(served) == 0
    assert identity.answer_code(served, chat, code).step is identity.Step.ID_TAIL


async def test_who_gets_no_code_leaves_the_same_work_and_nothing_is_sent(served: Deps, phones: Phones) -> None:
    asked(served, UNKNOWN)
    assert waiting(served) == 1
    assert await rounds(served, phones) == 0
    assert (phones.sent, waiting(served)) == ([], 0)


async def test_what_a_dead_process_had_claimed_is_sent_by_the_next_one(
    served: Deps, phones: Phones, clock: SetClock
) -> None:
    asked(served)
    [lost] = code_letters.claim_due(served, 10, LEASE)
    assert await rounds(served, phones) == 0, "its lease still holds"
    clock.move(LEASE)
    assert await rounds(served, phones) == 1
    assert phones.sent == [(lost.phone, lost.code)], "the same code: it may have arrived"
    assert phones.letters == [lost.id]


def test_of_processes_that_look_together_one_gets_a_code(served: Deps, phones: Phones) -> None:
    asked(served)
    claimed = at_once(4, lambda _: code_letters.claim_due(served, 10, LEASE))
    assert sum(len(each) for each in claimed) == 1


async def test_an_outage_is_waited_for_with_the_same_code_while_it_is_good(
    served: Deps, phones: Phones, clock: SetClock
) -> None:
    phones.fate = CodeFate.LATER
    asked(served)
    assert await rounds(served, phones) == 1
    assert await rounds(served, phones) == 0
    clock.move(timedelta(seconds=1))
    phones.fate = CodeFate.TAKEN
    assert await rounds(served, phones) == 1
    assert len(phones.sent) == 2
    assert len(set(phones.sent)) == len(set(phones.letters)) == 1
    assert waiting(served) == 0


async def test_a_code_that_is_worth_nothing_any_more_is_not_sent(served: Deps, phones: Phones, clock: SetClock) -> None:
    asked(served)
    clock.move(timedelta(minutes=served.settings.code_minutes))
    assert await rounds(served, phones) == 0
    assert (phones.sent, waiting(served)) == ([], 0)


async def test_an_outage_ends_with_the_code(served: Deps, phones: Phones, clock: SetClock) -> None:
    phones.fate, began_at = CodeFate.LATER, clock.now()
    asked(served)
    with structlog.testing.capture_logs() as logged:
        while waiting(served):
            await rounds(served, phones)
            clock.move(timedelta(seconds=10))
    assert waiting(served) == 0
    assert len(phones.sent) > 5
    assert [each["event"] for each in logged] == ["code_not_sent", "code_given_up"], "an alarm counts each code once"
    assert clock.now() - began_at < timedelta(minutes=served.settings.code_minutes, seconds=11)


async def test_a_code_that_was_replaced_is_not_sent(served: Deps, phones: Phones, clock: SetClock) -> None:
    chat = asked(served)
    clock.move(timedelta(minutes=1))
    identity.resend_code(served, chat)
    assert await rounds(served, phones) == 1
    [(_, code)] = phones.sent
    assert identity.answer_code(served, chat, code).outcome is identity.Outcome.ACCEPTED


async def test_a_code_that_the_service_will_never_take_is_given_up(served: Deps, phones: Phones) -> None:
    phones.fate = CodeFate.NEVER
    asked(served)
    assert await rounds(served, phones) == 1
    assert waiting(served) == 0


async def test_neither_logs_nor_representations_hold_a_code_or_a_phone(served: Deps, phones: Phones) -> None:
    phones.fate = CodeFate.NEVER
    asked(served)
    [letter] = code_letters.claim_due(served, 10, timedelta(0))
    with structlog.testing.capture_logs() as logged:
        await rounds(served, phones)
    assert [each["event"] for each in logged] == ["code_not_sent"]
    assert not any(secret in f"{logged}{letter!r}" for secret in (letter.code, PHONE))


async def test_after_an_answer_the_loop_looks_at_once(served: Deps, phones: Phones) -> None:
    delivery = CodeDelivery(served, Pace(look=600))
    await delivery.start()
    await asyncio.sleep(0.1)
    asked(served)
    delivery.nudge()
    for _ in range(1000):
        if phones.sent:
            break
        await asyncio.sleep(0.02)
    await delivery.stop()
    assert len(phones.sent) == 1
