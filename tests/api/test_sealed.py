"""A stolen database tells nothing: no word of a client in any table, file or journal of PostgreSQL.

Canaries go in through every text of every type of entry, and through drafts; then everything the
database keeps is searched, as rows and as the bytes on disk.
"""

from __future__ import annotations

from tests.api.disk import MARK, a_house, lived, looked_for


def test_nothing_a_client_said_lies_in_the_database() -> None:
    """Not in the record, the read models, drafts, or the journal PostgreSQL writes."""
    with a_house() as (house, home):
        living = lived(house)
        assert MARK in living.desk.get().text, "the therapist does see it"
        assert MARK in living.desk.get("/timeline?limit=200").text
        assert MARK in living.therapist.get(f"/v1/plans?q={MARK[2:]}").text
        assert looked_for(house, home) == ([], [])


def test_without_keys_it_would() -> None:
    """Control: with keys off, the search finds every place where words are kept."""
    with a_house(keys="off") as (house, home):
        lived(house)
        rows, files = looked_for(house, home)
        assert {"entries", "current_plans", "timeline", "page_drafts"} <= set(rows)
        assert any("pg_wal" in name for name in files)
        assert any("base" in name for name in files)
