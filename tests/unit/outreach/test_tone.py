"""The patterns of the tone gate: what they stop and let through, and how their file can be wrong.

``tone_forbidden.tsv`` (rule and saying) and ``tone_allowed.tsv`` are the corpus it was made with. ``tone_unseen_*``,
``tone_later_*`` and ``tone_last_*`` were written afterwards, without a look at the patterns, measured once and then
mended; docs/tone.md has the figures of first sight. Every line is invented. The second
reader has tests of its own.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.outreach.tone import ToneError, ToneGate
from bot.settings import ROOT
from bot.text.scripts import Script, to_script

HERE = Path(__file__).parent
RULES = ROOT / "data" / "outreach" / "tone.yml"
GATE = ToneGate.load(RULES)


def lines(name: str) -> list[str]:
    return (HERE / name).read_text("utf-8").splitlines()


MADE_WITH = [tuple(line.split("\t")) for line in lines("tone_forbidden.tsv")]
LATER = [
    tuple(line.split("\t")) for name in ("unseen", "later", "last") for line in lines(f"tone_{name}_forbidden.tsv")
]
FORBIDDEN = MADE_WITH + LATER
ALLOWED = [line for name in ("", "unseen_", "later_", "last_") for line in lines(f"tone_{name}allowed.tsv")]


def rules_in(text: str) -> set[str]:
    return {finding.rule for finding in GATE.check(text)}


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    assert len(MADE_WITH) >= 400
    assert len(ALLOWED) >= 600
    texts = [text for _, text in FORBIDDEN] + ALLOWED
    assert len(set(texts)) == len(texts)
    counts = Counter(rule for rule, _ in MADE_WITH)
    assert set(counts) == set(GATE.rule_ids)
    assert min(counts.values()) >= 20


def test_every_forbidden_saying_is_stopped() -> None:
    assert [text for _, text in FORBIDDEN if not GATE.check(text)] == []


def test_every_ordinary_sentence_passes() -> None:
    assert [(text, GATE.check(text)) for text in ALLOWED if GATE.check(text)] == []


@pytest.mark.parametrize("rule", GATE.rule_ids)
def test_a_rule_finds_its_own_sayings(rule: str) -> None:
    own = [text for name, text in FORBIDDEN if name == rule]
    found = [text for text in own if rule in rules_in(text)]
    assert len(found) >= 0.9 * len(own)


def test_traditional_script_hides_nothing_and_accuses_nobody() -> None:
    assert [text for _, text in FORBIDDEN if not GATE.check(to_script(text, Script.HANT))] == []
    assert [text for text in ALLOWED if GATE.check(to_script(text, Script.HANT))] == []


@pytest.mark.parametrize(
    "hidden", ["坐 牢", "坐-牢", "坐*牢", "坐🐢牢", "坐\u200b牢", "做牢", "坐。牢", "zuo lao", "zuò láo", "坐_牢"]
)
def test_ways_of_hiding_a_word_are_seen_through(hidden: str) -> None:
    assert rules_in(f"再不还就{hidden}") >= {"jail"}


def test_what_is_found_is_shown_as_it_was_typed() -> None:
    (finding,) = GATE.check("您好，不还要坐－牢的。")
    assert finding.rule == "jail"
    assert finding.excerpt == "坐－牢"
    assert finding.advice


@pytest.mark.parametrize(
    "text",
    [
        "您不要以为不会坐牢",
        "不会坐牢？那是别人，您肯定要坐牢",
        "我们不会联系您的家人，除非您不还，那我们就联系您的家人",
        "有人不还，后来坐牢了",
        "不是威胁您，不还就让您坐牢",
    ],
)
def test_a_denial_elsewhere_in_the_text_covers_nothing_up(text: str) -> None:
    assert GATE.check(text)


def test_a_person_may_say_so_and_the_assistant_may_not() -> None:
    assert rules_in("我是真人，您慢慢说") == {"human"}
    assert GATE.check("我是真人，您慢慢说", by_person=True) == ()


@given(st.text(max_size=300))
def test_any_text_can_be_checked_and_excerpts_are_parts_of_it(text: str) -> None:
    assert all(finding.excerpt in text for finding in (*GATE.check(text), *GATE.stranger_findings(text)))


@given(
    st.sampled_from([text for _, text in FORBIDDEN]), st.sampled_from([text for text in ALLOWED if text[-1] == "。"])
)
def test_a_kind_sentence_in_front_does_not_excuse(forbidden: str, kind: str) -> None:
    assert GATE.check(kind + forbidden)


def test_a_message_is_checked_in_about_a_millisecond() -> None:
    """Ten times the target, so that a busy machine does not fail it; a pattern gone wild still does."""
    began = time.perf_counter()
    for text in ALLOWED:
        GATE.check(text)
    assert (time.perf_counter() - began) / len(ALLOWED) < 0.01


@pytest.mark.parametrize("text", ["您" * 4000, "不要" * 2000, "今天" * 2000, "我们" * 2000, "。" * 4000, "有人" * 2000])
def test_no_text_makes_a_pattern_run_away(text: str) -> None:
    began = time.perf_counter()
    GATE.check(text)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("还有 ¥1,234.50", "amount"),
        ("一共三千元", "amount"),
        ("您的欠款", "debt"),
        ("這期賬單", "debt"),
        ("信用卡", "debt"),
        ("12月15日", "date"),
        ("张先生", "person"),
        ("尾号6688", "person"),
    ],
)
def test_what_a_stranger_could_learn_from_is_found(text: str, rule: str) -> None:
    assert rule in {finding.rule for finding in GATE.stranger_findings(text)}


def test_a_notice_that_tells_nothing_is_fit_for_strangers() -> None:
    assert GATE.stranger_findings("您有一条事项提醒，回复“查看”，核对身份后就能看到。") == ()


SMALL: dict[str, object] = {
    "words": {"c": "[^,。]"},
    "spellings": {"坐牢": "做牢"},
    "reported": ["听说<c>*"],
    "unclear": "z",
    "rules": [{"id": "jail", "forbids": "x", "instead": "y", "patterns": ["坐牢"]}],
    "stranger": [{"id": "debt", "forbids": "x", "instead": "y", "patterns": ["欠"]}],
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "tone.yml"
    path.write_text(yaml.safe_dump(SMALL | changes, allow_unicode=True), "utf-8")
    return path


def rule(**changes: object) -> dict[str, object]:
    return {"id": "jail", "forbids": "x", "instead": "y", "patterns": ["坐牢"]} | changes


def test_a_small_file_is_a_gate(tmp_path: Path) -> None:
    gate = ToneGate.load(written(tmp_path))
    assert [finding.excerpt for finding in gate.check("要做牢")] == ["做牢"]
    assert gate.check("听说要坐牢") == ()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rules": [rule(patterns=["("])]}, "jail"),
        ({"rules": [rule(patterns=["<nobody>"])]}, "jail: <nobody>"),
        ({"rules": [rule(patterns=["坐?"])]}, "matches the empty text"),
        ({"rules": [rule(true=["x*"])]}, "jail"),
        ({"rules": [rule(patterns=[])]}, "rules.0.patterns"),
        ({"rules": [rule(), rule()]}, "jail: used twice"),
        ({"rules": [rule(other=1)]}, "rules.0.other"),
        ({"rules": []}, "rules"),
        ({"reported": ["("]}, "reported"),
        ({"spellings": {"坐牢": "["}}, "spellings.坐牢"),
        ({"words": {"c": "<c>"}, "rules": [rule(patterns=["<c>坐"])]}, "jail: <c>"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    with pytest.raises(ToneError, match=r"tone\.yml") as refused:
        ToneGate.load(written(tmp_path, **changes))
    assert named in str(refused.value)


def test_a_missing_or_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ToneError, match=r"tone\.yml"):
        ToneGate.load(tmp_path / "tone.yml")
    (tmp_path / "tone.yml").write_text("a: 'b", "utf-8")
    with pytest.raises(ToneError, match=r"tone\.yml"):
        ToneGate.load(tmp_path / "tone.yml")
