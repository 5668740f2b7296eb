"""The supervisor keeps programs running and stops all of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import ROOT
from bot.supervisor import Program, Supervisor

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)


def program(folder: Path, name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code], dict(os.environ), folder, folder / f"{name}.log")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # a process's end has no event to wait for here
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_program_that_is_killed_is_started_again_and_that_is_said(tmp_path: Path) -> None:
    announced: list[str] = []
    supervisor = Supervisor([program(tmp_path, "sleeper", SLEEPER)], announced.append)
    await supervisor.start()
    first = supervisor.pid("sleeper")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.pid("sleeper") not in (None, first))
    assert any("sleeper ended (signal SIGKILL); starting it again" in line for line in announced)
    await supervisor.stop()


async def test_stopping_ends_every_program(tmp_path: Path) -> None:
    supervisor = Supervisor([program(tmp_path, name, SLEEPER) for name in ("one", "two")], lambda _: None)
    await supervisor.start()
    pids = [pid for name in ("one", "two") if (pid := supervisor.pid(name)) is not None]
    assert len(pids) == 2
    await supervisor.stop()
    assert not any(is_alive(pid) for pid in pids)


async def test_a_program_that_ends_by_itself_with_an_error_says_its_exit_code(tmp_path: Path) -> None:
    announced: list[str] = []
    supervisor = Supervisor([program(tmp_path, "failing", "raise SystemExit(3)")], announced.append)
    await supervisor.start()
    await until(lambda: bool(announced))
    assert "failing ended (exit code 3)" in announced[0]
    assert "failing.log" in announced[0]
    await supervisor.stop()


async def test_a_program_that_ignores_the_request_to_end_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.supervisor.GRACE_SECONDS", 0.3)
    supervisor = Supervisor([program(tmp_path, "stubborn", STUBBORN)], lambda _: None)
    await supervisor.start()
    pid = supervisor.pid("stubborn")
    assert pid is not None
    await until(lambda: (tmp_path / "stubborn.log").read_bytes() == b"deaf\n")
    await supervisor.stop()
    assert not is_alive(pid)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="the system has no setpriv to tie programs with")
async def test_programs_end_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, sys
from pathlib import Path
from bot.settings import ROOT
from bot.supervisor import Program, Supervisor
async def main():
    folder = Path({str(tmp_path)!r})
    command = [sys.executable, "-c", {SLEEPER!r}]
    supervisor = Supervisor([Program("tied", command, dict(os.environ), folder, folder / "tied.log")], print)
    await supervisor.start()
    (folder / "pid").write_text(str(supervisor.pid("tied")))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    outer = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    await until(lambda: (tmp_path / "tied.log").exists() and (tmp_path / "tied.log").read_bytes() == b"up\n")
    tied = int((tmp_path / "pid").read_text())
    outer.kill()
    await outer.wait()
    await until(lambda: not is_alive(tied))
