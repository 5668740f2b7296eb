"""Starts the desk's processes, restarts one that dies and says so, stops all of them cleanly.

For a laptop and for tests. In production each process has its own supervisor (see ``docs/operations.md``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 10.0
QUICK_DEATH_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 15.0

_SETPRIV = shutil.which("setpriv")
_TIED = (_SETPRIV, "--pdeathsig", "TERM", "--") if _SETPRIV else ()
"""Ends a program when the supervisor itself is killed, where the system offers it."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive. Its output goes to ``log``."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path


@dataclass(slots=True)
class _Running:
    program: Program
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    watcher: asyncio.Task[None] | None = field(default=None)


class Supervisor:
    """Keeps programs running until stopped. ``announce`` gets one line for everything a person should know."""

    def __init__(self, programs: Sequence[Program], announce: Callable[[str], None]) -> None:
        self._running = {program.name: _Running(program) for program in programs}
        self._announce = announce
        self._stopping = False

    async def start(self) -> None:
        """Start every program."""
        for running in self._running.values():
            await self._spawn(running)
            running.watcher = asyncio.create_task(self._watch(running), name=f"watch-{running.program.name}")

    async def stop(self) -> None:
        """Ask every process to end, all at once; after the grace time, end it."""
        self._stopping = True
        for running in self._running.values():
            _signal(running.process, signal.SIGTERM)
        watchers = [running.watcher for running in self._running.values() if running.watcher]
        _, late = await asyncio.wait(watchers, timeout=GRACE_SECONDS) if watchers else (set(), set())
        if late:
            for running in self._running.values():
                _signal(running.process, signal.SIGKILL)
            await asyncio.wait(late, timeout=GRACE_SECONDS)

    def is_stopping(self) -> bool:
        """Whether ``stop`` has been called."""
        return self._stopping

    def pid(self, name: str) -> int | None:
        """Return the process id of a program that is running now."""
        process = self._running[name].process
        return process.pid if process is not None and process.returncode is None else None

    async def _spawn(self, running: _Running) -> None:
        program = running.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as output:
            running.process = await asyncio.create_subprocess_exec(
                *_TIED,
                *program.command,
                cwd=program.directory,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def _watch(self, running: _Running) -> None:
        loop = asyncio.get_running_loop()
        while running.process is not None:
            began = loop.time()
            code = await running.process.wait()
            if self._stopping:
                return
            quick = loop.time() - began < QUICK_DEATH_SECONDS
            running.restarts = running.restarts + 1 if quick else 0
            wait = min(2.0**running.restarts - 1, LONGEST_WAIT_SECONDS) if quick else 0.0
            self._announce(
                f"{running.program.name} ended ({_reason(code)}); starting it again"
                + (f" in {wait:.0f} s, see {running.program.log}" if wait else "")
            )
            await asyncio.sleep(wait)
            if not self.is_stopping():
                await self._spawn(running)


def _signal(process: asyncio.subprocess.Process | None, number: signal.Signals) -> None:
    if process is None or process.returncode is not None:
        return
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
