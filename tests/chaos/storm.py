"""What goes wrong around a desk that many borrowers talk to, injected one after the other at times of chance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.scale.stand import Stand

SLOW_SECONDS = 24.0
"""Longer than the gateway waits for one turn."""
AWAY_SECONDS = 4.0
_LONGEST_RECOVERY = 240.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong; ``happen`` returns what exactly was done."""

    name: str
    happen: Callable[[Stand, Random], str]


def _kill(kind: str) -> Fault:
    def happen(stand: Stand, chance: Random) -> str:
        name = chance.choice([each for each in stand.names if each.split()[0] == kind and stand.pid(each)])
        if not stand.kill(name):
            raise AssertionError(f"{name} was dead before it was killed")
        return f"SIGKILL to {name}"

    return Fault(f"kill {kind}", happen)


def _kill_both_of(kind: str) -> Fault:
    def happen(stand: Stand, _: Random) -> str:
        killed = [name for name in stand.names if name.split()[0] == kind and stand.kill(name)]
        return f"SIGKILL to {' and '.join(killed)}"

    return Fault(f"kill every {kind}", happen)


def _stand_still(kind: str) -> Fault:
    def happen(stand: Stand, chance: Random) -> str:
        name = chance.choice([each for each in stand.names if each.split()[0] == kind and stand.pid(each)])
        with stand.paused(name):
            time.sleep(SLOW_SECONDS)
        return f"{name} stood still for {SLOW_SECONDS:.0f} s"

    return Fault(f"slow {kind}", happen)


def _restart_database(stand: Stand, _: Random) -> str:
    stand.server.stop()
    time.sleep(AWAY_SECONDS)
    stand.server.start()
    return f"database stopped, away for {AWAY_SECONDS:.0f} s, started"


def _crash_database(stand: Stand, _: Random) -> str:
    stand.server.kill()
    time.sleep(1.0)
    stand.server.start()
    return "SIGKILL to the database, started, recovered from its journal"


FAULTS = (
    _kill("gateway"),
    _kill("rasa"),
    _kill("actions"),
    _kill("scheduler"),
    _kill_both_of("actions"),
    _stand_still("rasa"),
    _stand_still("gateway"),
    Fault("database restart", _restart_database),
    Fault("database crash", _crash_database),
)


class Storm:
    """Injects every fault once, in an order of chance, with a little peace between them.

    Raises ``ValueError`` for a wanted fault that there is not.
    """

    def __init__(
        self,
        stand: Stand,
        seed: int,
        say: Callable[[str], None],
        wanted: frozenset[str] = frozenset(),
        peace: tuple[float, float] = (1.0, 5.0),
    ) -> None:
        if unknown := wanted - {each.name for each in FAULTS}:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        self._stand = stand
        self._chance = Random(seed)
        self._say = say
        self._peace = peace
        self._faults = [each for each in FAULTS if not wanted or each.name in wanted]
        self._chance.shuffle(self._faults)
        self.done: list[str] = []
        self.over = threading.Event()

    @property
    def left_out(self) -> list[str]:
        """Faults for which there was no time."""
        return [each.name for each in self._faults if each.name not in self.done]

    def rage(self, until: float) -> None:
        """Inject until the monotonic time ``until``; no fault begins later. Ends with everything running again."""
        try:
            self._rage(until)
        finally:
            self.over.set()  # whoever talks until then goes home, whatever became of the desk

    def _rage(self, until: float) -> None:
        for fault in self._faults:
            time.sleep(self._chance.uniform(*self._peace))
            if time.monotonic() > until:
                break
            began = time.monotonic()
            what = fault.happen(self._stand, self._chance)
            self.done.append(fault.name)
            self._stand.wait_until(self._stand.is_ready, _LONGEST_RECOVERY, f"the desk after: {what}")
            self._say(f"injected {fault.name}: {what}; all ready again after {time.monotonic() - began:.1f} s")
