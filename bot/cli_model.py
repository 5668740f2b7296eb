"""Commands about the trained model: training, serving another one, comparing two, deciding old turns anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli_base import deps_or_stop, settings_or_stop, stop
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from bot.release.shelf import Shelf

UNDECIDED = 3
"""Exit code of a replay in which nothing differed, but not everything could be decided anew."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("train")(train)
    app.command("replay")(replay)
    app.command("simulate")(simulate)
    model = typer.Typer(no_args_is_help=True, help="The trained models that are kept, and which of them is served.")
    model.command("list")(model_list)
    model.command("promote")(model_promote)
    model.command("rollback")(model_rollback)
    model.command("shadow")(model_shadow)
    app.add_typer(model, name="model")


def train(
    report: Annotated[bool, typer.Option(help="measure on the held-out messages and keep the figures")] = True,
) -> None:
    """Train the model if what it is made from has changed. What is served does not change by that."""
    from bot.model import TrainingFailed, ensure_model  # noqa: PLC0415  # so that --help is quick
    from bot.nlu_scores import EvaluationError  # noqa: PLC0415
    from bot.release import quality  # noqa: PLC0415
    from bot.release.shelf import ShelfFault  # noqa: PLC0415

    settings = settings_or_stop()
    try:
        with _shelf(settings) as shelf:
            model = ensure_model(settings)
            record = shelf.record(model.fingerprint)
            if isinstance(record, ShelfFault):
                stop(f"{model.path}: {record.value}; delete it and train again")
            file = quality.heldout_file()
            if report and record.quality is None and file is not None:
                typer.echo("measuring", err=True)
                shelf.add_quality(model.fingerprint, quality.measure(settings, model, file))
    except TrainingFailed as error:
        stop(f"training failed:\n{error}")
    except EvaluationError as error:
        stop(str(error))
    typer.echo(str(model.path))


def simulate(
    borrowers: Annotated[int, typer.Option(min=1, help="how many")] = 200,
    seed: Annotated[int, typer.Option(help="with the same number, the same seed makes the same people")] = 1,
    days: Annotated[int | None, typer.Option(min=1, help="straight through the services for so many days")] = None,
) -> None:
    """Let invented borrowers talk with a desk of their own, or live through days; exit code 1 if anything is wrong."""
    script = ROOT / "bench" / "simulate.py"
    if not script.is_file():
        stop("simulations need a clone of the project: their people are kept with its tests")
    how = ["--dialogue"] if days is None else ["--days", str(days)]
    words = [sys.executable, str(script), "--people", str(borrowers), "--seed", str(seed), *how]
    raise typer.Exit(subprocess.run(words, check=False, cwd=ROOT).returncode)  # noqa: S603  # its own script


def model_list() -> None:
    """List the models that are kept, the newest first; ``*`` marks the one that is served."""
    from bot.model import fingerprint  # noqa: PLC0415
    from bot.release.shelf import ShelfFault  # noqa: PLC0415

    fitting = fingerprint()
    with _shelf(settings_or_stop()) as shelf:
        promotions, listing = shelf.promotions(), shelf.listing()
    if isinstance(promotions, ShelfFault):
        typer.echo(promotions.value, err=True)
    for one in listing:
        line = f"{'*' if one.is_served else ' '} {one.fingerprint}"
        if isinstance(one.record, ShelfFault):
            typer.echo(f"{line}  {one.record.value}")
            continue
        measured = one.record.quality
        reads = f"{measured.right} of {measured.rows}, macro-F1 {measured.macro_f1:.3f}" if measured else "not measured"
        fits = "  fits these sources" if one.fingerprint == fitting else ""
        typer.echo(f"{line}  trained {one.record.trained_at:%Y-%m-%d %H:%M}Z  {reads}{fits}")
    if not promotions:
        typer.echo("none was promoted: the one that fits the sources is served")


def model_promote(
    fingerprint: Annotated[str, typer.Argument(help="from `bot model list`")],
    untested: Annotated[bool, typer.Option("--untested", help="also without figures on the held-out messages")] = False,
) -> None:
    """Serve a model from the next start of Rasa on. Refused for a file that is not whole."""
    from bot.release.shelf import ShelfFault  # noqa: PLC0415

    with _shelf(settings_or_stop()) as shelf:
        record = shelf.record(fingerprint)
        if not isinstance(record, ShelfFault) and record.quality is None and not untested:
            stop(f"{fingerprint}: not measured; run `bot train` with its sources, or say --untested")
        promoted = shelf.promote(fingerprint, datetime.now(UTC))
    if isinstance(promoted, ShelfFault):
        stop(f"{fingerprint}: {promoted.value}")
    typer.echo(f"{fingerprint} will be served once Rasa is started again")


def model_rollback() -> None:
    """Serve the model from before again, from the next start of Rasa on."""
    from bot.release.shelf import ShelfFault  # noqa: PLC0415

    with _shelf(settings_or_stop()) as shelf:
        back = shelf.rollback()
    if isinstance(back, ShelfFault):
        stop(back.value)
    typer.echo(f"{back.fingerprint} will be served once Rasa is started again")


def model_shadow(
    fingerprint: Annotated[str, typer.Argument(help="the candidate, from `bot model list`")],
    days: Annotated[int, typer.Option(min=1, max=366, help="how far back messages are taken from")] = 30,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="how many different messages at most")] = 2_000,
) -> None:
    """Read what borrowers wrote with the served model and with a candidate, and list what comes out otherwise.

    Messages are stripped of what points to a person before either model sees them. Nothing is changed.
    """
    from bot.model import Model, model_path  # noqa: PLC0415
    from bot.nlu_scores import EvaluationError, read_all  # noqa: PLC0415
    from bot.release.shadow import compare  # noqa: PLC0415
    from bot.release.shelf import ShelfFault  # noqa: PLC0415
    from bot.services import shadow_turns  # noqa: PLC0415
    from bot.up import NotPossible, served_model  # noqa: PLC0415

    settings = settings_or_stop()
    deps = deps_or_stop(settings)
    with _shelf(settings) as shelf:
        record = shelf.record(fingerprint)
    if isinstance(record, ShelfFault):
        stop(f"{fingerprint}: {record.value}")
    try:
        served = served_model(settings)
    except NotPossible as error:
        stop(str(error))
    candidate = Model(model_path(settings.models_dir, fingerprint), fingerprint)
    texts = shadow_turns.texts_since(deps, deps.now() - timedelta(days=days), most)
    if not texts:
        stop(f"no messages of the last {days} days")
    try:
        now = read_all(settings, texts, model=served).predictions
        then = read_all(settings, texts, model=candidate).predictions
    except EvaluationError as error:
        stop(str(error))
    typer.echo(f"served {served.fingerprint}, candidate {fingerprint}")
    typer.echo(compare(texts, now, then).to_text())


def replay(conversation: Annotated[str, typer.Argument(help="the conversation's id")]) -> None:
    """Decide a conversation anew with the models and rules of its day.

    Exit code 1 if anything comes out otherwise, 3 if nothing does but part of it can no longer be decided.
    """
    from bot.release.engine import ReplayFailed  # noqa: PLC0415
    from bot.release.replaying import replay as decide_anew  # noqa: PLC0415

    settings = settings_or_stop()
    try:
        with _shelf(settings) as shelf:
            report = decide_anew(deps_or_stop(settings), shelf, conversation)
    except ReplayFailed as error:
        stop(f"the model could not be asked:\n{error}")
    if report is None:
        stop("there is no such conversation")
    typer.echo(report.to_text())
    if report.differs:
        raise typer.Exit(1)
    if report.undecided:
        raise typer.Exit(UNDECIDED)


@contextmanager
def _shelf(settings: Settings) -> Iterator[Shelf]:
    """Yield the shelf of models, with the one that came with these sources on it, or stop saying why it cannot."""
    from bot.model import ready_model, unusable_models  # noqa: PLC0415
    from bot.release.shelf import Shelf  # noqa: PLC0415

    try:
        ready_model(settings)
        yield Shelf(settings.models_dir)
    except FileNotFoundError:
        raise  # a program that is missing, not the folder: that would have been made
    except OSError as error:
        stop(unusable_models(settings, error))


def run_rasa(settings: Settings) -> NoReturn:
    """Become the Rasa process, with the model that is served."""
    from bot.model import TrainingFailed, rasa_environment  # noqa: PLC0415
    from bot.up import NotPossible, rasa_command, served_model  # noqa: PLC0415

    try:
        command = rasa_command(settings, served_model(settings))
    except (NotPossible, TrainingFailed) as error:
        stop(str(error))
    os.chdir(ROOT)
    os.execve(command[0], command, dict(rasa_environment(settings)))  # noqa: S606  # fixed command, no shell
