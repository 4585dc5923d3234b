"""What the ledger's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.service.ledger.sealing import Sealing


@pytest.fixture
def sealing(database_url: str, owner: psycopg.Connection[Any], tmp_path: Path) -> Sealing:
    """A sealer for the test's database."""
    return Sealing(database_url, tmp_path, owner, Ed25519PrivateKey.generate())
