"""The report on reading messages, on invented predictions: no model is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nlu_report_builders import (
    A_REPORT,
    GUARD,
    MODEL,
    READING,
    RULES,
    SETS,
    a_set,
    asked_back,
    measured,
    read_as,
    row,
)

from actions import contact
from bot.nlu_report.charts import chart_data, confusion_table
from bot.nlu_report.compare import compare
from bot.nlu_report.fallback import OFFERED, FallbackRules, fallback_figures
from bot.nlu_report.figures import BINS, calibration, confusions, percentile
from bot.nlu_report.folder import PAGE, PREVIOUS, REPORT, last_report, write_report
from bot.nlu_report.guard import guard_figures
from bot.nlu_report.markdown import as_markdown
from bot.nlu_report.report import Report, Share
from bot.nlu_report.sets import YARDSTICK
from bot.nlu_scores import FALLBACK, EvaluationError, Prediction


def test_a_whole_measurement_counts_every_set_by_itself() -> None:
    heldout, yardstick = A_REPORT.sets
    assert heldout.accuracy == Share(count=2, of=4)
    assert yardstick.accuracy == Share(count=0, of=1)
    assert [share.count for share in heldout.best] == [2, 3, 3]
    assert [share.count for share in yardstick.best] == [0, 1, 1]


def test_rows_that_are_training_examples_are_left_out_of_what_is_new() -> None:
    assert A_REPORT.sets[0].new == Share(count=1, of=3)


def test_labels_where_a_miss_may_hurt_come_first_and_then_the_worst() -> None:
    assert [label.label for label in A_REPORT.sets[0].labels] == ["express_distress", "ask_balance", "ask_due_date"]
    balance = A_REPORT.sets[0].labels[1]
    assert (balance.recall, balance.precision) == (Share(count=1, of=2), Share(count=1, of=1))
    assert balance.asked_back == 1


def test_speed_is_that_of_the_plain_messages() -> None:
    assert A_REPORT.model.messages == 5
    assert (A_REPORT.model.p50_ms, A_REPORT.model.p95_ms) == (10.0, 40.0)
    assert A_REPORT.model.file_bytes == MODEL.path.stat().st_size


def test_confusions_name_the_rows_most_frequent_first_and_leave_out_questions_back() -> None:
    rows = [row("affirm", number=1), row("affirm", number=2), row("deny", number=3), row("stop_contact", number=4)]
    rows += [row("greet", number=5)]
    read = [read_as("greet"), read_as("greet"), read_as("greet"), read_as("greet"), asked_back("affirm")]
    found = [(c.label, c.read_as, c.ids) for c in confusions(rows, read)]
    assert found == [
        ("affirm", "greet", ("t1", "t2")),
        ("stop_contact", "greet", ("t4",)),
        ("deny", "greet", ("t3",)),
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_calibration_loses_no_message_and_its_error_is_a_share(drawn: list[tuple[float, bool]]) -> None:
    rows = [row("affirm" if is_right else "deny") for _, is_right in drawn]
    read = [Prediction("affirm", chance, (("affirm", chance),)) for chance, _ in drawn]
    figures = calibration(rows, read)
    assert sum(one.right.of for one in figures.bins) == len(drawn)
    assert sum(one.right.count for one in figures.bins) == sum(is_right for _, is_right in drawn)
    assert 0 <= figures.ece <= 1
    assert len(figures.bins) == BINS


def test_a_model_as_right_as_it_is_confident_has_no_calibration_error() -> None:
    rows = [row("affirm")] * 3 + [row("deny")]
    assert calibration(rows, [Prediction("affirm", 0.75, (("affirm", 0.75),))] * 4).ece == 0


def test_a_model_that_is_sure_and_always_wrong_has_the_largest_one() -> None:
    assert calibration([row("deny")], [Prediction("affirm", 1.0, (("affirm", 1.0),))]).ece == 1


def test_calibration_looks_at_the_best_label_also_where_the_fallback_stepped_in() -> None:
    figures = calibration([row("affirm")], [asked_back("affirm", confidence=0.25)])
    assert figures.bins[2].right == Share(count=1, of=1)


@pytest.mark.parametrize(("percent", "value"), [(50, 2.0), (95, 4.0), (25, 1.0), (0, 1.0)])
def test_a_percentile_is_one_of_the_values(percent: int, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == value


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 95) == 0


def test_a_message_asked_about_is_judged_by_its_best_label_and_by_the_buttons() -> None:
    rows = [row("ask_balance"), row("ask_balance"), row("affirm"), row("request_human"), row("ask_balance")]
    read = [
        asked_back("ask_balance", "ask_due_date"),
        asked_back("ask_due_date", "greet", "rights/overview", "ask_creditor", "ask_balance"),
        asked_back("affirm", "ask_balance"),
        asked_back("ask_balance"),
        read_as("ask_balance"),
    ]
    figures = fallback_figures(rows, read, RULES)
    assert figures.below == Share(count=4, of=5)
    assert figures.would_be_wrong == Share(count=2, of=4)
    # The second's meaning comes fourth of those with words; the third's has none; a person is always offered.
    assert figures.right_offered == Share(count=2, of=4)


def test_the_rules_are_those_of_the_desk() -> None:
    rules = FallbackRules.load()
    assert 0 < rules.threshold < 1
    assert {"ask_balance", "rights_overview"} <= rules.offerable
    assert OFFERED == contact._CLARIFIED


def test_a_pipeline_without_a_fallback_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("pipeline:\n  - name: JiebaTokenizer\n", "utf-8")
    with pytest.raises(EvaluationError, match=r"config\.yml.*FallbackClassifier"):
        FallbackRules.load(tmp_path)


def test_the_guard_is_counted_alone_and_together_with_the_classifier() -> None:
    rows = [
        row("express_distress", "我不想活了", 1),
        row("express_distress", "撑不下去", 2),
        row("express_distress", "没意思", 3),
        row("abuse", "不想活了你", 4),
        row("greet", "累死我了", 5),
        row("greet", "在吗", 6),
    ]
    read = [
        read_as("greet"),
        read_as("express_distress"),
        read_as("chitchat"),
        read_as("abuse"),
        read_as("greet"),
        read_as("express_distress"),
    ]
    figures = guard_figures(GUARD, rows, read)
    assert (figures.guard.count, figures.classifier.count, figures.noticed.count) == (1, 1, 2)
    assert figures.missed_ids == ("t3",)
    assert figures.false_alarms == Share(count=1, of=3)
    assert figures.noticed_falsely == Share(count=2, of=3)
    assert figures.false_alarm_labels == {"abuse": 1}
    assert figures.by_reader == {"self_harm": 2}


def test_the_guard_looks_at_the_normalised_text_too() -> None:
    assert guard_figures(GUARD, [row("express_distress", "不 想 活 了")], [read_as("greet")]).guard.count == 1


def test_a_report_survives_being_written_and_read(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert last_report(folder) is None
    write_report(A_REPORT, folder)
    assert last_report(folder) == A_REPORT
    stored = json.loads((folder / REPORT).read_text("utf-8"))
    assert stored["sets"][0]["accuracy"] == {"count": 2, "of": 4, "rate": 0.5}


def test_the_last_report_is_kept_as_the_previous_one(tmp_path: Path) -> None:
    write_report(A_REPORT, tmp_path)
    write_report(A_REPORT.model_copy(update={"threshold": 0.5}), tmp_path)
    assert Report.model_validate_json((tmp_path / PREVIOUS).read_text("utf-8")) == A_REPORT
    assert not list(tmp_path.glob("*.part"))


def test_a_damaged_report_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / REPORT).write_text("{", "utf-8")
    with pytest.raises(EvaluationError, match=REPORT):
        last_report(tmp_path)


def test_what_changed_is_later_minus_earlier_and_the_most_moved_label_first() -> None:
    better = READING | {
        "还剩多少没还清啊": read_as("ask_balance"),
        "真的不想活了": read_as("express_distress"),
        "哪天到期?": read_as("greet"),
    }
    other_file = (SETS[0], a_set(*SETS[1].rows, name=YARDSTICK, digest="d3"))
    after = measured(other_file, better).report
    change = compare(A_REPORT, after)
    heldout, yardstick = change.sets
    assert (heldout.accuracy, heldout.below_threshold, heldout.same_rows) == (0.25, -0.25, True)
    assert [(m.label, m.before.count, m.after.count) for m in heldout.moved] == [
        ("ask_due_date", 1, 0),
        ("express_distress", 0, 1),
        ("ask_balance", 1, 2),
    ]
    assert not yardstick.same_rows
    assert change.robustness["emoji"] == 0
    page = as_markdown(after.model_copy(update={"comparison": change}))
    assert "| heldout | +25.0 |" in page
    assert "yardstick (other rows)" in page


def test_a_set_that_was_not_measured_before_is_not_compared() -> None:
    before = A_REPORT.model_copy(update={"sets": A_REPORT.sets[1:]})
    assert [one.name for one in compare(before, A_REPORT).sets] == [YARDSTICK]


def test_the_page_has_counts_beside_rates_and_no_message(tmp_path: Path) -> None:
    write_report(A_REPORT, tmp_path)
    page = (tmp_path / PAGE).read_text("utf-8")
    assert "| heldout | 0.500 (2 of 4) |" in page
    assert "2026-11-21 12:00 (Asia/Shanghai)" in page
    written = page + (tmp_path / REPORT).read_text("utf-8")
    assert not [one.text for measuring in SETS for one in measuring.rows if one.text in written]


def test_the_pictures_show_the_labels_with_misses_and_the_fallback_last() -> None:
    whole = measured()
    heldout, yardstick = chart_data(SETS, whole)["sets"]
    assert heldout["labels"] == ["ask_balance", "express_distress"]
    assert heldout["columns"] == ["ask_balance", "express_distress", "greet", FALLBACK]
    assert heldout["counts"] == [[1, 0, 0, 1], [0, 0, 1, 0]]
    assert (heldout["confident_right"], heldout["confident_wrong"]) == ([0.95, 0.8], [0.2, 0.9])
    assert yardstick["bins"][6] == {"mean_confidence": 0.6, "right": 0, "of": 1}


def test_a_set_read_without_a_miss_has_no_table() -> None:
    assert confusion_table([row("affirm")], [read_as("affirm")]) == ([], [FALLBACK], [])
