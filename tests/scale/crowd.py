"""Many borrowers at once who talk to a desk that is being disturbed, and what must be true of it afterwards."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import func, select

from bot.services.deps import Deps
from bot.services.web_sessions import conversation_of
from bot.store.tables import Agreement, Message
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.desk import a_borrower
from tests.builders.documents import prove
from tests.scale.tab import Heard, Tab, open_sessions

ANYBODY = ("逾期会上征信吗", "你们会打电话给我家里人吗", "罚息是怎么算的", "谢谢你啊")
BEGIN = "还不上，能不能分期"
WAY_TO_A_PLAN = (
    ("到手的收入", "6000"),
    ("必须花的钱", "3500"),
    ("哪个方案合适", "第一个"),
)
"""What somebody says who wants a plan, by what was asked last."""
CONSENT, AGREED = "同意，就这样定", "协议已经生效"

PATIENCE_SECONDS = 240.0
"""Whose message is not answered by then has given up for today and says no more. The answer still has to come."""
_SETTLE_SECONDS = 1.0


@dataclass(slots=True)
class Outcome:
    """What a run came to. ``wrong`` holds a line for everything that must never happen."""

    chats: int = 0
    said: int = 0
    seconds: float = 0.0
    turns: list[float] = field(default_factory=list)
    agreed: int = 0
    sent_again: int = 0
    told_to_wait: int = 0
    late: int = 0
    cuts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def throughput(self) -> float:
        """Messages answered a second."""
        return len(self.turns) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return the seconds that so many answers took at most."""
        if len(self.turns) < 2:
            return self.turns[0] if self.turns else float("nan")
        return statistics.quantiles(self.turns, n=1000, method="inclusive")[round(share * 1000) - 1]

    def lines(self) -> list[str]:
        """The figures, for people."""
        p50, p95, worst = self.percentile(0.5), self.percentile(0.95), max(self.turns, default=float("nan"))
        return [
            f"{self.chats} chats, {self.seconds:.0f} s: said {self.said}, answered {len(self.turns)} "
            f"({self.throughput:.2f} a second), p50 {p50:.2f} s, p95 {p95:.2f} s, longest {worst:.1f} s",
            f"answered later than after {PATIENCE_SECONDS:.0f} s {self.late}, plans agreed {self.agreed}, "
            f"lines cut {self.cuts}, told to wait {self.told_to_wait}, "
            f"told that it was not stored {self.refused.total()} and sent again {self.sent_again}",
            f"checked: {', '.join(f'{name} {number}' for name, number in sorted(self.checked.items()))}",
            f"lost or doubled: {len(self.wrong)}",
            *(f"  {times} × {line}" for line, times in Counter(self.wrong).most_common(20)),
        ]


class Crowd:
    """So many chats; half of them belong to borrowers who have proved who they are and want a plan."""

    def __init__(self, deps: Deps, bases: Sequence[str], chats: int, seed: int, verified: float = 0.5) -> None:
        self._deps = deps
        self._bases = bases
        self._chats = chats
        self._draw = Random(seed)
        self._wants_plan = round(chats * verified)
        self._numbers: Iterator[int] = iter(range(seed * 10_000 + 1, (seed + 1) * 10_000))
        self.tabs: list[Tab] = []
        self._conversations: list[str] = []
        self._borrowers: list[str | None] = []
        self._outcome = Outcome(chats=chats)

    async def open(self) -> None:
        """Open all tabs and let half of the people be known."""
        cookies = await open_sessions(self._bases, self._chats)
        for place, cookie in enumerate(cookies):
            conversation_id = await asyncio.to_thread(conversation_of, self._deps, cookie)
            assert conversation_id is not None
            self._conversations.append(conversation_id)
            known = place < self._wants_plan
            self._borrowers.append(await asyncio.to_thread(self._known, conversation_id) if known else None)
            tab = Tab(self._bases, cookie, Random(self._draw.random()))
            tab.open()
            self.tabs.append(tab)

    async def talk(self, every: float, until: Callable[[], bool]) -> Outcome:
        """Let everybody say something every so many seconds, then wait for the last answers, and look.

        ``every`` 0 lets each say its next thing as soon as it has an answer.
        """
        began = time.monotonic()
        await asyncio.gather(
            *(self._one(tab, place < self._wants_plan, every, until) for place, tab in enumerate(self.tabs))
        )
        self._outcome.seconds = time.monotonic() - began
        await self._settle()
        for tab in self.tabs:
            await tab.close()
        await asyncio.to_thread(self._look)
        return self._outcome

    def _known(self, conversation_id: str) -> str:
        number = next(self._numbers)
        borrower_id = a_borrower(self._deps, f"压测{number}", f"139{number:08d}", f"110101{10**11 + number:012d}")
        a_debt_of(self._deps, borrower_id, Owed(principal_fen=1_000_000 + number % 10_000))
        prove(self._deps, conversation_id, borrower_id)
        return borrower_id

    async def _one(self, tab: Tab, wants_plan: bool, every: float, until: Callable[[], bool]) -> None:
        draw, has_plan = Random(self._draw.random()), False
        await asyncio.sleep(draw.uniform(0.0, every))
        news: list[Heard] = []
        while not until():
            now = time.monotonic()
            spoken = "\n".join(each.text for each in news)
            if AGREED in spoken:
                has_plan, self._outcome.agreed = True, self._outcome.agreed + 1
            before = tab.last_seq
            key = (
                await _next_to_a_plan(tab, news, spoken)
                if wants_plan and not has_plan
                else await tab.say(draw.choice(ANYBODY))
            )
            while not await self._is_answered(tab, key, now):
                if key not in tab.refused:
                    self._outcome.late += 1
                    return
                self._outcome.sent_again += 1
                await asyncio.sleep(1.0)
                key = await tab.say(tab.said[key])
            next_at = max(now + every, time.monotonic() + (_SETTLE_SECONDS if every else 0.0))
            while time.monotonic() < next_at and not until():
                await asyncio.sleep(min(1.0, max(0.0, next_at - time.monotonic())))
            news = tab.since(before)

    async def _is_answered(self, tab: Tab, key: str, since: float) -> bool:
        """Wait for the first words of an answer, as a person at the page would."""

        def is_done() -> bool:
            return key in tab.refused or any(each.author != "notice" for each in tab.since(tab.stored.get(key, 2**31)))

        in_time = await tab.until(is_done, PATIENCE_SECONDS)
        if key in tab.refused or not in_time:
            return False
        self._outcome.turns.append(time.monotonic() - since)
        return True

    async def _settle(self) -> None:
        """Wait until nothing is left to be answered and every tab has caught up."""
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while time.monotonic() < deadline:
            last = await asyncio.to_thread(self._last_seqs)
            if last and all(tab.last_seq >= seq for tab, seq in zip(self.tabs, last, strict=True)):
                return
            await asyncio.sleep(0.5)
        self._outcome.wrong.append("messages were left over at the end")

    def _last_seqs(self) -> list[int]:
        """The last number of each conversation; nothing while any message still waits for its answer."""
        with self._deps.read() as session:
            mine = Message.conversation_id.in_(self._conversations)
            if session.scalar(select(Message.id).where(mine, Message.handling == "pending").limit(1)):
                return []
            by_id = dict(
                session.execute(
                    select(Message.conversation_id, func.max(Message.seq)).where(mine).group_by(Message.conversation_id)
                ).all()
            )
        return [by_id.get(each, 0) for each in self._conversations]

    def _look(self) -> None:
        """Compare the database with what every tab has said and was shown."""
        rows: defaultdict[str, list[Message]] = defaultdict(list)
        with self._deps.read() as session:
            for message in session.scalars(
                select(Message).where(Message.conversation_id.in_(self._conversations)).order_by(Message.seq)
            ):
                rows[message.conversation_id].append(message)
            plans = Counter(session.scalars(select(Agreement.borrower_id).where(Agreement.state == "in_force")))
        outcome = self._outcome
        for tab, conversation_id, borrower_id in zip(self.tabs, self._conversations, self._borrowers, strict=True):
            outcome.said += len(tab.said)
            outcome.cuts += tab.cuts
            outcome.refused.update(tab.refused.values())
            outcome.wrong += _astray(tab, rows[conversation_id], outcome.checked)
            outcome.told_to_wait += sum(message.author == "notice" for message in rows[conversation_id])
            has_heard = any(AGREED in each.text for each in tab.heard.values())
            outcome.checked["plans"] += plans[borrower_id] if borrower_id else 0
            if borrower_id and plans[borrower_id] != int(has_heard):
                outcome.wrong.append(f"{plans[borrower_id]} plans in force, told of one: {has_heard}")


async def _next_to_a_plan(tab: Tab, news: Sequence[Heard], spoken: str) -> str:
    for each in reversed(news):
        if CONSENT in each.buttons:
            return await tab.press(CONSENT, each.buttons[CONSENT])
    return await tab.say(next((words for question, words in WAY_TO_A_PLAN if question in spoken), BEGIN))


def _astray(tab: Tab, rows: Sequence[Message], checked: Counter[str]) -> Iterator[str]:
    """What one conversation lost, doubled, or showed otherwise than it is stored."""
    own = Counter(row.client_key for row in rows if row.author == "borrower")
    for key, words in tab.said.items():
        checked["messages of borrowers"] += 1
        if key in tab.refused:
            if own[key]:
                yield f"stored, and its sender was told that it was not: {words}"
        elif own[key] != 1:
            yield f"stored {own[key]} times: {words}"
    if strange := set(own) - set(tab.said):
        yield f"{len(strange)} messages that nobody sent"
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.in_reply_to is not None and row.author == "bot":
            answers[row.in_reply_to].append(row.text)
    for row in rows:
        if row.author != "borrower":
            continue
        checked["answers"] += 1
        said = answers[row.id]
        if row.handling == "handled" and not said:
            yield f"handled without an answer: {row.text}"
        if len(set(said)) != len(said):
            yield f"answered twice with the same words: {row.text}"
    notices = Counter(row.client_key for row in rows if row.author == "notice" and row.client_key)
    yield from (f"told {times} times: {key}" for key, times in notices.items() if times > 1)
    checked["messages shown"] += len(tab.heard)
    for seq in {row.seq for row in rows} ^ set(tab.heard):
        yield "shown but not stored" if seq in tab.heard else "stored but never shown"
    if tab.shown_twice:
        yield f"shown twice and not alike: {tab.shown_twice}"
    if tab.out_of_order:
        yield f"shown out of order: {tab.out_of_order}"
