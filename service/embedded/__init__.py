"""A PostgreSQL of our own, for those who have none.

Law of this folder: it knows nothing about plans. It reads no environment; whoever calls it says
where the data home is. It opens what it creates to no one else, and changes nothing that it did
not create.
"""

from service.embedded.errors import EmbeddedPostgresError
from service.embedded.places import prepare_home
from service.embedded.running import RunningPostgres, running
from service.embedded.supervisor import EmbeddedPostgres

__all__ = [
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "RunningPostgres",
    "prepare_home",
    "running",
]
