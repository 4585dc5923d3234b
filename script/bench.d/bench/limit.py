"""The least Flask and psycopg can do for a workload: ready-made JSON, no validation, no rules, no sign-in.

Served beside the no-op so that a ratio that is missed can be told from one that cannot be had here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import psycopg
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

JSON = "application/json"
TABLES = """
CREATE TABLE plans (plan_id text PRIMARY KEY, version int NOT NULL, document bytea);
CREATE TABLE entries (plan_id text, version int, state bytea NOT NULL, PRIMARY KEY (plan_id, version));
"""
_ADD = """
WITH moved AS (
    UPDATE plans SET version = version + 1 WHERE plan_id = %s AND version = %s RETURNING plan_id, version
) INSERT INTO entries SELECT plan_id, version, %s FROM moved RETURNING version
"""


def fill(url: str, pool: Sequence[str], document: bytes, page: Sequence[bytes]) -> None:
    """The tables: one plan to read with its entries as they are shown, and plans to add to."""
    with psycopg.connect(url, autocommit=True) as conn, conn.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute("INSERT INTO plans VALUES ('one', 1, %s)", [document])
        rows = [("one", version, shown) for version, shown in enumerate(page, start=1)]
        cursor.executemany("INSERT INTO entries VALUES (%s, %s, %s)", rows)
        cursor.executemany("INSERT INTO plans VALUES (%s, 1)", [(held,) for held in pool])
        cursor.execute("VACUUM ANALYZE")


def application() -> Flask:
    """The application, for the database in BENCH_LIMIT_URL."""
    app = Flask("limit", static_folder=None)
    pool = ConnectionPool(
        os.environ["BENCH_LIMIT_URL"],
        max_size=8,
        kwargs={"autocommit": True, "prepare_threshold": 1},
    )

    def rows(query: str, *given: Any) -> list[tuple[Any, ...]]:
        with pool.connection() as conn:
            return conn.execute(query.encode(), given, binary=True).fetchall()

    @app.get("/plan/<plan_id>")
    def current(plan_id: str) -> Response:
        """One document."""
        [[document]] = rows("SELECT document FROM plans WHERE plan_id = %s", plan_id)
        return Response(document, content_type=JSON)

    @app.get("/plan/<plan_id>/timeline")
    def timeline(plan_id: str) -> Response:
        """A hundred entries."""
        found = rows(
            "SELECT state FROM entries WHERE plan_id = %s ORDER BY version LIMIT 100", plan_id
        )
        page = b",".join(shown for (shown,) in found)
        return Response(b'{"entries": [' + page + b"]}", content_type=JSON)

    @app.post("/plan")
    def open_plan() -> Response:
        """A plan more."""
        key = request.headers["Idempotency-Key"]
        rows("INSERT INTO plans VALUES (%s, 1, %s) RETURNING version", key, request.get_data())
        return Response(b"{}", 201, content_type=JSON)

    @app.post("/plan/<plan_id>/entries")
    def add(plan_id: str) -> Response:
        """An entry more."""
        seen = int(request.headers["If-Match"].strip('"'))
        [[version]] = rows(_ADD, plan_id, seen, request.get_data())
        return Response(b"{}", 201, {"ETag": f'"{version}"'}, content_type=JSON)

    return app
