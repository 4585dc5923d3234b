"""One clinic = one ``Application`` of the library: a light object over the shared pool and mapper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    ProcessRecorder,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType

from domain.aggregates import shell
from domain.entry import Entry
from domain.history import History
from domain.plan import Plan
from projections.sealing import Keys, Seals
from service.database import Database
from service.record.mapper import EntryMapper, EntryTranscoder
from service.record.recorder import ClinicRecorder

_TRANSCODER = EntryTranscoder()


class ClinicFactory(InfrastructureFactory[TrackingRecorder]):
    """Gives the library the clinic's recorder; nothing here is configured by environment or topic."""

    def __init__(self, database: Database, seals: Seals) -> None:
        super().__init__(Environment("clinic", {}))
        self.database = database
        self.seals = seals

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder bound to the clinic."""
        return ClinicRecorder(self.database, self.seals)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Not used: the record has one kind of rows."""
        raise NotImplementedError(purpose)

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """Not used: projections keep their own positions."""
        raise NotImplementedError

    def process_recorder(self) -> ProcessRecorder:
        """Not used."""
        raise NotImplementedError

    def close(self) -> None:
        """The pool is shared; it outlives the clinic's application."""


class ClinicRecord(Application[UUID]):
    """The record of one clinic: ``save(plan, command=…)``, ``repository.get(id, version=n)``."""

    def __init__(self, database: Database, clinic_id: UUID, keys: Keys) -> None:
        self.database = database
        self.clinic_id = clinic_id
        self.seals = Seals(keys, clinic_id)
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """No environment: settings come from service/settings.py alone."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """The factory of this clinic."""
        return ClinicFactory(self.database, self.seals)

    def construct_transcoder(self) -> Transcoder:
        """The lean transcoder, shared."""
        return _TRANSCODER

    def construct_mapper(self) -> Mapper[UUID]:
        """The mapper with the closed registry."""
        return EntryMapper(_TRANSCODER, self.seals)

    def plan(self, plan_id: UUID, version: int | None = None) -> Plan:
        """The plan from its entries, without any cache; raises the library's AggregateNotFoundError."""
        plan: History = self.repository.get(plan_id, version=version, projector_func=learn_all)
        assert isinstance(plan, Plan)
        return plan


def learn_all(plan: History | None, entries: Iterable[Entry]) -> History | None:
    """The library's projector function: let ``plan`` learn the entries."""
    for entry in entries:
        if plan is None:
            plan = shell(entry)
        plan.learn(entry)
    return plan
