"""``bot up``: everything on one machine, ready for a first conversation."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

import httpx
from sqlalchemy.exc import SQLAlchemyError

from bot.identity.roles import Role
from bot.model import (
    RUNTIME_PYTHON,
    Model,
    TrainingFailed,
    ensure_model,
    fingerprint,
    rasa_environment,
    ready_model,
    unusable_models,
)
from bot.release.shelf import Shelf, ShelfFault
from bot.services import demo, operators
from bot.services.deps import Deps, make_deps
from bot.settings import ROOT, Settings
from bot.store.migrate import upgrade
from bot.store.vault import VaultKeyError
from bot.supervisor import Program, Supervisor


class NotPossible(Exception):
    """The desk cannot be started. The text names the setting to change."""


PREPARE_ERRORS = (VaultKeyError, TrainingFailed, NotPossible)
"""What ``prepare`` may fail with; the text says what to mend."""

READY_SECONDS = 180
DEMO_OPERATOR = "supervisor"


def prepare(settings: Settings) -> tuple[Deps, Model, str | None]:
    """Bring database, demo accounts and model up to date. Returns the first operator's password if it was just made."""
    _refuse_taken_ports(settings)
    say("database: migrating")
    try:
        upgrade(settings.sqlalchemy_url)
    except SQLAlchemyError as error:
        raise NotPossible(f"DESK_DATABASE_URL: the database cannot be used ({type(error).__name__})") from error
    deps = make_deps(settings)
    password = None
    if settings.mode == "demo":
        demo.seed(deps)
        if not operators.any_exists(deps):
            password = secrets.token_urlsafe(9)
            operators.create(deps, DEMO_OPERATOR, "演示主管", Role.SUPERVISOR, password)
            say(f"console login: {DEMO_OPERATOR} / {password}   (shown only now)")
    model = served_model(settings)
    say(f"model: {model.path.name}")
    return deps, model, password


def served_model(settings: Settings, root: Path = ROOT) -> Model:
    """Return the model that was promoted; where none ever was, the one that fits the sources, trained if need be.

    A promoted model whose file is damaged gives way to the one before it, and that is said.

    Raises:
        NotPossible: models were promoted, and none of them is whole; or their folder cannot be used.
        bot.model.TrainingFailed: training reported an error.
    """
    try:
        return _served(settings, root)
    except FileNotFoundError:
        raise  # a program that is missing, not the folder: that would have been made
    except OSError as error:
        raise NotPossible(unusable_models(settings, error)) from error


def _served(settings: Settings, root: Path) -> Model:
    shelf = Shelf(settings.models_dir)
    ready: Model | None = None
    try:
        ready = ready_model(settings, root)
    except OSError as error:
        if not shelf.promotions():
            raise
        say(unusable_models(settings, error))
    promoted = shelf.served()
    if isinstance(promoted, ShelfFault):
        say(f"model: the promoted one cannot be served: {promoted.value}")
        if (whole := shelf.last_whole()) is None:
            raise NotPossible(
                f"{settings.models_dir}: no promoted model is whole; run `bot train` and `bot model promote`"
            )
        return whole
    if promoted is not None:
        if promoted.fingerprint != fingerprint(root):
            say("model: the promoted one was made from other sources than these; `bot train`, then `bot model promote`")
        return promoted
    if ready is None:
        say("model: the training data is new or has changed; training (about a minute)")
    return ensure_model(settings, root)


def _refuse_taken_ports(settings: Settings) -> None:
    for name in ("gateway_port", "rasa_port", "actions_port"):
        port = int(getattr(settings, name))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.gateway_host if name == "gateway_port" else "127.0.0.1", port))
            except OSError as error:
                raise NotPossible(f"DESK_{name.upper()}: port {port} cannot be used ({error.strerror})") from error


async def serve(settings: Settings, deps: Deps, model: Model, password: str | None) -> int:
    """Start everything, wait until a turn answers, print where to go, and stay until Ctrl-C."""
    supervisor = Supervisor(programs(settings, model), announce=say)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await supervisor.start()
    try:
        if not await _answers(settings, stop):
            if not stop.is_set():
                say(f"not ready after {READY_SECONDS} s; the logs in {settings.var_dir / 'log'} say why")
                return 1
            return 0
        _welcome(settings, deps, password)
        await stop.wait()
    finally:
        say("stopping")
        await supervisor.stop()
        say("stopped")
    return 0


def programs(settings: Settings, model: Model) -> list[Program]:
    """Return the desk's processes: rasa, actions, gateway (with the console) and scheduler."""
    logs = settings.var_dir / "log"
    environment = _environment(settings)
    rasa = rasa_command(settings, model)

    def desk(name: str) -> Program:
        command = [sys.executable, "-m", "bot.cli", "run", name]
        return Program(name, command, environment, ROOT, logs / f"{name}.log")

    return [
        Program("rasa", rasa, rasa_environment(settings), ROOT, logs / "rasa.log"),
        desk("actions"),
        desk("gateway"),
        desk("scheduler"),
    ]


def rasa_command(settings: Settings, model: Model) -> list[str]:
    """Return the command line of the Rasa process, to be run in the project's root."""
    command = [str(RUNTIME_PYTHON), "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(settings.rasa_port)]
    return [
        *command,
        *("--model", str(model.path), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"),
    ]


def say(line: str) -> None:
    """Print one line for the person at the terminal."""
    print(f"· {line}", flush=True)  # noqa: T201  # this is the command's output


def _environment(settings: Settings) -> dict[str, str]:
    """Pass the settings on as environment variables; each process reads and checks them again."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **settings.as_environment()}


async def _answers(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait until the gateway is up and the engine answers through its channel."""
    base = f"http://{settings.gateway_host}:{settings.gateway_port}"
    say("starting rasa, actions, gateway and scheduler")
    async with httpx.AsyncClient(timeout=5.0) as http:
        for _ in range(READY_SECONDS * 2):
            if stop.is_set():
                return False
            if await _one_turn(http, settings, base):
                return True
            await asyncio.sleep(0.5)
    return False


async def _one_turn(http: httpx.AsyncClient, settings: Settings, base: str) -> bool:
    try:
        health = await http.get(f"{base}/health")
        if health.status_code != httpx.codes.OK or not health.json().get("engine"):
            return False
        turn = await http.post(
            f"{settings.rasa_url}/webhooks/gateway/turn",
            headers={"x-desk-secret": settings.rasa_secret.get_secret_value()},
            json={"sender": "readiness", "message_id": secrets.token_hex(8), "text": "会上征信吗"},
        )
    except (httpx.HTTPError, ValueError):
        return False
    return turn.status_code == httpx.codes.OK and bool(turn.json().get("messages"))


def _welcome(settings: Settings, deps: Deps, password: str | None) -> None:
    base = settings.public_origin or f"http://{settings.gateway_host}:{settings.gateway_port}"
    say("ready")
    say(f"borrower's chat      {base}/")
    say(f"operators' console   {base}/console/")
    if settings.mode != "demo":
        return
    if password is not None:
        say(f"console login        {DEMO_OPERATOR} / {password}   (will not be shown again)")
    else:
        say("console login        as before; `bot operator create` makes another")
    say("people to be (phone, last four of the identity number):")
    for person in demo.demo_identities(deps):
        say(f"   {person.phone}  {person.id_tail}  {person.name}: {person.situation}")
    say("Ctrl-C stops everything")
