"""``keys``: the keys that plans are sealed with, and the master key that wraps them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from service.commandline.shared import UsageError, answer, json_option, owner_connection, settings
from service.keys import KeysUnsetError, Master, Ring, begun, open_ring
from service.keys.places import OFF, shown_place
from service.keys.table import KeyTable
from service.keys.use import keys_used, tried


@contextmanager
def _ring() -> Iterator[Ring]:
    held = settings()
    if not held.keys:
        raise KeysUnsetError
    if held.keys == OFF:
        raise UsageError("Keys are off here (PLAN_HISTORY_KEYS=off): plans are kept unencrypted.")
    if not begun(held):
        raise UsageError(
            f"There are no keys in {shown_place(held.keys)} yet: the first are made when a plan is opened. If there "
            "should be some, set PLAN_HISTORY_KEYS to where they are."
        )
    with contextlib.closing(open_ring(held)) as ring:
        yield ring


@click.group()
def keys() -> None:
    """Keys of the plans: make a master key, begin a new one, see how many there are."""


@keys.command("new")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def new(path: Path, *, as_json: bool) -> None:
    """Make a master key in the file PATH, for its owner alone; one that is there stays."""
    there = path.exists()
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent}: make it, or name another.")
    Master.made_in(path)
    people = (
        f"{path} is there already."
        if there
        else f"{path} holds a new master key. Keep a copy of it apart."
    )
    answer({"path": str(path), "made": not there}, as_json=as_json, people=people)


@keys.command("init")
@json_option
def init(*, as_json: bool) -> None:
    """Make the tables of a key database (PLAN_HISTORY_KEYS=postgresql://…); safe to run again."""
    place = settings().keys or ""
    if "://" not in place:
        raise UsageError("Only a key database needs this; a folder of keys is made by itself.")
    KeyTable(place).make()
    answer({"made": True}, as_json=as_json, people="The key database is ready.")


@keys.command("rotate")
@json_option
def rotate(*, as_json: bool) -> None:
    """Begin a new master key and forget the old one: what older backups of the keys hold dies with it."""
    with _ring() as ring:
        count = ring.rotate()
        epoch = ring.master.epochs.newest
    people = (
        f"{count} keys are wrapped with the master key of epoch {epoch}; older ones are forgotten."
    )
    answer({"rewrapped": count, "epoch": epoch}, as_json=as_json, people=people)


@keys.command("rewrap")
@json_option
def rewrap(*, as_json: bool) -> None:
    """Wrap every key with the newest master key given (for a master key in PLAN_HISTORY_MASTER_KEY)."""
    with _ring() as ring:
        count, epoch = ring.rewrap(), ring.master.epochs.newest
    people = f"{count} keys were wrapped anew, with the master key of epoch {epoch}."
    answer({"rewrapped": count, "epoch": epoch}, as_json=as_json, people=people)


@keys.command("status")
@json_option
def status(*, as_json: bool) -> None:
    """Say how many keys there are, and whether every one that entries are sealed with is among them."""
    held = settings()
    with _ring() as ring, owner_connection(held) as conn:
        there, destroyed = ring.store.counts()
        use = tried(ring, keys_used(conn))
        epoch = ring.master.epochs.newest
    shown = {
        "keys": there,
        "destroyed": destroyed,
        "in_use": use.in_use,
        "missing": use.missing,
        "epoch": epoch,
    }
    people = (
        f"{there} keys, {destroyed} destroyed; {use.in_use} in use, {use.missing} of them missing."
    )
    answer(shown, as_json=as_json, people=people)
