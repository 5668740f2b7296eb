"""Which conversations are drawn for review, what a card comes to, and how far two reviewers agree."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.scorecard import (
    RANDOM_PER_OPERATOR,
    SECOND_OPINION_EVERY,
    Candidate,
    Criterion,
    DrawReason,
    Mark,
    draw,
    kappa,
    score,
    to_coach,
)

WEEK = "2026-W47"
marks = st.sampled_from(Mark)


def test_what_went_wrong_is_always_seen_and_the_rest_by_lot_for_each_operator() -> None:
    candidates = [
        Candidate("a", "chen", has_flaw=True),
        Candidate("b", "chen", in_distress=True, has_flaw=True),
        Candidate("c", None, complained=True),
        *(Candidate(f"chen {number}", "chen") for number in range(20)),
        *(Candidate(f"bot {number}", None) for number in range(2)),
    ]
    drawn = draw(candidates, WEEK)
    reasons = {one.candidate.conversation_id: one.reason for one in drawn}
    assert (reasons["a"], reasons["b"], reasons["c"]) == (DrawReason.FLAW, DrawReason.DISTRESS, DrawReason.COMPLAINT)
    assert sum(one.startswith("chen ") for one in reasons) == RANDOM_PER_OPERATOR
    assert sum(one.startswith("bot ") for one in reasons) == 2
    assert sum(one.twice for one in drawn) == -(-len(drawn) // SECOND_OPINION_EVERY)


@given(st.permutations([Candidate(f"chat {number}", "chen") for number in range(12)]))
def test_drawing_again_draws_the_same_whatever_the_order(candidates: list[Candidate]) -> None:
    assert draw(candidates, WEEK) == draw(sorted(candidates, key=lambda one: one.conversation_id), WEEK)


def test_another_week_draws_others() -> None:
    candidates = [Candidate(f"chat {number}", "chen") for number in range(50)]
    assert {one.candidate for one in draw(candidates, WEEK)} != {one.candidate for one in draw(candidates, "2026-W48")}


def test_a_critical_fail_fails_the_card() -> None:
    all_passed = dict.fromkeys(Criterion, Mark.PASS)
    assert score(all_passed) == 100
    assert score(all_passed | {Criterion.TONE: Mark.FAIL}) == 0
    assert score(all_passed | {Criterion.NEXT_STEP: Mark.FAIL}) == 83
    assert score(all_passed | {Criterion.NEXT_STEP: Mark.NOT_APPLICABLE}) == 100
    assert score(dict.fromkeys(Criterion, Mark.NOT_APPLICABLE)) is None


def test_coaching_follows_a_critical_fail_at_once_and_another_when_it_comes_again() -> None:
    once = {Criterion.NEXT_STEP: Mark.FAIL}
    assert to_coach([once]) == ()
    assert to_coach([once, once, {Criterion.TONE: Mark.FAIL}]) == (Criterion.TONE, Criterion.NEXT_STEP)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], None),
        ([("pass", "pass")] * 4, 1),
        ([("pass", "pass"), ("fail", "fail")], 1),
        ([("pass", "fail"), ("fail", "pass")], -1),
        # Twenty yes-yes, five yes-no, ten no-yes, fifteen no-no: 0.7 agreed, 0.5 by chance.
        ([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15, Fraction(2, 5)),
    ],
)
def test_kappa_of_known_tables(pairs: list[tuple[str, str]], expected: Fraction | None) -> None:
    assert kappa(pairs) == expected


@given(st.lists(st.tuples(marks, marks), min_size=1))
def test_kappa_is_at_most_one_the_same_both_ways_and_one_only_in_full_agreement(pairs: list[tuple[Mark, Mark]]) -> None:
    value = kappa(pairs)
    assert value is not None
    assert value <= 1
    assert value == kappa([(second, first) for first, second in pairs])
    assert (value == 1) is all(first == second for first, second in pairs)
