"""How long what is kept before it is deleted, as the lender approved it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class RetentionError(ValueError):
    """The periods cannot be used; the text names what is wrong with which of them."""


class RetentionPeriods(BaseModel):
    """Periods after which something is deleted.

    Rule A2 sets the least for dialogue about plans and collecting; a shorter period is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    talk_years: Annotated[int, Field(strict=True, ge=5, le=30)]
    anonymous_talk_days: Annotated[int, Field(strict=True, ge=30, le=366)]
    means_without_plan_days: Annotated[int, Field(strict=True, ge=1, le=366)]
    identity_years: Annotated[int, Field(strict=True, ge=1, le=30)]
    evidence_days: Annotated[int, Field(strict=True, ge=1, le=1830)]
    record_years: Annotated[int, Field(strict=True, ge=5, le=30)]
    audit_years: Annotated[int, Field(strict=True, ge=5, le=30)]
    tracker_idle_days: Annotated[int, Field(strict=True, ge=1, le=183)]
    unsent_notice_days: Annotated[int, Field(strict=True, ge=30, le=3660)]
    expired_session_days: Annotated[int, Field(strict=True, ge=1, le=366)]


def load_retention(path: Path) -> RetentionPeriods:
    """Read the periods.

    Raises:
        RetentionError: the file is unreadable, or a period is missing, unknown or out of range.
    """
    try:
        return RetentionPeriods.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise RetentionError(f"{path.name}: {wrong}") from error
    except (OSError, yaml.YAMLError) as error:
        raise RetentionError(f"{path.name}: cannot be read") from error
