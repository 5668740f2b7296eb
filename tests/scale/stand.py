"""Two of everything on one machine, without containers: pods of gateway, Rasa and actions, schedulers, one PostgreSQL.

The processes are started as a supervisor of a platform would start them: each by itself, and again when it dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx

from bot.clock import SystemClock
from bot.model import Model, ensure_model
from bot.services.deps import Deps, make_deps
from bot.settings import Settings
from bot.store.migrate import upgrade
from bot.supervisor import Program, Supervisor
from bot.up import programs
from tests.running.desk import free_port, loopback_settings
from tests.running.postgres import Server, running_server

POD = ("rasa", "actions", "gateway")
READY_SECONDS = 300.0
_STEP = 0.2


class Stand:
    """So many pods and schedulers over one server. Processes are named by kind and number: ``gateway 1``."""

    def __init__(self, folder: Path, server: Server, pods: int = 2, schedulers: int = 2, **overrides: str) -> None:
        self.server = server
        databases = {"DESK_DATABASE_URL": server.create("desk"), "DESK_TRACKER_URL": server.create("tracker")}
        shared = {**databases, **overrides}
        self._settings = [
            loopback_settings(folder, {**shared, "DESK_GATEWAY_PORT": str(free_port())}) for _ in range(max(pods, 1))
        ]
        upgrade(self._settings[0].sqlalchemy_url)
        self.deps: Deps = make_deps(
            self._settings[0], SystemClock(timedelta(minutes=self._settings[0].clock_offset_minutes))
        )
        model = ensure_model(self._settings[0])
        made = [one for number, each in enumerate(self._settings, 1) for one in _pod(each, model, number)]
        made += [_scheduler(self._settings[0], model, number) for number in range(1, schedulers + 1)]
        self.names = tuple(each.name for each in made)
        self.announced: list[str] = []
        self._supervisor = Supervisor(made, self.announced.append)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand", daemon=True)

    @property
    def bases(self) -> tuple[str, ...]:
        """Addresses of the gateways."""
        return tuple(f"http://127.0.0.1:{each.gateway_port}" for each in self._settings)

    @property
    def settings(self) -> Settings:
        """The settings of the first pod, whose files and keys all share."""
        return self._settings[0]

    def start(self) -> None:
        """Start everything and wait until every gateway has an engine."""
        self._thread.start()
        self._run(self._supervisor.start())
        self.wait_until(self.is_ready, READY_SECONDS, "every pod to be ready")

    def stop(self) -> None:
        """Stop everything but the database."""
        self._run(self._supervisor.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self.deps.database.engine.dispose()

    def is_ready(self) -> bool:
        """Whether every process runs, every gateway has its schema, and every engine its model."""
        return all(self._supervisor.pid(name) for name in self.names) and all(map(_is_started, self.bases))

    def pid(self, name: str) -> int | None:
        """Return the number of a process, which leads a group of its own; None while it is being started again."""
        return self._supervisor.pid(name)

    def kill(self, name: str) -> bool:
        """Kill a process as a crash would; False if it was dead already."""
        pid = self.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        return True

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let a process stand still, as on a machine that is far too busy."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is not running"
        os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(_STEP)

    def _run(self, work: object) -> None:
        future: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)  # type: ignore[arg-type]
        future.result(60)


@contextlib.contextmanager
def running_stand(
    folder: Path, pods: int = 2, schedulers: int = 2, *, durable: bool = True, **overrides: str
) -> Iterator[Stand]:
    """Run two of everything for the length of a block, on a server of its own."""
    with running_server(durable=durable) as server:
        stand = Stand(folder, server, pods, schedulers, **overrides)
        stand.start()
        try:
            yield stand
        finally:
            stand.stop()


def _pod(settings: Settings, model: Model, number: int) -> list[Program]:
    return [_numbered(each, number) for each in programs(settings, model) if each.name in POD]


def _scheduler(settings: Settings, model: Model, number: int) -> Program:
    return _numbered(next(each for each in programs(settings, model) if each.name == "scheduler"), number)


def _numbered(program: Program, number: int) -> Program:
    log = program.log.with_name(f"{program.log.stem}-{number}.log")
    return replace(program, name=f"{program.name} {number}", log=log)


def _is_started(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/started", timeout=3).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
