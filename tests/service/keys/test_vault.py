"""The vault's file, shared by processes: nobody takes it from under another."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from service.keys.store import Wrapped
from service.keys.vault import Vault

_ANOTHER = """
import sys
from pathlib import Path
from service.keys.vault import Vault
held = Vault(Path(sys.argv[1]))
held.counts()
held.close()
"""


def test_a_second_opening_takes_no_lock_from_the_first(tmp_path: Path) -> None:
    """Else another process that closes the vault takes itself for the last, and removes what is in use."""
    place = tmp_path / "vault.sqlite"
    with closing(Vault(place)) as vault:
        vault.add({uuid4(): Wrapped(1, b"x" * 60)})
        Vault(place).close()
        for number in range(2, 5):
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-c", _ANOTHER, str(place)], check=False, timeout=60
            )
            assert done.returncode == 0
            vault.add({uuid4(): Wrapped(1, b"x" * 60)})
            assert vault.counts() == (number, 0)
            with closing(Vault(place)) as again:
                assert again.counts() == (number, 0)


def test_a_link_is_no_vault(tmp_path: Path) -> None:
    """It may lead to where somebody else writes."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(OSError, match="link"):
            Vault(tmp_path / "link")
        (tmp_path / "elsewhere").touch()
