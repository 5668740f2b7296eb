"""The trained model: built when what it is made from has changed, and only then.

The fingerprint covers the training data, the domain, the configuration, the Rasa-side code and the runtime's lock. A
model is written under a temporary name and moved into place whole, so a half-written one is never served.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from bot.settings import ROOT, Settings

RUNTIME_PYTHON = ROOT / "rasa-runtime" / ".venv" / "bin" / "python"
_SOURCES = ("config.yml", "domain.yml", "rasa-runtime/requirements.lock")
_TREES = ("data/nlu", "data/rights", "data/rules", "data/jieba", "bot/nlu", "bot/text")

_NOT_TRAINED = (
    "channel.py",
    "character_scorer.py",
    "commands.py",
    "display.py",
    "plot_report.py",
    "predict.py",
    "replay.py",
    "requests.py",
    "train_scorer.py",
    "under_way.py",
    "value_scores.py",
)
"""Modules that do not touch what is learned."""

TRACKER_POOL_SIZE = 5
"""Connections to the tracker that a Rasa process keeps open on PostgreSQL; its own default is 50."""

TRACKER_POOL_OVERFLOW = 15
"""Connections beyond these: a gateway hands over 16 conversations at once. Its own default is 100."""


class TrainingFailed(Exception):
    """Training did not end well. The text holds the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model on disk."""

    path: Path
    fingerprint: str


def fingerprint(root: Path = ROOT) -> str:
    """Return a hash over everything the model is made from, 16 hexadecimal characters."""
    digest = hashlib.sha256()
    for path in sorted(_sources(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def model_path(folder: Path, mark: str) -> Path:
    """Return where the model with a fingerprint lies in the folder of models."""
    return folder / f"desk-{mark}.tar.gz"


def ready_model(settings: Settings, root: Path = ROOT) -> Model | None:
    """Return the model that fits the present sources, or None when it has to be trained.

    Sources that come with their model, as those in an image do, put it into ``settings.models_dir`` first.

    Raises:
        OSError: it could not be put there.
    """
    mark = fingerprint(root)
    path, brought = model_path(settings.models_dir, mark), model_path(root / "models", mark)
    if not path.exists() and brought.exists():
        record = brought.with_name(f"desk-{mark}.json")
        if record.exists():
            _put(record, settings.models_dir / record.name)
        _put(brought, path)
    return Model(path, mark) if path.exists() else None


def ensure_model(settings: Settings, root: Path = ROOT) -> Model:
    """Return the fitting model, training it first if need be (some minutes on two cores).

    One that another checkout has trained from the very same sources is taken from ``settings.model_cache``.

    Raises:
        TrainingFailed: Rasa reported an error.
        OSError: the folder of models cannot be written.
    """
    if model := ready_model(settings, root):
        return model
    mark = fingerprint(root)
    folder = settings.models_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    path = model_path(folder, mark)
    kept = model_path(settings.model_cache, mark) if settings.model_cache else None
    if kept is not None and kept.exists():
        _put(kept, path)
        return Model(path, mark)
    name = f"building-{secrets.token_hex(4)}-{mark}"
    command = [str(RUNTIME_PYTHON), "-m", "rasa", "train", "--data", "data/nlu", "data/rules", "--domain", "domain.yml"]
    command += ["--config", "config.yml", "--out", str(folder), "--fixed-model-name", name]
    command += ["--skip-validation"]  # `make test` validates, and says more
    done = subprocess.run(  # noqa: S603  # fixed command, no shell
        command, cwd=root, env=rasa_environment(settings), capture_output=True, text=True, check=False
    )
    built = folder / f"{name}.tar.gz"
    if done.returncode != 0 or not built.exists():
        raise TrainingFailed((done.stdout + done.stderr)[-4000:])
    built.replace(path)
    if kept is not None:
        _put(path, kept)
    return Model(path, mark)


def unusable_models(settings: Settings, error: OSError) -> str:
    """Say that the folder of models cannot be used, and what to do."""
    return (
        f"DESK_MODELS_DIR: {settings.models_dir} cannot be used ({error.strerror}): name a folder that can be written"
    )


def _put(source: Path, target: Path) -> None:
    """Copy a file into place whole. Not by the process's number: in containers many have the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    copied = target.with_name(f"copying-{secrets.token_hex(4)}-{target.name}")
    try:
        shutil.copyfile(source, copied)
        copied.replace(target)
    finally:
        copied.unlink(missing_ok=True)


def rasa_environment(settings: Settings) -> Mapping[str, str]:
    """Return the environment of the Rasa process: what its YAML files refer to, no telemetry, quiet logs."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    # A key in base64 may hold a plus sign, which a query would read as a space.
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return passed | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "LOG_LEVEL": "WARNING",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "DESK_RASA_SECRET": settings.rasa_secret.get_secret_value(),
        "DESK_ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
        "DESK_ACTIONS_SECRET": settings.actions_secret.get_secret_value(),
        **_tracker(settings),
        "SQL_POOL_SIZE": str(TRACKER_POOL_SIZE),
        "SQL_MAX_OVERFLOW": str(TRACKER_POOL_OVERFLOW),
        "SANIC_HOST": "127.0.0.1",
    }


def _tracker(settings: Settings) -> dict[str, str]:
    """Name the tracker's database as the engine reads it: a file, or a whole URL with the engine's own driver."""
    url = make_url(settings.sqlalchemy_tracker_url)
    if url.get_backend_name() == "sqlite":
        return {
            "DESK_TRACKER_DIALECT": "sqlite",
            "DESK_TRACKER_HOST": "",
            "DESK_TRACKER_DB": str(url.database or ""),
        }
    shared = url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    return {"DESK_TRACKER_DIALECT": "postgresql", "DESK_TRACKER_HOST": shared, "DESK_TRACKER_DB": ""}


def _sources(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        yield root / name
    for tree in _TREES:
        yield from (
            path
            for path in (root / tree).rglob("*")
            if path.suffix in (".yml", ".py", ".txt") and path.name not in _NOT_TRAINED
        )
