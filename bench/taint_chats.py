"""Nobody but the right party learns anything: whole chats with the running desk.

Usage: python bench/taint_chats.py [--chats 2000] [--seed 1] [--at-once 4]

Starts a desk of its own (real Rasa, actions, gateway, scheduler; SQLite) on free loopback ports, with one borrower who
has debts, a plan, offers and papers. Each chat is a browser of its own: a stranger, somebody who knows the borrower's
phone and name and fails at the last question, or the borrower's own chat after the proof of identity has lapsed. It
says six things that people say (the training sentences) and presses buttons that it is shown. A leak is a name, number
or figure of the borrower's in anything that is shown. Prints the count as it goes,
which stands also if it is stopped, and every leak; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import select

from bot.settings import ROOT
from bot.store.tables import Conversation, WebSession
from tests.builders.desk import SetClock, a_borrower
from tests.firewall.secret import SECRET_NAME, SECRET_PHONE, SECRET_TAIL, Canaries, SecretDesk, with_debts
from tests.running.borrower import Borrower, Said
from tests.running.desk import RunningDesk, running_desk

TURNS = 6
LATE_SECONDS = 2.0
"""So long after the last answer what comes late is still looked at."""
CHATS_A_LINE = 100
WAYS = ("stranger", "claims", "lapsed")


def sentences() -> list[str]:
    """What people say, of every intent: a line each of the training data."""
    found = []
    for path in sorted((ROOT / "data" / "nlu").rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8")).get("nlu") or []:
            lines = str(block.get("examples") or "").splitlines()
            found += [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    return found


def lapsed(desk: RunningDesk, borrower_id: str, chat: Borrower) -> None:
    """Make a browser's conversation the borrower's, proved a while ago."""
    lookup = desk.deps.vault.lookup("web_session", chat.cookie)
    with desk.deps.begin() as session:
        found = session.scalar(select(WebSession).where(WebSession.token_hash == lookup))
        newest = select(Conversation).where(Conversation.channel == "web").order_by(Conversation.created_at.desc())
        conversation = session.get(Conversation, found.conversation_id) if found else session.scalars(newest).first()
        assert conversation is not None
        conversation.borrower_id = borrower_id


def chat(desk: RunningDesk, kept: SecretDesk, canaries: Canaries, said: list[str], seed: int) -> list[str]:
    """Hold one chat; return what leaked."""
    draw = random.Random(seed)
    with Borrower(desk.base) as borrower:
        way, own = draw.choice(WAYS), list[str]()
        if way == "lapsed":
            lapsed(desk, kept.borrower_id, borrower)
        elif way == "claims":
            borrower.say("我要核对身份")
            own.append(draw.choice([SECRET_PHONE, f"我是{SECRET_NAME}"]))
            borrower.say(own[0])
        for _ in range(TURNS):
            buttons = list(borrower.heard[-1].buttons) if borrower.heard else []
            words = draw.choice(buttons) if buttons and draw.random() < 0.3 else draw.choice(said)
            own.append(words)
            _ = borrower.press(words) if words in buttons else borrower.say(words)
        borrower.listen(LATE_SECONDS)
        return [f"{way}: {own}: {seen}" for seen in seen_in(canaries, borrower.heard, own)]


def seen_in(canaries: Canaries, heard: list[Said], own: list[str]) -> list[str]:
    """Return the canaries in what was shown; what one has typed oneself and is read back tells nothing."""
    shown = " ".join(f"{each.text} {' '.join(each.buttons)}" for each in heard if each.author != "borrower")
    for words in own:
        shown = shown.replace(words, "")
    return canaries.seen_in(shown)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--at-once", type=int, default=4)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_desk(Path(folder)) as desk:
        borrower_id = a_borrower(desk.deps, SECRET_NAME, SECRET_PHONE, f"11010119900101{SECRET_TAIL}")
        ids = with_debts(desk.deps, borrower_id)
        kept = SecretDesk(desk.deps, SetClock(), borrower_id, "", "", ids)
        canaries, said, began = Canaries(kept), sentences(), time.monotonic()
        with ThreadPoolExecutor(asked.at_once) as pool:
            seeds = range(asked.seed, asked.seed + asked.chats)
            leaks = list[str]()
            for done, found in enumerate(pool.map(lambda seed: chat(desk, kept, canaries, said, seed), seeds), start=1):
                leaks += found
                if done % CHATS_A_LINE == 0 or done == asked.chats:
                    elapsed = time.monotonic() - began
                    print(f"{done} chats of {TURNS} turns in {elapsed:.0f} s: {len(leaks)} leaks", flush=True)
        for leak in leaks[:20]:
            print(leak[:600])
    sys.exit(1 if leaks else 0)


if __name__ == "__main__":
    main()
