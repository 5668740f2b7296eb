"""Commands for the lender's core system: accounts in, events out, who may call, where events are posted."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import deps_or_stop, settings_or_stop, stop
from bot.services.api_clients import Scope

_COLUMNS = ("seq", "kind", "happened_at", "contract_numbers", "detail")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    accounts = typer.Typer(no_args_is_help=True, help="Accounts from the lender.")
    accounts.command("products")(accounts_products)
    accounts.command("import")(accounts_import)
    app.add_typer(accounts, name="accounts")
    events = typer.Typer(no_args_is_help=True, help="Outcomes and contacts for the lender.")
    events.command("export")(events_export)
    app.add_typer(events, name="events")
    api = typer.Typer(no_args_is_help=True, help="The systems that may call the desk, and their keys.")
    api.command("clients")(api_list)
    api.command("create")(api_create)
    api.command("close")(api_close)
    api.command("key")(api_key)
    api.command("revoke")(api_revoke)
    api.command("openapi")(api_openapi)
    app.add_typer(api, name="api")
    webhook = typer.Typer(no_args_is_help=True, help="Addresses that events are posted to.")
    webhook.command("add")(webhook_add)
    webhook.command("close")(webhook_close)
    webhook.command("list")(webhook_list)
    webhook.command("dead")(webhook_dead)
    webhook.command("resend")(webhook_resend)
    app.add_typer(webhook, name="webhook")


def accounts_products(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML, see docs/integration.md")],
) -> None:
    """Write creditors and their products; accounts name them."""
    from bot.services import account_intake  # noqa: PLC0415  # so that --help is quick

    try:
        creditors, products = account_intake.import_products(deps_or_stop(settings_or_stop()), file)
    except account_intake.ProductsRefused as error:
        stop(str(error))
    typer.echo(f"{creditors} creditors, {products} products")


def accounts_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, see docs/integration.md")],
) -> None:
    """Take the accounts of a file; each row whole or not at all. Exit code 1 if a row was refused, 2 if the file."""
    from bot.services import account_fields, account_intake  # noqa: PLC0415
    from bot.services.csv_rows import FileRefusal  # noqa: PLC0415

    report = account_intake.import_accounts(deps_or_stop(settings_or_stop()), file.read_bytes())
    if isinstance(report, FileRefusal):
        stop(f"{file.name}: {report.sentence(account_fields.REQUIRED)}")
    typer.echo(report.to_text())
    if report.refused:
        raise typer.Exit(1)


def events_export(
    after: Annotated[int, typer.Option(min=0, help="the number that was read last")] = 0,
) -> None:
    """Print events after a number as CSV, in order. The last number printed is where to go on from."""
    from bot.services import lender_events  # noqa: PLC0415

    deps = deps_or_stop(settings_or_stop())
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    while page := lender_events.feed(deps, after):
        for event in page:
            told = event.to_json()
            numbers = sorted({debt["contract_number"] for debt in told["detail"]["debts"]})
            detail = json.dumps(told["detail"], ensure_ascii=False, sort_keys=True)
            writer.writerow([event.seq, event.kind, told["happened_at"], " ".join(numbers), detail])
        after = page[-1].seq


def api_list() -> None:
    """List the systems that may call, with their keys; ``-`` marks what no longer holds."""
    from bot.services import api_clients  # noqa: PLC0415

    for client in api_clients.listing(deps_or_stop(settings_or_stop())):
        typer.echo(f"{' ' if client.is_open else '-'} {client.name}: {', '.join(client.scopes)}")
        for key in client.keys:
            ends = f", ends {key.expires_at:%Y-%m-%d}" if key.expires_at else ""
            used = f"last used {key.last_used_on}" if key.last_used_on else "never used"
            typer.echo(f"  {' ' if key.holds else '-'} {key.id} made {key.created_at:%Y-%m-%d}{ends}, {used}")


def api_create(
    name: Annotated[str, typer.Argument(help="1 to 40 of the characters a-z 0-9 -")],
    scope: Annotated[list[Scope], typer.Option(help="what it may do; can be given several times")],
) -> None:
    """Let a system call the desk. It needs a key next."""
    from bot.services import api_clients  # noqa: PLC0415

    if refusal := api_clients.create(deps_or_stop(settings_or_stop()), name, scope):
        stop(f"{name}: {refusal.value}")
    typer.echo(f"created {name}; `bot api key {name}` makes its first key")


def api_close(name: Annotated[str, typer.Argument(help="from `bot api clients`")]) -> None:
    """Let a system call no more, and post nothing more to it."""
    from bot.services import api_clients  # noqa: PLC0415

    if refusal := api_clients.close(deps_or_stop(settings_or_stop()), name):
        stop(f"{name}: {refusal.value}")
    typer.echo(f"closed {name}")


def api_key(
    name: Annotated[str, typer.Argument(help="from `bot api clients`")],
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="after how many days it ends by itself")] = None,
) -> None:
    """Make a key and print it: it is shown only now. Older keys of the client go on to hold."""
    from bot.services import api_clients  # noqa: PLC0415

    made = api_clients.issue_key(deps_or_stop(settings_or_stop()), name, days)
    if isinstance(made, api_clients.ClientRefusal):
        stop(f"{name}: {made.value}")
    typer.echo(made)


def api_revoke(key_id: Annotated[str, typer.Argument(help="the key's id, from `bot api clients`")]) -> None:
    """End a key now."""
    from bot.services import api_clients  # noqa: PLC0415

    if refusal := api_clients.revoke_key(deps_or_stop(settings_or_stop()), key_id):
        stop(f"{key_id}: {refusal.value}")
    typer.echo(f"revoked {key_id}")


def api_openapi() -> None:
    """Print the description of the interface, OpenAPI 3.1; it is kept in docs/openapi.json."""
    from bot.channels.lender_api import openapi_text  # noqa: PLC0415

    typer.echo(openapi_text(deps_or_stop(settings_or_stop())), nl=False)


def webhook_add(
    client: Annotated[str, typer.Argument(help="from `bot api clients`")],
    url: Annotated[str, typer.Argument(help="https:// address")],
    everything: Annotated[bool, typer.Option("--everything", help="also what has happened until now")] = False,
) -> None:
    """Have events posted to an address, and print the secret it knows the desk by: it is shown only now."""
    from bot.services import webhooks  # noqa: PLC0415

    made = webhooks.register(deps_or_stop(settings_or_stop()), client, url, from_beginning=everything)
    if isinstance(made, webhooks.WebhookRefusal):
        stop(made.value)
    typer.echo(f"{made.id}\nsecret {made.secret}")


def webhook_close(webhook_id: Annotated[str, typer.Argument(help="from `bot webhook list`")]) -> None:
    """Post nothing more to an address."""
    from bot.services import webhooks  # noqa: PLC0415

    if refusal := webhooks.close(deps_or_stop(settings_or_stop()), webhook_id):
        stop(refusal.value)
    typer.echo(f"closed {webhook_id}")


def webhook_list() -> None:
    """List the addresses and how their deliveries stand; ``-`` marks a closed one."""
    from bot.services import webhooks  # noqa: PLC0415

    for one in webhooks.listing(deps_or_stop(settings_or_stop())):
        mark = " " if one.is_open else "-"
        typer.echo(f"{mark} {one.id} {one.client} {one.url}: {one.pending} waiting, {one.dead} given up")


def webhook_dead() -> None:
    """List events that were given up, with why. Exit code 1 if there are some."""
    from bot.services import webhooks  # noqa: PLC0415

    letters = webhooks.dead_letters(deps_or_stop(settings_or_stop()))
    for one in letters:
        typer.echo(f"{one.delivery_id} event {one.seq} {one.kind} to {one.url}: {one.last_error}")
    typer.echo(f"{len(letters)} given up")
    if letters:
        raise typer.Exit(1)


def webhook_resend(
    delivery: Annotated[list[str] | None, typer.Argument(help="from `bot webhook dead`; without any, all")] = None,
) -> None:
    """Put events that were given up on their way again."""
    from bot.services import webhooks  # noqa: PLC0415

    typer.echo(f"{webhooks.send_again(deps_or_stop(settings_or_stop()), delivery or None)} on their way again")
