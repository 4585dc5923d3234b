"""Use cases, the event store, security, settings, wiring and the command line.

Law of this room: it may use ``projections`` and ``domain``, never ``api``; psycopg lives here and in
``projections``, Flask and marshmallow do not. Nothing here knows a status code.
"""
