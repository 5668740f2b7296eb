"""Rules are kept as they were when first in force. Against both databases."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from structlog.testing import capture_logs

from bot.services import rule_archive
from bot.services.deps import Deps
from bot.services.rule_versions import RULE_FILES, rule_versions
from bot.settings import ROOT
from bot.store.tables import RuleArchive


def names(deps: Deps) -> list[str]:
    with deps.read() as session:
        return sorted(session.scalars(select(RuleArchive.name)))


def test_every_version_that_a_turn_names_is_kept_once(deps: Deps) -> None:
    versions = rule_versions(deps)
    assert rule_archive.keep(deps) == len(versions)
    assert rule_archive.keep(deps) == 0
    assert names(deps) == sorted(versions)


def test_what_is_laid_out_is_what_lay_there(deps: Deps, tmp_path: Path) -> None:
    rule_archive.keep(deps)
    missing = rule_archive.lay_out(deps, {**rule_versions(deps), "tone": "of another day"}, tmp_path)
    assert missing == ("tone",)
    laid = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yml"))
    assert "policies/credit_card.yml" in laid or any(one.startswith("policies/") for one in laid)
    for name in laid:
        assert (tmp_path / name).read_text("utf-8") == (ROOT / "data" / name).read_text("utf-8")
    assert not (tmp_path / RULE_FILES["tone"][0]).exists()


def test_a_policy_changed_under_one_version_is_kept_and_said(deps: Deps, tmp_path: Path) -> None:
    rule_archive.keep(deps)
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data", data, ignore=shutil.ignore_patterns("nlu", "rules", "jieba", "demo"))
    policy = sorted((data / "policies").glob("*.yml"))[0]
    policy.write_text(policy.read_text("utf-8") + "\n# changed\n", "utf-8")
    changed = replace(deps, data=data, settings=deps.settings.model_copy(update={"policies_dir": data / "policies"}))
    with capture_logs() as logged:
        assert rule_archive.keep(changed) == 1
    assert [entry["event"] for entry in logged] == ["rules_changed_under_one_version"]
