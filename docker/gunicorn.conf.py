"""How gunicorn serves the API in a container: the service's own settings, changed here if need be."""

from service.serving.gunicorn import *  # noqa: F403 - every name there is one of gunicorn's settings
