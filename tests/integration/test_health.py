"""What supervisors ask: whether a process lives, may be given work, and has started."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from actions.server import make_app as make_actions
from bot import cli_data, scheduler
from bot.channels.rasa_client import RasaClient
from bot.cli import app
from bot.gateway import make_app
from bot.services import health, heartbeats
from bot.services.deps import Deps
from bot.services.job_records import Job
from bot.store import migrate
from tests.builders.desk import SetClock, a_desk


def gateway(deps: Deps) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(make_app(deps)), base_url="http://desk")


async def test_a_desk_with_its_schema_is_ready(deps: Deps) -> None:
    async with gateway(deps) as client:
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "schema": True})
    transport = httpx.ASGITransport(make_actions(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://actions") as client:
        assert (await client.get("/health/ready")).status_code == 200


async def test_it_has_started_once_the_engine_answers(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_ready(_: RasaClient) -> bool:
        return answers

    monkeypatch.setattr(RasaClient, "is_ready", is_ready)
    async with gateway(deps) as client:
        answers = False
        assert (await client.get("/health/started")).status_code == 503
        answers = True
        assert (await client.get("/health/started")).status_code == 200


async def test_a_database_that_is_gone_makes_it_unready_but_not_dead(tmp_path: Path) -> None:
    deps = a_desk(tmp_path, database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere?connect_timeout=1")
    async with gateway(deps) as client:
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "schema": False})


@pytest.mark.parametrize(("revision", "is_ready"), [("0001", False), ("9999_of_a_later_release", True)])
async def test_an_earlier_schema_is_not_served_and_a_later_one_is(deps: Deps, revision: str, is_ready: bool) -> None:
    change = text("UPDATE alembic_version SET version_num = :revision")
    with deps.begin() as session:
        session.execute(change, {"revision": revision})
    assert health.readiness(deps).is_ready is is_ready
    with deps.begin() as session:
        session.execute(change, {"revision": migrate.head()})


def test_a_scheduler_that_has_fallen_silent_is_noticed(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: deps.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: deps)
    assert CliRunner().invoke(app, ["health", "scheduler"]).exit_code == 1
    scheduler.tick(deps)
    assert CliRunner().invoke(app, ["health", "scheduler"]).exit_code == 0
    clock.move(timedelta(minutes=2))
    heartbeats.beat(deps, heartbeats.SCHEDULER)
    assert CliRunner().invoke(app, ["health", "scheduler"]).exit_code == 1, "that another one works is no sign of it"


def test_a_scheduler_goes_on_while_the_database_is_away(tmp_path: Path, clock: SetClock) -> None:
    away = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere?connect_timeout=1"
    deps = a_desk(tmp_path, clock, database_url=away)
    assert not heartbeats.is_beating_here(deps)
    scheduler.tick(deps)
    assert heartbeats.is_beating_here(deps)


def test_a_scheduler_whose_work_hangs_is_noticed(deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler.tick(deps)

    def hang(_: Deps) -> None:
        clock.move(heartbeats.longest_silence(deps) + timedelta(seconds=1))
        found.append(heartbeats.is_beating_here(deps))

    found: list[bool] = []
    monkeypatch.setattr(scheduler, "EVERY_ROUND", ((Job.REMINDER_SWEEP, hang),))
    scheduler.tick(deps)
    assert found == [False]
    assert heartbeats.is_beating_here(deps), "it has ended after all"


@pytest.mark.parametrize(("ready_after", "exit_code"), [(2, 0), (99, 1)])
def test_a_release_waits_for_its_schema(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, ready_after: int, exit_code: int
) -> None:
    asked: list[float] = []

    def ready(_: Deps) -> health.Readiness:
        return health.Readiness(database=True, schema=len(asked) >= ready_after)

    monkeypatch.setattr(health, "readiness", ready)
    monkeypatch.setattr(health.wait_until_ready, "__defaults__", (asked.append,))
    monkeypatch.setattr("bot.cli._deps", lambda _: deps)
    result = CliRunner().invoke(app, ["db", "wait", "--seconds", "10"])
    assert result.exit_code == exit_code, result.output
    assert set(asked) == {health.ASKED_EVERY}
