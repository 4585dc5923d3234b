"""Read models: built from entries, disposable, rebuildable at any time.

Law of this room: it may use ``domain`` and psycopg, never ``service``, ``api``, Flask or marshmallow.
A projection is a class with a name, a version and ``apply(batch, cursor)``; the runner does the rest.
"""

from projections.current_plans import CurrentPlans
from projections.projection import Projection
from projections.timeline import Timeline

ALL: tuple[Projection, ...] = (CurrentPlans(), Timeline())
