"""The files for running several of each say what the desk understands: commands, settings, what production asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer.main
import yaml

from bot.cli import app, run
from bot.model import rasa_environment
from bot.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
FILES = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])
NEEDED = {
    *(f"DESK_{name}" for name in ("MODE", "PUBLIC_ORIGIN", "DATABASE_URL", "TRACKER_URL")),
    *(f"DESK_{name}" for name in ("DATA_KEY", "LOOKUP_KEY", "RASA_SECRET", "ACTIONS_SECRET")),
    *(f"DESK_{name}" for name in ("CODE_WEBHOOK_URL", "CODE_WEBHOOK_KEY")),
}
"""What production refuses to start without, and the tracker that several Rasa processes share."""

KNOWN = {str(field.validation_alias or f"DESK_{name.upper()}") for name, field in Settings.model_fields.items()}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text("utf-8"))
PROCESSES = get_args(get_type_hints(run)["process"])
BASE = DEPLOY / "kubernetes" / "base"


def manifests() -> Iterator[dict[str, Any]]:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    for name in listed:
        yield from yaml.safe_load_all((BASE / name).read_text("utf-8"))


def pods() -> Iterator[dict[str, Any]]:
    yield from (one["spec"]["template"]["spec"] for one in manifests() if "template" in one["spec"])


def desk_services() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in COMPOSE["services"].items() if one["image"] == "borrower-desk"}


def is_command(words: list[str]) -> bool:
    command: Any = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            return word in PROCESSES if words[0] == "run" else True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return not hasattr(command, "commands")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_can_be_read_and_names_only_settings_that_there_are(path: Path) -> None:
    text = path.read_text("utf-8")
    assert list(yaml.safe_load_all(text))
    assert set(re.findall(r"\bDESK_[A-Z_]+[A-Z]\b", text)) <= KNOWN


def test_every_container_runs_a_command_of_the_desk() -> None:
    commands = [one["command"] for one in desk_services().values()]
    commands += [container["args"] for pod in pods() for container in pod["containers"]]
    assert commands
    assert not [words for words in commands if not is_command(words)]
    assert not is_command(["run", "nothing"])
    for file in ("compose/compose.yaml", "kubernetes/base/scheduler.yaml"):
        assert (DEPLOY / file).exists()


def test_two_of_everything_is_what_compose_starts() -> None:
    started = [tuple(one["command"]) for one in desk_services().values()]
    assert all(started.count(("run", name)) == 2 for name in ("gateway", "rasa", "actions"))
    assert COMPOSE["services"]["scheduler"]["deploy"]["replicas"] == 2
    for name, one in desk_services().items():
        if one["command"][-1] in ("rasa", "actions"):
            assert one["network_mode"] == f"service:gateway-{name[-1]}", "only its own gateway may reach it"
            assert "ports" not in one
        assert set(one["environment"]) >= NEEDED


def test_a_pod_is_a_whole_desk_and_only_its_gateway_is_reached() -> None:
    (desk,) = (one for one in manifests() if one["kind"] == "Deployment" and one["metadata"]["name"] == "desk")
    containers = desk["spec"]["template"]["spec"]["containers"]
    assert [one["args"][1] for one in containers] == ["gateway", "rasa", "actions"]
    assert [one["name"] for one in containers if "ports" in one] == ["gateway"]
    assert desk["spec"]["replicas"] >= 2


def test_pods_are_given_everything_that_production_asks_for() -> None:
    text = (BASE / "kustomization.yaml").read_text("utf-8")
    assert set(re.findall(r"\bDESK_[A-Z_]+[A-Z]\b", text)) >= NEEDED


def test_no_container_is_root_or_may_write_its_own_files() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in desk_services().values())


def test_probes_ask_addresses_that_the_gateway_has() -> None:
    asked = re.findall(r"(?:path: |8080)(/health/[a-z]+)", "".join(path.read_text("utf-8") for path in FILES))
    assert set(asked) == {"/health/live", "/health/ready", "/health/started"}


@pytest.mark.parametrize(
    ("url", "dialect", "host"),
    [
        ("", "sqlite", ""),
        (
            "postgresql+psycopg://desk:a%40b@db.example.cn/tracker",
            "postgresql",
            "postgresql+psycopg2://desk:a%40b@db.example.cn/tracker",
        ),
    ],
)
def test_the_engine_is_told_where_its_tracker_lies(tmp_path: Path, url: str, dialect: str, host: str) -> None:
    settings = Settings(_env_file=None, var_dir=tmp_path, tracker_url=url)  # type: ignore[call-arg]
    told = rasa_environment(settings)
    assert (told["DESK_TRACKER_DIALECT"], told["DESK_TRACKER_HOST"]) == (dialect, host)
    assert told["DESK_TRACKER_DB"] == ("" if url else str(tmp_path / "rasa-tracker.sqlite3"))


def test_secrets_kept_beside_the_files_never_get_into_the_image_or_the_repository() -> None:
    assert {".env", "**/.env"} <= set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
