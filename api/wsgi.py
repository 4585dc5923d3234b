"""What gunicorn serves: ``api.wsgi:application()``."""

from __future__ import annotations

from flask import Flask

from api.app import create_app
from service.container import build
from service.logs import set_up
from service.settings import Settings


def application() -> Flask:
    """The application for the settings in the environment, one per worker process."""
    settings = Settings.from_environment()
    set_up(settings.log_level)
    return create_app(build(settings))
