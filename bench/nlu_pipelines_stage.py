"""One stage of one candidate, in a process of its own: ``train`` it, or ``read`` messages with what was stored.

Usage: python -m bench.nlu_pipelines_stage train|read CANDIDATE FOLDER EPOCHS

Separate processes keep the figures apart: what one candidate has imported, cached or allocated helps or burdens no
other. ``FOLDER`` holds the model in ``model/``; beside the folder lie ``examples.json`` and ``messages.json``. The
figures are written to ``train.json`` or ``read.json`` in ``FOLDER``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

# Every candidate serves inside a Rasa process, so what Rasa imports is not on any candidate's account.
import rasa.core.agent
import rasa.model_training  # noqa: F401

from bench.nlu_pipelines_candidates import CLASSICAL, Candidate, Example, Reader
from bench.nlu_pipelines_figures import Read, Trained
from bench.nlu_pipelines_rasa import in_rasa
from bot.text.normalize import normalize_text

_PASSES = 3
_FIRST = "逾期會上徵信嗎"
"""Traditional script, so that the converter, which every candidate needs, is loaded before memory is looked at."""


def candidates(epochs: int) -> dict[str, Candidate]:
    """Return every candidate by its name."""
    found: tuple[Candidate, ...] = (*CLASSICAL, *in_rasa(epochs))
    return {candidate.name: candidate for candidate in found}


def train(candidate: Candidate, examples: Sequence[Example], folder: Path) -> Trained:
    """Train into ``folder/model`` and time it."""
    model = folder / "model"
    model.mkdir()
    began, busy = time.perf_counter(), time.process_time()
    candidate.train(examples, model)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - busy
    return Trained(seconds, cpu_seconds, sum(path.stat().st_size for path in model.rglob("*") if path.is_file()))


def read(candidate: Candidate, messages: Sequence[str], folder: Path) -> Read:
    """Load from ``folder/model`` and read every message one by one, several times over.

    A message's latency is processor time, which on one thread is what it takes on an idle machine, and the best of
    its times; whole passes lie between two readings of it, so nothing is warm that would be cold in service.
    """
    normalize_text(_FIRST)
    gc.collect()
    before = _resident_bytes()
    began, busy = time.perf_counter(), time.process_time()
    reader = candidate.load(folder / "model")
    reader(_FIRST)
    load_seconds, load_cpu_seconds = time.perf_counter() - began, time.process_time() - busy
    labels = tuple(reader(message) for message in messages)
    gc.collect()
    memory = _resident_bytes() - before
    passes = [[_timed(reader, message) for message in messages] for _ in range(_PASSES)]
    return Read(
        load_seconds, load_cpu_seconds, memory, labels, tuple(min(times) for times in zip(*passes, strict=True))
    )


def _timed(reader: Reader, message: str) -> float:
    began = time.process_time()
    reader(message)
    return time.process_time() - began


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Do the stage named on the command line."""
    stage, name, place, epochs = sys.argv[1:]
    candidate, folder = candidates(int(epochs))[name], Path(place)
    figures: Trained | Read
    if stage == "train":
        stored = json.loads((folder.parent / "examples.json").read_text("utf-8"))
        figures = train(candidate, [Example(*row) for row in stored], folder)
    else:
        figures = read(candidate, json.loads((folder.parent / "messages.json").read_text("utf-8")), folder)
    (folder / f"{stage}.json").write_text(json.dumps(asdict(figures)), "utf-8")


if __name__ == "__main__":
    main()
