"""The words for borrowers: every text that the code names exists, gets its values, and breaks no rule of speech.

The code is read as text, not run. A name may be a constant, one of two constants, a constant with a hole (every text
that fits is then meant), or come through a function that passes it on (its calls are looked at instead).
"""

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from string import Formatter, Template

import pytest
import yaml

from bot.channels.telegram_menu import COMMANDS
from bot.lending.balances import Component
from bot.lending.ledger import EntryKind
from bot.rights.data_request import DataRequest
from bot.services.agreements import AcceptRefusal
from bot.services.identity import Step
from bot.services.negotiation import Blocked
from bot.services.wording import Wording, WordingError
from bot.workout.counter import Objection

ROOT = Path(__file__).parents[2]
WORDS = [
    ROOT / "data/templates/desk.yml",
    ROOT / "data/templates/calls.yml",
    ROOT / "data/care/words.yml",
    ROOT / "data/templates/telegram.yml",
]
WORDING = Wording.load(*WORDS)
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
RESPONSES: dict[str, list[str]] = {
    name: [variant["text"] for variant in variants] for name, variants in DOMAIN["responses"].items()
}


@dataclass(frozen=True, slots=True)
class Use:
    """One place where code names texts: a pattern of names, the values given, and whether more may be given."""

    where: str
    pattern: str
    given: frozenset[str]
    is_open: bool


def parsed(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def patterns(node: ast.expr) -> list[str]:
    """Return regular expressions for the names an expression may have; none when it cannot be told."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [re.escape(node.value)]
    if isinstance(node, ast.IfExp):
        return [*patterns(node.body), *patterns(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in node.values]
        return ["".join(parts)]
    return []


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_wording_call(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("one", "all"):
        return False
    owner = node.func.value
    return "wording" in (owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", ""))


def uses_of(path: Path, node: ast.Call, name: ast.expr) -> list[Use]:
    given = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
    is_open = any(keyword.arg is None for keyword in node.keywords)
    return [Use(f"{path}:{node.lineno}", pattern, given, is_open) for pattern in patterns(name)]


def relays(trees: Iterable[tuple[Path, ast.Module]]) -> dict[str, bool]:
    """Return the functions that pass on a ``name`` they are given, directly or through another such function.

    With each whether it gives values of its own.
    """
    functions = [
        node for _, tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    functions = [function for function in functions if "name" in {parameter.arg for parameter in function.args.args}]
    found: dict[str, bool] = {}
    for _ in range(3):
        for function in functions:
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and passes_name(node)]
            passing = [call for call in calls if is_wording_call(call) or goes_to(call, found)]
            if passing:
                adds = any(call.keywords for call in passing) and function.args.kwarg is None
                found[function.name] = adds or any(found.get(called(call), False) for call in passing)
    return found


def passes_name(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Name) and argument.id == "name" for argument in call.args)


def goes_to(call: ast.Call, functions: Iterable[str]) -> bool:
    """Tell whether one of the functions is called, or handed to something that calls it (a thread)."""
    handed = {getattr(argument, "attr", getattr(argument, "id", "")) for argument in call.args}
    return bool({called(call), *handed} & set(functions))


def is_name_of_words(node: ast.expr) -> bool:
    """Tell whether an argument names texts; one with a hole is told from a sentence by having no spaces."""
    if isinstance(node, ast.JoinedStr):
        return all(re.fullmatch(r"[a-z_]+_\.\+", pattern) for pattern in patterns(node))
    return isinstance(node, ast.Constant | ast.IfExp) and bool(patterns(node))


def wording_uses() -> list[Use]:
    trees = [*parsed("bot"), *parsed("actions")]
    passed_on = relays(trees)
    uses = []
    for path, tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if is_wording_call(node):
                uses += uses_of(path, node, node.args[0])
            if goes_to(node, passed_on):
                texts = [argument for argument in node.args if is_name_of_words(argument)]
                adds = passed_on.get(called(node), False)
                found = [use for text in texts[:1] for use in uses_of(path, node, text)]
                uses += [replace(use, is_open=use.is_open or adds) for use in found]
    return uses


def response_uses() -> list[Use]:
    uses = []
    for path, tree in parsed("actions"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in ("say", "phrase") and node.args:
                uses += uses_of(path, node, node.args[0])
    return uses


FAMILIES: dict[str, Iterable[Enum]] = {
    "utter_not_agreed_": AcceptRefusal,
    "utter_no_negotiation_": Blocked,
    "utter_proposal_nearest_": Objection,
    "utter_ask_": [step for step in Step if step is not Step.DONE],
    "utter_part_line_": EntryKind,
    "utter_part_component_": Component,
    "utter_data_": [DataRequest.COPY, DataRequest.CORRECT, DataRequest.DELETE, DataRequest.REVIEW],
}
"""Responses that an outcome picks: what stands before its value."""


def responses_meant(use: Use) -> list[str]:
    family = use.pattern.removesuffix(".+")
    if use.pattern.endswith(".+") and family in FAMILIES:
        return [f"{family}{kind.value}" for kind in FAMILIES[family]]
    return [name for name in RESPONSES if re.fullmatch(use.pattern, name)]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


WORDING_USES, RESPONSE_USES = wording_uses(), response_uses()


def by_place(use: Use) -> str:
    return f"{use.where} {use.pattern}"


@pytest.mark.parametrize("use", WORDING_USES, ids=by_place)
def test_fixed_words_that_the_code_names_exist_and_get_their_values(use: Use) -> None:
    meant = [name for name in WORDING.texts if re.fullmatch(use.pattern, name)]
    assert meant
    for name in meant:
        wanted = {each for text in WORDING.texts[name] for each in Template(text).get_identifiers()}
        assert use.is_open or wanted <= use.given, (name, wanted - use.given)


@pytest.mark.parametrize("use", RESPONSE_USES, ids=by_place)
def test_responses_that_the_actions_name_exist_and_get_their_values(use: Use) -> None:
    meant = responses_meant(use)
    assert meant
    for name in meant:
        wanted = {each for text in RESPONSES[name] for each in placeholders(text)}
        assert use.is_open or wanted <= use.given, (name, wanted - use.given)


def test_the_scan_sees_the_code() -> None:
    assert len(WORDING_USES) >= 10
    assert len(RESPONSE_USES) >= 50
    assert {"engine_down", "engine_slow"} <= {use.pattern for use in WORDING_USES}


def test_every_text_is_said_somewhere() -> None:
    said = "|".join(use.pattern for use in WORDING_USES)
    assert [name for name in WORDING.texts if not re.fullmatch(said, name)] == []


def ruled_responses() -> set[str]:
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "data/rules").glob("*.yml"))]
    return set(re.findall(r"action: (utter_\S+)", "\n".join(texts)))


@pytest.mark.parametrize("name", sorted(ruled_responses()))
def test_a_response_that_a_rule_gives_exists_and_needs_no_values(name: str) -> None:
    assert name in RESPONSES
    assert not any(placeholders(text) for text in RESPONSES[name])


def test_every_response_is_given_somewhere() -> None:
    given = re.compile("|".join(use.pattern for use in RESPONSE_USES))
    trees = [tree for folder in ("actions", "bot/nlu") for _, tree in parsed(folder)]
    constants = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    elsewhere = ruled_responses() | constants
    assert [name for name in RESPONSES if not given.fullmatch(name) and name not in elsewhere] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_of_outcome_has_its_words(family: str) -> None:
    assert [kind.value for kind in FAMILIES[family] if f"{family}{kind.value}" not in RESPONSES] == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_menu_command_can_be_shown_and_said(command: str) -> None:
    assert WORDING.one(f"menu_{command}")
    assert WORDING.one(f"say_{command}")


def shown_texts() -> dict[str, str]:
    """Everything that a borrower may be shown and that no library of its own checks."""
    texts = {f"{name}[{n}]": text for name, variants in RESPONSES.items() for n, text in enumerate(variants)}
    for name, variants in DOMAIN["responses"].items():
        buttons = [button["title"] for variant in variants for button in variant.get("buttons", [])]
        texts |= {f"{name} button {n}": title for n, title in enumerate(buttons)}
    texts |= {f"{name}[{n}]": text for name, parts in WORDING.texts.items() for n, text in enumerate(parts)}
    texts |= {path.name: path.read_text("utf-8") for path in sorted((ROOT / "data/templates").glob("*.txt"))}
    for path, tree in parsed("actions"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "Button" and isinstance(node.args[0], ast.Constant):
                texts[f"{path}:{node.lineno}"] = str(node.args[0].value)
    return texts


SHOWN = shown_texts()
RED_LIST: list[str] = [
    entry["phrase"] for entry in yaml.safe_load((ROOT / "data/rights/_red_list.yml").read_text("utf-8"))["phrases"]
]


def letters_only(text: str) -> str:
    """Without punctuation and spaces, as the red list is matched."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "PZC")


@pytest.mark.parametrize("where", SHOWN)
def test_no_text_says_what_must_never_be_said(where: str) -> None:
    plain = letters_only(SHOWN[where])
    assert [phrase for phrase in RED_LIST if letters_only(phrase) in plain] == []


def test_the_red_list_is_there() -> None:
    assert len(RED_LIST) >= 40


@pytest.mark.parametrize("where", [where for where in SHOWN if where.startswith(("crisis", "crisis_again"))])
def test_words_in_a_crisis_speak_of_no_debt_and_no_condition(where: str) -> None:
    assert not re.search(r"还款|欠|逾期|利息|分期|方案|必须|否则", SHOWN[where])


def test_words_in_a_crisis_name_the_help_lines() -> None:
    for name in ("crisis", "crisis_again"):
        said = "".join(WORDING.all(name))
        assert "12356" in said
        assert "120" in said


def test_the_same_words_are_loaded_whether_alone_or_together() -> None:
    assert {name for path in WORDS for name in Wording.load(path).texts} == set(WORDING.texts)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "- a",
        "a: 1",
        "a: ''",
        "a: []",
        "a: [b, 1]",
        "a: [b, ' ']",
        "a: {b: c}",
        "1: a",
        "a: 共$100",
        "a: ${}",
        "a: 'b",
        "a: $",
    ],
)
def test_words_that_cannot_be_used_are_refused_by_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(WordingError, match=r"words\.yml"):
        Wording.load(path)


def test_a_missing_file_and_a_name_given_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    with pytest.raises(WordingError, match=r"words\.yml"):
        Wording.load(path)
    path.write_text("a: b", "utf-8")
    with pytest.raises(WordingError, match="a: must be given once"):
        Wording.load(path, path)


def test_values_are_filled_in_and_missing_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    path.write_text('a: ["${x}块", "$$5"]', "utf-8")
    words = Wording.load(path)
    assert words.all("a", x="五") == ("五块", "$5")
    assert words.one("a", x="五", spare="-") == "五块"
    with pytest.raises(WordingError, match="x"):
        words.one("a")
    with pytest.raises(WordingError, match="b"):
        words.one("b")
