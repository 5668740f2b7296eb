"""The crisis guard: what rings it, what does not, and what its lexicon file may look like."""

from pathlib import Path

import pytest
from crisis_sayings import DANGER, EVERYDAY
from hypothesis import given
from hypothesis import strategies as st

from bot.care.crisis import CrisisGuard, LexiconError
from bot.care.scorer import DangerScorer
from bot.text.normalize import normalize_text
from bot.text.scripts import Script, to_script

LEXICON = Path(__file__).parents[3] / "data" / "care" / "crisis.yml"
GUARD = CrisisGuard.load(LEXICON)
WHOLE_GUARD = CrisisGuard.load(LEXICON, DangerScorer.load(LEXICON.with_name("weights.json")))


@pytest.mark.parametrize("saying", DANGER)
def test_a_saying_of_danger_is_noticed(saying: str) -> None:
    assert GUARD.check(normalize_text(saying)) is not None


@pytest.mark.parametrize("saying", EVERYDAY)
def test_an_everyday_saying_is_left_alone(saying: str) -> None:
    sign = WHOLE_GUARD.check(normalize_text(saying))
    assert sign is None, normalize_text(saying)[sign.start : sign.end]


@pytest.mark.parametrize("saying", DANGER)
def test_danger_is_noticed_in_traditional_script(saying: str) -> None:
    assert GUARD.check(normalize_text(to_script(saying, Script.HANT))) is not None


@pytest.mark.parametrize("saying", EVERYDAY)
def test_an_everyday_saying_is_left_alone_in_traditional_script(saying: str) -> None:
    assert GUARD.check(normalize_text(to_script(saying, Script.HANT))) is None


@pytest.mark.parametrize("saying", DANGER)
def test_danger_is_noticed_behind_and_before_an_everyday_saying(saying: str) -> None:
    assert GUARD.check(normalize_text(f"累死了,利息要命,{saying},烦死了")) is not None


def test_the_lists_are_long_and_do_not_overlap() -> None:
    assert len(set(DANGER)) >= 80
    assert len(set(EVERYDAY)) >= 120
    assert not set(DANGER) & set(EVERYDAY)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我想自杀", "self_harm"),
        ("遗书写完了", "farewell"),
        ("活着没有意思", "despair"),
        ("遗书写好就去跳楼", "self_harm"),
    ],
)
def test_the_first_kind_of_the_file_that_matches_is_reported(text: str, kind: str) -> None:
    sign = GUARD.check(text)
    assert sign is not None
    assert sign.kind == kind


def test_the_span_points_at_the_saying() -> None:
    text = "累死了,我想自杀"
    sign = GUARD.check(text)
    assert sign is not None
    assert "自杀" in text[sign.start : sign.end] or "想自杀" in text[sign.start - 1 : sign.end + 1]
    assert sign.start >= text.index("想")


@given(st.text(max_size=1000))
def test_no_text_makes_the_guard_fail(text: str) -> None:
    sign = GUARD.check(normalize_text(text))
    assert sign is None or 0 <= sign.start < sign.end


@given(st.text(alphabet="我你想不死活跳楼自杀了去要逼一命到在吃药没有的 ", max_size=400))
def test_piled_up_words_of_the_lexicon_do_not_make_the_guard_fail(text: str) -> None:
    sign = GUARD.check(text)
    assert sign is None or sign.end <= len(text)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("- a\n", "signs"),
        ("signs: []\neveryday: [a]\n", "signs"),
        ("signs: {}\neveryday: [a]\n", "signs"),
        ("signs: {self_harm: []}\neveryday: [a]\n", "signs.self_harm"),
        ("signs: {self_harm: [a]}\n", "everyday"),
        ("signs: {self_harm: ['(']}\neveryday: [a]\n", "signs.self_harm"),
        ("signs: {self_harm: [a]}\neveryday: ['[']\n", "everyday"),
        ("signs: {self_harm: ['']}\neveryday: [a]\n", "signs.self_harm"),
        ("signs: {self_harm: [a]}\neveryday: ['b?']\n", "everyday"),
        ("signs: {self_harm: [1]}\neveryday: [a]\n", "signs.self_harm"),
        ("signs: {self_harm: [a]\n", "lexicon.yml"),
    ],
)
def test_an_unusable_lexicon_is_refused_by_name(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "lexicon.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(LexiconError, match=rf"lexicon\.yml.*{named}|{named}"):
        CrisisGuard.load(path)


def test_a_missing_lexicon_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"absent\.yml"):
        CrisisGuard.load(tmp_path / "absent.yml")
