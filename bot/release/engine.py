"""Asking a model of any day, in the engine's own environment, how it decides recorded turns."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from bot.model import RUNTIME_PYTHON, Model, rasa_environment
from bot.settings import ROOT, Settings

_LONGEST_SECONDS = 600


class ReplayFailed(Exception):
    """The model could not be asked. The text holds the end of what the engine printed."""


class _Button(BaseModel):
    title: str
    payload: str


class SaidAgain(BaseModel):
    """One message made anew, in Simplified script. ``template`` is None for words made without one."""

    text: str
    buttons: list[_Button] = []
    template: str | None = None
    values: dict[str, object] = {}


class DecidedAgain(BaseModel):
    """One turn decided anew."""

    intent: str | None
    confidence: float | None
    also_asked: str | None
    actions: list[str]
    messages: list[SaidAgain]


class _Answer(BaseModel):
    turns: dict[str, DecidedAgain | None]


@dataclass(frozen=True, slots=True)
class Tape:
    """What the engine recorded of one conversation, in its own form, and the messages to be decided anew."""

    events: Sequence[Mapping[str, object]]
    turns: Sequence[str]


def decide_again(settings: Settings, model: Model, tape: Tape) -> dict[str, DecidedAgain | None]:
    """Return each turn as the model decides it now; None for one that the record does not hold.

    Raises:
        ReplayFailed: the model could not be loaded, or did not answer.
    """
    try:
        done = subprocess.run(  # noqa: S603  # fixed command, no shell
            [str(RUNTIME_PYTHON), "-m", "bot.nlu.replay", str(model.path)],
            input=json.dumps({"events": list(tape.events), "turns": list(tape.turns)}, ensure_ascii=False),
            cwd=ROOT,
            env=rasa_environment(settings),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=_LONGEST_SECONDS,
        )
        if done.returncode != 0:
            raise ReplayFailed(done.stderr[-2000:])
        return _Answer.model_validate_json(done.stdout.splitlines()[-1]).turns
    except (subprocess.TimeoutExpired, ValidationError, IndexError) as error:
        raise ReplayFailed(type(error).__name__) from error
