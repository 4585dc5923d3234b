"""``serve``, ``api``, ``project``, ``deliver``, ``migrate``: running the service."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import click
import psycopg

from service import migrate as migrations
from service.commandline.shared import DATABASE, answer, json_option, keys_of, settings, url_of
from service.container import build
from service.embedded import EmbeddedPostgres
from service.feed.showing import Showing
from service.keys import open_keys
from service.logs import set_up
from service.serving import supervise
from service.serving.deliverer import DESKS, terms
from service.serving.deliverer import deliver as run_deliverer
from service.serving.projector import project as run_projector
from service.serving.sealer import prepare
from service.settings import Settings


@click.command()
@click.option("--demo", is_flag=True, help="Load the demo clinic (once) and say how to look at it.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: 8000]"
)
@click.option("--workers", type=click.IntRange(1, 64), help="Web worker processes.  [default: 2]")
def serve(*, demo: bool, host: str | None, port: int | None, workers: int | None) -> None:
    """Run everything in one: database (unless DATABASE_URL), migrations, API and all that goes with it."""
    held = settings()
    held = replace(
        held,
        host=host or held.host,
        port=held.port if port is None else port,
        workers=workers or held.workers or 2,
    )
    quiet = not os.environ.get(
        "PLAN_HISTORY_LOG_LEVEL"
    )  # a person is watching: warnings are enough
    set_up("WARNING" if quiet else held.log_level)
    with (
        supervise.signals() as stop,
        contextlib.closing(supervise.listen(held.host, held.port)) as sock,
        database(held) as (url, owner_url, own),
    ):
        migrations.migrate(owner_url)
        # What is wrong with the keys is said here, not by each worker.
        open_keys(held, owner_url).close()
        prepare(held)
        _, chosen, *_ = sock.getsockname()
        address = f"http://{f'[{held.host}]' if ':' in held.host else held.host}:{chosen}"
        environment = supervise.environment_for(url, held.home)
        environment["PLAN_HISTORY_KEYS"] = held.keys or ""
        environment["PLAN_HISTORY_WORKERS"] = str(held.workers)
        environment["PLAN_HISTORY_LOG_LEVEL"] = "WARNING" if quiet else held.log_level
        with supervise.projector(environment) as projector:
            told = _demo(replace(held, database_url=url), owner_url, address) if demo else []
            with supervise.web(environment, sock) as web:
                _wait_until_ready(address, stop)
                _greet(address, told)
                with (  # last: nobody waits for them
                    supervise.sealer(environment) as sealer,
                    supervise.deliverer(environment) as deliverer,
                ):
                    while not stop.wait(0.5):
                        for server in own:
                            server.look_after()
                        projector.look_after()
                        sealer.look_after()
                        deliverer.look_after()
                        web.look_after()
                    for child in (web, sealer, deliverer):  # none waits for another's end
                        child.ask_to_end()
                click.echo("Stopping: requests in flight are answered first …")
    click.echo("Stopped.")


@contextlib.contextmanager
def database(held: Settings) -> Iterator[tuple[str, str, list[supervise.OwnDatabase]]]:
    """The URLs to serve and to migrate with, and the database of our own if none is configured."""
    if held.database_url:
        yield held.database_url, held.migration_url or held.database_url, []
        return
    with EmbeddedPostgres(held.home, provider=held.embedded) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            there = conn.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if there is None:
                conn.execute(f"CREATE DATABASE {DATABASE}")
        yield server.dsn(DATABASE), server.dsn(DATABASE), [supervise.OwnDatabase(server)]


def _demo(held: Settings, owner_url: str, address: str) -> list[str]:
    from service.demo.clinic import prepare  # noqa: PLC0415 - the demo's texts are loaded only for it

    return prepare(held, owner_url, address)


def _wait_until_ready(address: str, stop: threading.Event) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            if stop.wait(0.05):
                return


def _greet(address: str, told: list[str]) -> None:
    click.echo(f"Plan History is serving at {address}")
    click.echo(f"  the API's description: {address}/docs")
    for line in told:
        click.echo(line)
    click.echo("Ctrl-C ends it.")


@click.command()
def api() -> None:
    """Run the API alone, under gunicorn (DATABASE_URL)."""
    held = settings()
    url_of(held)
    keys_of(held).close()  # what is wrong with them is said here, not by each worker
    environment = dict(os.environ)
    if "PROMETHEUS_MULTIPROC_DIR" not in environment:
        made = tempfile.mkdtemp(prefix="plan-history-metrics-")
        environment["PROMETHEUS_MULTIPROC_DIR"] = environment[supervise.METRICS_OF_THIS_RUN] = made
    if not held.database_url:
        environment["DATABASE_URL"] = url_of(held)
    os.execve(supervise.WEB[0], list(supervise.WEB), environment)  # noqa: S606 - gunicorn takes this process's place


@click.command()
def project() -> None:
    """Run the projector alone: keeps the read models up."""
    held = settings()
    set_up(held.log_level)
    supervise.end_with_supervisor()
    with supervise.signals() as stop:
        url = held.projector_url or url_of(held)
        run_projector(url, stop, open_keys(held, url))


@click.command()
def deliver() -> None:
    """Run the deliverer alone: sends webhooks."""
    held = settings()
    set_up(held.log_level)
    supervise.end_with_supervisor()
    url = url_of(held)
    container = build(replace(held, database_url=url, pool_size=DESKS, cached_plans=128))
    with supervise.signals() as stop, contextlib.closing(container):
        run_deliverer(held.deliverer_url or url, terms(held), Showing(container.gate), stop)


@click.command()
@json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database to this version; safe to run again, and by several at once."""
    held = settings()
    applied = migrations.migrate(url_of(held, owner=True))
    people = "\n".join(f"applied {name}" for name in applied) or "The database is up to date."
    answer({"applied": applied}, as_json=as_json, people=people)
