"""How gunicorn serves the API: every name is one of its settings; ours give addresses and sizes."""

import gc
import os
import shutil
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from service.serving.supervise import METRICS_OF_THIS_RUN, end_with_supervisor
from service.settings import Settings

_settings = Settings.from_environment()

wsgi_app = "api.wsgi:application()"
bind = _settings.bind or f"127.0.0.1:{_settings.port}"

# A thread a request. Of the kinds of worker, gthread answers what is in flight before it stops; ours is
# one that does not wait for slow clients for ever.
worker_class = "service.serving.worker.Worker"
workers = _settings.workers or min(2 * (os.cpu_count() or 1), 8)
threads = _settings.threads
preload_app = False  # a database pool must not be shared across a fork
keepalive = 5
timeout = 30
graceful_timeout = 30
max_requests = _settings.max_requests  # 0: a worker is never replaced
max_requests_jitter = max_requests // 10  # … and when it is, not all at the same moment
if Path("/dev/shm").is_dir():  # noqa: S108 – gunicorn's heartbeat file only; it opens it safely
    worker_tmp_dir = "/dev/shm"  # noqa: S108 – as above; on disk a slow write looks like a hung worker

# Cookies and long queries fit; nothing larger has business here. Bodies are limited by the API.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
http2_cleartext = "off"  # one protocol, one parser

# Only these addresses may say that the request came by https or from someone else.
forwarded_allow_ips = _settings.trusted_proxies

control_socket_disable = True  # nobody steers the server from another process
accesslog = None  # addresses and queries stay out of the logs; the API writes its own access log
errorlog = "-"
# At debug gunicorn writes down every address asked for, and callers may put anything into one.
loglevel = _settings.log_level.lower().replace("debug", "info")
proc_name = "plan-history"


def on_starting(server: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """The master begins: it is not to outlive ``serve``."""
    end_with_supervisor()


def on_exit(server: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """The master ends: so do the numbers that its workers shared, if the folder was made for this run."""
    if made := os.environ.get(METRICS_OF_THIS_RUN):
        shutil.rmtree(made, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """A worker is ready: readers of the feed who wait in it are let go when it is asked to end.

    From here on its memory is looked through for circles seldom: entries and plans have none, and there are so
    many of them that each look held up every request of the worker for 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    ours = getattr(worker.wsgi, "extensions", {}).get("plan-history")
    if ours is not None:  # these settings also serve what the benchmark compares with
        ours.feed.ending = lambda: not worker.alive


def child_exit(server: object, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """A worker is gone: its gauges are no longer counted."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call] # published without types
