"""The command line: ``bot --help`` lists the commands."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot import cli_data, cli_lender, cli_model, logs
from bot.cli_base import deps_or_stop as _deps
from bot.cli_base import settings_or_stop as _settings
from bot.cli_base import stop as _stop
from bot.identity.roles import Role

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Self-service desk for borrowers in arrears.")
db = typer.Typer(no_args_is_help=True, help="The accounts database.")
operator = typer.Typer(no_args_is_help=True, help="The people at the desk.")
payments = typer.Typer(no_args_is_help=True, help="Payments from the lender.")
app.add_typer(db, name="db")
app.add_typer(operator, name="operator")
app.add_typer(payments, name="payments")
export = typer.Typer(no_args_is_help=True, help="Copies of their data that borrowers were given.")
app.add_typer(export, name="export")
retention = typer.Typer(no_args_is_help=True, help="What has been kept long enough.")
app.add_typer(retention, name="retention")
policy = typer.Typer(no_args_is_help=True, help="The relief that the lender has approved.")
app.add_typer(policy, name="policy")
search = typer.Typer(no_args_is_help=True, help="Looking through transcripts.")
app.add_typer(search, name="search")
reminders = typer.Typer(no_args_is_help=True, help="What is sent to borrowers by itself.")
app.add_typer(reminders, name="reminders")
telegram = typer.Typer(no_args_is_help=True, help="The Telegram channel.")
app.add_typer(telegram, name="telegram")
cli_data.add_to(app)
cli_lender.add_to(app)
cli_model.add_to(app)


@app.command()
def up() -> None:
    """Start everything on this machine and wait for Ctrl-C."""
    from bot import up as desk

    settings = _settings()
    try:
        deps, model, password = desk.prepare(settings)
    except desk.PREPARE_ERRORS as error:
        _stop(str(error))
    raise typer.Exit(asyncio.run(desk.serve(settings, deps, model, password)))


@app.command(hidden=True)
def run(process: Annotated[Literal["actions", "gateway", "rasa", "scheduler"], typer.Argument()]) -> None:
    """Run one of the desk's processes in the foreground; supervisors call this."""
    import uvicorn

    settings = _settings()
    if process == "rasa":
        cli_model.run_rasa(settings)
    logs.configure(as_json=settings.mode != "demo")
    deps = _deps(settings)
    if process == "scheduler":
        from bot import scheduler

        scheduler.run(deps)
        return
    if process == "actions":
        from actions.server import make_app as make_actions

        uvicorn.run(make_actions(deps), host="127.0.0.1", port=settings.actions_port, log_config=None, access_log=False)
        return
    from bot.channels.handshake import StrictHandshake
    from bot.gateway import make_app

    config = uvicorn.Config(
        make_app(deps, stopping=lambda: server.should_exit),
        host=settings.gateway_host,
        port=settings.gateway_port,
        log_config=None,
        access_log=False,
        http=StrictHandshake,
        ws_max_size=1_000_000,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.run()


@app.command("nlu-eval")
def nlu_eval(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TSV: id, label, text")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of tables")] = False,
) -> None:
    """Measure how the trained model reads labelled messages."""
    from bot.nlu_scores import predict, read_messages, score

    rows = read_messages(file)
    report = score(rows, predict(_settings(), [row.text for row in rows]))
    typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=1) if as_json else report.to_text())


@app.command("nlu-report")
def nlu_report(
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="TSV: id, label, text; without any, the held-out messages"),
    ] = None,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="folder to write into; var/nlu-report")] = None,
    yardstick: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, envvar="DESK_YARDSTICK", help="folder with more messages.tsv"),
    ] = None,
    set_floors: Annotated[bool, typer.Option("--set-floors", help="set data/nlu_floors.yml anew")] = False,
) -> None:
    """Write a report on how the trained model reads: figures, spoilt messages, crisis guard, pictures, changes."""
    from bot.care.crisis import LexiconError
    from bot.model import TrainingFailed
    from bot.nlu_report import live, sets
    from bot.nlu_scores import EvaluationError
    from bot.text.character_scorer import ScorerError

    def say(line: str) -> None:
        typer.echo(f"· {line}", err=True)

    settings = _settings()
    folder = out or settings.var_dir / "nlu-report"
    deps = _deps(settings)
    try:
        defaults = sets.default_files(yardstick)
        measured = sets.read_sets(sets.named_files(files, defaults) if files else defaults)
        report = live.make_report(settings, deps.crisis_guard, measured, folder, deps.now(), say)
        if set_floors:
            live.set_floors(report, say)
    except TrainingFailed as error:
        _stop(f"training failed:\n{error}")
    except (EvaluationError, LexiconError, ScorerError, OSError) as error:
        _stop(str(error))
    for one in report.sets:
        typer.echo(f"{one.name}: {one.accuracy.count} of {one.accuracy.of} right, macro-F1 {one.macro_f1:.3f}")
    typer.echo(str(folder / "report.md"))


@app.command("values-eval")
def values_eval(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TSV: id, kind, text, gold")],
    now: Annotated[str, typer.Option(help="the instant the texts were written, ISO 8601 with offset")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of tables")] = False,
) -> None:
    """Measure how amounts, dates and other values are read."""
    from bot.clock import SHANGHAI
    from bot.text.value_scores import parse_rows, score

    try:
        instant = datetime.fromisoformat(now)
    except ValueError:
        _stop(f"--now: {now!r} is not an ISO 8601 instant")
    report = score(
        parse_rows(file.read_text("utf-8").splitlines()),
        instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI),
    )
    typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=1) if as_json else report.to_text())


@db.command()
def migrate() -> None:
    """Bring the database up to date."""
    from bot.store.migrate import current, upgrade

    url = _settings().sqlalchemy_url
    upgrade(url)
    typer.echo(f"database at {current(url)}")


@db.command()
def wait(
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="how long at most")] = 600,
) -> None:
    """Wait until the database has the schema that this release needs, or a later one; exit code 1 if not."""
    from bot.services import health

    if not health.wait_until_ready(_deps(_settings()), seconds):
        typer.echo(f"after {seconds} s the database does not have this release's schema: `bot db migrate`", err=True)
        raise typer.Exit(1)
    typer.echo("ready")


@db.command()
def seed() -> None:
    """Write the demo accounts; harmless when they are there. Refused outside demo mode."""
    from bot.services import demo

    deps = _deps(_settings())
    typer.echo(str(demo.seed(deps)))


@operator.command()
def create(
    login: Annotated[str, typer.Argument(help="name to log in with")],
    display_name: Annotated[str, typer.Option(prompt=True, help="name that borrowers see")],
    role: Annotated[Role, typer.Option(help="what the operator may do")] = Role.AGENT,
    team: Annotated[str, typer.Option(help="whose conversations an agent sees beside their own")] = "",
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="DESK_OPERATOR_PASSWORD")
    ] = "",
) -> None:
    """Create an operator, who chooses a password of their own at the first login."""
    from bot.services import operators

    result = operators.create(_deps(_settings()), login, display_name, role, password, team, must_change=True)
    if isinstance(result, operators.CreateRefusal):
        _stop(
            {
                operators.CreateRefusal.TAKEN: f"the login {login!r} is taken",
                operators.CreateRefusal.PASSWORD_TOO_SHORT: (
                    f"the password needs at least {operators.PASSWORD_MINIMUM} characters"
                ),
                operators.CreateRefusal.TEAM_TOO_LONG: (
                    f"a team's name has at most {operators.LONGEST_TEAM} characters"
                ),
            }[result]
        )
    typer.echo(f"created {login}")


@operator.command()
def reset(
    login: Annotated[str, typer.Argument(help="name to log in with")],
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="DESK_OPERATOR_PASSWORD")
    ] = "",
) -> None:
    """Give an operator a first password again, forget their authenticator app, and log them out."""
    from bot.services import operator_login, operators

    done = operator_login.reset(_deps(_settings()), login, password)
    if done is not True:
        _stop(
            f"there is no operator {login!r}"
            if done is False
            else f"the password needs at least {operators.PASSWORD_MINIMUM} characters"
        )
    typer.echo(f"{login}: choose a password and set up the app at the next login")


@operator.command()
def team(
    login: Annotated[str, typer.Argument(help="name to log in with")],
    name: Annotated[str, typer.Argument(help="the team; none takes the operator out of theirs")] = "",
) -> None:
    """Put an operator into a team: agents see what is theirs or their team's, and what is no team's yet."""
    from bot.services import assignment, operators

    if (refusal := assignment.put_into_team(_deps(_settings()), login, name)) is not None:
        _stop(
            f"there is no operator {login!r}"
            if refusal is assignment.TeamRefusal.UNKNOWN
            else f"a team's name has at most {operators.LONGEST_TEAM} characters"
        )
    typer.echo(f"{login}: {name or 'in no team'}")


@payments.command("import")
def import_payments(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, see docs/lending.md")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen and book nothing")] = False,
) -> None:
    """Book the payments of a file; each row whole or not at all. Exit code 1 if a row was rejected, 2 if the file."""
    from bot.services import payment_import, payments
    from bot.services.csv_rows import FileRefusal

    report = payment_import.import_payments(_deps(_settings()), file.read_bytes(), file.name, is_dry_run=dry_run)
    if isinstance(report, FileRefusal):
        _stop(f"{file.name}: {report.sentence(payments.FIELDS)}")
    typer.echo(report.to_text())
    if report.rejects:
        raise typer.Exit(1)


@reminders.command()
def preview(
    borrower: Annotated[str, typer.Option(help="the borrower's id or phone number")],
    days: Annotated[int, typer.Option(min=1, max=366, help="how many days ahead")] = 30,
) -> None:
    """Show what would be sent to a borrower, when, over which channel, and why not. Writes nothing."""
    from bot.services import notice_preview

    lines = notice_preview.preview(_deps(_settings()), borrower, days)
    if isinstance(lines, notice_preview.UnknownBorrower):
        _stop("no such borrower")
    for line in lines:
        typer.echo(line.to_text())
    typer.echo(f"{sum(line.outcome == 'sent' for line in lines)} of {len(lines)} would be sent")


@export.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the file as it was handed over")],
    public_key: Annotated[str | None, typer.Option(help="the desk's key, from `bot export public-key`")] = None,
) -> None:
    """Check that a copy of data is whole and unchanged, and signed by the desk. Exit code 1 if it is not.

    Needs the file only: no settings, no database, no network.
    """
    from bot.documents.export_chain import ExportRefused, verify_export

    found = verify_export(file.read_bytes(), public_key)
    if isinstance(found, ExportRefused):
        at = f" (record {found.record})" if found.record is not None else ""
        typer.echo(f"{file.name}: {found.fault.value}{at}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{found.number}, made {found.made_at}: whole and unchanged, {sum(found.counts.values())} records")
    for kind, count in found.counts.items():
        typer.echo(f"  {kind} {count}")
    typer.echo(f"signed by {found.public_key}" + ("" if public_key else " (compare with the key the desk publishes)"))


@search.command()
def rebuild() -> None:
    """Make the full-text index of transcripts anew, while the desk serves. Harmless to stop and to repeat."""
    from bot.services import search_index

    typer.echo(f"{search_index.rebuild(_deps(_settings()))} messages can be found")


@export.command("public-key")
def public_key() -> None:
    """Print the key that copies of data are signed by, to be published where borrowers can find it."""
    typer.echo(_deps(_settings()).vault.public_key())


@retention.command("run")
def run_retention() -> None:
    """Delete what has been kept long enough, now. Harmless to repeat."""
    from bot.services import retention as jobs

    for what, count in jobs.run(_deps(_settings())).counts().items():
        typer.echo(f"{what} {count}")


@policy.command()
def check(
    against: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="folder with other policies: list whom they would touch"),
    ] = None,
) -> None:
    """Prove that the policies answer every case once. Exit code 1 if they do not, with file, line and rule.

    With --against the other policies are checked as well, and every stored negotiation that would come out differently
    under them is listed; nothing is changed.
    """
    from bot.services import policy_review

    settings = _settings()
    reviews = [policy_review.review(folder) for folder in (settings.policies_dir, against) if folder is not None]
    faults = [str(fault) for each in reviews for fault in each.faults]
    if faults:
        typer.echo("\n".join(faults), err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(reviews[0].policies)} policies: no gap, no overlap")
    if against is not None:
        impact = policy_review.impact(_deps(settings), reviews[1].policies)
        typer.echo("\n".join(policy_review.lines_of(impact)))


@telegram.callback()
def _telegram() -> None:
    """Keep the command a command of its group although it is alone there."""


@telegram.command()
def doctor() -> None:
    """Check token, rights, webhook, menu and clock, and say what to do. Exit code 1 if something is wrong."""
    from bot.channels import telegram_doctor

    findings = asyncio.run(telegram_doctor.examine(_settings()))
    typer.echo("\n".join(finding.to_text() for finding in findings))
    if any(finding.verdict is telegram_doctor.Verdict.FAULT for finding in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
