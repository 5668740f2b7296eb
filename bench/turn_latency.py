"""Turn latency: the dialogue engine alone, and the whole line from socket to answer, on the same machine in one run.

Usage: python bench/turn_latency.py [--turns 40]

Starts a desk of its own (real Rasa, actions, gateway, scheduler; SQLite) on free loopback ports; measures with 1 and
with 8 conversations at once. "Engine alone" asks Rasa's channel directly, with a turn that needs no database and one
that does; "whole line" is a borrower on the web chat: socket, storing, crisis guard, engine, action, storing, socket.
Prints a table in milliseconds and the ratio of the whole line to the engine alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk, running_desk

QUESTION = "逾期会上征信吗"
SMALL_TALK = "谢谢你啊"
PAUSE_SECONDS = 1.0
"""Between one answer and the next message of a conversation, in both measurements alike."""


def engine_alone(desk: RunningDesk, text: str, turns: int) -> list[float]:
    """Time turns at Rasa's channel."""
    sender, times = f"bench-{uuid4().hex}", []
    headers = {"x-desk-secret": desk.settings.rasa_secret.get_secret_value()}
    with httpx.Client(base_url=desk.settings.rasa_url, headers=headers, timeout=30) as http:
        for _ in range(turns):
            body = {"sender": sender, "message_id": uuid4().hex, "text": text}
            began = time.perf_counter()
            http.post("/webhooks/gateway/turn", json=body).raise_for_status()
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_SECONDS)
    return times


def whole_line(desk: RunningDesk, text: str, turns: int) -> list[float]:
    """Time turns as a borrower sees them: from sending to the first words of the answer."""
    times = []
    with Borrower(desk.base) as borrower:
        for _ in range(turns):
            before = borrower.last_seq
            began = time.perf_counter()
            borrower.send({"type": "say", "key": uuid4().hex, "text": text})
            while not any(said.seq > before and said.author == "bot" for said in borrower.heard):
                borrower._take(0.5)
            times.append(time.perf_counter() - began)
            borrower.listen(PAUSE_SECONDS)
    return times


def side_by_side(chats: int, measure: Callable[[], list[float]]) -> list[float]:
    """Run a measurement in several threads at once and pool the times."""
    pooled: list[float] = []
    threads = [threading.Thread(target=lambda: pooled.extend(measure())) for _ in range(chats)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return pooled


def row(name: str, chats: int, times: list[float]) -> tuple[float, float]:
    """Print one line and return p50 and p95 in seconds."""
    p50 = statistics.median(times)
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{name:<44}{chats:>6}{len(times):>8}{p50 * 1000:>10.0f}{p95 * 1000:>10.0f}")
    return p50, p95


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40, help="turns of each conversation")
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder, running_desk(Path(folder)) as desk:
        for text in (SMALL_TALK, QUESTION):
            engine_alone(desk, text, 5)
            whole_line(desk, text, 2)
        print(f"{'what':<44}{'chats':>6}{'turns':>8}{'p50 ms':>10}{'p95 ms':>10}")
        for chats in (1, 8):
            each = max(10, turns // 2) if chats > 1 else turns
            row(
                "engine alone, fixed answer",
                chats,
                side_by_side(chats, lambda n=each: engine_alone(desk, SMALL_TALK, n)),
            )
            alone = row(
                "engine alone, answer from the database",
                chats,
                side_by_side(chats, lambda n=each: engine_alone(desk, QUESTION, n)),
            )
            row("whole line, fixed answer", chats, side_by_side(chats, lambda n=each: whole_line(desk, SMALL_TALK, n)))
            line = row(
                "whole line, answer from the database",
                chats,
                side_by_side(chats, lambda n=each: whole_line(desk, QUESTION, n)),
            )
            print(f"   whole line / engine alone: p50 {line[0] / alone[0]:.2f}, p95 {line[1] / alone[1]:.2f}")


if __name__ == "__main__":
    main()
