"""What every command begins and ends with: settings, dependencies, and a reason for stopping."""

from __future__ import annotations

from typing import NoReturn

import typer

from bot.services.deps import Deps, make_deps
from bot.settings import Settings, SettingsError, load_settings
from bot.store.vault import VaultKeyError


def settings_or_stop() -> Settings:
    """Return the settings, or stop naming those that are missing, malformed or unsafe."""
    try:
        return load_settings()
    except SettingsError as error:
        stop(str(error))


def deps_or_stop(settings: Settings) -> Deps:
    """Return what use cases need, or stop naming the key that is malformed."""
    from bot.channels.code_webhook import WebhookCodeSender  # noqa: PLC0415  # so that --help is quick

    sender = (
        WebhookCodeSender(settings.code_webhook_url, settings.code_webhook_key.get_secret_value())
        if settings.code_webhook_url
        else None
    )
    try:
        return make_deps(settings, code_sender=sender)
    except VaultKeyError as error:
        stop(str(error))


def stop(reason: str) -> NoReturn:
    """Say why a command cannot go on and end it with exit code 2."""
    typer.echo(reason, err=True)
    raise typer.Exit(2)
