"""The measuring sets: labelled messages that are never trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.nlu_scores import EvaluationError, LabelledMessage, read_messages
from bot.settings import ROOT

HELDOUT = "heldout"
"""The set that is part of the repository. Robustness is measured on it."""

YARDSTICK = "yardstick"
"""A set of other hands that lies beside the checkout, where somebody has one."""

_HELDOUT_FILE = ROOT / "tests" / "nlu" / "heldout" / "messages.tsv"
_YARDSTICK_FOLDER = ROOT.parent / "shared" / "eval"
_MESSAGES = "messages.tsv"


@dataclass(frozen=True, slots=True)
class MeasuringSet:
    """A named set; ``digest`` is a hash of the file, by which two reports know whether they measured the same rows."""

    name: str
    digest: str
    rows: tuple[LabelledMessage, ...]


def default_files(yardstick: Path | None = None) -> dict[str, Path]:
    """Return the files that are there, by set. ``yardstick`` is a folder; without it one beside the checkout is taken.

    Raises:
        EvaluationError: a folder was named and holds no messages.
    """
    files = {HELDOUT: _HELDOUT_FILE}
    beside = (yardstick or _YARDSTICK_FOLDER) / _MESSAGES
    if beside.is_file():
        files[YARDSTICK] = beside
    elif yardstick is not None:
        raise EvaluationError(f"the yardstick: no file {beside}")
    return files


def named_files(paths: Sequence[Path], defaults: Mapping[str, Path]) -> dict[str, Path]:
    """Return files by set: a default file under its own name, another one under its stem or its folder's name."""
    known = {path.resolve(): name for name, path in defaults.items()}
    files: dict[str, Path] = {}
    for path in paths:
        full = path.resolve()
        if full in files.values():
            continue
        name = known.get(full) or (full.parent.name if full.name == _MESSAGES else full.stem)
        taken = files.keys() if full in known else files.keys() | {HELDOUT, YARDSTICK}
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}-{number}", number + 1
        files[unique] = full
    return files


def read_sets(files: Mapping[str, Path]) -> tuple[MeasuringSet, ...]:
    """Read the files.

    Raises:
        EvaluationError: a file cannot be read, has a malformed row, or no row at all.
    """
    found = []
    for name, path in files.items():
        rows = tuple(read_messages(path))
        if not rows:
            raise EvaluationError(f"{path}: no messages")
        found.append(MeasuringSet(name, hashlib.sha256(path.read_bytes()).hexdigest()[:16], rows))
    return tuple(found)
