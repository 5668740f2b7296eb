"""The second reader of the tone gate: where its weights come from, and how it reads sayings it was not made from.

``tone_fresh_*`` were written before the sayings it learned from and are kept out of them; nothing was mended after they
were measured, neither patterns nor sayings. Floors stand a little under what was measured.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from bot.outreach.tone import UNCLEAR, ToneGate
from bot.outreach.tone_scorer import Suspicion, ToneScorer, in_one_spelling, passages
from bot.settings import ROOT
from bot.text.character_scorer import CharacterScorer, ScorerError
from bot.text.scripts import Script, to_script

HERE = Path(__file__).parent
OUTREACH = ROOT / "data" / "outreach"
SCORER = ToneScorer.load(OUTREACH / "tone_weights.json")
PATTERNS = ToneGate.load(OUTREACH / "tone.yml")
GATE = ToneGate.load(OUTREACH / "tone.yml", SCORER)


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def last_column(pattern: str) -> list[str]:
    return [line.split("\t")[-1] for path in sorted(HERE.glob(pattern)) for line in lines(path)]


SAYINGS = [line.split("\t") for line in lines(OUTREACH / "tone_sayings.tsv")[1:]]
FRESH = [line.split("\t") for line in lines(HERE / "tone_fresh_forbidden.tsv")]
FRESH_ALLOWED = lines(HERE / "tone_fresh_allowed.tsv")


def bare(text: str) -> str:
    return "".join(passages(in_one_spelling(text).text)[-1:])


def sounds_forbidden(text: str) -> bool:
    return SCORER.suspicion(in_one_spelling(text).text) is not None


def gate_that_suspects(tmp_path: Path, rule: str, **of_rule: object) -> ToneGate:
    """A gate with the project's rules whose scorer knows one word, 晚霞, and one rule."""
    heard = {"weights": {"晚霞": 50}, "intercept": -1, "threshold": 0}
    path = tmp_path / "tone_weights.json"
    path.write_text(json.dumps(heard | {"rules": {rule: heard | of_rule}}), "utf-8")
    return ToneGate.load(OUTREACH / "tone.yml", ToneScorer.load(path))


def test_the_weights_were_learned_from_the_sayings_as_they_stand() -> None:
    stored = json.loads((OUTREACH / "tone_weights.json").read_text("utf-8"))
    present = hashlib.sha256((OUTREACH / "tone_sayings.tsv").read_bytes()).hexdigest()
    assert stored["sayings"] == present, "run: rasa-runtime/.venv/bin/python -m bot.nlu.train_scorer tone"


def test_every_saying_names_a_rule_or_is_ordinary_and_none_stands_twice() -> None:
    assert {rule for rule, _ in SAYINGS} <= {*PATTERNS.rule_ids, "ordinary"}
    assert len({text for _, text in SAYINGS}) == len(SAYINGS)


def test_no_saying_of_any_test_set_was_learned_from() -> None:
    learned = {bare(text) for _, text in SAYINGS} - {""}
    assert [text for text in last_column("tone_*.tsv") if bare(text) in learned] == []


def test_fresh_oblique_sayings_are_stopped_oftener_than_by_the_patterns_alone() -> None:
    assert len(FRESH) >= 150
    patterns = sum(bool(PATTERNS.check(text)) for _, text in FRESH)
    assert sum(bool(GATE.check(text)) for _, text in FRESH) >= patterns + 14


def test_the_scorer_stops_hardly_any_fresh_ordinary_sentence() -> None:
    assert len(FRESH_ALLOWED) >= 300
    assert sum(map(sounds_forbidden, FRESH_ALLOWED)) <= 3


def test_the_scorer_alone_hears_some_of_the_sayings_that_avoid_every_usual_word() -> None:
    unseen = last_column("tone_unseen_forbidden.tsv")
    assert sum(map(sounds_forbidden, unseen)) >= 13


def test_the_scorer_stops_at_most_one_in_a_hundred_of_the_ordinary_sentences_of_all_sets() -> None:
    allowed = last_column("tone_*allowed.tsv")
    assert sum(map(sounds_forbidden, allowed)) <= len(allowed) / 100


def test_traditional_script_is_read_alike() -> None:
    simplified = [text for _, text in FRESH if to_script(to_script(text, Script.HANT), Script.HANS) == text]
    differently = [
        text for text in simplified if sounds_forbidden(text) != sounds_forbidden(to_script(text, Script.HANT))
    ]
    assert len(simplified) > 100
    assert len(differently) <= 2


def test_what_the_scorer_stops_comes_back_whole_with_the_advice_of_its_rule(tmp_path: Path) -> None:
    gate = gate_that_suspects(tmp_path, "threat")
    (finding,) = gate.check("今天的晚霞很好看。")
    assert (finding.rule, finding.excerpt) == ("threat", "今天的晚霞很好看。")
    assert finding.advice.startswith("去掉威胁")


def test_a_rule_that_is_not_clear_gets_general_advice(tmp_path: Path) -> None:
    (finding,) = gate_that_suspects(tmp_path, "threat", threshold=99).check("今天的晚霞很好看")
    assert finding.rule == UNCLEAR
    assert finding.advice


def test_a_rule_that_the_file_does_not_know_gets_general_advice(tmp_path: Path) -> None:
    (finding,) = gate_that_suspects(tmp_path, "of_yesterday").check("今天的晚霞很好看")
    assert finding.rule == UNCLEAR


def test_the_scorer_repeats_no_rule_that_the_patterns_found(tmp_path: Path) -> None:
    assert [one.rule for one in gate_that_suspects(tmp_path, "jail").check("晚霞真美，不还就坐牢")] == ["jail"]
    assert [one.rule for one in gate_that_suspects(tmp_path, "shame").check("晚霞真美，不还就坐牢")] == [
        "jail",
        "shame",
    ]


def test_a_person_is_not_stopped_for_what_only_the_assistant_must_not_say(tmp_path: Path) -> None:
    gate = gate_that_suspects(tmp_path, "human")
    assert gate.check("今天的晚霞很好看", by_person=True) == ()
    assert gate.check("今天的晚霞很好看")


def test_words_of_others_that_are_warned_of_are_not_heard(tmp_path: Path) -> None:
    assert gate_that_suspects(tmp_path, "threat").check("有人跟您说晚霞的，那是诈骗。") == ()


def test_kind_sentences_around_do_not_excuse(tmp_path: Path) -> None:
    gate = gate_that_suspects(tmp_path, "threat")
    assert gate.check("您好，我是小李。" * 20 + "今天晚霞很好看。" + "您慢慢看，不着急。" * 20)


def test_a_sentence_and_two_that_follow_each_other_are_read_as_one() -> None:
    read = passages(in_one_spelling("您好,我是小李。还有 1,234.50 元!好").text)
    assert read == ("您好我是小李", "还有0元", "您好我是小李。还有0元", "还有0元。好")


@pytest.mark.parametrize("text", ["", "。", "好", "嗯嗯", "?!", "5", "😭😭😭", "○○○○"])
def test_signs_and_single_words_are_not_suspected(text: str) -> None:
    assert SCORER.suspicion(in_one_spelling(text).text) is None


def test_a_suspicion_without_rules_names_none() -> None:
    scorer = ToneScorer(CharacterScorer({"晚": 9.0}, 0.0, 1.0), {})
    assert scorer.suspicion("今天晚霞好看") == Suspicion(None)


def test_a_message_is_read_in_under_a_millisecond() -> None:
    """Ten times the target, so that a busy machine does not fail it."""
    began = time.perf_counter()
    for text in FRESH_ALLOWED:
        GATE.check(text)
    assert (time.perf_counter() - began) / len(FRESH_ALLOWED) < 0.01


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"weights": {"a": 1}, "intercept": 0, "threshold": 0}',
        '{"weights": {"a": 1}, "intercept": 0, "threshold": 0, "rules": []}',
        '{"weights": {"a": 1}, "intercept": 0, "threshold": 0, "rules": {"jail": 1}}',
        '{"weights": {"a": "x"}, "intercept": 0, "threshold": 0, "rules": {}}',
        '{"weights": {"a": 1}, "intercept": 0, "threshold": 0, "rules": {"jail": {"weights": {}}}}',
    ],
)
def test_a_broken_file_of_weights_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tone_weights.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ScorerError, match=r"tone_weights\.json"):
        ToneScorer.load(path)
