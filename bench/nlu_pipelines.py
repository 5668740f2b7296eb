"""Intent pipelines side by side: accuracy, and what each costs to train, keep and ask.

Usage, in the Rasa environment:
    nice -n 15 rasa-runtime/.venv/bin/python bench/nlu_pipelines.py [--sets FILE…] [--only NAME…] [--per-label N]
        [--epochs N] [--json OUT] [--list]

Trains each candidate on ``data/nlu`` (all of it, or N seeded examples of every label) and reads the held-out messages,
and those of every other file given (TSV: id, label, text; one header line), as typed, with no fallback threshold.
Prints Markdown: accuracy with its count and macro-F1 for each file, the costs, and a paired comparison with the served
settings. Messages are never printed or kept, only counts. What each cost means is printed under the table.

The candidates are compared on the sets they are reported on, so the figure of whichever is chosen is slightly kind.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

import yaml
from sklearn.metrics import f1_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.nlu_pipelines_candidates import CLASSICAL, ROOT, SEED, SERVED, Candidate, Example
from bench.nlu_pipelines_figures import LEGEND, Read, Result, SetScore, Trained, paired, table
from bench.nlu_pipelines_rasa import in_rasa

EXAMPLES = ROOT / "data" / "nlu"
HELD_OUT = ROOT / "tests" / "nlu" / "heldout" / "messages.tsv"

QUIET = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": str(SEED), "TF_CPP_MIN_LOG_LEVEL": "3"}
QUIET |= {"CUDA_VISIBLE_DEVICES": "", "LOG_LEVEL": "ERROR", "RASA_TELEMETRY_ENABLED": "false"}
QUIET |= {"SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ONE_THREAD |= dict.fromkeys(("TF_INTRA_OP_PARALLELISM_THREADS", "TF_INTER_OP_PARALLELISM_THREADS"), "1")


class BenchError(Exception):
    """An input cannot be used, or a stage failed. The text says which."""


@dataclass(frozen=True, slots=True)
class MeasuringSet:
    """A file of labelled messages, under a short name."""

    name: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]


def examples(per_label: int | None) -> list[Example]:
    """Return the training examples, at most ``per_label`` of each label; the same ones every time."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for path in sorted(EXAMPLES.rglob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            lines = block["examples"].strip().splitlines()
            by_label[block["intent"]] += [line.strip().removeprefix("- ").strip() for line in lines]
    found: list[Example] = []
    for label, texts in sorted(by_label.items()):
        count = min(per_label or len(texts), len(texts))
        found += [Example(label, text) for text in random.Random(f"{SEED} {label}").sample(texts, count)]
    return found


def measuring_sets(paths: Sequence[Path]) -> list[MeasuringSet]:
    """Read the sets, each called after its folder, because the files tend to share a name.

    Raises:
        BenchError: two have the same folder's name, one is empty, or a row has not three columns; of a row only the
            line's number is told.
    """
    sets = [_measuring_set(path) for path in paths]
    if twice := [name for name, count in Counter(each.name for each in sets).items() if count > 1]:
        raise BenchError(f"two sets are called {twice[0]}, after their folders")
    return sets


def _measuring_set(path: Path) -> MeasuringSet:
    lines = path.read_text("utf-8").splitlines()
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, start=1) if number > 1 and line.strip()]
    if bad := [number for number, row in rows if len(row) != 3]:
        raise BenchError(f"{path}: line {bad[0]}: needs id, label and text")
    if not rows:
        raise BenchError(f"{path}: no messages")
    return MeasuringSet(path.resolve().parent.name, tuple(r[1] for _, r in rows), tuple(r[2] for _, r in rows))


def chosen(catalogue: Sequence[Candidate], patterns: Sequence[str]) -> list[Candidate]:
    """Return the candidates that a pattern names (``*`` stands for anything), all without a pattern.

    Raises:
        BenchError: a pattern names none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(candidate.name, pattern) for candidate in catalogue):
            raise BenchError(f"no candidate is called {pattern}; --list names them")
    return [c for c in catalogue if not patterns or any(fnmatchcase(c.name, pattern) for pattern in patterns)]


def compare(
    candidates: Sequence[Candidate],
    trained_on: Sequence[Example],
    sets: Sequence[MeasuringSet],
    epochs: int,
    keep: Callable[[Sequence[Result], Sequence[str]], None],
) -> tuple[list[Result], list[str]]:
    """Measure one candidate after another; return the results, and the names of those that failed.

    Both so far are handed to ``keep`` after every candidate, so that hours are not lost with a run that is broken off.
    """
    results: list[Result] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nlu-pipelines-") as name:
        place = Path(name)
        (place / "examples.json").write_text(json.dumps(trained_on, ensure_ascii=False), "utf-8")
        texts = [text for each in sets for text in each.texts]
        (place / "messages.json").write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
        for number, candidate in enumerate(candidates, start=1):
            print(f"{number}/{len(candidates)} {candidate.name}", file=sys.stderr, flush=True)
            try:
                results.append(_measured(candidate, sets, epochs, place))
            except BenchError as error:
                print(error, file=sys.stderr, flush=True)
                failed.append(candidate.name)
            keep(results, failed)
    return results, failed


def _measured(candidate: Candidate, sets: Sequence[MeasuringSet], epochs: int, place: Path) -> Result:
    folder = place / candidate.name
    folder.mkdir()
    trained = Trained.from_json(_stage("train", candidate.name, folder, epochs, {}))
    read = Read.from_json(_stage("read", candidate.name, folder, epochs, ONE_THREAD))
    scores, labels = {}, iter(read.labels)
    for each in sets:
        scores[each.name] = _score(each.labels, [next(labels) for _ in each.labels])
    return Result(
        name=candidate.name,
        scores=scores,
        training_seconds=trained.seconds,
        training_cpu_seconds=trained.cpu_seconds,
        load_seconds=read.load_seconds,
        load_cpu_seconds=read.load_cpu_seconds,
        stored_bytes=trained.stored_bytes,
        package_bytes=sum(_package_bytes(name) for name in candidate.packages),
        memory_bytes=read.memory_bytes,
        p50_seconds=statistics.median(read.latencies),
        p95_seconds=statistics.quantiles(read.latencies, n=20)[-1],
    )


def _score(gold: Sequence[str], said: Sequence[str]) -> SetScore:
    correct = tuple(wanted == label for wanted, label in zip(gold, said, strict=True))
    return SetScore(correct, float(f1_score(gold, said, labels=sorted(set(gold)), average="macro", zero_division=0)))


def _stage(stage: str, name: str, folder: Path, epochs: int, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "bench.nlu_pipelines_stage", stage, name, str(folder), str(epochs)]
    # Rasa leaves a cache in the folder it runs in, so it runs in the candidate's own, which goes away.
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **QUIET, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"{name}: {stage} failed\n{done.stderr[-2000:]}")
    return (folder / f"{stage}.json").read_text("utf-8")


def _package_bytes(name: str) -> int:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise BenchError(f"package {name} is not installed")
    files = (path for path in Path(spec.origin).parent.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sum(path.stat().st_size for path in files)


def main() -> int:
    """Measure and print; 1 when a candidate failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", type=Path, default=[], metavar="FILE", help="besides the held-out set")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="candidates; * stands for anything")
    parser.add_argument("--per-label", type=int, metavar="N", help="train on N examples of every label")
    parser.add_argument("--epochs", type=int, default=40, metavar="N", help="of DIET (default 40)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    parser.add_argument("--list", action="store_true", help="name the candidates and stop")
    asked = parser.parse_args()
    catalogue: list[Candidate] = [*CLASSICAL, *in_rasa(asked.epochs)]
    if asked.list:
        print("\n".join(candidate.name for candidate in catalogue))
        return 0
    try:
        candidates = chosen(catalogue, asked.only)
        sets = measuring_sets([HELD_OUT, *asked.sets])
    except (BenchError, OSError) as error:
        parser.error(str(error))
    trained_on = examples(asked.per_label)
    mark = hashlib.sha256(json.dumps(trained_on, ensure_ascii=False).encode()).hexdigest()[:12]
    conditions = (
        f"{len(trained_on)} examples, {asked.per_label or 'all'} of each of {len({e.label for e in trained_on})} labels"
        f" (data {mark}); seed {SEED}; DIET {asked.epochs} epochs;"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    )

    def keep(so_far: Sequence[Result], not_done: Sequence[str]) -> None:
        if asked.json:
            written = {"conditions": conditions, "results": [r.to_json() for r in so_far], "failed": list(not_done)}
            asked.json.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")

    results, failed = compare(candidates, trained_on, sets, asked.epochs, keep)
    print(f"{conditions}\n\n{table(results, [s.name for s in sets])}\n\n{LEGEND}\n\n{paired(results, SERVED)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
