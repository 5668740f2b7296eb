"""What the console hands out as training data is taken by Rasa and by the checks of the training data."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bot.desk.teaching import Example, bare, teach
from bot.model import RUNTIME_PYTHON, rasa_environment
from bot.services.training_data import known_examples, known_intents, measured_texts
from bot.settings import ROOT, load_settings
from tests.builders.desk import a_desk
from tests.nlu import test_training_data as checks


def test_corrected_turns_are_training_data(tmp_path: Path) -> None:
    deps = a_desk(tmp_path / "desk")
    assert set(known_intents(deps)) == set(checks.INTENTS)
    corrected = [
        Example("俺想慢慢儿还哩: 中不中 # 急 13800000001", "request_installment"),
        Example("- {征信} [那块](咋整)", "rights/credit_report"),
        Example("欠多少", "ask_breakdown"),
    ]
    teaching = teach(corrected, known_examples(deps), measured_texts(deps))
    assert [example.intent for example in teaching.taken] == ["request_installment", "rights/credit_report"]
    assert all(bare(example.text) not in known_examples(deps) for example in teaching.taken)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    (tmp_path / "data" / "nlu" / "reviewed.yml").write_text(teaching.as_yaml(), "utf-8")
    command = [str(RUNTIME_PYTHON), "-m", "rasa", "data", "validate", "--data", "data/nlu", "data/rules"]
    command += ["--domain", str(ROOT / "domain.yml"), "--config", str(ROOT / "config.yml")]
    environment = {**rasa_environment(load_settings()), "PYTHONPATH": str(ROOT), "LOG_LEVEL": "INFO"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert "No story structure conflicts found" in output
