"""The sealer's keys: Ed25519 private keys in a file which only its owner can read.

PKCS#8 in PEM, as ``openssl genpkey -algorithm ed25519`` makes them; the newest comes first. With two, every
checkpoint is signed by both, so that those who check can change from one to the other in their own time.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from service.export.archive import written_whole

_BLOCK = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


class KeyFileError(Exception):
    """The key file cannot be used; says what to do."""


def read_keys(path: Path) -> list[Ed25519PrivateKey]:
    """The keys in a file, the newest first; raises KeyFileError."""
    try:
        mode, held = path.stat().st_mode, path.read_bytes()
    except OSError as unreadable:
        raise KeyFileError(
            f"The key file {path} cannot be read ({unreadable.strerror}): make one with --new-key, or name "
            "another."
        ) from unreadable
    if mode & 0o077:
        raise KeyFileError(f"Others can read the key file {path}: chmod 600 {path}.")
    keys = [_key(path, block) for block in _BLOCK.findall(held)]
    if not keys:
        raise KeyFileError(f"There is no key in {path}: it should hold an Ed25519 key in PEM.")
    return keys


def _key(path: Path, block: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(block, password=None)
    except (ValueError, TypeError) as wrong:
        raise KeyFileError(f"The key file {path} holds a key that cannot be read.") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"The key file {path} holds a key of another kind than Ed25519.")
    return key


def new_key(path: Path) -> int:
    """Put a new key in front of those a file holds, or make the file; how many keys it has now."""
    if path.exists():
        read_keys(path)
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rest = path.read_bytes() if path.exists() else b""
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with written_whole(path) as file:
        file.write(pem + rest)
    return len(read_keys(path))
