"""Proving who one is, against both databases: the right party gets in, nobody else learns anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.care.vulnerability import Vulnerability
from bot.cases.kinds import CaseKind
from bot.identity.factors import Claim
from bot.identity.levels import Level
from bot.outreach.gate import HoldKind
from bot.services import accounts, cases, circumstances, identity
from bot.services.accounts import NotVerified
from bot.services.deps import CodeFate, Deps
from bot.services.history import messages_after
from bot.services.holds import open_holds
from bot.services.identity import Outcome, Progress, Step
from bot.services.inbound import record_text
from bot.store.tables import (
    AuditEntry,
    Borrower,
    ChannelBinding,
    CodeLetter,
    Conversation,
    VerificationAttempt,
    VerificationChallenge,
)
from tests.builders.accounts import a_debt_of, shown_code, verified
from tests.builders.cases import a_complaint, case_of
from tests.builders.codes import Phones, codes_handed_over
from tests.builders.desk import SetClock, a_borrower, a_conversation
from tests.builders.threads import at_once

PHONE, NAME, TAIL = "13800000001", "王小明", "0014"
NOBODY = Claim("13800009999", None)
CLAIMS = [Claim(PHONE, None), Claim(None, NAME)]


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    return a_conversation(deps)


def prove(deps: Deps, chat: str, claim: Claim = CLAIMS[0], tail: str = TAIL) -> list[Progress]:
    return [
        identity.start(deps, chat),
        identity.answer_claim(deps, chat, claim),
        identity.answer_code(deps, chat, shown_code(deps, chat)),
        identity.answer_id_tail(deps, chat, tail),
    ]


def wrong_of(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def guess_tails(deps: Deps, chat: str, number: int, claim: Claim = CLAIMS[0]) -> list[Progress]:
    """Pass the code and answer wrong tails."""
    identity.answer_claim(deps, chat, claim)
    identity.answer_code(deps, chat, shown_code(deps, chat))
    return [identity.answer_id_tail(deps, chat, "9999") for _ in range(number)]


# The right party -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_a_code_and_the_tail_prove_identity(deps: Deps, borrower: str, chat: str, claim: Claim) -> None:
    a_debt_of(deps, borrower)
    assert accounts.portfolio(deps, chat) == NotVerified()
    steps = prove(deps, chat, claim)
    assert [(each.step, each.outcome) for each in steps] == [
        (Step.CLAIM, Outcome.ASKED),
        (Step.CODE, Outcome.ASKED),
        (Step.ID_TAIL, Outcome.ACCEPTED),
        (Step.DONE, Outcome.ACCEPTED),
    ]
    seen = identity.who(deps, chat)
    assert (seen.level, seen.borrower_id, seen.is_fresh) == (Level.VERIFIED, borrower, True)
    assert identity.progress(deps, chat).step is Step.DONE
    owed = accounts.portfolio(deps, chat)
    assert not isinstance(owed, NotVerified)
    assert owed.name == NAME
    assert len(owed.debts) == 1


def test_a_name_in_traditional_script_and_with_spaces_is_the_same_name(deps: Deps, chat: str) -> None:
    a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    assert prove(deps, chat, Claim(None, "孫 蘭"), "0022")[-1].step is Step.DONE


def test_two_of_one_name_cannot_be_told_apart_by_it(deps: Deps, chat: str) -> None:
    a_borrower(deps, NAME, "13800000002", "110101199001010022")
    assert prove(deps, chat, Claim(None, NAME))[-1].outcome is Outcome.WRONG
    assert prove(deps, chat, Claim(PHONE, None))[-1].step is Step.DONE


def test_a_code_that_was_right_counts_for_a_quarter_of_an_hour(deps: Deps, clock: SetClock, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    code = shown_code(deps, chat)
    identity.answer_code(deps, chat, code)
    clock.move(timedelta(minutes=10))
    identity.answer_code(deps, chat, code)  # once more: that makes it no younger
    clock.move(timedelta(minutes=5))
    assert identity.progress(deps, chat).step is Step.CLAIM
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.CLAIM
    assert identity.who(deps, chat).level is not Level.VERIFIED
    assert prove(deps, chat)[-1].step is Step.DONE


def test_the_tail_may_follow_the_code_some_minutes_later(deps: Deps, clock: SetClock, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    identity.answer_code(deps, chat, shown_code(deps, chat))
    clock.move(timedelta(minutes=14))
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.DONE


def test_a_bound_conversation_goes_straight_to_the_code(deps: Deps, clock: SetClock, chat: str) -> None:
    prove(deps, chat)
    clock.move(timedelta(hours=2))
    assert identity.start(deps, chat).step is Step.CODE
    identity.answer_code(deps, chat, shown_code(deps, chat))
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.DONE


def test_the_code_goes_to_the_phone_on_record_and_is_not_shown(deps: Deps, chat: str) -> None:
    phones = Phones()
    served = replace(deps, code_sender=phones)
    before = len(messages_after(deps, chat, 0))
    identity.answer_claim(served, chat, Claim(None, NAME))
    codes_handed_over(served)
    [(phone, code)] = phones.sent
    assert phone == PHONE
    assert len(messages_after(deps, chat, 0)) == before
    assert identity.answer_code(served, chat, code).step is Step.ID_TAIL


class Forbidden:
    """Fails a test in which anything is sent."""

    def send(self, letter_id: str, phone: str, code: str) -> CodeFate:
        raise AssertionError("nothing is sent before the borrower has been answered")


def test_whoever_is_known_is_answered_without_a_call_to_the_code_service(
    deps: Deps, clock: SetClock, chat: str
) -> None:
    served = replace(deps, code_sender=Forbidden())

    def told(claim: Claim) -> list[Progress]:
        other = a_conversation(deps)
        steps = [identity.start(served, other), identity.answer_claim(served, other, claim)]
        clock.move(timedelta(minutes=1))
        steps.append(identity.resend_code(served, other))
        clock.move(timedelta(minutes=deps.settings.code_minutes))
        return [*steps, identity.answer_code(served, other, "000000")]

    known, unknown = told(CLAIMS[0]), told(NOBODY)
    assert known == unknown
    assert [each.outcome for each in known] == [*[Outcome.ASKED] * 3, Outcome.CODE_EXPIRED]
    prove(deps, chat)
    clock.move(timedelta(minutes=31))
    assert identity.start(served, chat).step is Step.CODE


def test_the_attempts_left_are_told_truly_after_a_lock_has_passed(deps: Deps, clock: SetClock, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    for _ in range(5):
        wrong = "000000" if shown_code(deps, chat) != "000000" else "111111"
        identity.answer_code(deps, chat, wrong)
    clock.move(timedelta(minutes=31))
    identity.answer_claim(deps, chat, CLAIMS[0])
    assert identity.answer_code(deps, chat, "000000").attempts_left in (4, 5)


def test_the_code_is_stored_sealed_and_only_until_it_is_handed_over(deps: Deps, chat: str) -> None:
    phones = Phones()
    served = replace(deps, code_sender=phones)
    identity.answer_claim(served, chat, CLAIMS[0])
    with deps.begin() as session:
        stored = session.scalars(select(VerificationChallenge)).one()
        noted = session.scalars(select(AuditEntry.detail)).all()
        on_its_way = session.scalars(select(CodeLetter.code_sealed)).one()
    codes_handed_over(served)
    assert phones.sent[0][1] not in stored.code_hash
    assert phones.sent[0][1] not in on_its_way
    with deps.begin() as session:
        assert session.scalars(select(CodeLetter)).all() == []
    assert not any(PHONE in str(detail) or phones.sent[0][1] in str(detail) for detail in noted)


# Codes ---------------------------------------------------------------------------------------------------------------


def test_a_wrong_code_is_told_and_the_right_one_still_works(deps: Deps, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    code = shown_code(deps, chat)
    wrong = identity.answer_code(deps, chat, wrong_of(code))
    assert (wrong.step, wrong.outcome, wrong.attempts_left) == (Step.CODE, Outcome.WRONG, 4)
    assert identity.answer_code(deps, chat, code).outcome is Outcome.ACCEPTED


def test_an_expired_code_is_replaced(deps: Deps, clock: SetClock, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    old = shown_code(deps, chat)
    clock.move(timedelta(minutes=deps.settings.code_minutes))
    late = identity.answer_code(deps, chat, old)
    assert (late.step, late.outcome, late.attempts_left) == (Step.CODE, Outcome.CODE_EXPIRED, 5)
    assert identity.answer_code(deps, chat, shown_code(deps, chat)).outcome is Outcome.ACCEPTED


def test_a_new_code_ends_the_old_one(deps: Deps, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    old = shown_code(deps, chat)
    identity.resend_code(deps, chat)
    fresh = shown_code(deps, chat)
    if old != fresh:
        assert identity.answer_code(deps, chat, old).outcome is Outcome.WRONG
    assert identity.answer_code(deps, chat, fresh).outcome is Outcome.ACCEPTED


def test_the_tail_without_the_code_proves_nothing(deps: Deps, chat: str) -> None:
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.CLAIM
    identity.answer_claim(deps, chat, CLAIMS[0])
    assert identity.answer_id_tail(deps, chat, TAIL).step is Step.CODE
    assert identity.who(deps, chat).level is Level.ANONYMOUS


def test_a_code_is_worth_nothing_in_another_conversation(deps: Deps, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    other = a_conversation(deps)
    assert identity.answer_code(deps, other, shown_code(deps, chat)).step is Step.CLAIM
    identity.answer_claim(deps, other, CLAIMS[0])
    assert shown_code(deps, other) != shown_code(deps, chat)
    assert identity.answer_code(deps, other, shown_code(deps, chat)).outcome is Outcome.WRONG


# What was raised before ----------------------------------------------------------------------------------------------


def test_a_complaint_raised_before_proof_becomes_the_borrowers_with_its_silence(
    deps: Deps, borrower: str, chat: str
) -> None:
    case_id = a_complaint(deps, chat)
    with deps.begin() as session:
        circumstances.put(session, deps, session.get_one(Conversation, chat), Vulnerability.ELDERLY)
    prove(deps, chat)
    assert case_of(deps, case_id).borrower_id == borrower
    elsewhere = verified(deps, borrower, "telegram")
    assert [view.case_id for view in cases.progress(deps, elsewhere).cases] == [case_id]
    identity.release_binding(deps, chat, "number_changed_hands")
    with deps.read() as session:
        held = open_holds(session, borrower, deps.now()).kinds
        assert circumstances.pace_of_borrower(session, deps, borrower).is_shorter
    assert HoldKind.COMPLAINT in held, "it is theirs, whoever has the conversation now"


def test_what_somebody_else_raised_stays_theirs(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    other = a_borrower(deps, "林甲乙", "13800000003", "110101199001010033")
    prove(deps, chat, Claim("13800000003", None), "0033")
    clock.move(timedelta(minutes=1))
    hers = a_complaint(deps, chat)
    clock.move(timedelta(minutes=1))
    identity.release_binding(deps, chat, "number_changed_hands")
    clock.move(timedelta(minutes=1))
    nobodys = a_complaint(deps, a_conversation(deps))
    mine = a_complaint(deps, chat, CaseKind.FEES)
    prove(deps, chat)
    assert [case_of(deps, each).borrower_id for each in (hers, nobodys, mine)] == [other, None, borrower]


# Locks ---------------------------------------------------------------------------------------------------------------


def test_five_wrong_tails_lock_for_thirty_minutes_and_then_it_opens(deps: Deps, clock: SetClock, chat: str) -> None:
    answers = guess_tails(deps, chat, 5)
    assert [each.outcome for each in answers] == [Outcome.WRONG] * 4 + [Outcome.LOCKED]
    assert [each.attempts_left for each in answers] == [4, 3, 2, 1, 0]
    until = answers[-1].locked_until
    assert until == clock.now() + timedelta(minutes=30)
    clock.instant = until - timedelta(seconds=1)
    assert identity.answer_id_tail(deps, chat, TAIL).outcome is Outcome.LOCKED
    assert identity.start(deps, chat).outcome is Outcome.LOCKED
    assert identity.answer_claim(deps, chat, CLAIMS[0]).outcome is Outcome.LOCKED
    clock.instant = until
    assert prove(deps, chat)[-1].step is Step.DONE


def test_five_wrong_codes_lock_too(deps: Deps, chat: str) -> None:
    identity.answer_claim(deps, chat, CLAIMS[0])
    code = shown_code(deps, chat)
    outcomes = [identity.answer_code(deps, chat, wrong_of(code)).outcome for _ in range(5)]
    assert outcomes == [Outcome.WRONG] * 4 + [Outcome.LOCKED]
    assert identity.answer_code(deps, chat, code).outcome is Outcome.LOCKED
    assert identity.resend_code(deps, chat).outcome is Outcome.LOCKED


def test_claiming_anew_does_not_wipe_the_count(deps: Deps, chat: str) -> None:
    guess_tails(deps, chat, 3)
    assert guess_tails(deps, chat, 2)[-1].outcome is Outcome.LOCKED


def test_guesses_over_several_conversations_count_together(deps: Deps, borrower: str) -> None:
    for _ in range(4):
        guess_tails(deps, a_conversation(deps), 1)
    assert guess_tails(deps, a_conversation(deps), 1)[-1].outcome is Outcome.LOCKED


def test_one_borrowers_lock_does_not_lock_another(deps: Deps, chat: str) -> None:
    a_borrower(deps, "李四", "13800000002", "110101199001010022")
    guess_tails(deps, chat, 5)
    assert prove(deps, a_conversation(deps), Claim("13800000002", None), "0022")[-1].step is Step.DONE


def test_guesses_made_at_once_all_count(deps: Deps, borrower: str) -> None:
    chats = [a_conversation(deps) for _ in range(8)]
    for chat in chats:
        identity.answer_claim(deps, chat, CLAIMS[0])
        identity.answer_code(deps, chat, shown_code(deps, chat))
    outcomes = at_once(8, lambda turn: identity.answer_id_tail(deps, chats[turn], "9999").outcome)
    assert outcomes.count(Outcome.WRONG) == 4
    with deps.begin() as session:
        assert len(session.scalars(select(VerificationAttempt).where(~VerificationAttempt.passed)).all()) == 5


# Who is not known ----------------------------------------------------------------------------------------------------


def test_unknown_people_get_the_same_steps_and_words(deps: Deps, borrower: str) -> None:
    def told(claim: Claim) -> tuple[list[Progress], list[str]]:
        chat = a_conversation(deps)
        steps = prove(deps, chat, claim, tail="9999")
        shown = [message.text.replace(shown_code(deps, chat), "000000") for message in messages_after(deps, chat, 0)]
        return steps, shown

    known, unknown, unnamed = told(CLAIMS[0]), told(NOBODY), told(Claim(None, "没有此人"))
    assert known == unknown == unnamed
    assert known[0][-1].outcome is Outcome.WRONG


def test_a_lock_does_not_tell_who_is_known(deps: Deps, borrower: str) -> None:
    def tried_elsewhere(claim: Claim) -> list[Progress]:
        first, second, third = (a_conversation(deps) for _ in range(3))
        early = guess_tails(deps, first, 2, claim)
        later = guess_tails(deps, second, 3, claim)
        return [*early, *later, identity.answer_claim(deps, third, claim)]

    known, unknown = tried_elsewhere(CLAIMS[0]), tried_elsewhere(NOBODY)
    assert known == unknown
    assert known[-1].outcome is Outcome.LOCKED


def test_no_tail_at_all_lets_an_unknown_claim_in(deps: Deps, borrower: str, chat: str) -> None:
    assert prove(deps, chat, NOBODY, TAIL)[-1].outcome is Outcome.WRONG
    assert identity.who(deps, chat).level is Level.ANONYMOUS


def test_no_code_is_sent_for_an_unknown_claim_and_the_answer_is_the_same(deps: Deps, borrower: str) -> None:
    phones = Phones()
    served = replace(deps, code_sender=phones)
    known = identity.answer_claim(served, a_conversation(deps), CLAIMS[0])
    unknown = identity.answer_claim(served, a_conversation(deps), NOBODY)
    assert known == unknown
    codes_handed_over(served)
    assert [phone for phone, _ in phones.sent] == [PHONE]


def test_the_deceased_cannot_pass_and_nobody_is_told_why(deps: Deps, borrower: str) -> None:
    with deps.begin() as session:
        session.get_one(Borrower, borrower).deceased = True
    steps = prove(deps, a_conversation(deps))
    stranger = prove(deps, a_conversation(deps), NOBODY)
    assert steps == stranger
    assert steps[-1].outcome is Outcome.WRONG
    phones = Phones()
    served = replace(deps, code_sender=phones)
    identity.answer_claim(served, a_conversation(deps), CLAIMS[0])
    codes_handed_over(served)
    assert phones.sent == []


# How long it lasts ---------------------------------------------------------------------------------------------------


def test_level_two_lapses_after_thirty_idle_minutes(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = verified(deps, borrower)
    clock.move(timedelta(minutes=29, seconds=59))
    assert identity.who(deps, chat).level is Level.VERIFIED
    clock.move(timedelta(seconds=1))
    assert identity.who(deps, chat).level is Level.BOUND
    record_text(deps, chat, "back", "我又来了")
    assert identity.who(deps, chat).level is Level.BOUND
    assert accounts.portfolio(deps, chat) == NotVerified()


def test_talking_keeps_level_two_but_not_its_freshness(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat = verified(deps, borrower)
    for turn in range(4):
        clock.move(timedelta(minutes=20))
        record_text(deps, chat, f"turn {turn}", "还在")
    seen = identity.who(deps, chat)
    assert (seen.level, seen.is_fresh) == (Level.VERIFIED, False)


def test_lapse_asks_for_proof_again(deps: Deps, borrower: str) -> None:
    chat = verified(deps, borrower)
    identity.lapse(deps, chat)
    assert identity.who(deps, chat).level is Level.BOUND


def test_a_released_binding_is_forgotten_and_kept_on_record(deps: Deps, clock: SetClock, chat: str) -> None:
    prove(deps, chat)
    clock.move(timedelta(minutes=1))
    identity.release_binding(deps, chat, "third_party")
    seen = identity.who(deps, chat)
    assert (seen.level, seen.borrower_id) == (Level.ANONYMOUS, None)
    assert identity.start(deps, chat).step is Step.CLAIM
    with deps.begin() as session:
        binding = session.scalars(select(ChannelBinding)).one()
        assert (binding.released_at, binding.released_reason) == (clock.now(), "third_party")


def test_another_borrower_takes_a_conversation_over_only_by_proof(deps: Deps, borrower: str, chat: str) -> None:
    other = a_borrower(deps, "李四", "13800000002", "110101199001010022")
    prove(deps, chat)
    identity.answer_claim(deps, chat, Claim("13800000002", None))
    assert identity.who(deps, chat).borrower_id == borrower
    identity.answer_code(deps, chat, shown_code(deps, chat))
    identity.answer_id_tail(deps, chat, "0022")
    assert identity.who(deps, chat).borrower_id == other
    with deps.begin() as session:
        reasons = {row.borrower_id: row.released_reason for row in session.scalars(select(ChannelBinding))}
    assert reasons == {borrower: "other_borrower", other: None}
