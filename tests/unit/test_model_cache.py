"""A model that was trained elsewhere from the very same sources is not trained again."""

from __future__ import annotations

from pathlib import Path

from bot.model import ensure_model, fingerprint, model_path
from tests.builders.desk import a_desk


def a_checkout(folder: Path, domain: str = "responses: {}") -> Path:
    for name in ("config.yml", "rasa-runtime/requirements.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("-", "utf-8")
    (folder / "domain.yml").write_text(domain, "utf-8")
    return folder


def test_a_model_of_the_same_sources_is_taken_from_the_cache(tmp_path: Path) -> None:
    here, cache = a_checkout(tmp_path / "here"), tmp_path / "cache"
    settings = a_desk(tmp_path).settings.model_copy(update={"model_cache": cache})
    kept = model_path(cache, fingerprint(here))
    cache.mkdir()
    kept.write_bytes(b"weights")
    model = ensure_model(settings, here)
    assert model.path == model_path(here / "models", fingerprint(here))
    assert model.path.read_bytes() == b"weights"


def test_other_sources_have_another_model(tmp_path: Path) -> None:
    here, there = a_checkout(tmp_path / "here"), a_checkout(tmp_path / "there", domain="responses: {utter_hello: []}")
    assert fingerprint(here) != fingerprint(there)
