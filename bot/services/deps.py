"""What every use case needs, put together once per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from bot.care.crisis import CrisisGuard
from bot.care.scorer import DangerScorer
from bot.clock import Clock, SystemClock
from bot.desk.canned import CannedReplies
from bot.desk.owed_answers import OwedAnswer, load_owed_answers
from bot.outreach.gate import Limits
from bot.outreach.ladder import Ladder
from bot.outreach.limits import load_limits
from bot.outreach.tone import ToneGate
from bot.outreach.tone_scorer import ToneScorer
from bot.rights.library import RightsLibrary
from bot.rights.retention import RetentionPeriods, load_retention
from bot.services.notice_words import NoticeWords
from bot.services.wording import Wording
from bot.settings import ROOT, Settings
from bot.store.engine import Database, make_engine
from bot.store.vault import Vault
from bot.workout.policy import ReliefPolicy, load_policies

_WORDS = ("templates/desk.yml", "templates/calls.yml", "care/words.yml")


class CodeFate(StrEnum):
    """What became of a one-time code that was handed over."""

    TAKEN = "taken"
    LATER = "later"
    """It may be taken another time."""
    NEVER = "never"


class CodeSender(Protocol):
    """Sends one-time codes to phones."""

    def send(self, letter_id: str, phone: str, code: str) -> CodeFate:
        """Hand a code over; every attempt has the same ``letter_id``. Never raises for an outage."""
        ...


@dataclass(frozen=True)
class Deps:
    """Database, clock, keys and the approved data a use case works with."""

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    code_sender: CodeSender | None = None
    """None shows codes in the chat, which the settings allow in demo mode only."""
    data: Path = ROOT / "data"

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self.clock.now()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Yield a session in one transaction."""
        with self.database.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that only reads; it neither waits for writers nor keeps them waiting."""
        with self.database.read() as session:
            yield session

    @property
    def idle(self) -> timedelta:
        """Silence after which level 2 lapses."""
        return timedelta(minutes=self.settings.verified_idle_minutes)

    @property
    def fresh(self) -> timedelta:
        """How young a proof must be for agreeing."""
        return timedelta(minutes=self.settings.fresh_check_minutes)

    @cached_property
    def policies(self) -> dict[str, ReliefPolicy]:
        """The relief policies the lender approved, by code."""
        return {policy.code: policy for policy in load_policies(self.settings.policies_dir).values()}

    @cached_property
    def rights(self) -> RightsLibrary:
        """The knowledge articles."""
        return RightsLibrary.load(self.data / "rights")

    @cached_property
    def crisis_guard(self) -> CrisisGuard:
        """The guard that runs before the classifier."""
        care = self.data / "care"
        return CrisisGuard.load(care / "crisis.yml", DangerScorer.load(care / "weights.json"))

    @cached_property
    def wording(self) -> Wording:
        """The fixed words that do not go through the dialogue engine."""
        return Wording.load(*(self.data / name for name in _WORDS))

    @cached_property
    def limits(self) -> Limits:
        """When and how often the lender's borrowers may be written to."""
        return load_limits(self.data / "outreach" / "limits.yml", self.settings.lender_name)

    @cached_property
    def retention(self) -> RetentionPeriods:
        """How long what is kept."""
        return load_retention(self.data / "retention.yml")

    @cached_property
    def ladder(self) -> Ladder:
        """When the desk writes about debts without a plan."""
        return Ladder.load(self.data / "outreach" / "ladder.yml")

    @cached_property
    def notice_words(self) -> NoticeWords:
        """The words of notices, by topic and stage."""
        return NoticeWords.load(self.data / "outreach" / "notices.yml")

    @cached_property
    def canned(self) -> CannedReplies:
        """The replies that operators start from."""

        def rules_broken(text: str) -> tuple[str, ...]:
            return tuple(finding.rule for finding in self.tone_gate.check(text, by_person=True))

        return CannedReplies.load(self.data / "templates" / "canned.yml", rules_broken)

    @cached_property
    def owed_answers(self) -> tuple[OwedAnswer, ...]:
        """The rights that somebody who speaks of them must be told of."""
        return load_owed_answers(self.data / "outreach" / "owed_answers.yml")

    @cached_property
    def tone_gate(self) -> ToneGate:
        """What must never be said to a borrower."""
        outreach = self.data / "outreach"
        return ToneGate.load(outreach / "tone.yml", ToneScorer.load(outreach / "tone_weights.json"))


def make_deps(settings: Settings, clock: Clock | None = None, code_sender: CodeSender | None = None) -> Deps:
    """Put the dependencies together. Opens no connection yet.

    Raises:
        bot.store.vault.VaultKeyError: a key setting is malformed.
    """
    return Deps(
        settings=settings,
        database=Database(make_engine(settings.sqlalchemy_url)),
        clock=clock or SystemClock(timedelta(minutes=settings.clock_offset_minutes)),
        vault=Vault(
            settings.data_key.get_secret_value(),
            settings.lookup_key.get_secret_value(),
            [key.strip() for key in settings.other_data_keys.get_secret_value().split(",") if key.strip()],
        ),
        code_sender=code_sender,
    )
