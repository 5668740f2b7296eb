"""The training data, the domain and the rules hold together."""

from __future__ import annotations

import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.server import ACTIONS
from bot.identity.factors import is_out_of_reach
from bot.model import RUNTIME_PYTHON, rasa_environment
from bot.settings import ROOT, load_settings
from bot.text.normalize import normalize_text

MEASURING = [
    ROOT / "tests" / "nlu" / "heldout" / "messages.tsv",
    ROOT.parent / "shared" / "eval" / "messages.tsv",
]

INTENTS = [
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "inform",
    "ask_capabilities",
    "bot_challenge",
    "repeat",
    "cancel",
    "chitchat",
    "out_of_scope",
    "abuse",
    "verify_identity",
    "ask_legitimacy",
    "wrong_person",
    "third_party_inquiry",
    "ask_data_source",
    "ask_balance",
    "ask_breakdown",
    "ask_fee_reason",
    "ask_due_date",
    "ask_creditor",
    "ask_repayment_channel",
    "report_paid",
    "ask_payment_status",
    "dispute_debt",
    "ask_minimum_payment",
    "ask_account_restriction",
    "ask_clearance_letter",
    "state_hardship",
    "request_installment",
    "request_relief",
    "request_settlement",
    "request_deferral",
    "promise_to_pay",
    "propose_payment",
    "accept_offer",
    "reject_offer",
    "ask_other_options",
    "ask_plan_status",
    "modify_plan",
    "report_missed_installment",
    "ask_early_repayment",
    "refuse_to_pay",
    "rights/overview",
    "rights/credit_report",
    "rights/legal_action",
    "rights/enforcement",
    "rights/home_visit",
    "rights/collection_conduct",
    "rights/third_party_contact",
    "rights/interest_cap",
    "rights/statute_of_limitations",
    "rights/family_liability",
    "rights/outsourcing",
    "rights/installment_law",
    "rights/personal_data",
    "rights/bankruptcy",
    "rights/anti_fraud",
    "rights/financial_education",
    "complain_harassment",
    "complain_service",
    "ask_complaint",
    "request_human",
    "request_callback",
    "stop_contact",
    "set_reminder",
    "express_distress",
]


def examples() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "data" / "nlu").rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            lines = [line.removeprefix("- ").strip() for line in block["examples"].strip().splitlines()]
            found[block["intent"]].extend(lines)
    return found


def domain() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    return loaded


def bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", normalize_text(text))


def test_no_example_of_another_subject_says_that_a_factor_of_identity_is_out_of_reach() -> None:
    taken = [
        (intent, text)
        for intent, texts in examples().items()
        for text in texts
        if intent not in ("verify_identity", "deny") and is_out_of_reach(normalize_text(text), is_about_identity=False)
    ]
    assert taken == []


def test_every_intent_of_the_vocabulary_has_at_least_sixty_examples_and_no_other_intent_exists() -> None:
    found = examples()
    assert set(found) == set(INTENTS)
    assert {name: len(lines) for name, lines in found.items() if len(lines) < 60} == {}


def test_no_sentence_stands_under_two_intents_whatever_its_punctuation_or_script() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for intent, lines in examples().items():
        for line in lines:
            places[bare(line) or line].add(intent)
    assert {text: intents for text, intents in places.items() if len(intents) > 1} == {}


def test_no_sentence_stands_twice_under_one_intent() -> None:
    assert {name: lines for name, lines in examples().items() if len(lines) != len(set(lines))} == {}


@pytest.mark.parametrize("path", MEASURING, ids=lambda path: path.parent.name)
def test_no_example_copies_a_measuring_set_or_nearly_does(path: Path) -> None:
    if not path.exists():
        pytest.skip("this measuring set is not beside this checkout")
    measured = [bare(line.split("\t")[2]) for line in path.read_text("utf-8").splitlines()[1:]]
    by_pair: dict[str, set[str]] = defaultdict(set)
    for text in measured:
        for pair in pairs(text) if len(text) > 5 else ():
            by_pair[pair].add(text)
    copied = [line for lines in examples().values() for line in lines if nearly_copies(bare(line), by_pair)]
    assert copied == []


def pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def nearly_copies(text: str, by_pair: dict[str, set[str]]) -> bool:
    """Whether a text of six characters or more shares seven of ten neighbouring pairs with a measured one."""
    if len(text) < 6:
        return False
    shared = Counter(measured for pair in pairs(text) for measured in by_pair.get(pair, ()))
    return any(count / len(pairs(text) | pairs(measured)) >= 0.7 for measured, count in shared.items())


def test_no_example_holds_an_annotation_because_values_are_read_by_rules() -> None:
    annotated = [line for lines in examples().values() for line in lines if re.search(r"\[[^\]]+\][({]", line)]
    assert annotated == []


def test_the_domain_lists_exactly_the_actions_that_exist() -> None:
    assert sorted(domain()["actions"]) == sorted(action.action_name for action in ACTIONS)


def test_every_button_payload_names_an_intent() -> None:
    code = "".join(path.read_text("utf-8") for path in sorted((ROOT / "actions").glob("*.py")))
    payloads = set(re.findall(r'Button\([^"]*"[^"]*", "/([a-z_]+)"', code))
    for variants in domain()["responses"].values():
        for variant in variants:
            payloads |= {button["payload"].removeprefix("/").partition("{")[0] for button in variant.get("buttons", ())}
    intents = {name.partition("/")[0] for name in INTENTS}
    assert payloads - intents == set()


def test_rasa_finds_nothing_to_complain_about() -> None:
    command = [str(RUNTIME_PYTHON), "-W", "always::UserWarning", "-m", "rasa", "data", "validate"]
    command += ["--data", "data/nlu", "data/rules", "--domain", "domain.yml", "--config", "config.yml"]
    environment = {**rasa_environment(load_settings()), "PYTHONWARNINGS": "always::UserWarning", "LOG_LEVEL": "INFO"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    complaints = re.findall(r"UserWarning: (.+)", output)
    # Responses are used by custom actions, which Rasa cannot see; tests/unit/test_wording.py checks those instead.
    remaining = [line for line in complaints if not re.match(r"The utterance '\w+(/\w+)?' is not used", line)]
    # A retrieval intent has to be listed, and then Rasa finds it also in the domain it derives from the examples.
    remaining = [line for line in remaining if "across multiple domain files: rights" not in line]
    assert [line for line in remaining if "pkg_resources" not in line and "declare_namespace" not in line] == []
    assert "No story structure conflicts found" in output


def test_the_jieba_folder_holds_dictionaries_only() -> None:
    folder = ROOT / "data" / "jieba"
    for path in folder.iterdir():
        assert path.suffix == ".txt"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            assert re.fullmatch(r"\S+ \d+ [a-z]+", line), f"{path.name}:{number}: {line!r}"


def test_what_the_rasa_process_imports_compiles_in_its_own_environment(tmp_path: Path) -> None:
    modules = [f"bot.text.{path.stem}" for path in (ROOT / "bot" / "text").glob("*.py") if path.stem != "__init__"]
    code = "import importlib\n" + "".join(f"importlib.import_module({name!r})\n" for name in sorted(modules))
    done = subprocess.run(
        [str(RUNTIME_PYTHON), "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
