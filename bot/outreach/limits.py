"""The numbers of the contact policy as a lender approved them, read from one YAML file and checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from bot.outreach.gate import HARD_BAN_FROM, HARD_BAN_TO, Limits

_DEFAULT, _LENDERS = "default", "lenders"
_YEAR_HOURS = 366 * 24


@dataclass(frozen=True, slots=True)
class LimitsProblem:
    """What is wrong with one number: ``key`` is its dotted path in the file, empty for the whole file."""

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.reason) if part)


class LimitsError(ValueError):
    """Limits that must not be used; ``problems`` names every one found. The desk does not start with such a file."""

    def __init__(self, problems: tuple[LimitsProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load_limits(path: Path, lender: str) -> Limits:
    """Read the limits of a lender, by the name borrowers know it by: the defaults, and what differs for it.

    Every lender's numbers are checked, not only this one's.

    Raises:
        LimitsError: the file is unreadable, a number is missing, unknown or out of range, the window is empty, or the
            ban of 22:00 to 08:00 (T1) would be shorter.
    """
    default, lenders = _sections(path)
    approved = {name: _read(path, default, own, f"{_LENDERS}.{name}") for name, own in lenders.items()}
    usual = _read(path, default, {}, _DEFAULT)
    return approved.get(lender, usual)


def _clock(value: object) -> time:
    # Unquoted, YAML 1.1 reads 22:00 as the number 1320.
    if not isinstance(value, str) or len(value) != len("HH:MM"):
        raise ValueError('a time is written "HH:MM", in quotes')
    return time.fromisoformat(value)


_Clock = Annotated[time, BeforeValidator(_clock)]
_Count = Annotated[int, Field(strict=True, ge=1)]
_Hours = Annotated[int, Field(strict=True, ge=1, le=_YEAR_HOURS)]


class _Numbers(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    hard_start: _Clock
    hard_end: _Clock
    soft_start: _Clock
    soft_end: _Clock
    rest_on_holidays: StrictBool
    apart_hours: _Hours
    per_seven_days: _Count
    per_due_date: _Count
    unanswered_before_pause: _Count
    pause_hours: _Hours

    def window_faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the hours taken together, as key and reason."""
        if self.hard_start > HARD_BAN_FROM:
            yield "hard_start", f"the ban (T1) begins at {HARD_BAN_FROM:%H:%M} at the latest"
        if self.hard_end < HARD_BAN_TO:
            yield "hard_end", f"the ban (T1) ends at {HARD_BAN_TO:%H:%M} at the earliest"
        if self.soft_start < self.hard_end:
            yield "soft_start", "the window opens within the ban"
        if self.soft_end > self.hard_start:
            yield "soft_end", "the window closes within the ban"
        if self.soft_start >= self.soft_end:
            yield "soft_end", "the window is never open"

    def limits(self) -> Limits:
        return Limits(
            hard_start=self.hard_start,
            hard_end=self.hard_end,
            soft_start=self.soft_start,
            soft_end=self.soft_end,
            rest_on_holidays=self.rest_on_holidays,
            apart=timedelta(hours=self.apart_hours),
            per_seven_days=self.per_seven_days,
            per_due_date=self.per_due_date,
            unanswered_before_pause=self.unanswered_before_pause,
            pause=timedelta(hours=self.pause_hours),
        )


def _sections(path: Path) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    try:
        raw: object = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LimitsError((LimitsProblem(path.name, "", str(error)),)) from None
    if not isinstance(raw, dict) or set(raw) != {_DEFAULT, _LENDERS}:
        raise LimitsError((LimitsProblem(path.name, "", f"must hold '{_DEFAULT}' and '{_LENDERS}' and nothing else"),))
    if not isinstance(raw[_LENDERS], dict):
        raise LimitsError((LimitsProblem(path.name, _LENDERS, "must hold numbers by the lender's name"),))
    lenders = {str(name): _section(path, f"{_LENDERS}.{name}", own) for name, own in raw[_LENDERS].items()}
    return _section(path, _DEFAULT, raw[_DEFAULT]), lenders


def _section(path: Path, key: str, raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise LimitsError((LimitsProblem(path.name, key, "must hold numbers by name"),))
    return {str(name): value for name, value in raw.items()}


def _read(path: Path, default: Mapping[str, object], own: Mapping[str, object], where: str) -> Limits:
    def at(name: str) -> str:
        return f"{where if name in own else _DEFAULT}.{name}"

    try:
        numbers = _Numbers.model_validate({**default, **own})
    except ValidationError as error:
        found = [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
        raise LimitsError(tuple(LimitsProblem(path.name, at(name), why) for name, why in found)) from None
    if faults := tuple(LimitsProblem(path.name, at(name), why) for name, why in numbers.window_faults()):
        raise LimitsError(faults)
    return numbers.limits()
