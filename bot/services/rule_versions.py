"""Which rules were in force when something was decided: kept with each turn, so that it can be replayed years later."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from bot.services.deps import Deps

RULE_FILES: Mapping[str, tuple[str, ...]] = {
    "contact": ("outreach/limits.yml", "outreach/ladder.yml"),
    "tone": ("outreach/tone.yml", "outreach/tone_weights.json"),
    "crisis": ("care/crisis.yml", "care/weights.json"),
    "rights": ("rights",),
    "words": ("templates",),
}
"""What each set of rules is read from, below the folder of approved data."""

_SHOWN = 12


def rule_versions(deps: Deps) -> Mapping[str, str]:
    """Return the version of each set of rules: the lender's own for relief policies, else a digest of its files.

    Of the files as they were when this process first asked, which is when it reads them.
    """
    policies = {f"policy.{code}": policy.version for code, policy in sorted(deps.policies.items())}
    return {**_digests(deps.data), **policies}


@lru_cache(maxsize=8)
def _digests(data: Path) -> Mapping[str, str]:
    return {name: _digest([data / path for path in paths]) for name, paths in RULE_FILES.items()}


def _digest(paths: list[Path]) -> str:
    whole = sha256()
    for path in paths:
        for file in sorted(path.rglob("*.*")) if path.is_dir() else [path]:
            whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()[:_SHOWN]
