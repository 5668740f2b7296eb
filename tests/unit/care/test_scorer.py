"""The scorer of the crisis guard: where its weights come from, and how it reads sayings it was not made from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bot.care.crisis import CrisisGuard
from bot.care.scorer import DangerScorer
from bot.settings import ROOT
from bot.text.character_scorer import ScorerError, grams
from bot.text.normalize import normalize_text

CARE = ROOT / "data" / "care"
SCORER = DangerScorer.load(CARE / "weights.json")
GUARD = CrisisGuard.load(CARE / "crisis.yml", SCORER)


def labelled(path: Path) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    return [(label, text) for label, text in rows]


UNSEEN = labelled(Path(__file__).parent / "unseen_sayings.tsv")
SAYINGS = labelled(CARE / "sayings.tsv")


def noticed(text: str) -> bool:
    return GUARD.check(normalize_text(text)) is not None


def test_the_weights_were_learned_from_the_sayings_as_they_stand() -> None:
    stored = json.loads((CARE / "weights.json").read_text("utf-8"))
    present = hashlib.sha256((CARE / "sayings.tsv").read_bytes()).hexdigest()
    assert stored["sayings"] == present, "run: rasa-runtime/.venv/bin/python -m bot.nlu.train_scorer care"


def test_every_saying_is_labelled_and_none_twice() -> None:
    assert {label for label, _ in SAYINGS} == {"danger", "safe"}
    texts = [text for _, text in SAYINGS]
    assert len(texts) == len(set(texts))


def test_no_unseen_saying_is_among_those_learned_from() -> None:
    learned = {normalize_text(text) for _, text in SAYINGS}
    unseen = (normalize_text(text) for _, text in UNSEEN)
    assert [text for text in unseen if text in learned and len(text) > 4] == []


def test_most_sayings_of_danger_by_another_hand_are_noticed() -> None:
    danger = [text for label, text in UNSEEN if label == "danger"]
    assert len(danger) == 150
    assert sum(map(noticed, danger)) >= 115


def test_asking_for_all_of_ones_data_rings_nothing() -> None:
    assert not noticed("对了 我想要一份你们手上我的所有数据")


def test_few_harmless_sayings_by_another_hand_with_the_same_characters_ring() -> None:
    safe = [text for label, text in UNSEEN if label == "safe"]
    assert len(safe) == 350
    assert sum(map(noticed, safe)) <= 7


@pytest.mark.parametrize(
    "text", ["还不上就去跳河算了", "药我都攒好了 今晚就清净了", "明天以后你们就找不到我了 孩子拜托别人了"]
)
def test_danger_is_noticed_beside_talk_of_debt(text: str) -> None:
    assert noticed(text)


@pytest.mark.parametrize("text", ["累死了", "这利息要我命", "我不是不还 等工资", "要命 又逾期了", "烦死了别打了"])
def test_hyperbole_is_not_danger(text: str) -> None:
    assert not noticed(text)


def test_the_scorer_alone_notices_what_the_lexicon_does_not_know() -> None:
    lexicon = CrisisGuard.load(CARE / "crisis.yml")
    danger = [normalize_text(text) for label, text in UNSEEN if label == "danger"]
    added = [text for text in danger if lexicon.check(text) is None and SCORER.sounds_like_danger(text)]
    assert len(added) >= 60


def test_the_runs_of_a_text_mark_its_beginning_and_end() -> None:
    assert grams("死了") == {"死", "了", "^死", "死了", "了$", "^死了", "死了$"}


def test_the_empty_text_has_the_score_of_the_intercept() -> None:
    assert SCORER.score("") == pytest.approx(SCORER.intercept, abs=5)
    assert not SCORER.sounds_like_danger("")


@pytest.mark.parametrize("content", ["", "{}", '{"weights": {}, "intercept": 0, "threshold": 0}', '{"weights": []}'])
def test_a_broken_file_of_weights_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ScorerError, match=r"weights\.json"):
        DangerScorer.load(path)


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScorerError, match=r"absent\.json"):
        DangerScorer.load(tmp_path / "absent.json")


@pytest.mark.parametrize("text", ["", "...", "。。。", "?!", "啊", "5", "😭😭😭", "○○○○"])
def test_signs_without_words_are_not_danger(text: str) -> None:
    assert not noticed(text)
