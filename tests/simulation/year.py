"""A year of the desk on a clock that is moved: the real scheduler's tick, twice over, and everything that can go wrong.

The clock shows the time of a day's ticks and of what people do in between. Schedulers die in the middle of a
transaction, two work at once, none works for days, the clock is wrong for a while or is put back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from sqlalchemy import Engine, event, select

from bot import scheduler
from bot.clock import SHANGHAI, business_date
from bot.services import outbox
from bot.services.deps import Deps, make_deps
from bot.services.outbox import OutboxItem
from bot.store.tables import Borrower, Reminder
from tests.builders.desk import SetClock
from tests.builders.threads import at_once
from tests.simulation.life import Life
from tests.simulation.people import a_population
from tests.simulation.records import Relived, read_records
from tests.simulation.rules import Finding, findings

TICKS = tuple(time.fromisoformat(clock) for clock in "02:15 08:59 10:00 14:00 19:02 19:58 22:40".split())
CLAIMS_END = timedelta(minutes=4)
"""After this every claim of a process that died is free again."""

PUSHED = ("telegram", "email", "sms")
_LEASE = timedelta(minutes=3)
_MOST_ROUNDS = 500


class Killed(BaseException):
    """A process dies where it stands. Nothing in the desk catches it."""


@dataclass(frozen=True, slots=True)
class Chances:
    """How often something goes wrong, for each tick or, where it says so, for each day."""

    dies: float = 0.08
    two_at_once: float = 0.15
    line_is_down: float = 0.03
    outage_a_day: float = 0.01
    clock_is_wrong_a_day: float = 0.015
    clock_put_back_a_day: float = 0.02


NOTHING_GOES_WRONG = Chances(0, 0, 0, 0, 0, 0)


@dataclass(slots=True)
class Outcome:
    """What a run did and what the rules say of it."""

    findings: list[Finding]
    people: int
    days: int
    acts: Counter[str]
    went_wrong: Counter[str]
    ended: Counter[str]
    """Notices by how they ended and by which rule."""

    def lines(self) -> list[str]:
        """The figures, for people."""
        lines = [f"{self.people} borrowers, {self.days} days", f"acts: {_counts(self.acts)}"]
        lines += [f"went wrong: {_counts(self.went_wrong)}", f"notices: {_counts(self.ended)}"]
        lines.append(f"findings: {len(self.findings)} ({_counts(Counter(each.rule for each in self.findings))})")
        return lines + [f"  {each}" for each in self.findings[:40]]


@dataclass(slots=True)
class Year:
    """One simulated run over one database; ``deps`` must stand on a ``SetClock``."""

    deps: Deps
    clock: SetClock
    people: int
    days: int
    seed: int
    chances: Chances = Chances()
    first_number: int = 0
    went_wrong: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    relived: list[Relived] = field(default_factory=list)
    say: Callable[[str], None] = lambda _: None

    def run(self) -> Outcome:
        """Live through it all and check what is on record afterwards."""
        chance = Random(self.seed)
        numbers = range(self.first_number, self.first_number + self.people)
        people = a_population(self.deps, self.seed, numbers)
        self._make_due()
        life = Life(self.deps, people, self.days)
        other = make_deps(self.deps.settings, self.clock)
        began = business_date(self.deps.now())
        off_until = began
        for number in range(self.days):
            day = began + timedelta(days=number)
            if chance.random() < self.chances.outage_a_day:
                off_until = day + timedelta(days=chance.randint(1, 4))
                self.went_wrong["nobody works for days"] += 1
            for clock_time in TICKS:
                self._live_until(life, datetime.combine(day, clock_time, tzinfo=SHANGHAI))
                if day >= off_until:
                    self._work(life, (self.deps, other), chance)
            if day >= off_until:
                self._wrong_clock(life, (self.deps, other), chance)
            if number % 30 == 29:
                self.say(f"day {number + 1}")
        self.clock.instant += timedelta(hours=11)  # the next morning, with nobody doing anything any more
        for _ in range(3):
            self.clock.move(CLAIMS_END)
            self._tick_until_quiet(life, self.deps)
            self._carry(Random(0), NOTHING_GOES_WRONG)
        other.database.engine.dispose()
        return self._outcome(life)

    def _make_due(self) -> None:
        """Have everybody's notices planned, as an import of accounts does."""
        with self.deps.begin() as session:
            for borrower in session.scalars(select(Borrower)):
                borrower.notices_due_at = self.deps.now()

    def _live_until(self, life: Life, instant: datetime) -> None:
        while (at := life.next_at()) is not None and at <= instant:
            self.clock.instant = max(at, self.clock.instant)
            life.go_on()
        self.clock.instant = max(instant, self.clock.instant)

    def _work(self, life: Life, desks: tuple[Deps, Deps], chance: Random) -> None:
        """One tick, or what becomes of it."""
        luck = chance.random()
        if luck < self.chances.two_at_once:
            self.went_wrong["two schedulers at once"] += 1
            at_once(2, lambda turn: scheduler.tick(desks[turn]))
        elif luck < self.chances.two_at_once + self.chances.dies:
            self._die_in(desks[0], chance)
        self._tick_until_quiet(life, desks[chance.randrange(2)])
        self._carry(chance, self.chances)

    def _die_in(self, deps: Deps, chance: Random) -> None:
        with dying(deps.database.engine, chance.randint(1, 60)) as death:
            try:
                scheduler.tick(deps)
            except Killed:
                self.went_wrong["scheduler killed"] += 1
        if death.left > 0:
            self.went_wrong["scheduler survived"] += 1

    def _tick_until_quiet(self, life: Life, deps: Deps) -> None:
        """Tick every five seconds until a tick finds nothing more that is due."""
        for _ in range(_MOST_ROUNDS):
            scheduler.tick(deps)
            with deps.read() as session:
                told = session.scalars(
                    select(Reminder.borrower_id)
                    .where(Reminder.state == "sent", Reminder.decided_at == deps.now())
                    .order_by(Reminder.key)
                ).all()
            life.were_told(told)
            if not self._has_work(deps):
                return
            self.clock.move(timedelta(seconds=5))
        raise AssertionError("the scheduler never came to rest")

    def _has_work(self, deps: Deps) -> bool:
        """Whether something is due that nobody has claimed."""
        now = deps.now()
        free = Reminder.claimed_until.is_(None) | (Reminder.claimed_until <= now)
        with deps.read() as session:
            notice = select(Reminder.id).where(Reminder.state == "planned", Reminder.send_at <= now, free).limit(1)
            planning = select(Borrower.id).where(Borrower.notices_due_at <= now).limit(1)
            return session.scalar(notice) is not None or session.scalar(planning) is not None

    def _wrong_clock(self, life: Life, desks: tuple[Deps, Deps], chance: Random) -> None:
        """Let the clock run ahead for two ticks, or put it back some hours. Nobody lives in a time that is wrong."""
        truly = self.clock.instant
        if chance.random() < self.chances.clock_is_wrong_a_day:
            self.went_wrong["clock ran ahead"] += 1
            shown = truly + timedelta(hours=chance.randint(2, 72))
            for step in (timedelta(0), timedelta(hours=1)):
                self.clock.instant = shown + step
                scheduler.tick(desks[0])
            self.relived.append(Relived(truly, self.clock.instant + timedelta(seconds=1), truly))
            self.clock.instant = truly
        if chance.random() < self.chances.clock_put_back_a_day:
            self.went_wrong["clock put back"] += 1
            back = truly - timedelta(hours=chance.randint(1, 14))
            for step in (timedelta(0), (truly - back) / 2):
                self.clock.instant = back + step
                scheduler.tick(desks[1])
            self.relived.append(Relived(back, truly, truly))
            self.clock.instant = truly

    def _carry(self, chance: Random, chances: Chances) -> None:
        """Deliver what waits for the channels that push, over a line that fails and by a process that dies."""
        for channel in PUSHED:
            for _ in range(_MOST_ROUNDS):
                items = outbox.claim_due(self.deps, channel, 50, _LEASE)
                for item in items:
                    self._hand_over(item, chance, chances)
                if not items:
                    break
            else:
                raise AssertionError(f"the outbox of {channel} was never empty")

    def _hand_over(self, item: OutboxItem, chance: Random, chances: Chances) -> None:
        dies_after = chance.randint(0, 2) if chance.random() < chances.dies else 3
        if dies_after == 0 or not outbox.begin_attempt(self.deps, item):
            self.went_wrong["carrier killed before sending"] += 1
            return
        if dies_after == 1:
            self.went_wrong["carrier killed while sending"] += 1
            return
        if chance.random() < chances.line_is_down:
            self.went_wrong["line down"] += 1
            retry_at = self.deps.now() + outbox.retry_delay(item.attempts)
            outbox.mark_failed(self.deps, item.outbox_id, retry_at, "unreachable", item.attempts)
            return
        self.received[item.key.removeprefix("message:")] += 1
        if dies_after == 2:
            self.went_wrong["carrier killed before recording"] += 1
            return
        outbox.mark_sent(self.deps, item.outbox_id, f"{len(self.received)}")

    def _outcome(self, life: Life) -> Outcome:
        with self.deps.read() as session:
            records = read_records(session, self.relived)
            found = findings(records, self.deps.now(), self.received)
        ended: Counter[str] = Counter()
        for case in records.cases.values():
            for notice in case.notices:
                ended[f"{notice.topic or 'plan'} {notice.state} {notice.rule}"] += 1
        self.went_wrong["fate of a message unknown"] = sum(
            row.state == "unknown" for row in records.deliveries.values()
        )
        return Outcome(found, self.people, self.days, life.done, self.went_wrong, ended)


@dataclass(slots=True)
class Death:
    """How many statements are left to a process."""

    left: int


@contextmanager
def dying(engine: Engine, statements: int) -> Iterator[Death]:
    """Kill whoever works on an engine after so many statements or commits, in the middle or just before a commit."""
    death = Death(statements)

    def count(*_: object) -> None:
        death.left -= 1
        if death.left == 0:
            raise Killed

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        yield death
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", count)


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items())) or "none"
