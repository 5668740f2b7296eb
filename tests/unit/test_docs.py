"""The documentation says what the code says: names, settings, rules, problems, people to try, targets, links."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer.main
import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.cli import app
from bot.outreach.gate import Limits, Rule
from bot.outreach.limits import load_limits
from bot.settings import ROOT, Settings
from tests.proof.contact_cells import CELLS, EVERY_HOLD_SET

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "widget" / "README.md"])
PURE = ("lending", "workout", "outreach", "desk", "cases", "identity", "care")
SECRET_NAMES = ("DESK_RASA_SECRET", "DESK_ACTIONS_URL", "DESK_TRACKER_DIALECT", "DESK_TRACKER_DB")


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its header."""
    text = page.read_text("utf-8")
    assert f"\n{heading}\n" in text, f"{page.name}: no heading {heading!r}"
    lines = text.split(f"\n{heading}\n", 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").replace("\\|", "\0").split("|")])
    return [[cell.replace("\0", "|") for cell in row] for row in found]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def enumerations() -> Iterator[tuple[str, type[Enum]]]:
    """Every enumeration defined in a pure package, with its file."""
    for name in PURE:
        package = importlib.import_module(f"bot.{name}")
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"bot.{name}.{found.name}")
            for value in vars(module).values():
                if not isinstance(value, type) or not issubclass(value, Enum) or value.__module__ != module.__name__:
                    continue
                if not value.__name__.startswith("_"):
                    yield f"bot/{name}/{found.name}.py", value


GLOSSARY = rows(DOCS / "glossary.md", "## From identifier to Chinese")
KNOWN = {code(row[0])[0]: row for row in GLOSSARY}
MEMBERS = {f"{kind.__name__}.{member.name}": path for path, kind in enumerations() for member in kind}


def test_the_glossary_maps_every_member_of_the_pure_enumerations() -> None:
    assert MEMBERS
    missing = [name for name in MEMBERS if name not in KNOWN]
    assert not missing, f"docs/glossary.md lacks {missing}"
    misplaced = [name for name, path in MEMBERS.items() if code(KNOWN[name][3]) != [path]]
    assert not misplaced


def test_the_glossary_holds_no_member_that_has_gone() -> None:
    assert not [name for name in KNOWN if "." in name and name not in MEMBERS]


def test_every_name_of_the_glossary_is_once_there_with_words_and_stands_in_its_file() -> None:
    assert len(KNOWN) == len(GLOSSARY)
    for name, row in KNOWN.items():
        assert len(row) == 4
        assert all(row), name
        assert name.rpartition(".")[2] in (ROOT / code(row[3])[0]).read_text("utf-8"), name


def test_the_way_back_leads_into_the_glossary() -> None:
    back = rows(DOCS / "glossary.md", "## From Chinese to identifier")
    assert back
    assert not [name for row in back for name in code(row[1]) if name not in KNOWN]


def setting_row(name: str, field: FieldInfo) -> list[str]:
    """Return a setting as ``docs/operations.md`` has to show it: environment name, default, allowed, meaning."""
    default = field.default
    if isinstance(default, SecretStr):
        shown = default.get_secret_value()
    elif isinstance(default, Path):
        shown = str(default.relative_to(ROOT))
    else:
        shown = str("" if default is None else default)
    variable = str(field.validation_alias or f"DESK_{name.upper()}")
    return [f"`{variable}`", f"`{shown}`" if shown else "empty", allowed(field), field.description or ""]


def allowed(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal and (choices := get_args(field.annotation)):
        return ", ".join(f"`{choice}`" for choice in choices)
    parts = []
    for rule in field.metadata:
        match rule:
            case Ge(ge=least):
                parts.append(f"from {least}")
            case Gt(gt=least):
                parts.append(f"above {least}")
            case Le(le=most):
                parts.append(f"to {most}")
            case Lt(lt=most):
                parts.append(f"below {most}")
            case MinLen(min_length=least):
                parts.append(f"from {least}")
            case MaxLen(max_length=most):
                parts.append(f"to {most} characters")
            case _:
                raise AssertionError(f"a limit that the table cannot show: {rule}")
    return " ".join(parts) or "–"


def test_the_settings_table_is_complete_and_true() -> None:
    expected = [setting_row(name, field) for name, field in Settings.model_fields.items()]
    shown = rows(DOCS / "operations.md", "## Settings")
    wanted = "\n".join(f"| {' | '.join(row)} |" for row in expected)
    assert shown == expected, f"docs/operations.md, Settings, should be:\n{wanted}"


def test_every_variable_the_pages_name_is_a_setting_or_known() -> None:
    cli = set(re.findall(r'envvar="(DESK_\w+)"', (ROOT / "bot" / "cli.py").read_text("utf-8")))
    make = set(re.findall(r"\bDESK_\w+", (ROOT / "Makefile").read_text("utf-8")))
    oracle = set(re.findall(r"\bDESK_\w+", (ROOT / "tests" / "oracle" / "test_oracle.py").read_text("utf-8")))
    known = {code(setting_row(name, field)[0])[0] for name, field in Settings.model_fields.items()}
    known |= cli | make | oracle | set(SECRET_NAMES)
    named = {name for page in PAGES for name in re.findall(r"\bDESK_[A-Z_]+[A-Z]\b", page.read_text("utf-8"))}
    assert named <= known, named - known


def test_the_contact_rules_name_what_the_gate_decides_by() -> None:
    listed = rows(DOCS / "contact-rules.md", "## What the gate answers")
    assert {code(row[0])[0] for row in listed} == {rule.value for rule in Rule}


def test_the_contact_rules_count_the_cells_that_are_enumerated() -> None:
    page = (DOCS / "contact-rules.md").read_text("utf-8")
    assert f"**{CELLS:,} cells**" in page
    assert f"{len(EVERY_HOLD_SET):,} sets of holds" in page


def test_every_rule_has_one_row_and_a_state() -> None:
    table = [row for heading in RULE_TABLES for row in rows(DOCS / "contact-rules.md", heading)]
    ids = [row[0] for row in table]
    assert len(ids) == len(set(ids))
    assert {row[2].split(":")[0] for row in table} <= {"gate", "done", "part", "not yet", "does not arise"}
    gate = {row[0] for row in table if row[2].startswith("gate")}
    assert gate == {rule.value for rule in Rule if re.fullmatch(r"[A-Z]\d", rule)}


RULE_TABLES = (
    "## Time, frequency, silence",
    "## Identity and privacy",
    "## Plans and old debts",
    "## Money",
    "## Complaints, help, records",
)


def test_the_limits_of_the_gate_are_shown_as_they_are() -> None:
    def plain(value: object) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, timedelta):
            return f"{value / timedelta(hours=1):g} h"
        return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)

    shown = {code(row[0])[0]: row[1] for row in rows(DOCS / "contact-rules.md", "## The numbers")}
    assert shown == {field.name: plain(getattr(Limits(), field.name)) for field in fields(Limits)}
    assert load_limits(ROOT / "data" / "outreach" / "limits.yml", "示例银行") == Limits()


def test_every_problem_the_socket_can_report_is_described() -> None:
    words: dict[str, Any] = yaml.safe_load((ROOT / "data" / "templates" / "desk.yml").read_text("utf-8"))
    known = {name.removeprefix("problem_") for name in words if name.startswith("problem_")}
    assert {code(row[0])[0] for row in rows(DOCS / "web-chat.md", "## Problems")} == known


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_people_to_try_the_desk_as_are_the_demo_accounts(page: str) -> None:
    accounts = yaml.safe_load((ROOT / "data" / "demo" / "accounts.yml").read_text("utf-8"))
    expected = [(one["name"], one["phone"], one["id_number"][-4:]) for one in accounts["borrowers"]]
    heading = "## People to try it as" if page == "README.md" else "## 演示身份"
    assert [tuple(row[:3]) for row in rows(ROOT / page, heading)] == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", page.read_text("utf-8"))
    local = [target for pair in targets for target in pair if target and not target.startswith("https://")]
    assert not [target for target in local if not (page.parent / target).exists()]


def test_every_target_the_pages_name_exists() -> None:
    texts = [span for page in PAGES for span in re.findall(r"`+([^`]+)`+", page.read_text("utf-8"))]
    named = {name for span in texts for name in re.findall(r"\bmake ([a-z-]+)", span)}
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= made, named - made


def test_every_command_of_the_desk_the_pages_name_exists() -> None:
    spans = [span for page in PAGES for span in re.findall(r"`bot ([^`]+)`", page.read_text("utf-8"))]
    assert spans
    for span in spans:
        command: Any = typer.main.get_command(app)
        for word in span.split():
            if not hasattr(command, "commands"):
                break
            if not word.startswith("-"):
                assert word in command.commands, f"bot {span}"
                command = command.commands[word]
