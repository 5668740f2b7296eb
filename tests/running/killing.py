"""A morning on which the desk's processes are killed over and over, and what the borrowers got in the end.

Some borrowers have an instalment in three days. Scheduler and gateway run as real processes against a real database and
Telegram's double, are killed at a random moment, and are started again a few minutes later by their clock, when every
claim of the dead ones has ended.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from enum import Enum
from pathlib import Path
from random import Random

from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.services import inbound
from bot.services.conversations import Author, Reply, Stored, locked, say
from bot.services.deps import Deps, make_deps
from bot.settings import Settings
from bot.store.tables import Borrower, Conversation, Instalment, Message, Outbox, Reminder
from tests.builders.accounts import a_debt_of, a_plan
from tests.builders.desk import SetClock, a_borrower
from tests.doubles.telegram_server import Json, TelegramServer
from tests.running.desk import free_port
from tests.running.killable import NAMES, Killable
from tests.simulation.people import Person, open_chat
from tests.simulation.records import read_records
from tests.simulation.rules import findings

_LOOK_SECONDS, _OVER_SECONDS = 0.05, 0.3
"""How long one look for a sign on the line takes, and how often it is looked whether any can still come."""
LATER = timedelta(minutes=5)
"""By so much a process that is started again is later than the one that was killed: longer than any claim."""


class Moment(Enum):
    """Whom to kill, and when."""

    FIRST_TICK = (("scheduler",), "at its first tick")
    DECIDING = (("scheduler",), "while deciding")
    SENDING = (("gateway",), "while sending")
    RECORDING = (("gateway",), "while recording")
    BOTH_SENDING = (("scheduler", "gateway"), "while sending")
    BOTH = (("scheduler", "gateway"), "at any time")

    def __init__(self, names: tuple[str, ...], when: str) -> None:
        self.names = names
        self.when = when


ANSWER = "好的,我查到了。"
PATIENCE = 60.0


class SlowTelegram(TelegramServer):
    """Telegram's double on a slow line: a message is there some time before the desk hears of it.

    ``on_the_line`` is set while a message has taken effect and the desk does not know, ``known`` once it has been told.
    """

    slowness: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_the_line = threading.Event()
        self.known = threading.Event()
        self._httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed client cuts its line

    def answer(self, token: str, method: str, params: Json):  # type: ignore[no-untyped-def]  # private type there
        """Answer one request, a moment after it took effect."""
        answered = super().answer(token, method, params)
        if method == "sendMessage":
            self.on_the_line.set()
            time.sleep(self.slowness)
            self.known.set()
        return answered


@dataclass(slots=True)
class Fates:
    """What became of the notices and answers of one run, or of several."""

    runs: int = 0
    notices: int = 0
    received_once: int = 0
    unknown_and_received: int = 0
    unknown_and_not_received: int = 0
    lost: int = 0
    doubled: int = 0
    answers: int = 0
    answers_doubled: int = 0
    answers_lost: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Fates) -> None:
        """Count another run in."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def lines(self) -> list[str]:
        """The figures, for people."""
        kills = ", ".join(f"{where} {times}" for where, times in sorted(self.kills.items()))
        return [
            f"{self.runs} runs, {self.kills.total()} kills: {kills}",
            f"notices {self.notices}: once {self.received_once}, unknown but received {self.unknown_and_received}, "
            f"unknown and never sent {self.unknown_and_not_received}, lost {self.lost}, doubled {self.doubled}",
            f"answers {self.answers}: doubled {self.answers_doubled}, lost {self.answers_lost}",
            *self.broken[:20],
        ]


class Morning:
    """One run: a desk with so many borrowers on an empty database that has its schema.

    ``patience`` is for how many seconds it may do nothing that it waits for: more on a machine that is busy.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        server: SlowTelegram,
        people: int,
        chance: Random,
        patience: float = PATIENCE,
    ) -> None:
        self._server = server
        self._patience = patience
        self._chance = chance
        settings = _settings(folder, database_url, server)
        clock = SetClock(datetime.now(UTC).replace(microsecond=0))
        deps = make_deps(settings, clock)
        self.people = [_a_person(deps, number) for number in range(people)]
        with deps.read() as session:
            due_on = session.scalars(select(func.min(Instalment.due_on))).one()
        clock.instant = datetime.combine(due_on - timedelta(days=3), clock_time(10, 30), tzinfo=SHANGHAI)
        with deps.begin() as session:
            _calm_down(session, clock.instant)
        for person in self.people:
            _answer(deps, person)
        self._deps, self._clock = deps, clock
        self._settings = settings
        self._shown = clock.instant
        self._processes: dict[str, Killable] = {}

    def run(self, moments: Sequence[Moment]) -> Fates:
        """Start, kill and start again at such moments, then let it finish; says what everybody got."""
        fates = Fates(runs=1)
        try:
            for name in NAMES:
                self._start(name)
            for moment in moments:
                when = moment.when if self._wait_for(moment) else "with nothing to do"
                self._shown += LATER
                for name in moment.names:
                    self._processes[name].kill()
                fates.kills[f"{' and '.join(moment.names)} {when}"] += 1
                for name in moment.names:
                    self._start(name)
            self._shown += LATER
            for name in NAMES:  # the claims of those that lived on while another died end as well
                self._processes[name].kill()
                self._start(name)
            self._wait_until_quiet()
        finally:
            for process in self._processes.values():
                process.kill()
        self._judge(fates)
        self._deps.database.engine.dispose()
        return fates

    def _start(self, name: str) -> None:
        offset = round((self._shown - datetime.now(UTC)) / timedelta(minutes=1))
        settings = self._settings.model_copy(
            update={"clock_offset_minutes": offset, "gateway_port": free_port(), "rasa_port": free_port()}
        )
        self._processes[name] = Killable(name, settings)

    def _wait_for(self, moment: Moment) -> bool:
        """Wait for a kind of moment and a little chance; False if it does not come."""
        if moment is Moment.BOTH:
            time.sleep(self._chance.uniform(0.0, 2.0))
            return True
        if moment is Moment.FIRST_TICK:
            time.sleep(self._settings.scheduler_tick_seconds + self._chance.uniform(0.0, 0.5))
            return True
        self._server.on_the_line.clear()
        self._server.known.clear()
        if moment is Moment.DECIDING:
            came = _until(self._is_deciding, self._is_quiet, self._patience)
            time.sleep(self._chance.uniform(0.0, 0.1))
            return came
        signal = self._server.known if moment is Moment.RECORDING else self._server.on_the_line
        _until(lambda: signal.wait(_LOOK_SECONDS), self._is_quiet, self._patience)
        if moment is Moment.RECORDING:
            time.sleep(self._chance.uniform(0.0, 0.02))
        return signal.is_set()

    def _is_deciding(self) -> bool:
        claimed = select(Reminder.id).where(Reminder.state == "planned", Reminder.claimed_until > self._shown)
        with self._deps.read() as session:
            return session.scalar(claimed.limit(1)) is not None

    def _wait_until_quiet(self) -> None:
        deadline = time.monotonic() + self._patience
        while not self._is_quiet():
            dead = [name for name, process in self._processes.items() if not process.is_alive]
            if dead or time.monotonic() > deadline:
                logs = "\n".join((self._settings.var_dir / f"{name}.log").read_text()[-1500:] for name in NAMES)
                waits = ", ".join(self._unfinished())
                raise AssertionError(f"the desk did not finish; stopped: {dead}; unfinished: {waits}\n{logs}")
            time.sleep(0.2)

    def _is_quiet(self) -> bool:
        """Whether every notice that is due was decided, and everything decided was delivered."""
        return not self._unfinished()

    def _unfinished(self) -> list[str]:
        """Return what is still to be done, with how many there are of each."""
        now = self._shown + timedelta(minutes=1)
        waiting = {
            "notices due": select(func.count(Reminder.id)).where(Reminder.state == "planned", Reminder.send_at <= now),
            "deliveries pending": select(func.count(Outbox.id)).where(Outbox.state == "pending"),
            "borrowers to plan": select(func.count(Borrower.id)).where(Borrower.notices_due_at <= now),
        }
        with self._deps.read() as session:
            counts = {what: session.scalar(each) or 0 for what, each in waiting.items()}
            sent = session.scalar(select(func.count(Reminder.id)).where(Reminder.state == "sent")) or 0
        counts["notices not yet sent"] = max(0, len(self.people) - sent)
        return [f"{number} {what}" for what, number in counts.items() if number]

    def _judge(self, fates: Fates) -> None:
        with self._deps.read() as session:
            rows = session.execute(
                select(Message.id, Message.text, Message.purpose, Message.conversation_id, Outbox.state)
                .join(Outbox, Outbox.message_id == Message.id)
                .where(Message.created_at >= self._clock.instant - timedelta(minutes=1))  # offsets are whole minutes
            ).all()
            got = Counter((sent.chat_id, sent.text) for sent in self._server.sent)
            chat_of = {
                row.id: int(self._deps.vault.unseal("address:telegram", row.address_sealed))
                for row in session.execute(select(Conversation.id, Conversation.address_sealed))
            }
            broken = findings(read_records(session), self._shown + timedelta(hours=3))
        fates.broken += [str(each) for each in broken]
        with_notice = set()
        for row in rows:
            times = got[chat_of[row.conversation_id], row.text]
            if row.purpose in ("reply", "fact"):
                fates.answers += 1
                fates.answers_doubled += times > 1
                fates.answers_lost += times == 0
                continue
            with_notice.add(row.conversation_id)
            fates.notices += 1
            fates.doubled += times > 1
            if row.state == "unknown":
                fates.unknown_and_received += times == 1
                fates.unknown_and_not_received += times == 0
            else:
                fates.received_once += times == 1
                fates.lost += times == 0
        fates.lost += len({person.chats[0] for person in self.people} - with_notice)


def _settings(folder: Path, database_url: str, server: TelegramServer) -> Settings:
    key = SecretStr(base64.b64encode(bytes(range(32))).decode())
    return Settings(
        _env_file=None,
        var_dir=folder,
        database_url=database_url,
        data_key=key,
        lookup_key=key,
        rasa_secret=SecretStr("a-rasa-secret-for-tests"),
        actions_secret=SecretStr("an-actions-secret-for-tests"),
        scheduler_tick_seconds=1,
        telegram_api_base=server.base,
        TELEGRAM_BOT_TOKEN=server.token,
    )


def _a_person(deps: Deps, number: int) -> Person:
    borrower_id = a_borrower(deps, f"演示{number}", f"139{number:08d}", f"110101{10**11 + number:012d}")
    person = Person(number, borrower_id, Random(number))
    person.debt_ids.append(a_debt_of(deps, borrower_id))
    a_plan(deps, open_chat(deps, person, "telegram"))
    return person


def _calm_down(session: Session, now: datetime) -> None:
    """Let everything said so far be delivered, and everybody have written lately, so that only the notice is due."""
    session.execute(update(Outbox).values(state="sent", sent_at=Outbox.next_attempt_at))
    session.execute(update(Conversation).values(last_inbound_at=now - timedelta(hours=1)))
    session.execute(update(Message).where(Message.handling == "pending").values(handling="handled"))


def _until(condition: Callable[[], bool], is_over: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; False once it cannot come any more, which costs more to find out, or in time."""
    begun = looked = time.monotonic()
    while not condition():
        now = time.monotonic()
        if now - begun > seconds or (now - looked > _OVER_SECONDS and is_over()):
            return False
        looked = now if now - looked > _OVER_SECONDS else looked
        time.sleep(0.003)
    return True


def _answer(deps: Deps, person: Person) -> None:
    """Let the bot have answered just now, so that an answer waits for delivery as well."""
    asked = inbound.record_text(deps, person.chats[0], "asked", "查看")
    assert isinstance(asked, Stored)
    with deps.begin() as session:
        conversation = locked(session, person.chats[0])
        assert conversation is not None
        say(session, deps, conversation, Reply(ANSWER), author=Author.BOT, in_reply_to=asked.message_id)
        session.get_one(Message, asked.message_id).handling = "handled"
