"""A model of the very same sources is not trained again: from a cache, or from where the sources brought it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli_model, up
from bot.cli import app
from bot.model import ensure_model, fingerprint, model_path, ready_model
from bot.settings import Settings
from tests.builders.desk import a_desk
from tests.builders.models import a_model


def a_checkout(folder: Path, domain: str = "responses: {}") -> Path:
    for name in ("config.yml", "rasa-runtime/requirements.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("-", "utf-8")
    (folder / "domain.yml").write_text(domain, "utf-8")
    return folder


def test_a_model_of_the_same_sources_is_taken_from_the_cache(tmp_path: Path) -> None:
    here, cache = a_checkout(tmp_path / "here"), tmp_path / "cache"
    settings = a_desk(tmp_path).settings.model_copy(update={"model_cache": cache, "models_dir": here / "models"})
    kept = model_path(cache, fingerprint(here))
    cache.mkdir()
    kept.write_bytes(b"weights")
    model = ensure_model(settings, here)
    assert model.path == model_path(here / "models", fingerprint(here))
    assert model.path.read_bytes() == b"weights"


def test_other_sources_have_another_model(tmp_path: Path) -> None:
    here, there = a_checkout(tmp_path / "here"), a_checkout(tmp_path / "there", domain="responses: {utter_hello: []}")
    assert fingerprint(here) != fingerprint(there)


def settings_with(models: Path, folder: Path) -> Settings:
    return a_desk(folder).settings.model_copy(update={"models_dir": models})


def test_a_model_that_comes_with_the_sources_is_put_on_the_shared_shelf_with_its_figures(tmp_path: Path) -> None:
    image = a_checkout(tmp_path / "image")
    (image / "models").mkdir()
    mark = fingerprint(image)
    brought = a_model(image / "models", mark)
    brought.with_name(f"desk-{mark}.json").write_text("measured", "utf-8")
    settings = settings_with(tmp_path / "shared", tmp_path)
    for _ in range(2):  # the second start finds it there
        model = ready_model(settings, image)
        assert model is not None
        assert model.path == model_path(tmp_path / "shared", mark)
        assert model.path.read_bytes() == brought.read_bytes()
    kept = {path.name for path in (tmp_path / "shared").iterdir()}
    assert kept == {model.path.name, f"desk-{mark}.json"}, "nothing half copied is left"
    assert (tmp_path / "shared" / f"desk-{mark}.json").read_text("utf-8") == "measured"


def test_a_model_of_the_release_before_stays_on_the_shelf_to_go_back_to(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "shared", tmp_path)
    for release in ("one", "two"):
        image = a_checkout(tmp_path / release, domain=release)
        (image / "models").mkdir()
        a_model(image / "models", fingerprint(image))
        assert up.served_model(settings, image).fingerprint == fingerprint(image)
    assert len(list((tmp_path / "shared").glob("desk-*.tar.gz"))) == 2


@pytest.mark.parametrize("words", [["train"], ["model", "promote", "aaaa"], ["model", "rollback"], ["run", "rasa"]])
def test_a_folder_of_models_that_cannot_be_written_is_named_in_one_sentence(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").write_text("no folder", "utf-8")
    image = a_checkout(tmp_path / "image")
    (image / "models").mkdir()
    a_model(image / "models", fingerprint(image))
    settings = settings_with(tmp_path / "closed" / "models", tmp_path)
    monkeypatch.setattr(cli_model, "settings_or_stop", lambda: settings)
    monkeypatch.setattr("bot.cli._settings", lambda: settings)
    monkeypatch.setattr(ready_model, "__defaults__", (image,))
    monkeypatch.setattr(up.served_model, "__defaults__", (image,))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2, result.output
    assert "DESK_MODELS_DIR: " in result.output
    assert "Traceback" not in result.output
