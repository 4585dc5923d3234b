"""A worker's memory is looked through seldom: plans and entries hold no circles, and there are many of them."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from types import SimpleNamespace
from service.serving.gunicorn import post_worker_init
seen = []
gc.callbacks.append(lambda phase, info: seen.append(info["generation"]))
post_worker_init(SimpleNamespace(wsgi=None, alive=True))
del seen[:]
kept = [[number] for number in range(400_000)]
print(max(seen, default=0), gc.get_freeze_count() > 10_000, gc.isenabled())
"""


def test_keeping_much_does_not_hold_up_requests() -> None:
    """Nothing that was there is looked at again, nor all that is kept; what is young still is."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "True", "True"]
