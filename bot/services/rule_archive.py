"""Rules as they were: each set of approved data is kept when it is first in force, to be looked at years later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.services.deps import Deps
from bot.services.rule_versions import RULE_FILES, rule_versions
from bot.store.tables import RuleArchive
from bot.workout.policy import load_policy

POLICY = "policy."
"""What the name of a relief policy begins with; the rest is its code."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A set of rules: the text of each of its files, by the file's name below the folder of approved data."""

    name: str
    version: str
    content: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over names and texts."""
        whole = sha256()
        for name, text in sorted(self.content.items()):
            whole.update(name.encode() + b"\0" + text.encode() + b"\0")
        return whole.hexdigest()


def keep(deps: Deps) -> int:
    """Keep every set of rules that is in force and not kept yet; returns how many were new.

    A policy whose text has changed under the same version is kept as well, and said in the log: two people would
    otherwise be told different things in its name.
    """
    new = 0
    for rules in _in_force(deps):
        try:
            new += _keep(deps, rules)
        except IntegrityError:  # another process kept it at the same moment
            continue
    return new


def lay_out(deps: Deps, versions: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Write the files of some versions below a folder, as they lay below ``data``; returns what is not kept.

    Where one version was kept with several texts, the first is taken.
    """
    missing = []
    with deps.read() as session:
        for name, version in sorted(versions.items()):
            row = session.scalar(
                select(RuleArchive)
                .where(RuleArchive.name == name, RuleArchive.version == version)
                .order_by(RuleArchive.first_used_at, RuleArchive.id)
                .limit(1)
            )
            if row is None:
                missing.append(name)
                continue
            for file, text in row.content.items():
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
    return tuple(missing)


def _keep(deps: Deps, rules: RuleSet) -> bool:
    with deps.begin() as session:
        known = session.scalars(
            select(RuleArchive.digest).where(RuleArchive.name == rules.name, RuleArchive.version == rules.version)
        ).all()
        if rules.digest in known:
            return False
        if known:
            log.warning("rules_changed_under_one_version", rules=rules.name, version=rules.version)
        session.add(
            RuleArchive(
                name=rules.name,
                version=rules.version,
                digest=rules.digest,
                content=dict(rules.content),
                first_used_at=deps.now(),
            )
        )
    return True


def _in_force(deps: Deps) -> Iterator[RuleSet]:
    versions, data = rule_versions(deps), deps.data
    for name, places in RULE_FILES.items():
        files = [file for place in places for file in _files(data / place)]
        yield RuleSet(name, versions[name], {str(file.relative_to(data)): file.read_text("utf-8") for file in files})
    for path in sorted(deps.settings.policies_dir.glob("*.yml")):
        policy = load_policy(path)
        yield RuleSet(f"{POLICY}{policy.code}", policy.version, {f"policies/{path.name}": path.read_text("utf-8")})


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.*")) if place.is_dir() else [place]
