"""Looking through everything that the running desk's processes have printed for what must not be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from bot.settings import ROOT


def people() -> set[str]:
    """Names, phones and identity numbers of everybody who has a demo account."""
    accounts = yaml.safe_load((ROOT / "data" / "demo" / "accounts.yml").read_text("utf-8"))
    return {str(one[field]) for one in accounts["borrowers"] for field in ("name", "phone", "id_number")}


def printed(var_dir: Path) -> dict[str, str]:
    """Return what each process has printed so far, by process."""
    return {log.stem: log.read_text("utf-8", errors="replace") for log in sorted((var_dir / "log").glob("*.log"))}


def found_in_logs(var_dir: Path, canaries: Iterable[str]) -> list[tuple[str, str]]:
    """Return each canary with the process that printed it."""
    return [(name, each) for name, text in printed(var_dir).items() for each in canaries if each in text]
