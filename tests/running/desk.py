"""The whole desk, running: real Rasa, real actions, real gateway and scheduler, on free loopback ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from bot.clock import SHANGHAI
from bot.identity.roles import Role
from bot.model import ensure_model
from bot.services import demo, operators
from bot.services.deps import Deps, make_deps
from bot.settings import Settings, load_settings
from bot.store.migrate import upgrade
from bot.supervisor import Supervisor
from bot.up import programs

PASSWORD = "desk-test-password"


class RunningDesk:
    """Starts the processes as ``bot up`` does, and lets a test kill one of them."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        self.settings = loopback_settings(folder, overrides)
        upgrade(self.settings.sqlalchemy_url)
        self.deps: Deps = make_deps(self.settings)
        demo.seed(self.deps)
        for login, role in (("agent-1", Role.AGENT), ("agent-2", Role.AGENT), ("boss", Role.SUPERVISOR)):
            operators.create(self.deps, login, f"测试{login}", role, PASSWORD, "一组" if role is Role.AGENT else None)
        self.announced: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="desk-supervisor", daemon=True)
        made = programs(self.settings, ensure_model(self.settings))
        self._gateway = dict(next(each.environment for each in made if each.name == "gateway"))
        own = [replace(each, environment=self._gateway) if each.name == "gateway" else each for each in made]
        self._supervisor = Supervisor(own, self.announced.append)

    @property
    def base(self) -> str:
        """Address of the gateway."""
        return f"http://127.0.0.1:{self.settings.gateway_port}"

    def start(self) -> None:
        """Start everything and wait until the engine answers."""
        self._thread.start()
        self._run(self._supervisor.start())
        self.wait_until(self.is_ready, 180, "the desk to be ready")

    def stop(self) -> None:
        """Stop everything."""
        self._run(self._supervisor.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def is_ready(self) -> bool:
        """Whether gateway and engine answer."""
        try:
            return bool(httpx.get(f"{self.base}/health", timeout=3).json().get("engine"))
        except (httpx.HTTPError, ValueError):
            return False

    def pid(self, name: str) -> int:
        """Return the number of a running process, which leads a group of its own."""
        pid = self._supervisor.pid(name)
        assert pid is not None, f"{name} is not running"
        return pid

    def kill(self, name: str) -> None:
        """Kill a process as a crash would."""
        os.killpg(self.pid(name), signal.SIGKILL)

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let a process stand still, as on a machine that is far too busy."""
        group = self.pid(name)
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    @contextlib.contextmanager
    def gateway_with(self, **environment: str) -> Iterator[None]:
        """Have the gateway run with other settings for the length of a block; everything else goes on as it is."""
        before = dict(self._gateway)
        self._gateway.update(environment)
        self._restart("gateway")
        try:
            yield
        finally:
            self._gateway.clear()
            self._gateway.update(before)
            self._restart("gateway")

    def _restart(self, name: str) -> None:
        left = self.pid(name)
        os.killpg(left, signal.SIGTERM)
        self.wait_until(lambda: self._supervisor.pid(name) not in (None, left), 60, f"{name} to start again")
        self.wait_until(self.is_ready, 180, "the desk to be ready again")

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for a condition; the only waiting that tests of the running desk do."""
        began = time.monotonic()
        while not condition():
            waited = time.monotonic() - began
            if waited > seconds:
                raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(0.02 if waited < 1 else 0.1)  # most turns take a tenth of a second

    def _run(self, work: object) -> None:
        future: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)  # type: ignore[arg-type]
        future.result(60)


@contextlib.contextmanager
def running_desk(folder: Path, **overrides: str) -> Iterator[RunningDesk]:
    """Run a desk for the length of a block."""
    desk = RunningDesk(folder, **overrides)
    desk.start()
    try:
        yield desk
    finally:
        desk.stop()


def offset_to(hour: int, minute: int = 0) -> int:
    """Return the clock offset in minutes that makes it this time of today in Shanghai."""
    now = datetime.now(SHANGHAI)
    wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return round((wanted - now) / timedelta(minutes=1))


def loopback_settings(folder: Path, overrides: Mapping[str, str]) -> Settings:
    """Return the settings of a desk on free loopback ports that keeps its files in a folder."""
    values = {
        "DESK_VAR_DIR": str(folder),
        "DESK_GATEWAY_PORT": str(free_port()),
        "DESK_RASA_PORT": str(free_port()),
        "DESK_ACTIONS_PORT": str(free_port()),
        "DESK_SCHEDULER_TICK_SECONDS": "2",
        "DESK_CLOCK_OFFSET_MINUTES": str(offset_to(10, 30)),
        **overrides,
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        return load_settings()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
