"""The library as it comes: its PostgreSQL recorder and its ProjectionRunner, by its own book."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict


class Diary(Aggregate):
    """Something that words are noted in."""

    @event("Noted")
    def note(self, words: str) -> None:
        """Note words."""


class Diaries(Application[UUID]):
    """The library's application with nothing changed."""


def environment(url: str, *, create: bool = False) -> dict[str, str]:
    """The library's settings for the database at ``url``."""
    held = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    names = {
        "dbname": "DBNAME",
        "host": "HOST",
        "port": "PORT",
        "user": "USER",
        "password": "PASSWORD",
    }
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "CREATE_TABLE": "yes" if create else "no",
        "POSTGRES_POOL_SIZE": "1",  # each writer is a process with one thread
        "POSTGRES_MAX_OVERFLOW": "4",
        **{f"POSTGRES_{theirs}": held[ours] for ours, theirs in names.items()},
    }


@cache
def words(size: int) -> str:
    """Words that make an event's stored state ``size`` bytes long."""
    app = Diaries()
    diary = Diary()
    diary.note("")
    stored = [app.mapper.to_stored_event(held) for held in diary.collect_events()]
    return "x" * max(size - len(stored[-1].state), 1)


class NotesView(PostgresTrackingRecorder):
    """A view with one row for each event, saved together with the position."""

    def __init__(self, datastore: PostgresDatastore, **kept: Any) -> None:
        super().__init__(datastore, **kept)
        columns = "diary_id uuid, version int, words text, PRIMARY KEY (diary_id, version)"
        create = f"CREATE TABLE IF NOT EXISTS {{}}.notes ({columns})"
        self.sql_create_statements.append(sql.SQL(create).format(sql.Identifier(datastore.schema)))

    def add(self, diary_id: UUID, version: int, noted: str, tracking: Tracking) -> None:
        """Save one row and the position."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "INSERT INTO notes VALUES (%s, %s, %s)", (diary_id, version, noted), prepare=True
            )
            self._insert_tracking(cursor, tracking)


class Notes(Projection[NotesView]):
    """Every event becomes a row."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take in one event."""
        noted = getattr(domain_event, "words", "")
        self.view.add(domain_event.originator_id, domain_event.originator_version, noted, tracking)


def runner(url: str) -> ProjectionRunner[Diaries, NotesView]:
    """The library's runner over the view, started."""
    return ProjectionRunner(
        application_class=Diaries,
        projection_class=Notes,
        view_class=NotesView,
        env=environment(url, create=True),
    )
