"""Scheduler and gateway killed as by a power cut, against both databases: what the borrowers got in the end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.running.killing import Moment, Morning, SlowTelegram


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> SlowTelegram:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return SlowTelegram()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", [Moment.DECIDING, Moment.SENDING, Moment.BOTH_SENDING])
def test_whoever_is_killed_nothing_is_lost_and_no_notice_is_seen_twice(
    tmp_path: Path, database_url: str, telegram: SlowTelegram, moment: Moment
) -> None:
    telegram.slowness = 0.2
    with telegram as server:
        fates = Morning(tmp_path, database_url, server, 6, Random(1)).run([moment])
    assert (fates.lost, fates.doubled, fates.answers_lost) == (0, 0, 0), fates.lines()
    assert fates.notices == 6, fates.lines()
    assert fates.kills == {f"{' and '.join(moment.names)} {moment.when}": 1}, fates.lines()
    assert fates.broken == [], fates.lines()
