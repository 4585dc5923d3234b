"""Answers as NDJSON and CSV, beside JSON."""

from service.export.tables import lines as csv_lines

__all__ = ["CSV", "NDJSON", "csv_lines"]

NDJSON, CSV = "application/x-ndjson", "text/csv"
