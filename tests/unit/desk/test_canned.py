"""Replies to start from: every stage has some, and none can be offered that could not be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.desk.canned import CannedError, CannedReplies, Stage
from bot.outreach.tone import ToneGate
from bot.settings import ROOT

WHOLE = {stage.value: [{"title": "好", "text": "您好。"}] for stage in Stage}


def nothing_broken(_text: str) -> Sequence[str]:
    return ()


def a_file(folder: Path, replies: object) -> Path:
    path = folder / "canned.yml"
    path.write_text(f"replies: {replies}", "utf-8")
    return path


def test_our_own_replies_pass_the_tone_gate_and_there_are_some_for_every_stage() -> None:
    gate = ToneGate.load(ROOT / "data" / "outreach" / "tone.yml")

    def broken(text: str) -> list[str]:
        return [finding.rule for finding in gate.check(text, by_person=True)]

    loaded = CannedReplies.load(ROOT / "data" / "templates" / "canned.yml", broken)
    assert list(loaded.by_stage) == list(Stage)
    assert all(loaded.by_stage.values())


def test_what_must_not_be_said_is_refused_by_name_when_it_is_loaded(tmp_path: Path) -> None:
    def jail(text: str) -> Sequence[str]:
        return ["jail"] if "坐牢" in text else []

    path = a_file(tmp_path, WHOLE | {"plan": [{"title": "吓", "text": "不还要坐牢"}]})
    with pytest.raises(CannedError, match=r"canned\.yml: plan: 吓: breaks jail"):
        CannedReplies.load(path, jail)


@pytest.mark.parametrize(
    ("replies", "wrong"),
    [
        ({name: replies for name, replies in WHOLE.items() if name != "safety"}, "safety: missing"),
        (WHOLE | {"shouting": []}, "shouting"),
        (WHOLE | {"plan": [{"title": "空", "text": ""}]}, "text"),
        (WHOLE | {"plan": [{"title": "长", "text": "长" * 501}]}, "text"),
        ([], "replies"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, replies: object, wrong: str) -> None:
    with pytest.raises(CannedError, match=wrong):
        CannedReplies.load(a_file(tmp_path, replies), nothing_broken)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(CannedError, match=r"canned\.yml"):
        CannedReplies.load(tmp_path / "canned.yml", nothing_broken)
