"""The files for running several of each say what the desk understands: commands, settings, what production asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer.main
import uvicorn
import yaml
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from typer.testing import CliRunner
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from actions.server import make_app as make_actions
from bot import cli
from bot.cli import app, run
from bot.gateway import make_app as make_gateway
from bot.model import TRACKER_POOL_OVERFLOW, TRACKER_POOL_SIZE, rasa_environment
from bot.settings import ROOT, Settings
from bot.store.engine import POOL_OVERFLOW, POOL_SIZE
from tests.builders.desk import a_desk

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


def templates() -> Iterator[dict[str, Any]]:
    for one in manifests():
        spec = one["spec"].get("jobTemplate", one)["spec"]
        if "template" in spec:
            yield spec["template"]


def pods() -> Iterator[dict[str, Any]]:
    yield from (one["spec"] for one in templates())


def containers() -> Iterator[dict[str, Any]]:
    for pod in pods():
        yield from [*pod.get("initContainers", ()), *pod["containers"]]


def desk_services() -> dict[str, dict[str, Any]]:
    """The services that run a process of the desk."""
    services: dict[str, dict[str, Any]] = COMPOSE["services"]
    return {name: one for name, one in services.items() if one["image"] == "borrower-desk" and "entrypoint" not in one}


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
    commands += [container["args"] for container in containers()]
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
        if one["command"][-1] in ("gateway", "rasa", "actions"):
            assert one["network_mode"] == f"service:pod-{name[-1]}", "only its own gateway may reach it"
            assert "networks" not in one
        assert "ports" not in one


def test_what_owns_the_network_of_a_desk_is_never_started_again_with_one_of_its_processes() -> None:
    owners = {one["network_mode"] for one in desk_services().values() if "network_mode" in one}
    assert owners == {"service:pod-a", "service:pod-b"}
    for name in ("pod-a", "pod-b"):
        pod = COMPOSE["services"][name]
        assert pod["entrypoint"] == ["sleep", "infinity"]
        assert not {"command", "depends_on", "env_file", "environment", "healthcheck"} & pod.keys()
    proxied = (DEPLOY / "compose" / "Caddyfile").read_text("utf-8")
    assert "reverse_proxy pod-a:8080 pod-b:8080 {" in proxied


def test_every_setting_can_be_given_to_every_process() -> None:
    decided = {"DESK_MODE", "DESK_PUBLIC_ORIGIN", "DESK_DATABASE_URL", "DESK_TRACKER_URL", "DESK_MODELS_DIR"}
    for one in desk_services().values():
        assert one["env_file"] == ["desk.env"]
        assert set(one["environment"]) == decided | {"FORWARDED_ALLOW_IPS"}, "what compose sets, desk.env cannot"
    for container in containers():
        assert container["envFrom"] == [{"configMapRef": {"name": "desk"}}, {"secretRef": {"name": "desk"}}]
    assert decided <= KNOWN


def test_each_role_of_the_database_is_given_to_those_who_need_it() -> None:
    def role(one: dict[str, Any], name: str) -> str:
        found = re.fullmatch(r"postgresql\+psycopg://(\w+):\$\{(\w+):\?\}@database/(\w+)", one["environment"][name])
        assert found is not None
        return " ".join(found.groups())

    for name, one in desk_services().items():
        owner = "desk_owner POSTGRES_OWNER_PASSWORD desk"
        assert role(one, "DESK_DATABASE_URL") == (owner if name == "migrate" else "desk POSTGRES_DESK_PASSWORD desk")
        assert role(one, "DESK_TRACKER_URL") == "desk_tracker POSTGRES_TRACKER_PASSWORD tracker"
    database = COMPOSE["services"]["database"]
    assert "./roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro" in database["volumes"]
    read = set(re.findall(r"\\getenv \w+ (\w+)", (DEPLOY / "compose" / "roles.sql").read_text("utf-8")))
    assert read == set(database["environment"]) - {"POSTGRES_PASSWORD"}
    owners = [one for one in containers() if "env" in one]
    assert [one["name"] for one in owners] == ["migrate"]
    (given,) = owners[0]["env"]
    assert given["valueFrom"]["secretKeyRef"] == {"name": "desk-owner", "key": "DESK_DATABASE_URL"}


def test_the_image_backs_up_the_server_that_compose_runs() -> None:
    server = re.fullmatch(r"postgres:(\d+)", COMPOSE["services"]["database"]["image"])
    programs = re.findall(r"\bpostgresql-client-(\d+)\b", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert server is not None
    assert programs == [server.group(1)]


def test_models_and_backups_lie_on_volumes_that_the_image_lets_its_user_write() -> None:
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    models, kept = "/var/lib/desk/models", "/var/lib/desk/backups"
    assert f"mkdir -p var {models} {kept} && chown desk var {models} {kept}" in image
    for name, one in desk_services().items():
        assert one["environment"]["DESK_MODELS_DIR"] == models
        if name != "backup":
            assert f"models:{models}" in one["volumes"]
        if one["command"][0] == "backup":
            assert one["command"][1] == kept
            assert f"backups:{kept}" in one["volumes"]
    assert f"DESK_MODELS_DIR={models}" in (BASE / "kustomization.yaml").read_text("utf-8")
    mounted = {(each["name"], mount["mountPath"]) for each in containers() for mount in each["volumeMounts"]}
    assert {("rasa", models), ("backup", kept)} <= mounted
    claims = {
        one["metadata"]["name"]: one["spec"]["accessModes"] for one in manifests() if "accessModes" in one["spec"]
    }
    assert claims == {"models": ["ReadWriteMany"], "backups": ["ReadWriteOnce"]}


def test_the_image_holds_the_messages_that_models_are_measured_on() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    order = [ignored.index(line) for line in ("tests/*", "!tests/nlu", "tests/nlu/*", "!tests/nlu/heldout")]
    assert order == sorted(order)
    assert "tests" not in ignored


def test_the_database_takes_every_connection_that_the_processes_may_hold() -> None:
    each = {"gateway": POOL_SIZE + POOL_OVERFLOW, "actions": POOL_SIZE + POOL_OVERFLOW}
    each |= {"scheduler": POOL_SIZE + POOL_OVERFLOW, "rasa": TRACKER_POOL_SIZE + TRACKER_POOL_OVERFLOW}
    running = [one for one in desk_services().values() if one["command"][0] == "run"]
    held = sum(each[one["command"][1]] * one.get("deploy", {}).get("replicas", 1) for one in running)
    assert held == 220
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(COMPOSE["services"]["database"]["command"]))
    # Commands, backups and the few that forget conversations in the tracker; three are kept for superusers.
    assert int(most) >= held + 30
    assert f"at least {most}" in (ROOT / "docs" / "scaling.md").read_text("utf-8")


def test_only_the_proxy_is_believed_when_it_says_where_a_visitor_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    address = COMPOSE["services"]["proxy"]["networks"]["front"]["ipv4_address"]
    assert ip_address(address) in ip_network(front["subnet"])
    assert ip_address(address) not in ip_network(front["ip_range"]), "another container could be given it"
    believed = {one["environment"]["FORWARDED_ALLOW_IPS"] for one in desk_services().values()}
    assert believed == {address}

    monkeypatch.setenv("FORWARDED_ALLOW_IPS", address)
    config = gateway_config(tmp_path, monkeypatch)
    assert config.proxy_headers
    told = FastAPI()

    @told.get("/")
    def client(request: Request) -> str:
        return request.client.host if request.client is not None else ""

    behind = ProxyHeadersMiddleware(told, config.forwarded_allow_ips)
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    for peer, seen in ((address, "203.0.113.7"), ("172.16.250.200", "172.16.250.200")):
        assert TestClient(behind, client=(peer, 1)).get("/", headers=forwarded).json() == seen


def gateway_config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> uvicorn.Config:
    """What ``bot run gateway`` gives its server."""
    made: list[uvicorn.Config] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda server: made.append(server.config))
    monkeypatch.setattr(cli, "_settings", lambda: a_desk(folder).settings)
    monkeypatch.setattr(cli.logs, "configure", lambda **_: None)
    assert CliRunner().invoke(app, ["run", "gateway"]).exit_code == 0
    return made[0]


def test_a_pod_is_a_whole_desk_and_only_its_gateway_is_reached() -> None:
    (desk,) = (one for one in manifests() if one["kind"] == "Deployment" and one["metadata"]["name"] == "desk")
    processes = desk["spec"]["template"]["spec"]["containers"]
    assert [one["args"][1] for one in processes] == ["gateway", "rasa", "actions"]
    assert [one["name"] for one in processes if "ports" in one] == ["gateway"]
    assert desk["spec"]["replicas"] >= 2


def test_a_release_migrates_first_and_can_be_applied_again() -> None:
    jobs = {one["metadata"]["name"]: one["spec"] for one in manifests() if one["kind"] in ("Job", "CronJob")}
    assert jobs["migrate"]["ttlSecondsAfterFinished"] > 0
    assert jobs["migrate"]["template"]["spec"]["containers"][0]["args"] == ["db", "migrate"]
    assert "kubectl delete job migrate --ignore-not-found" in (ROOT / "docs" / "scaling.md").read_text("utf-8")
    waiting = [pod["initContainers"][0]["args"] for pod in pods() if "initContainers" in pod]
    assert waiting == [["db", "wait"]] * 2
    started = {one["command"][1]: one["depends_on"] for one in desk_services().values() if one["command"][0] == "run"}
    assert set(started) == set(PROCESSES)
    assert all(one["migrate"] == {"condition": "service_completed_successfully"} for one in started.values())


def test_pods_are_reached_at_the_gateway_and_reach_names_the_database_and_https() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in manifests() if one["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def ports(rules: Iterable[dict[str, Any]]) -> set[Any]:
        return {port["port"] for rule in rules for port in rule["ports"]}

    assert [ports(one["ingress"]) for one in policies.values() if "ingress" in one] == [{"http"}]
    assert ports(policies["database"]["egress"]) == {53, 5432}
    assert ports(policies["desk"]["egress"]) == {443}
    (names,) = (one["values"] for one in policies["database"]["podSelector"]["matchExpressions"])
    assert set(names) == {one["metadata"]["labels"]["app"] for one in templates()}
    inside = COMPOSE["networks"]["inside"]
    assert inside == {"internal": True}
    assert {name for name, one in COMPOSE["services"].items() if "front" in one.get("networks", ())} == {
        "pod-a",
        "pod-b",
        "proxy",
    }


def test_pods_are_given_everything_that_production_asks_for() -> None:
    text = (BASE / "kustomization.yaml").read_text("utf-8")
    assert set(re.findall(r"\bDESK_[A-Z_]+[A-Z]\b", text)) >= NEEDED


def test_no_container_is_root_or_may_write_its_own_files() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert not pod["automountServiceAccountToken"]
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    ours = [one for one in COMPOSE["services"].values() if one["image"] == "borrower-desk"]
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in ours)


def test_probes_ask_addresses_that_there_are(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    has = {"8080": paths(make_gateway(desk)), "5055": paths(make_actions(desk))}
    client = (ROOT / "bot" / "channels" / "rasa_client.py").read_text("utf-8")
    has["5005"] = set(re.findall(r"\.get\(\"(/[^\"]+)\"", client))
    text = "".join(path.read_text("utf-8") for path in FILES)
    asked = set(re.findall(r"127\.0\.0\.1:(\d+)(/[a-z/]*)", text))
    asked |= {("8080", path) for path in re.findall(r"\bpath: (/health[a-z/]*)", text)}
    assert {port for port, _ in asked} == set(has)
    assert not {(port, path) for port, path in asked if path not in has[port]}
    processes = [one for one in containers() if one["args"][0] == "run"]
    assert all("livenessProbe" in one for one in processes)
    assert all("healthcheck" in one for one in desk_services().values() if one["command"][0] == "run")


def paths(of: FastAPI) -> set[str]:
    return {route.path for route in of.routes if isinstance(route, APIRoute)}


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
    assert {".env", "**/.env", "desk.env", "**/desk.env"} <= set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert {".env", "desk.env"} <= set((ROOT / ".gitignore").read_text("utf-8").splitlines())
