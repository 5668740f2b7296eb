"""What must never be said to a borrower: rules over normalised text, each with what to write instead.

Two readers: the patterns of the rules, and a scorer (``bot.outreach.tone_scorer``) that knows how forbidden sayings
look and hears what is only hinted at.

The rules are data (``data/outreach/tone.yml``). A rule first strikes out what is true in the same words (overdue debts
do not lead to jail, nobody's family is contacted), then looks for its patterns in what is left. Everything is matched
in one spelling: Simplified, half-width, without emoji and without anything put between characters to hide them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.outreach.tone_scorer import STRUCK, ToneScorer, in_one_spelling
from bot.text.alignment import Aligned

_FRAGMENT = re.compile(r"<([a-z]+)>")

UNCLEAR = "tone"
"""The rule of a finding when a text sounds forbidden and it is not clear which rule it breaks."""


class ToneError(Exception):
    """The file of rules cannot be used. The text names the file and the rule."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a text breaks: its id, the words that break it as they were typed, and what to write instead."""

    rule: str
    excerpt: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    advice: str
    only_for_assistant: bool
    true_words: re.Pattern[str] | None
    forbidden: re.Pattern[str]


class _RuleEntry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z_]+$")
    forbids: str = Field(min_length=1)
    instead: str = Field(min_length=1)
    only_for: Literal["assistant"] | None = None
    true: tuple[str, ...] = ()
    patterns: tuple[str, ...] = Field(min_length=1)


class _RuleFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[str, str]
    spellings: dict[str, str]
    reported: tuple[str, ...]
    unclear: str = Field(min_length=1)
    rules: tuple[_RuleEntry, ...] = Field(min_length=1)
    stranger: tuple[_RuleEntry, ...] = Field(min_length=1)


class ToneGate:
    """Checks texts against every rule. Immutable; safe to share between threads."""

    def __init__(
        self,
        rules: tuple[_Rule, ...],
        stranger_rules: tuple[_Rule, ...],
        spellings: tuple[tuple[re.Pattern[str], str], ...],
        reported: re.Pattern[str] | None,
        unclear: str,
        scorer: ToneScorer | None,
    ) -> None:
        self._rules = rules
        self._stranger_rules = stranger_rules
        self._spellings = spellings
        self._reported = reported
        self._advice = {UNCLEAR: unclear} | {rule.id: rule.advice for rule in rules}
        self._scorer = scorer

    @classmethod
    def load(cls, path: Path, scorer: ToneScorer | None = None) -> ToneGate:
        """Read the rules; without a scorer the patterns read alone.

        Raises:
            ToneError: the file is unreadable, a field is missing or unknown, an id is used twice, or a pattern is
                malformed, names an unknown fragment, or matches the empty text.
        """
        try:
            file = _RuleFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ToneError(f"{path.name}: {error}") from None
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ToneError(f"{path.name}: {wrong}") from None
        ids = [entry.id for entry in (*file.rules, *file.stranger)]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ToneError(f"{path.name}: {', '.join(twice)}: used twice")
        make = _Patterns(path.name, file.words)
        return cls(
            rules=tuple(make.rule(entry) for entry in file.rules),
            stranger_rules=tuple(make.rule(entry) for entry in file.stranger),
            spellings=tuple(
                (make.joined(f"spellings.{right}", (wrong,)), right) for right, wrong in file.spellings.items()
            ),
            reported=make.joined("reported", file.reported) if file.reported else None,
            unclear=file.unclear,
            scorer=scorer,
        )

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The ids of the rules on what is said, in file order."""
        return tuple(rule.id for rule in self._rules)

    def check(self, text: str, *, by_person: bool = False) -> tuple[Finding, ...]:
        """Return what must not be said in ``text``: one finding a rule, in file order, the scorer's last.

        The scorer adds one when the patterns have not found its rule, with the whole text as excerpt; its rule is
        ``UNCLEAR`` when nothing else is found and it cannot tell the rule. ``by_person`` leaves out what only the
        assistant must not say (that it is a person).
        """
        unfit = {rule.id for rule in self._rules if by_person and rule.only_for_assistant}
        seen = self._in_one_spelling(text)
        plain = _strike(self._reported, seen.text)
        found = _findings(text, seen, plain, tuple(rule for rule in self._rules if rule.id not in unfit))
        suspicion = self._scorer.suspicion(plain) if self._scorer else None
        if suspicion is None:
            return found
        rule = suspicion.rule if suspicion.rule is not None and suspicion.rule in self._advice else UNCLEAR
        if rule in unfit or rule in {one.rule for one in found} or (rule == UNCLEAR and found):
            return found
        return (*found, Finding(rule, text, self._advice[rule]))

    def stranger_findings(self, text: str) -> tuple[Finding, ...]:
        """Return what ``text`` tells somebody whose identity is not proved: amounts, a debt, dates, a name (I2)."""
        seen = self._in_one_spelling(text)
        return _findings(text, seen, seen.text, self._stranger_rules)

    def _in_one_spelling(self, text: str) -> Aligned:
        aligned = in_one_spelling(text)
        for wrong, right in self._spellings:
            aligned = aligned.replace(wrong, right)
        return aligned


def _findings(text: str, seen: Aligned, plain: str, rules: tuple[_Rule, ...]) -> tuple[Finding, ...]:
    found = []
    for rule in rules:
        # Most rules find nothing, so what is true in the same words is struck out only when one does.
        if not rule.forbidden.search(plain):
            continue
        if match := rule.forbidden.search(_strike(rule.true_words, plain)):
            spans = seen.spans[match.start() : match.end()]
            found.append(Finding(rule.id, text[spans[0][0] : spans[-1][1]], rule.advice))
    return tuple(found)


class _Patterns:
    """Makes patterns out of the entries of one file."""

    def __init__(self, file: str, fragments: Mapping[str, str]) -> None:
        self._file = file
        self._fragments = fragments

    def rule(self, entry: _RuleEntry) -> _Rule:
        return _Rule(
            id=entry.id,
            advice=entry.instead,
            only_for_assistant=entry.only_for is not None,
            true_words=self.joined(entry.id, entry.true) if entry.true else None,
            forbidden=self.joined(entry.id, entry.patterns),
        )

    def joined(self, name: str, entries: tuple[str, ...]) -> re.Pattern[str]:
        patterns = []
        for entry in entries:
            full = self._filled(name, entry)
            try:
                pattern = re.compile(full)
            except re.error as error:
                raise ToneError(f"{self._file}: {name}: {entry!r}: {error}") from None
            # It would find something in every text, or strike out everything.
            if pattern.match(""):
                raise ToneError(f"{self._file}: {name}: {entry!r}: matches the empty text")
            patterns.append(f"(?:{full})")
        return re.compile("|".join(patterns))

    def _filled(self, name: str, entry: str) -> str:
        def fragment(match: re.Match[str]) -> str:
            try:
                return f"(?:{self._filled(name, self._fragments[match.group(1)])})"
            except (KeyError, RecursionError):
                raise ToneError(f"{self._file}: {name}: {match.group()}: no such fragment") from None

        return _FRAGMENT.sub(fragment, entry)


def _strike(pattern: re.Pattern[str] | None, text: str) -> str:
    return pattern.sub(lambda match: STRUCK * len(match.group()), text) if pattern else text
