"""What counts as proof of a hardship, and how somebody says that there is none."""

from __future__ import annotations

import pytest

from bot.services.wording import Wording
from bot.settings import ROOT
from bot.text.normalize import normalize_text
from bot.workout.evidence import Coverable, HardshipEvidence, coverable_in, evidence_of
from bot.workout.evidence_reading import says_none
from bot.workout.policy_sections import HardshipKind

WORDS = Wording.load(ROOT / "data/templates/desk.yml")


@pytest.mark.parametrize("hardship", [None, *HardshipKind])
def test_every_hardship_has_several_ways_to_show_it(hardship: HardshipKind | None) -> None:
    helps = evidence_of(hardship)
    assert len(helps) >= 2, "one paper that is not at hand would leave nothing"
    assert len(set(helps)) == len(helps)


@pytest.mark.parametrize("hardship", [None, *HardshipKind])
def test_what_identifies_somebody_elsewhere_may_always_be_covered(hardship: HardshipKind | None) -> None:
    assert {Coverable.ID_NUMBER, Coverable.CARD_NUMBER, Coverable.OTHER_PEOPLE} <= set(coverable_in(hardship))


def test_what_the_illness_is_may_be_covered() -> None:
    assert Coverable.ILLNESS_DETAIL in coverable_in(HardshipKind.ILLNESS)


def test_a_hardship_that_was_not_named_is_shown_like_any_other() -> None:
    assert evidence_of(None) == evidence_of(HardshipKind.OTHER)


def test_everything_on_the_lists_is_used_and_has_words() -> None:
    assert {one for kind in HardshipKind for one in evidence_of(kind)} == set(HardshipEvidence)
    assert {one for kind in HardshipKind for one in coverable_in(kind)} == set(Coverable)
    for item in HardshipEvidence:
        assert WORDS.one(f"hardship_evidence_{item}")
    for part in Coverable:
        assert WORDS.one(f"coverable_{part}")


@pytest.mark.parametrize(
    "said",
    [
        "没有证明",
        "我没有材料",
        "证明拿不出来",
        "开不了证明",
        "公司倒闭了,开不出离职证明",
        "公司不给开证明。",
        "病历丢了",
        "单据都没有了",
        "我没有什么证明材料可以给",
        "診斷書找不到了",
    ],
)
def test_that_there_is_no_paper_is_understood_at_any_time(said: str) -> None:
    assert says_none(normalize_text(said), just_asked=False)


@pytest.mark.parametrize("said", ["没有", "真的没有", "都没有", "拿不出来", "手上没有这些", "沒有啊"])
def test_a_bare_no_answers_the_question_only(said: str) -> None:
    assert says_none(normalize_text(said), just_asked=True)
    assert not says_none(normalize_text(said), just_asked=False)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "没有收到结清证明",
        "你们有证明吗",
        "没有证明怎么办",
        "没有证明你是真的",
        "还没有证明,过两天开",
        "有没有证明都行吗",
        "材料我发过了",
        "我有离职证明",
        "没有钱",
        "没有工作",
        "没有借过这笔钱",
        "没有别的方案吗",
        "没问题",
        "凭什么要证明",
        "好的",
        "没有证明" + "，但是我想说明一下这几个月家里的情况" * 3,
    ],
)
def test_other_words_are_left_to_the_talk(said: str) -> None:
    assert not says_none(normalize_text(said), just_asked=True)
