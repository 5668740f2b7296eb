"""What the console hands out as training data is taken by Rasa and by the checks of the training data."""

from __future__ import annotations

from pathlib import Path

from bot.desk.teaching import Example, bare, teach
from bot.services.training_data import known_examples, known_intents, measured_texts
from tests.builders.desk import a_desk
from tests.nlu import test_training_data as checks
from tests.running.validated import refused_by_rasa


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
    assert refused_by_rasa(tmp_path, teaching.as_yaml()) is None
