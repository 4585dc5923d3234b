"""``verify`` and ``witness``: checking what was sealed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from rich.console import Console
from rich.progress import Progress

from service.commandline.shared import UsageError, answer, json_option, owner_connection, settings
from service.export.archive import written_whole
from service.ledger import witness as witnessing
from service.ledger.books import TREES
from service.ledger.keys import new_key as make_key
from service.ledger.keys import read_keys
from service.ledger.notes import WITNESS, Checkpoint, MalformedNoteError, Vkey
from service.ledger.seen import Seen
from service.ledger.signing import Signer, UntrustedNoteError, open_note
from service.ledger.verify import Verdict
from service.ledger.verify import verify as verify_tree

UNVERIFIED = 3
"""Exit code: everything is in order, but by nothing that was held outside."""
_CLINICS = """
SELECT l.clinic_id, l.position + coalesce(c.size, 0) FROM clinic_logs l
LEFT JOIN checkpoints c ON c.clinic_id = l.clinic_id AND c.tree = 'access-log'
WHERE %s::uuid IS NULL OR l.clinic_id = %s ORDER BY l.clinic_id
"""
vkey_option = click.option(
    "--vkey", "vkeys", multiple=True, metavar="KEY",
    help="A verifier key you were told, or a file with some, one a line; may be repeated.",
)  # fmt: skip


@click.command()
@click.option("--clinic", "clinic_id", type=click.UUID, help="Only this clinic.")
@click.option(
    "--checkpoint", "checkpoints", multiple=True, help="A checkpoint that was kept elsewhere; may be repeated.",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@vkey_option
@json_option
def verify(
    clinic_id: UUID | None, checkpoints: Sequence[Path], vkeys: Sequence[str], *, as_json: bool
) -> None:
    """Compute every leaf, tile and root of the store anew, and compare with what was held outside.

    Exit code 0: verified. 1: something is not as it was; the first bad row is named. 3: all is in order, but
    nothing was held outside to compare with.
    """
    keys = keys_in(vkeys)
    held = [_held(place, keys) for place in checkpoints]
    with owner_connection(settings()) as conn:
        found = _verified(conn, clinic_id, held, keys)
    known = {(verdict.clinic_id, verdict.tree) for verdict in found}
    _refuse_unused(held, {f"plan-history/{clinic}/{tree}" for clinic, tree in known})
    answer(
        [verdict.document() for verdict in found],
        as_json=as_json,
        people="\n".join(map(_told, found)) or "There are no clinics.",
    )
    if any(verdict.damaged for verdict in found):
        sys.exit(1)
    compared = sum(len(verdict.agrees_with) for verdict in found)
    sys.exit(0 if held and compared == len(held) else UNVERIFIED)


def _verified(
    conn: psycopg.Connection[Any],
    clinic_id: UUID | None,
    held: Sequence[Checkpoint],
    keys: Sequence[Vkey],
) -> list[Verdict]:
    console = Console(stderr=True)
    clinics = conn.execute(_CLINICS, [clinic_id, clinic_id]).fetchall()
    if clinic_id is not None and not clinics:
        raise UsageError(f"There is no clinic {clinic_id}: see plan-history clinic list.")
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Verifying", total=sum(row[1] for row in clinics))
        return [
            verify_tree(
                conn, clinic, tree, held, keys, lambda count: progress.update(task, advance=count)
            )
            for clinic, _ in clinics
            for tree in TREES
        ]


def _refuse_unused(held: Sequence[Checkpoint], origins: set[str]) -> None:
    for one in held:
        if not any(
            one.origin == origin or one.origin.startswith(f"{origin}/") for origin in origins
        ):
            raise UsageError(f"The checkpoint of {one.origin} is of none of these clinics.")


def _told(found: Verdict) -> str:
    named = f"{found.tree} of clinic {found.clinic_id}"
    if found.damaged:
        return f"! {named}: {found.kind} at {found.at}. {found.why}"
    counted = f"{found.sealed} sealed" + (f", {found.unsealed} not yet" if found.unsealed else "")
    if found.verified:
        sizes = ", ".join(map(str, found.agrees_with))
        return f"{named}: verified against the checkpoint held of {sizes} leaves ({counted})."
    return f"{named}: in order ({counted}), but nothing held outside says so: give --checkpoint."


def keys_in(given: Sequence[str]) -> list[Vkey]:
    """The verifier keys that were given, each as it is or as a file; raises UsageError."""
    texts: list[str] = []
    for one in given:
        place = Path(one)
        texts += place.read_text("utf-8").split() if place.is_file() else [one]
    try:
        return [Vkey.parse(text) for text in texts]
    except MalformedNoteError as wrong:
        raise UsageError(f"--vkey: {wrong}") from wrong


def _held(place: Path, keys: Sequence[Vkey]) -> Checkpoint:
    if not keys:
        raise UsageError("With --checkpoint, give --vkey: the key its signature is checked with.")
    try:
        note, _ = open_note(place.read_bytes(), keys)
        return Checkpoint.parse(note.text)
    except (MalformedNoteError, UntrustedNoteError) as wrong:
        raise UsageError(f"{place} is no checkpoint to hold on to. {wrong}") from wrong


@click.command()
@click.argument("source", required=False)
@vkey_option
@click.option("--name", help="The witness's name, such as witness.example.org/plans.")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path),
    help="The witness's own key.",
)
@click.option("--new-key", is_flag=True, help="Make that key, tell its verifier key, and end.")
@click.option(
    "--seen", "seen_file", type=click.Path(path_type=Path), help="Where it keeps what it saw."
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where the cosigned checkpoint goes."
)
@click.option(
    "--token-file", type=click.Path(exists=True, path_type=Path), help="The token to ask with."
)
@click.option(
    "--proof", type=click.Path(path_type=Path), help="With a file: the proof of consistency."
)
@json_option
def witness(
    source: str | None,
    vkeys: Sequence[str],
    key_file: Path,
    *,
    new_key: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """See the newest checkpoint at SOURCE, and sign it if it continues the one seen before.

    SOURCE is the address of a ledger, such as https://plans.example.org/v1/ledger, or a file with a checkpoint.
    A fork or a step back is refused loudly; what was shown is then kept beside the output.
    """
    name = how["name"]
    if new_key:
        make_key(key_file)
    if name is None or (source is None and not new_key):
        raise click.UsageError("Give SOURCE and --name.")
    signer = Signer(name, WITNESS, read_keys(key_file)[0])
    if source is None:
        click.echo(str(signer.vkey))
        return
    if how["seen_file"] is None or how["output"] is None or not vkeys:
        raise click.UsageError("Give --vkey, --seen and --output.")
    made = _cosigned(source, keys_in(vkeys), signer, how)
    answer(made, as_json=as_json, people=f"{made['origin']}: {made['size']} leaves, cosigned.")


def _cosigned(
    source: str, keys: Sequence[Vkey], signer: Signer, how: dict[str, Any]
) -> dict[str, Any]:
    output: Path = how["output"]
    token = how["token_file"].read_text("utf-8").strip() if how["token_file"] else None
    served = source.startswith(("http://", "https://"))
    where = (
        witnessing.Served(source, token)
        if served
        else witnessing.Brought(Path(source), how["proof"])
    )
    shown = _Kept(where)
    try:
        note = witnessing.cosign(shown, keys, signer, Seen(how["seen_file"]))
    except witnessing.MisbehavedError:
        _write(output.with_name(f"{output.name}.refused"), shown.raw)
        raise
    _write(output, str(note).encode())
    checkpoint = Checkpoint.parse(note.text)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "vkey": str(signer.vkey)}


class _Kept:
    """A source that remembers what it showed."""

    def __init__(self, source: witnessing.Source) -> None:
        self.source = source
        self.raw = b""

    def checkpoint(self) -> bytes:
        self.raw = self.source.checkpoint()
        return self.raw

    def consistency(self, old: int, new: int) -> list[bytes]:
        return self.source.consistency(old, new)


def _write(place: Path, held: bytes) -> None:
    with written_whole(place) as file:
        file.write(held)
