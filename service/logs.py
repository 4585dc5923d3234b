"""Logs: one JSON object a line on standard error; ids and kinds, never client content."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up(level: str) -> None:
    """Let every logger of the process write JSON lines at ``level``."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings repeat every second
    logging.getLogger("plan_history.access").setLevel(
        max(logging.getLevelName(level), logging.WARNING)
    )
