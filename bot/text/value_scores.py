"""Measure ``values.extract`` against a table of labelled messages. Pure: the caller reads the file."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypedDict

from bot.text.amounts import AmountRange
from bot.text.clock import TimeOfDay
from bot.text.dates import DateValue
from bot.text.percents import Percent
from bot.text.periods import DayOfMonth, MonthCount
from bot.text.values import Payload, Value, ValueKind, extract

NONE_KIND = "none"


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One labelled message: ``kind`` is a ``ValueKind`` or ``none``, ``gold`` the reading as a person wrote it."""

    id: str
    kind: str
    text: str
    gold: str


@dataclass(frozen=True, slots=True)
class KindScore:
    """How many rows of one kind were read exactly right (for ``none``: left alone)."""

    kind: str
    rows: int
    correct: int

    @property
    def rate(self) -> Decimal:
        """Share of rows read right, from 0 to 1; 0 when there are none."""
        return Decimal(self.correct) / self.rows if self.rows else Decimal(0)


@dataclass(frozen=True, slots=True)
class Miss:
    """A row read wrongly, with what was read instead (empty when nothing was)."""

    row: ValueRow
    read: tuple[str, ...]


class KindJson(TypedDict):
    """One kind in ``ValueReport.to_json``."""

    rows: int
    correct: int
    rate: str


class MissJson(TypedDict):
    """One miss in ``ValueReport.to_json``."""

    id: str
    kind: str
    text: str
    gold: str
    read: list[str]


class ReportJson(TypedDict):
    """The shape of ``ValueReport.to_json``; rates are decimal strings."""

    now: str
    rows: int
    correct: int
    false_readings: int
    kinds: dict[str, KindJson]
    misses: list[MissJson]


@dataclass(frozen=True, slots=True)
class ValueReport:
    """Counts for each kind, and every miss. ``false_readings`` counts the ``none`` rows in which anything was read."""

    now: datetime
    kinds: tuple[KindScore, ...]
    misses: tuple[Miss, ...]

    @property
    def false_readings(self) -> int:
        """How many messages without a value gave one, of any kind."""
        return sum(score.rows - score.correct for score in self.kinds if score.kind == NONE_KIND)

    def to_json(self) -> ReportJson:
        """Return the report as plain JSON values."""
        return {
            "now": self.now.isoformat(),
            "rows": sum(score.rows for score in self.kinds),
            "correct": sum(score.correct for score in self.kinds),
            "false_readings": self.false_readings,
            "kinds": {
                score.kind: {
                    "rows": score.rows,
                    "correct": score.correct,
                    "rate": f"{score.rate:.4f}",
                }
                for score in self.kinds
            },
            "misses": [
                {
                    "id": miss.row.id,
                    "kind": miss.row.kind,
                    "text": miss.row.text,
                    "gold": miss.row.gold,
                    "read": list(miss.read),
                }
                for miss in self.misses
            ],
        }

    def to_text(self) -> str:
        """Return the report as a table for a terminal, misses below it."""
        lines = [f"{'kind':<14}{'right':>7}{'rows':>7}{'rate':>9}"]
        lines += [f"{s.kind:<14}{s.correct:>7}{s.rows:>7}{s.rate * 100:>8.1f}%" for s in self.kinds]
        rows = sum(s.rows for s in self.kinds)
        total = KindScore("all", rows, sum(s.correct for s in self.kinds))
        lines.append(f"{total.kind:<14}{total.correct:>7}{total.rows:>7}{total.rate * 100:>8.1f}%")
        lines.append(f"false readings in messages without a value: {self.false_readings}")
        lines += [
            f"  {row.id}  {row.kind}  {row.text}  expected {row.gold}, read {', '.join(read) or '-'}"
            for row, read in ((miss.row, miss.read) for miss in self.misses)
        ]
        return "\n".join(lines)


def parse_rows(lines: Iterable[str]) -> tuple[ValueRow, ...]:
    """Read a tab-separated table with the header ``id kind text gold``, without quoting.

    Raises ValueError, with the line, when the header, the kind or the number of columns is wrong.
    """
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader, [])
    if header != ["id", "kind", "text", "gold"]:
        raise ValueError(f"line 1: the header must be id, kind, text, gold; found {header}")
    rows = []
    for number, columns in enumerate(reader, start=2):
        if len(columns) != 4:
            raise ValueError(f"line {number}: four columns expected, found {len(columns)}")
        row = ValueRow(*columns)
        if row.kind != NONE_KIND and row.kind not in set(ValueKind):
            raise ValueError(f"line {number}: unknown kind {row.kind}")
        rows.append(row)
    return tuple(rows)


def score(rows: Iterable[ValueRow], now: datetime) -> ValueReport:
    """Read every row as of ``now`` (aware) and compare with its gold.

    A row of a kind is read as a form asking for that kind would; it is right when exactly one reading, repeated or
    not, equals the gold. A ``none`` row is right when neither free reading nor any form's reading finds a value.
    """
    counted: dict[str, list[int]] = {}
    misses = []
    for row in rows:
        read = _read(row, now)
        right = not read if row.kind == NONE_KIND else len(read) == 1 and _same(row.kind, read[0], row.gold)
        tally = counted.setdefault(row.kind, [0, 0])
        tally[0] += 1
        tally[1] += right
        if not right:
            misses.append(Miss(row, read))
    return ValueReport(
        now,
        tuple(KindScore(k, n, c) for k, (n, c) in sorted(_ordered(counted))),
        tuple(misses),
    )


def _ordered(counted: Mapping[str, list[int]]) -> Iterable[tuple[str, tuple[int, int]]]:
    return ((kind, (tally[0], tally[1])) for kind, tally in counted.items())


def _read(row: ValueRow, now: datetime) -> tuple[str, ...]:
    if row.kind != NONE_KIND:
        values = extract(row.text, now, frozenset({ValueKind(row.kind)}))
        return tuple(dict.fromkeys(render(value.payload) for value in values))
    found: list[Value] = [*extract(row.text, now)]
    for kind in ValueKind:
        found += extract(row.text, now, frozenset({kind}))
    return tuple(dict.fromkeys(f"{value.kind} {render(value.payload)}" for value in found))


def render(payload: Payload) -> str:
    """Write a payload the way gold is written."""
    match payload:
        case AmountRange(low, high, _):
            return _range(_yuan(low), _yuan(high))
        case DateValue(day):
            return day.isoformat() if day else "unresolved"
        case MonthCount(low, high):
            return _range(str(low), str(high))
        case DayOfMonth(day):
            return str(day)
        case Percent(value):
            return f"{value:f}"
        case TimeOfDay(value):
            return value.strftime("%H:%M")


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:.2f}"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low}..{high}"


def _same(kind: str, read: str, gold: str) -> bool:
    if kind in (ValueKind.PERCENT, ValueKind.AMOUNT):
        return _decimals(read) == _decimals(gold)
    return read == gold


def _decimals(text: str) -> tuple[Decimal, ...] | str:
    try:
        return tuple(Decimal(part) for part in text.removesuffix("%").split(".."))
    except InvalidOperation:
        return text
