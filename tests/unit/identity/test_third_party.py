"""Who speaks when it is not the borrower: sorted from the words alone, and told nothing."""

from __future__ import annotations

import pytest

from bot.identity.third_party import (
    TREATMENTS,
    Learns,
    Speaker,
    introduces_self,
    read_third_party,
    read_wrong_person,
    says_not_the_one,
)


def test_every_speaker_is_treated_and_none_learns_anything_from_the_bot() -> None:
    assert set(TREATMENTS) == set(Speaker)
    papers = {speaker for speaker, treatment in TREATMENTS.items() if treatment.learns is Learns.AFTER_PAPERS}
    assert papers == {Speaker.HEIR, Speaker.LAWYER, Speaker.GUARANTOR}
    assert all(TREATMENTS[speaker].calls_person for speaker in papers)


def test_a_death_silences_and_a_wrong_number_is_let_go() -> None:
    assert {speaker for speaker in Speaker if TREATMENTS[speaker].holds} == {Speaker.REPORTS_DEATH, Speaker.HEIR}
    assert {speaker for speaker in Speaker if TREATMENTS[speaker].lets_go} == {
        Speaker.WRONG_NUMBER,
        Speaker.NUMBER_CHANGED_HANDS,
    }


@pytest.mark.parametrize(
    ("said", "speaker"),
    [
        ("他上个月去世了", Speaker.REPORTS_DEATH),
        ("人没了,别再发了", Speaker.REPORTS_DEATH),
        ("我哥走了,上个月", Speaker.REPORTS_DEATH),
        ("他没有去世,只是住院", Speaker.OTHER),
        ("他离家出走了", Speaker.OTHER),
        ("他早就搬走了", Speaker.OTHER),
        ("我妈过世,遗产不够还怎么办", Speaker.HEIR),
        ("我受他委托,有授权委托书", Speaker.LAWYER),
        ("我给他做过担保", Speaker.GUARANTOR),
        ("我是他单位领导", Speaker.COLLEAGUE),
        ("我是他爱人", Speaker.RELATIVE),
        ("替别人问一下", Speaker.OTHER),
        ("", Speaker.OTHER),
    ],
)
def test_who_speaks_is_read_from_the_words(said: str, speaker: Speaker) -> None:
    assert read_third_party(said) is speaker


@pytest.mark.parametrize(
    ("said", "speaker"),
    [
        ("这个号码换人了", Speaker.NUMBER_CHANGED_HANDS),
        ("我刚买的卡,不认识", Speaker.NUMBER_CHANGED_HANDS),
        ("以前的机主不是我", Speaker.NUMBER_CHANGED_HANDS),
        ("打错了", Speaker.WRONG_NUMBER),
        ("我不认识他", Speaker.WRONG_NUMBER),
    ],
)
def test_a_number_that_changed_hands_is_told_from_a_mistake(said: str, speaker: Speaker) -> None:
    assert read_wrong_person(said) is speaker


def test_who_asks_about_another_is_told_from_who_is_another() -> None:
    assert introduces_self("我是他妈妈")
    assert introduces_self("我不是他本人")
    assert not introduces_self("我妈欠了多少")


@pytest.mark.parametrize(
    ("text", "is_not"),
    [
        ("我不是张明,你们打错了", True),
        ("这不是他的号", True),
        ("打错人了", True),
        ("这号码我刚办的", True),
        ("昨天晚上九点多打来的,自称姓李,说得很难听", False),
        ("我没有欠钱", False),
        ("我不是说这个", False),
        ("打电话的人我不认识", False),
    ],
)
def test_only_plain_words_say_that_somebody_else_was_meant(text: str, is_not: bool) -> None:
    assert says_not_the_one(text) is is_not
