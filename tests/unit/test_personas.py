"""Invented borrowers say what their persona would: to the question asked last, in their own words, and not for ever."""

from __future__ import annotations

from random import Random

import pytest

from tests.simulation.personas import CONSENT, CRISIS, GOAL, MOST_TURNS, PERSON, Means, Persona, Press, Say, Talker

MEANS = Means("13700000001", "0001")


def a_talker(persona: Persona = Persona.HONEST) -> Talker:
    return Talker(persona, MEANS, Random(1))


def test_an_honest_one_answers_what_is_asked_until_there_is_a_plan() -> None:
    talker = a_talker()
    assert talker.next([], []) == Say(GOAL)
    assert talker.next(["请告诉我登记的手机号"], []) == Say("13700000001")
    assert talker.next(["演示环境的验证码：123456", "请输入六位验证码"], []) == Say("123456")
    assert talker.next(["身份证后四位是多少"], []) == Say("0001")
    assert talker.next(["核对好了", "每个月到手的收入大概多少"], []) == Say("6000")
    assert talker.next(["收入 ¥6,000.00", "每个月必须花的钱呢"], []) == Say("3500")
    assert talker.next(["哪个方案合适"], []) == Say("第一个")
    assert talker.next(["同意吗"], [CONSENT, "再看看别的方案"]) == Press(CONSENT)
    assert talker.next(["协议已经生效"], []) is None
    assert (talker.has_plan, talker.turns) == (True, 8)


def test_the_last_question_of_an_answer_is_the_one_that_is_answered() -> None:
    talker = a_talker()
    assert talker.next(["您刚才说了到手的收入，还要知道必须花的钱"], []) == Say("3500")


def test_one_in_danger_says_so_once_after_the_proof() -> None:
    talker = a_talker(Persona.IN_CRISIS)
    talker.next([], [])
    assert talker.next(["核对好了"], []) == Say(CRISIS)
    assert talker.next(["您别怕"], []) is None


@pytest.mark.parametrize("persona", list(Persona))
def test_nobody_talks_for_ever(persona: Persona) -> None:
    talker = a_talker(persona)
    said = []
    while (act := talker.next(["不太明白您的意思"], [])) is not None:
        said.append(act)
    assert 0 < len(said) <= MOST_TURNS
    if persona in (Persona.HONEST, Persona.TYPOS):
        assert said[-1] == Say(PERSON)


def test_a_fraudster_knows_neither_code_nor_number() -> None:
    talker = a_talker(Persona.FRAUDSTER)
    act = talker.next(["演示环境的验证码：123456", "请输入六位验证码"], [])
    assert isinstance(act, Say)
    assert act.text != "123456"
