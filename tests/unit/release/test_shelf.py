"""The shelf of models: half a file is never served, promoting and going back are one step, records tell the truth."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import up
from bot.model import model_path
from bot.release.shelf import POINTER, Quality, ReleaseRecord, Shelf, ShelfFault
from bot.settings import Settings
from tests.builders.models import a_model

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
QUALITY = Quality(rows=10, right=9, macro_f1=0.9, recall={"express_distress": 1.0})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    for name in ("aaaa", "bbbb"):
        a_model(folder, name)
    return Shelf(folder)


def test_a_model_is_recorded_with_what_it_says_of_itself(shelf: Shelf) -> None:
    record = shelf.record("aaaa")
    assert isinstance(record, ReleaseRecord)
    assert (record.model_id, record.engine, record.quality) == ("id of aaaa", "3.6.21", None)
    assert record.trained_at.utcoffset() is not None
    assert shelf.record("cccc") is ShelfFault.UNKNOWN


def test_figures_are_kept_with_the_model(folder: Path, shelf: Shelf) -> None:
    shelf.add_quality("aaaa", QUALITY)
    again = Shelf(folder).record("aaaa")
    assert isinstance(again, ReleaseRecord)
    assert again.quality == QUALITY


def test_what_is_promoted_is_served_and_going_back_serves_what_was_before(folder: Path, shelf: Shelf) -> None:
    assert shelf.served() is None
    assert shelf.rollback() is ShelfFault.NOTHING_BEFORE
    for name in ("aaaa", "bbbb", "bbbb"):  # a second time changes nothing
        assert isinstance(shelf.promote(name, AT), ReleaseRecord)
    assert [(one.fingerprint, one.is_served) for one in sorted(shelf.listing(), key=lambda one: one.fingerprint)] == [
        ("aaaa", False),
        ("bbbb", True),
    ]
    back = shelf.rollback()
    assert isinstance(back, ReleaseRecord)
    served = Shelf(folder).served()
    assert not isinstance(served, ShelfFault)
    assert served is not None
    assert served.path == model_path(folder, "aaaa")
    assert shelf.rollback() is ShelfFault.NOTHING_BEFORE


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.97, 0.999])
def test_half_a_file_is_never_promoted_nor_served(folder: Path, shelf: Shelf, share: float) -> None:
    shelf.promote("aaaa", AT)
    shelf.promote("bbbb", AT)
    path = model_path(folder, "bbbb")
    os.truncate(path, int(path.stat().st_size * share))
    assert shelf.served() in (ShelfFault.DAMAGED, ShelfFault.CHANGED)
    whole = shelf.last_whole()
    assert whole is not None
    assert whole.fingerprint == "aaaa"
    assert isinstance(Shelf(folder).promote("bbbb", AT), ShelfFault)


def test_a_file_that_was_exchanged_is_not_the_one_that_was_recorded(folder: Path, shelf: Shelf) -> None:
    shelf.promote("aaaa", AT)
    a_model(folder, "aaaa", model_id="another")
    assert shelf.served() is ShelfFault.CHANGED


@pytest.mark.parametrize("left", ["", "{", '{"promotions": [{"fingerprint"', "[]"])
def test_a_pointer_that_cannot_be_read_is_said_and_written_anew_by_promoting(
    folder: Path, shelf: Shelf, left: str
) -> None:
    (folder / POINTER).write_text(left)
    assert shelf.served() is ShelfFault.POINTER
    assert shelf.rollback() is ShelfFault.POINTER
    shelf.promote("aaaa", AT)
    assert shelf.served_fingerprint() == "aaaa"


def test_a_death_while_pointing_leaves_the_old_pointer(
    folder: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.promote("aaaa", AT)

    def dies(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", dies)
    with pytest.raises(KeyboardInterrupt):
        shelf.promote("bbbb", AT)
    assert shelf.served_fingerprint() == "aaaa"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_stored_turn_finds_its_model_by_the_engines_number(shelf: Shelf) -> None:
    found = shelf.find("id of bbbb")
    assert found is not None
    assert found.fingerprint == "bbbb"
    assert shelf.find("id of a model long gone") is None


class TestServing:
    """What ``bot up`` and ``bot run rasa`` serve."""

    @pytest.fixture
    def settings(self, folder: Path) -> Settings:
        return Settings(_env_file=None, models_dir=folder)  # type: ignore[call-arg]

    @pytest.fixture(autouse=True)
    def sources(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(up, "fingerprint", lambda _: "bbbb")
        monkeypatch.setattr(up, "ready_model", lambda *_: "the one that fits")
        monkeypatch.setattr(up, "ensure_model", lambda *_: "the one that fits")

    def test_without_a_promotion_it_is_the_one_that_fits_the_sources(
        self, folder: Path, shelf: Shelf, settings: Settings
    ) -> None:
        assert up.served_model(settings, folder.parent) == "the one that fits"

    def test_a_promoted_one_stays_until_another_is_promoted(
        self, folder: Path, shelf: Shelf, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shelf.promote("aaaa", AT)
        assert up.served_model(settings, folder.parent).fingerprint == "aaaa"
        assert "bot model promote" in capsys.readouterr().out

    def test_a_damaged_one_gives_way_to_the_one_before_and_says_so(
        self, folder: Path, shelf: Shelf, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shelf.promote("aaaa", AT)
        shelf.promote("bbbb", AT)
        os.truncate(model_path(folder, "bbbb"), 100)
        assert up.served_model(settings, folder.parent).fingerprint == "aaaa"
        assert ShelfFault.DAMAGED.value in capsys.readouterr().out
        os.truncate(model_path(folder, "aaaa"), 100)
        with pytest.raises(up.NotPossible, match="bot train"):
            up.served_model(settings, folder.parent)
