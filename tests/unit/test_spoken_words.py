"""What the desk itself says, held to the tone gate; and notices, which strangers may read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest
import yaml

from bot.outreach.notice import WRITTEN, Topic
from bot.outreach.tone import ToneGate
from bot.outreach.tone_scorer import ToneScorer
from bot.rights.library import RightsLibrary
from bot.services.notice_words import NoticeWords
from bot.services.wording import WordingError
from bot.settings import ROOT
from bot.text.scripts import Script, to_script

DATA = ROOT / "data"
GATE = ToneGate.load(DATA / "outreach" / "tone.yml", ToneScorer.load(DATA / "outreach" / "tone_weights.json"))
NOTICES = NoticeWords.load(DATA / "outreach" / "notices.yml")
LENDER = "一二三四五六七八九十银行"
LONGEST = 120
ANSWERS = ("short_answer", "longer_answer", "does_not_mean", "next_step")
"""What an article says; its questions are the borrower's own words."""

TRUE_WHERE_SAID = {
    ("domain.yml/utter_ask_code/0/text", "secrets"): "the desk's own proof of identity: the code is for this chat",
}


def texts_in(content: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield from texts_in(value, f"{place}/{name}")
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from texts_in(value, f"{place}/{number}")


def spoken() -> Iterator[tuple[str, str]]:
    """Every text that a borrower may be shown, with its place."""
    yield from texts_in(yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["responses"], "domain.yml")
    words = [
        *sorted((DATA / "templates").glob("*.yml")),
        DATA / "care" / "words.yml",
        DATA / "outreach" / "notices.yml",
    ]
    for path in words:
        yield from texts_in(yaml.safe_load(path.read_text("utf-8")), path.name)
    for path in sorted((DATA / "templates").glob("*.txt")):
        yield path.name, path.read_text("utf-8")
    for path in sorted((DATA / "rights").glob("[a-z]*.yml")):
        for article in yaml.safe_load(path.read_text("utf-8"))["articles"]:
            said = {name: article.get(name) for name in ANSWERS}
            yield from texts_in(said, f"{path.name}/{article['id']}")


SPOKEN = dict(spoken())
WORDINGS = [(name, text) for name, texts in NOTICES.wordings.items() for text in texts]


def test_the_texts_are_there() -> None:
    assert len(SPOKEN) >= 1000
    assert {topic.value for topic in WRITTEN} <= set(NOTICES.wordings)


WRONG_IN_TRADITIONAL = re.compile(r"籤|髮〔|瞭|隻|[卡金同]里|松一|周[幾算]|盡快|回復|賬|[“”‘’]")
"""Forms that a conversion by tables gives for other words than the desk's."""


def test_every_word_is_written_rightly_in_traditional_script() -> None:
    library = RightsLibrary.load(DATA / "rights")
    sources = {article.id: library.short_citation(article) for article in library.articles()}
    shown = {place: to_script(text, Script.HANT) for place, text in (SPOKEN | sources).items()}
    assert {place: text for place, text in shown.items() if WRONG_IN_TRADITIONAL.search(text)} == {}


def test_the_simplified_words_have_the_quotation_marks_of_their_script() -> None:
    assert {place: text for place, text in SPOKEN.items() if re.search("[「」『』]", text)} == {}


def test_the_desk_never_says_what_must_not_be_said() -> None:
    broken = {(place, finding.rule): finding for place, text in SPOKEN.items() for finding in GATE.check(text)}
    assert {where: finding for where, finding in broken.items() if where not in TRUE_WHERE_SAID} == {}


def test_every_exception_is_still_needed() -> None:
    assert [(where, rule) for where, rule in TRUE_WHERE_SAID if rule not in rules_in(SPOKEN[where])] == []


def rules_in(text: str) -> set[str]:
    return {finding.rule for finding in GATE.check(text)}


@pytest.mark.parametrize(("name", "text"), WORDINGS)
def test_a_notice_tells_a_stranger_nothing(name: str, text: str) -> None:
    assert GATE.stranger_findings(Template(text).substitute(lender=LENDER)) == ()


@pytest.mark.parametrize(("name", "text"), WORDINGS)
def test_a_notice_names_lender_and_ai_and_the_ways_to_stop_to_see_more_and_to_a_person(name: str, text: str) -> None:
    said = Template(text).substitute(lender=LENDER)
    assert said.startswith("您好")
    assert all(part in said for part in (LENDER, "AI 助手", "“别再提醒”", "“转人工”", "核对身份后"))
    assert len(said) <= LONGEST


@pytest.mark.parametrize("name", NOTICES.wordings)
def test_a_notice_can_be_said_in_two_or_three_ways(name: str) -> None:
    assert 2 <= len(set(NOTICES.wordings[name])) <= 3


def test_the_same_notice_always_says_the_same_and_others_say_it_differently() -> None:
    keys = [f"instalment:{number}:D-3" for number in range(60)]
    said = [NOTICES.text(Topic.PLAN, "D-3", key, LENDER) for key in keys]
    assert said == [NOTICES.text(Topic.PLAN, "D-3", key, LENDER) for key in keys]
    assert len(set(said)) == len(NOTICES.wordings["plan_D-3"])


def test_a_stage_without_words_of_its_own_has_those_of_its_topic() -> None:
    expected = {Template(text).substitute(lender=LENDER) for text in NOTICES.wordings["quote"]}
    assert NOTICES.text(Topic.QUOTE, "unheard_of", "key", LENDER) in expected
    assert NOTICES.text(Topic.QUOTE, None, "key", LENDER) in expected


@pytest.mark.parametrize(
    ("change", "named"),
    [({"plan": ""}, "plan"), ({"planet": "x"}, "planet"), ({"plan": "${amount}"}, "lender"), ({"due": None}, "due")],
)
def test_words_of_notices_that_cannot_be_used_are_refused(
    tmp_path: Path, change: dict[str, str | None], named: str
) -> None:
    content = {topic.value: "${lender}" for topic in WRITTEN} | change
    path = tmp_path / "notices.yml"
    path.write_text(yaml.safe_dump({name: text for name, text in content.items() if text is not None}), "utf-8")
    with pytest.raises(WordingError, match=r"notices\.yml") as refused:
        NoticeWords.load(path)
    assert named in str(refused.value)
