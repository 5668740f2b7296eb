"""Automatic checks, scorecards and second opinions: the services on both databases, and their page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bot.console.rendering import Pages
from bot.desk.scorecard import Criterion, DrawReason, Mark
from bot.desk.talk_checks import TalkFlaw, TalkFound
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import quality, retention, search_index, talk_checking
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.quality import NotReviewed, ReviewView
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation
from tests.builders.review import a_reviewer, indexed

PASSED = dict.fromkeys(Criterion, Mark.PASS)


@pytest.fixture
def console(deps: Deps, clock: SetClock) -> ConsoleBrowser:
    return ConsoleBrowser(deps, clock)


def quiet(deps: Deps, clock: SetClock) -> int:
    """Let conversations go quiet and be checked; returns how many flaws are new."""
    indexed(deps)
    clock.move(search_index.QUIET)
    return talk_checking.sweep(deps)


def test_a_conversation_is_checked_once_it_is_quiet_and_each_flaw_is_told_once(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(
        deps,
        Talk(said=(Said("要坐牢吗"), Said("不还就要坐牢", author=Author.BOT, minutes_ago=1), Said("那怎么办"))),
    )
    indexed(deps)
    assert talk_checking.sweep(deps) == 0
    clock.move(search_index.QUIET)
    assert talk_checking.sweep(deps) == 2
    assert {(flaw.flaw, flaw.seq) for flaw in talk_checking.open_flaws(deps)} == {
        (TalkFlaw.FORBIDDEN_WORDS, 2),
        (TalkFlaw.UNANSWERED, 3),
    }
    assert all(flaw.conversation_id == chat for flaw in talk_checking.open_flaws(deps))
    assert talk_checking.sweep(deps) == 0
    search_index.rebuild(deps)
    assert quiet(deps, clock) == 0


def test_a_flaw_that_was_deleted_for_its_age_is_not_found_again(deps: Deps, clock: SetClock) -> None:
    a_conversation(deps, Talk(said=(Said("在吗"),), borrower_id=a_borrower(deps)))
    assert quiet(deps, clock) == 1
    clock.move(timedelta(days=6 * 366))
    assert retention.run(deps).findings == 1
    search_index.rebuild(deps)
    assert quiet(deps, clock) == 0


def test_a_flaw_is_seen_by_one(deps: Deps, clock: SetClock) -> None:
    a_conversation(deps, Talk(said=(Said("在吗"),)))
    assert quiet(deps, clock) == 1
    (flaw,) = talk_checking.open_flaws(deps)
    reviewer = a_reviewer(deps)
    assert talk_checking.see(deps, reviewer, flaw.id)
    assert not talk_checking.see(deps, reviewer, flaw.id)
    assert talk_checking.open_flaws(deps) == ()
    assert talk_checking.open_count(deps) == 0


def test_a_week_is_drawn_with_what_went_wrong_and_drawing_again_adds_nothing(deps: Deps, clock: SetClock) -> None:
    reviewer = a_reviewer(deps)
    a_conversation(deps, Talk(said=(Said("想不开"), Said("我在", author=Author.BOT)), holds=(HoldKind.DISTRESS,)))
    a_conversation(deps, Talk(said=(Said("在吗"),)))
    quiet(deps, clock)
    assert quality.draw_week(deps, reviewer) == 3  # the first by lot is judged twice
    assert quality.draw_week(deps, reviewer) == 0
    reasons = {review.reason for review in quality.to_do(deps, reviewer)}
    assert reasons == {DrawReason.DISTRESS, DrawReason.FLAW}


def a_card(deps: Deps, reviewer_login: str = "lin") -> tuple[str, str]:
    """Draw one conversation of an agent's; returns the first and the second card."""
    agent = a_reviewer(deps, Role.AGENT, "wu")
    a_conversation(deps, Talk(said=(Said("在吗"), Said("在的", author=Author.OPERATOR, operator_id=agent.id))))
    reviewer = a_reviewer(deps, login=reviewer_login)
    assert quality.draw_week(deps, reviewer) == 2
    cards = {review.round: review.id for review in quality.to_do(deps, reviewer)}
    return cards[1], cards[2]


def test_two_reviewers_judge_apart_and_their_agreement_is_counted(deps: Deps) -> None:
    first, second = a_card(deps)
    lin, he = a_reviewer(deps, login="lin2"), a_reviewer(deps, Role.COMPLIANCE, "he")
    assert isinstance(quality.fill_in(deps, lin, first, PASSED | {Criterion.TONE: Mark.FAIL}, "语气太硬"), ReviewView)
    assert quality.done(deps) == ()  # not before the second opinion is there
    assert quality.fill_in(deps, lin, second, PASSED) is NotReviewed.SAME_PERSON
    assert quality.to_do(deps, lin) == ()
    assert isinstance(quality.fill_in(deps, he, second, PASSED), ReviewView)
    assert {(card.percent, card.note) for card in quality.done(deps)} == {(0, "语气太硬"), (100, None)}
    by_criterion = {one.criterion: (one.kappa, one.pairs) for one in quality.agreement(deps)}
    assert by_criterion[Criterion.TONE] == (0, 1)
    assert by_criterion[Criterion.NEXT_STEP] == (1, 1)
    (coached,) = quality.coaching(deps)
    assert coached.criteria == (Criterion.TONE,)
    assert coached.cards == 2


def test_what_cannot_be_taken_says_why(deps: Deps) -> None:
    first, second = a_card(deps)
    lin = a_reviewer(deps, login="lin2")
    assert quality.fill_in(deps, lin, first, {Criterion.TONE: Mark.PASS}) is NotReviewed.INCOMPLETE
    assert quality.fill_in(deps, lin, first, PASSED, "长" * 501) is NotReviewed.NOTE_TOO_LONG
    assert quality.fill_in(deps, lin, "0" * 32, PASSED) is NotReviewed.UNKNOWN
    quality.fill_in(deps, lin, first, PASSED)
    assert quality.fill_in(deps, lin, first, PASSED) is NotReviewed.DONE
    assert second


def test_nobody_judges_their_own_work(deps: Deps) -> None:
    supervisor = a_reviewer(deps)
    a_conversation(deps, Talk(said=(Said("在吗"), Said("在的", author=Author.OPERATOR, operator_id=supervisor.id))))
    quality.draw_week(deps, a_reviewer(deps, login="he"))
    assert quality.to_do(deps, supervisor) == ()
    (card,) = [one for one in quality.to_do(deps, a_reviewer(deps, login="wu")) if one.round == 1]
    assert quality.fill_in(deps, supervisor, card.id, PASSED) is NotReviewed.OWN_WORK


def test_nobody_judges_a_talk_that_a_colleague_ended_for_them(deps: Deps) -> None:
    supervisor, agent = a_reviewer(deps), a_reviewer(deps, Role.AGENT, "wu")
    by_supervisor = Said("在的", author=Author.OPERATOR, operator_id=supervisor.id)
    by_agent = Said("好的", author=Author.OPERATOR, operator_id=agent.id)
    a_conversation(deps, Talk(said=(Said("在吗"), by_supervisor, by_agent)))
    he = a_reviewer(deps, login="he")
    quality.draw_week(deps, he)
    assert quality.to_do(deps, supervisor) == ()
    card = quality.to_do(deps, he)[0]
    assert quality.fill_in(deps, supervisor, card.id, PASSED) is NotReviewed.OWN_WORK
    assert isinstance(quality.fill_in(deps, he, card.id, PASSED), ReviewView)


def test_of_two_who_draw_at_once_each_card_is_drawn_once(deps: Deps) -> None:
    first, second = a_reviewer(deps), a_reviewer(deps, login="he")
    for _ in range(3):
        a_conversation(deps, Talk(said=(Said("在吗"),)))
    with ThreadPoolExecutor(2) as pool:
        new = list(pool.map(lambda who: quality.draw_week(deps, who), (first, second)))
    assert sum(new) == len(quality.to_do(deps, first)) == 4


def test_the_page_leads_from_a_flaw_to_a_card(console: ConsoleBrowser, clock: SetClock) -> None:
    deps = console.deps
    chat = a_conversation(deps, Talk(said=(Said("在吗"),)))
    quiet(deps, clock)
    console.log_in_as(Role.SUPERVISOR)
    page = console.shown("/quality")
    assert "没有人回答" in page
    assert f"/console/c/{chat}/replay?seq=1" in page
    console.send("/quality/draw")
    assert "自动检查有问题" in console.shown("/quality")
    card = next(one for one in quality.to_do(deps, a_reviewer(deps)) if one.round == 1)
    refused = console.send(f"/quality/{card.id}", tone="pass", note="先记着")
    assert refused.status_code == 409
    assert "每一项都要选" in refused.text
    assert "先记着" in refused.text
    (flaw,) = talk_checking.open_flaws(deps)
    console.send(f"/quality/flaws/{flaw.id}/seen")
    assert "没有还没看的问题" in console.shown("/quality")
    assert console.send(f"/quality/{card.id}", **{each.value: "pass" for each in Criterion}).status_code == 303


def test_every_code_of_quality_has_words(deps: Deps) -> None:
    words = Pages(deps).words("_review_words.html")
    for table, codes in (
        ("TALK_FLAW", TalkFlaw),
        ("DRAW_REASON", DrawReason),
        ("CRITERION", Criterion),
        ("MARK", Mark),
        ("NOT_REVIEWED", NotReviewed),
    ):
        assert set(words[table]) == set(codes), table
    assert set(words["OWED"]) == {each.id for each in deps.owed_answers}


def test_an_unquiet_conversation_is_checked_later(deps: Deps, clock: SetClock) -> None:
    a_conversation(deps, Talk(said=(Said("在吗"),)))
    indexed(deps)
    clock.move(search_index.QUIET - timedelta(seconds=1))
    assert talk_checking.sweep(deps) == 0


def test_a_conversation_that_cannot_be_checked_keeps_no_other_waiting(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("要坐牢吗", "不还会坐牢吗"):
        a_conversation(deps, Talk(said=(Said(text), Said("不还就要坐牢", author=Author.BOT, minutes_ago=1))))
    whole = talk_checking.check_talk

    def fails_once(*given: Any) -> tuple[TalkFound, ...]:
        monkeypatch.setattr(talk_checking, "check_talk", whole)
        raise ValueError

    monkeypatch.setattr(talk_checking, "check_talk", fails_once)
    assert quiet(deps, clock) == 1
    assert talk_checking.sweep(deps) == 0
    clock.move(talk_checking.PUT_OFF)
    assert talk_checking.sweep(deps) == 1
