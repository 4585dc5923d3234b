"""Read models: built from entries, disposable, rebuildable at any time.

Law of this room: it may use ``domain`` and psycopg, never ``service``, ``api``, Flask or marshmallow.
A projection is a class with a name, a version and ``apply(batch, cursor)``; the runner does the rest.
"""

from projections.clinic_figures import ClinicFigures
from projections.current_plans import CurrentPlans
from projections.measures import Measures
from projections.people import People
from projections.projection import Projection
from projections.timeline import Timeline
from projections.worklist import Worklist

ALL: tuple[Projection, ...] = (
    CurrentPlans(),
    Timeline(),
    People(),
    Worklist(),
    Measures(),
    ClinicFigures(),
)
