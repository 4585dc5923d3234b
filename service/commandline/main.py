"""The root command: gathers the others and turns refusals into sentences and exit codes."""

from __future__ import annotations

import sys

import click
import environs
import psycopg

from domain.errors import PlanHistoryError
from projections.rebuild import RebuildStoppedError
from service.commandline.checking import verify, witness
from service.commandline.clinics import clinic, member
from service.commandline.data import export, import_
from service.commandline.doctor import doctor
from service.commandline.erase import erase
from service.commandline.keys import keys
from service.commandline.ledger import ledger, seal
from service.commandline.looks import access_log
from service.commandline.projections import projections, rebuild
from service.commandline.serve import api, deliver, migrate, project, serve
from service.commandline.shared import UsageError, unusable
from service.commandline.tokens import token
from service.commandline.webhooks import webhook
from service.embedded import EmbeddedPostgresError
from service.errors import StoreUnavailableError
from service.keys import KeysLostError, KeysUnsetError, MasterKeyError
from service.ledger.keys import KeyFileError
from service.ledger.seen import SeenFileError
from service.ledger.witness import MisbehavedError, OutOfReachError
from service.migrate import MigrationError
from service.serving.supervise import PortTakenError

REFUSED, UNAVAILABLE = 1, 69
"""Exit codes: 1 refused, 2 wrong usage (click's), 3 verified by nothing held outside, 69 the database is out of
reach (EX_UNAVAILABLE)."""

REFUSALS = (
    UsageError,
    PlanHistoryError,
    MigrationError,
    EmbeddedPostgresError,
    PortTakenError,
    RebuildStoppedError,
    KeyFileError,
    SeenFileError,
    MisbehavedError,
    OutOfReachError,
    KeysLostError,
    KeysUnsetError,
    MasterKeyError,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="plan-history")
def cli() -> None:
    """Plan History keeps therapy treatment plans as living documents.

    Start with `plan-history serve --demo`; settings come from the environment, see `plan-history doctor`.
    """


for command in (
    serve, api, project, deliver, seal, migrate, clinic, member, token, webhook, projections, rebuild, access_log,
    keys, erase, ledger, verify, witness, export, import_, doctor,
):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit."""
    try:
        cli(standalone_mode=True)
    except StoreUnavailableError as gone:
        fail(str(gone), UNAVAILABLE)
    except REFUSALS as refused:
        fail(str(refused), REFUSED)
    except environs.EnvError as wrong:
        fail(f"A setting in the environment is malformed: {wrong}", REFUSED)
    except psycopg.OperationalError as gone:
        fail(unusable(gone), UNAVAILABLE)
    except psycopg.ProgrammingError as lacking:
        fail(unusable(lacking), REFUSED)


def fail(sentence: str, code: int) -> None:
    """Say what went wrong on standard error and exit with ``code``."""
    click.echo(f"plan-history: {sentence}", err=True)
    sys.exit(code)
