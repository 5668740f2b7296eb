"""Rasa's own check of the training data with something added to it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bot.model import RUNTIME_PYTHON, rasa_environment
from bot.settings import ROOT, load_settings


def refused_by_rasa(folder: Path, taught: str) -> str | None:
    """Put examples beside those there are, in a folder of the test's, and return what ``rasa data validate`` minds."""
    shutil.copytree(ROOT / "data", folder / "data")
    (folder / "data" / "nlu" / "reviewed.yml").write_text(taught, "utf-8")
    command = [str(RUNTIME_PYTHON), "-m", "rasa", "data", "validate", "--data", "data/nlu", "data/rules"]
    command += ["--domain", str(ROOT / "domain.yml"), "--config", str(ROOT / "config.yml")]
    environment = {**rasa_environment(load_settings()), "PYTHONPATH": str(ROOT), "LOG_LEVEL": "INFO"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    is_taken = done.returncode == 0 and "No story structure conflicts found" in output
    return None if is_taken else output[-3000:]
