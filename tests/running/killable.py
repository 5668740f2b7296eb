"""The desk's scheduler and gateway as processes that a test kills as a power cut would, and that start in no time.

They are forked from a server that has everything imported already; each is the process that ``bot run`` would be.
"""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

import bot.cli
import bot.gateway
import bot.scheduler  # imported beforehand, for the processes that are forked from here
from bot.settings import Settings

NAMES = ("scheduler", "gateway")


def _serve(name: str, environment: dict[str, str], log: str) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(environment)
    bot.cli.run(name)  # type: ignore[arg-type]  # one of NAMES


class Killable:
    """One process of the desk. Killing it is ``SIGKILL``: it gets no chance to finish anything."""

    def __init__(self, name: str, settings: Settings) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__])
        log = settings.var_dir / f"{name}.log"
        environment = {**settings.as_environment(), "NO_PROXY": "127.0.0.1"}
        self._process: BaseProcess = context.Process(target=_serve, args=(name, environment, str(log)), daemon=True)
        self._process.start()

    def kill(self) -> None:
        """Kill it and wait until it is gone."""
        self._process.kill()
        self._process.join()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; one that stopped by itself has failed."""
        return self._process.is_alive()
