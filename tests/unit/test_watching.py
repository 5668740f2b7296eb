"""Alert rules and dashboard name only what the desk exports, and cover what the runbook calls worth an alarm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.channels.rasa_client import RasaClient
from bot.gateway import make_app
from bot.metrics import ALARMS
from bot.services.job_records import Job
from bot.settings import ROOT
from tests.builders.desk import a_desk

KEY = "a-metrics-key-for-tests-of-the-desk"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "desk.json"

FROM_PROMETHEUS = {"job", "instance"}
"""Labels that every series gets when it is scraped."""

WORDS = set(
    "absent and by count histogram_quantile ignoring increase max min on or rate sum unless without group_left".split()
)

Labels = dict[str, dict[str, set[str]]]
"""Of each series: its labels with the values they can have."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    async def is_ready(_: RasaClient) -> bool:
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RasaClient, "is_ready", is_ready)
        deps = a_desk(tmp_path_factory.mktemp("desk"))
        deps.settings.metrics_key = SecretStr(KEY)
        page = TestClient(make_app(deps)).get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).text
    found: Labels = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def test_one_gateway_of_several_that_does_not_answer_is_an_alarm() -> None:
    [rule] = [rule for rule in rules() if rule["alert"] == "DeskGatewayGone"]
    assert re.search(r'\bup\{job="borrower-desk"\} == 0', rule["expr"])
    scraped = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert "- job_name: borrower-desk" in scraped


def test_no_series_has_a_label_that_prometheus_puts_its_own_over(exported: Labels) -> None:
    assert not {name for name, labels in exported.items() if FROM_PROMETHEUS & set(labels)}


def test_every_job_of_the_scheduler_has_a_rule_that_names_its_event() -> None:
    named = {event for rule in rules() for event in rule["annotations"].get("events", "").split()}
    assert {f"{job}_failed" for job in Job} <= named


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def faults(expression: str, exported: Mapping[str, Mapping[str, set[str]]]) -> list[str]:
    """Return what an expression names that is not exported: series, labels, values of labels."""
    found = []
    allowed = set(FROM_PROMETHEUS)
    for name, matchers in re.findall(r"\b([a-z]+_[a-z_]+)\b(?:\{([^}]*)\})?(?!\s*\()", expression):
        if name in WORDS:
            continue
        if name not in exported:
            found.append(f"no series {name}")
            continue
        allowed |= set(exported[name])
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers):
            known = exported[name].get(label)
            if known is None:
                found.append(f"{name} has no label {label}")
            elif missing := set(value.split("|") if "~" in operator else [value]) - known:
                found.append(f"{name}: {label} is never {sorted(missing)}")
    for labels in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        found += [f"no label {one}" for one in re.split(r"[\s,]+", labels.strip()) if one not in allowed]
    return found


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_rules_and_panels_name_only_what_the_desk_exports(where: str, expression: str, exported: Labels) -> None:
    assert re.search(r"\b(desk|process)_", expression), where
    assert faults(expression, exported) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("max(desk_messages_waiting) > 1", "no series desk_messages_waiting"),
        ('sum(desk_cases_open{state="overdue"})', "desk_cases_open has no label state"),
        ('desk_cases_open{alarm=~"soon|late"}', "desk_cases_open: alarm is never ['late']"),
        ("sum by (channel) (desk_cases_open)", "no label channel"),
        ("rate(desk_turn_seconds_total[5m])", "no series desk_turn_seconds_total"),
    ],
)
def test_a_name_that_is_not_exported_would_be_found(expression: str, fault: str, exported: Labels) -> None:
    assert faults(expression, exported) == [fault]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: str(panel["title"]))
def test_legends_show_labels_that_are_there(panel: dict[str, Any], exported: Labels) -> None:
    known = {label for labels in exported.values() for label in labels} | FROM_PROMETHEUS
    for target in panel["targets"]:
        assert set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"])) <= known
    assert panel["description"]


def test_every_series_of_the_desk_is_on_the_dashboard(exported: Labels) -> None:
    shown = DASHBOARD.read_text("utf-8")
    of_the_desk = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported if name.startswith("desk_")}
    assert not [name for name in of_the_desk if not re.search(rf"\b{name}(_bucket|_count)?\b", shown)]


def test_panels_have_numbers_of_their_own_and_do_not_lie_on_each_other() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_happened_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    notes = rule["annotations"]
    assert set(notes) - {"events"} == {"summary", "action"}
    assert all(notes[name].endswith(".") for name in ("summary", "action"))
    assert re.fullmatch(r"Desk[A-Za-z]+", rule["alert"])


def worth_an_alarm() -> set[str]:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return set(re.findall(r"`(\w+)`", page.split("\nWorth an alarm: ", 1)[1].split("\n\n", 1)[0]))


def test_every_event_worth_an_alarm_has_a_rule() -> None:
    named = [event for rule in rules() for event in rule["annotations"].get("events", "").split()]
    assert set(named) == worth_an_alarm()
    assert len(named) == len(set(named))


def test_rules_that_count_events_name_those_they_count() -> None:
    for rule in rules():
        counted = {one for match in re.findall(r'event=~?"([^"]+)"', rule["expr"]) for one in match.split("|")}
        assert not counted or counted == set(rule["annotations"]["events"].split()), rule["alert"]


def test_the_events_that_are_counted_are_logged_somewhere_and_worth_an_alarm() -> None:
    logged = "\n".join(path.read_text("utf-8") for folder in ("bot", "actions") for path in sources(folder))
    assert not [name for name in ALARMS if f'"{name}"' not in logged]
    assert set(ALARMS) <= worth_an_alarm()


def sources(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if path.name != "metrics.py"]


def test_the_runbook_lists_every_series_once_with_its_labels(exported: Labels) -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8").split("\n## Metrics\n", 1)[1].split("\n## ", 1)[0]
    listed = [re.findall(r"`(\w+)`", cell) for cell in re.findall(r"^\| (`desk_[^|]+)\|", page, re.MULTILINE)]
    names = [name for row in listed for name in row]
    assert len(names) == len(set(names))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported if name.startswith("desk_")}
    assert set(names) == families
    for name, label in re.findall(r"^\| `(desk_\w+)`[^|]*\| `(\w+)`", page, re.MULTILINE):
        found = exported.get(name) or exported[f"{name}_count"]
        assert label in found, name
