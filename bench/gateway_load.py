"""Many borrowers at once: web chats over WebSockets, each saying something every few seconds, against a running desk.

Usage: python bench/gateway_load.py [--chats 500] [--every 10] [--seconds 120] [--postgresql] [--steps 20,40,60,80]

Starts a desk of its own (real Rasa, actions, gateway, scheduler) on free loopback ports, and all chats in one asyncio
process. Half of the chats belong to borrowers who have proved who they are and ask about their own debt; the others ask
what anybody may ask. A chat says its next thing when its moment has come; while it is still waiting for an answer it
says nothing, which is counted as a moment missed. A turn is from sending the frame to the first words of the bot's
answer; turns begun in the first round are not counted.

With ``--steps`` it first runs with each of these numbers of chats until one is too many: p95 above ``--bearable``
seconds, anything unanswered, refused or cut, or more than one moment in twenty missed. The last one before is the
limit. Then ``--chats`` are held as well, unless it is 0. Before each run what was left over has to be answered.

CPU and memory are those of each of the desk's processes with its children, and of this script, which needs its share
of the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import func, select
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.services.web_sessions import conversation_of
from bot.store.tables import Message
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.desk import a_borrower
from tests.builders.documents import prove
from tests.running.desk import RunningDesk, running_desk
from tests.running.postgres import running_postgres

ANYBODY = ("逾期会上征信吗", "你们会打电话给我家里人吗", "罚息是怎么算的", "谢谢你啊")
BALANCE = "我现在一共欠多少钱"
OWN = (BALANCE, BALANCE, "谢谢你啊", "逾期会上征信吗")
"""What somebody verified says: every second time about their own debt."""

PATIENCE_SECONDS = 60.0
"""A message that is not answered by then counts as unanswered."""
MISSED_SHARE = 0.05
OPENING_AT_ONCE = 20
LONGEST_REST = 60.0
"""Seconds that are waited at most for what an earlier run has left over."""
PROCESSES = ("rasa", "actions", "gateway", "scheduler")
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 2**20


@dataclass
class Figures:
    """What one run came to; seconds."""

    turns: list[float] = field(default_factory=list)
    said: int = 0
    missed: int = 0
    amounts: int = 0
    balances: int = 0
    put_off: int = 0
    unanswered: int = 0
    cut: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """Return the turn time that so many turns stay below."""
        if len(self.turns) < 2:
            return self.turns[0] if self.turns else float("nan")
        return statistics.quantiles(self.turns, n=1000, method="inclusive")[round(share * 1000) - 1]

    def is_bearable(self, seconds: float) -> bool:
        """Whether everybody was answered, nearly always before they would have gone on."""
        nothing_lost = not (self.unanswered or self.cut or self.refused)
        return nothing_lost and self.percentile(0.95) <= seconds and self.missed <= MISSED_SHARE * self.said


class Chat:
    """One browser: its session, its socket, what it says and when."""

    def __init__(self, base: str, cookie: str, is_verified: bool, figures: Figures, draw: random.Random) -> None:
        self._url = base.replace("http", "ws", 1) + "/chat/line"
        self._base = base
        self._cookie = cookie
        self._says = OWN if is_verified else ANYBODY
        self._is_verified = is_verified
        self._figures = figures
        self._draw = draw
        self._awaits_amount = False

    async def run(self, every: float, seconds: float, begins: asyncio.Event) -> None:
        """Open the line, wait for the others, and talk until the time is over."""
        headers = {"Cookie": f"desk_session={self._cookie}"}
        try:
            async with connect(self._url, origin=self._base, additional_headers=headers, open_timeout=60) as line:  # type: ignore[arg-type]
                await line.send(json.dumps({"type": "hello", "after": 0}))
                await begins.wait()
                await self._talk(line, every, seconds)
        except (ConnectionClosed, InvalidHandshake, OSError):
            self._figures.cut += 1

    async def _talk(self, line: ClientConnection, every: float, seconds: float) -> None:
        began = time.monotonic()
        moment = began + self._draw.uniform(0.0, every)
        while moment < began + seconds:
            await self._listen_until(line, moment)
            await self._turn(line, counts=moment >= began + every)
            moment += every
            while moment < time.monotonic():
                moment += every
                self._figures.missed += 1

    async def _turn(self, line: ClientConnection, *, counts: bool) -> None:
        text, figures = self._draw.choice(self._says), self._figures
        key, stored_as, sent = uuid4().hex, None, time.monotonic()
        await line.send(json.dumps({"type": "say", "key": key, "text": text}))
        figures.said += 1
        self._awaits_amount = self._is_verified and text == BALANCE
        figures.balances += self._awaits_amount
        while (left := sent + PATIENCE_SECONDS - time.monotonic()) > 0:
            frame = await self._frame(line, left)
            if frame is None:
                break
            if frame["type"] == "problem" and frame["key"] == key:
                figures.refused[frame["code"]] += 1
                return
            if frame["type"] == "ack" and frame["key"] == key:
                stored_as = frame["seq"]
            is_after = frame["type"] == "message" and stored_as is not None and frame["seq"] > stored_as
            if is_after and frame["author"] == "notice":
                figures.put_off += 1
            if is_after and frame["author"] == "bot":
                if counts:
                    figures.turns.append(time.monotonic() - sent)
                return
        figures.unanswered += 1

    async def _listen_until(self, line: ClientConnection, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            await self._frame(line, left)

    async def _frame(self, line: ClientConnection, seconds: float) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(seconds):
                frame: dict[str, Any] = json.loads(await line.recv())
        except TimeoutError:
            return None
        # The amount may stand in a later message than the first words of the answer.
        if self._awaits_amount and frame["type"] == "message" and frame["author"] == "bot" and "¥" in frame["text"]:
            self._figures.amounts += 1
            self._awaits_amount = False
        return frame


@dataclass
class Load:
    """CPU seconds and the largest resident memory in MiB of some processes, by name."""

    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def seen_now(desk: RunningDesk) -> Load:
    """Look at the desk's processes, each with its children."""
    groups = {desk.pid(name): name for name in PROCESSES}
    load = Load(dict.fromkeys(PROCESSES, 0.0), dict.fromkeys(PROCESSES, 0.0))
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended in between
            continue
        name = groups.get(int(words[2]))
        if name is not None:
            load.cpu[name] += (int(words[11]) + int(words[12])) / _TICKS
            load.memory[name] += int(words[21]) * resource.getpagesize() / _MIB
    own = resource.getrusage(resource.RUSAGE_SELF)
    load.cpu["this script"] = own.ru_utime + own.ru_stime
    load.memory["this script"] = own.ru_maxrss / 1024
    return load


async def opened(desk: RunningDesk, chats: int) -> list[str]:
    """Open so many sessions, as browsers do; return their cookies."""
    at_once = asyncio.Semaphore(OPENING_AT_ONCE)

    async def one() -> str:
        async with at_once, httpx.AsyncClient(base_url=desk.base, timeout=60) as http:
            return (await http.get("/")).cookies["desk_session"]

    return list(await asyncio.gather(*(one() for _ in range(chats))))


def with_proof(desk: RunningDesk, cookies: list[str], numbers: Iterator[int]) -> None:
    """Make each session that of a borrower with a debt who has just proved who they are."""
    for cookie in cookies:
        number = next(numbers)
        borrower_id = a_borrower(desk.deps, f"压测{number}", f"139{number:08d}", f"110101{10**11 + number:012d}")
        a_debt_of(desk.deps, borrower_id, Owed(principal_fen=1_000_000 + number))
        conversation_id = conversation_of(desk.deps, cookie)
        assert conversation_id is not None
        prove(desk.deps, conversation_id, borrower_id)


async def hold(desk: RunningDesk, asked: argparse.Namespace, chats: int, numbers: Iterator[int]) -> Figures:
    """Hold so many chats at once; print what came of it and return the figures."""
    cookies = await opened(desk, chats)
    verified = cookies[: round(chats * asked.verified)]
    await asyncio.to_thread(with_proof, desk, verified, numbers)
    figures, begins = Figures(), asyncio.Event()
    all_chats = [
        Chat(desk.base, cookie, place < len(verified), figures, random.Random(asked.seed * 100_003 + place))
        for place, cookie in enumerate(cookies)
    ]
    tasks = [asyncio.create_task(chat.run(asked.every, asked.seconds, begins)) for chat in all_chats]
    await asyncio.sleep(2.0 + chats / 100)
    before, began = seen_now(desk), time.monotonic()
    most = dict(before.memory)
    begins.set()
    while not all(task.done() for task in tasks):
        await asyncio.wait(tasks, timeout=2.0)
        for name, size in seen_now(desk).memory.items():
            most[name] = max(most[name], size)
    took = time.monotonic() - began
    for task in tasks:
        task.result()
    report(chats, figures, took, Load({n: c - before.cpu[n] for n, c in seen_now(desk).cpu.items()}, most))
    return figures


def report(chats: int, figures: Figures, took: float, load: Load) -> None:
    """Print one run."""
    p50, p95, p99 = (figures.percentile(share) * 1000 for share in (0.5, 0.95, 0.99))
    print(f"\n{chats} chats, {took:.0f} s, load of the machine {os.getloadavg()[0]:.1f}")
    print(f"  said {figures.said} ({figures.said / took:.1f} a second), moments missed {figures.missed}")
    print(f"  turn time: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms of {len(figures.turns)} turns")
    print(f"  unanswered {figures.unanswered}, cut off {figures.cut}, told to wait {figures.put_off}")
    print(f"  refused {dict(figures.refused) or 0}; own debt told {figures.amounts} of {figures.balances} times")
    for name in (*PROCESSES, "this script"):
        print(f"  {name:<12} CPU {load.cpu[name] / took:5.2f} of a core, memory at most {load.memory[name]:6.0f} MiB")
    sys.stdout.flush()


@contextmanager
def a_desk_to_load(folder: Path, *, postgresql: bool) -> Iterator[RunningDesk]:
    """Start the desk on one database or the other; PostgreSQL waits for the disk as it would in service."""
    database = running_postgres(durable=True) if postgresql else nullcontext("")
    with database as url, running_desk(folder, DESK_DATABASE_URL=url) as desk:
        yield desk


async def rest(desk: RunningDesk) -> None:
    """Wait until nothing that an earlier run has said is left to be answered."""
    began = time.monotonic()
    while left := await asyncio.to_thread(_left_over, desk):
        if time.monotonic() - began > LONGEST_REST:
            print(f"  {left} messages are still left from before")
            return
        await asyncio.sleep(0.5)


def _left_over(desk: RunningDesk) -> int:
    with desk.deps.read() as session:
        return session.scalar(select(func.count()).select_from(Message).where(Message.handling == "pending")) or 0


async def step_by_step(desk: RunningDesk, asked: argparse.Namespace) -> None:
    """Look for the limit, if asked to, and then hold as many as are asked for."""
    numbers = iter(range(1, 10**6))
    limit = 0
    for chats in asked.steps:
        figures = await hold(desk, asked, chats, numbers)
        await rest(desk)
        if not figures.is_bearable(asked.bearable):
            print(f"\n{chats} chats are too many; the limit found is {limit or 'below'}", flush=True)
            break
        limit = chats
    else:
        if limit:
            print(f"\n{limit} chats are borne", flush=True)
    if asked.chats:
        await hold(desk, asked, asked.chats, numbers)


def main() -> None:
    """Read the options and go."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=500)
    options.add_argument("--every", type=float, default=10.0, help="seconds between one thing said and the next")
    options.add_argument("--seconds", type=float, default=120.0)
    options.add_argument("--verified", type=float, default=0.5, help="share of chats whose borrower is verified")
    options.add_argument("--steps", type=lambda text: [int(each) for each in text.split(",")], default=[])
    options.add_argument("--bearable", type=float, default=5.0, help="seconds that p95 may take at the limit")
    options.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket is a file, here and in the gateway
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        a_desk_to_load(Path(folder), postgresql=asked.postgresql) as desk,
    ):
        kind = "PostgreSQL" if asked.postgresql else "SQLite"
        print(f"{kind}, {os.cpu_count()} cores, each chat says something every {asked.every:g} s")
        asyncio.run(step_by_step(desk, asked))


if __name__ == "__main__":
    main()
