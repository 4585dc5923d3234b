"""The measure of all things: a bare Flask route that answers 1 kB of JSON."""

from __future__ import annotations

from flask import Flask, Response

BODY = b'{"text": "' + b"x" * 1012 + b'"}'
app = Flask("noop", static_folder=None)


@app.get("/")
def nothing() -> Response:
    """Answer, and do nothing else."""
    return Response(BODY, content_type="application/json")
