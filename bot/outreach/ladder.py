"""The ladder: on which days past due the desk writes about a debt without a plan. Loaded from data. Pure otherwise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_THIRTY_DAYS = 30


class LadderError(Exception):
    """A file is no ladder; the message names the file and the key."""


class LadderStage(BaseModel):
    """Some days past due with the words that suit them; both ends count."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    stage: Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$")]
    from_day: Annotated[int, Field(ge=1)]
    to_day: Annotated[int, Field(ge=1)]
    days: Annotated[list[int], Field(min_length=1)]

    @model_validator(mode="after")
    def _days_lie_inside(self) -> Self:
        if not all(self.from_day <= day <= self.to_day for day in self.days):
            raise ValueError("every day must lie from from_day to to_day")
        return self


class Ladder(BaseModel):
    """Days past due on which a notice is planned, by stage, and what keeps it gentle.

    The days between two notices never become fewer, and at most ``per_thirty_days`` fall into any thirty days.
    ``least_owed_fen`` is the least that is written about; ``quiet_days_after_contact`` follow the borrower's last word
    or payment; a step that is more than ``days_late`` late is left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    per_thirty_days: Annotated[int, Field(ge=1, le=4)]
    least_owed_fen: Annotated[int, Field(ge=1)]
    quiet_days_after_contact: Annotated[int, Field(ge=1)]
    days_late: Annotated[int, Field(ge=0, le=10)]
    creditor_kinds: list[str]
    steps: Annotated[list[LadderStage], Field(min_length=1)]

    @classmethod
    def load(cls, path: Path) -> Ladder:
        """Read a ladder.

        Raises:
            LadderError: the file is unreadable, or a value breaks one of the rules above.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "steps"
            raise LadderError(f"{path.name}: {key}: {first['msg']}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise LadderError(f"{path.name}: {error}") from None

    @model_validator(mode="after")
    def _widens(self) -> Self:
        for earlier, later in pairwise(self.steps):
            if later.from_day != earlier.to_day + 1:
                raise ValueError(f"steps: {later.stage} must begin the day after {earlier.stage} ends")
        if len({step.stage for step in self.steps}) < len(self.steps):
            raise ValueError("steps: a stage is named twice")
        days = self.days
        gaps = [later - earlier for earlier, later in pairwise(days)]
        if any(gap < 1 for gap in gaps) or any(later < earlier for earlier, later in pairwise(gaps)):
            raise ValueError("steps: the days between two notices must never become fewer")
        for first, beyond in zip(days, days[self.per_thirty_days :], strict=False):
            if beyond - first < _THIRTY_DAYS:
                raise ValueError(f"steps: more than {self.per_thirty_days} notices in the thirty days from day {first}")
        return self

    @property
    def days(self) -> tuple[int, ...]:
        """Every day past due on which a notice is planned, in order."""
        return tuple(day for step in self.steps for day in step.days)

    def stage_of(self, days_past_due: int) -> str | None:
        """The stage of a debt so many days past due; None before the first and after the last."""
        return next((step.stage for step in self.steps if step.from_day <= days_past_due <= step.to_day), None)
