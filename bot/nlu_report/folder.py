"""The folder of reports: the last one and, for comparing, the one before it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from bot.nlu_report.markdown import as_markdown
from bot.nlu_report.report import Report
from bot.nlu_scores import EvaluationError

REPORT = "report.json"
PREVIOUS = "previous.json"
PAGE = "report.md"


def last_report(folder: Path) -> Report | None:
    """Return the report that lies in a folder, or None when there is none.

    Raises:
        EvaluationError: there is one, but it cannot be read or another version wrote it.
    """
    path = folder / REPORT
    if not path.exists():
        return None
    try:
        return Report.model_validate_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise EvaluationError(f"{path}: {error}") from None


def write_report(report: Report, folder: Path) -> None:
    """Write ``REPORT`` and ``PAGE``; the report that lay there becomes ``PREVIOUS``."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{REPORT}.part"
    draft.write_text(report.model_dump_json(indent=1) + "\n", "utf-8")
    page = as_markdown(report)
    if (folder / REPORT).exists():
        (folder / REPORT).replace(folder / PREVIOUS)
    draft.replace(folder / REPORT)
    (folder / PAGE).write_text(page, "utf-8")
