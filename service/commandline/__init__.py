"""The command line, ``plan-history``. Errors are sentences with the next step; ``--json`` is for machines."""

from service.commandline.main import main

__all__ = ["main"]
