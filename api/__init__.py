"""HTTP: the JSON API, its description, health, and the pages.

Law of this room: it reaches plans through ``service`` only. Flask and marshmallow live here and
nowhere else; psycopg never does. Routes declare, services do: a route loads, calls, dumps.
"""
