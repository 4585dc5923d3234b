"""A receiver to be killed: run as ``python receiver.py PORT FILE SEED``.

What it takes it writes down first, a line each, and then answers. Now and then it answers something
else, or takes a delivery and hangs up without a word.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

MOODY = 0.03


def handler(file: int, rng: Random) -> type[BaseHTTPRequestHandler]:
    """What answers one connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if rng.random() < MOODY:
                self.answer(rng.choice((404, 422, 429, 500, 503)))
                return
            line = f"{self.path[1:]} {event['subject']} {int(event['sequence'])}\n"
            os.write(file, line.encode())  # one write a line, which outlives this process
            if rng.random() < MOODY:
                self.close_connection = True
                return
            self.answer(204)

        def answer(self, status: int) -> None:
            """A status, and nothing else."""
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class Server(ThreadingHTTPServer):
    """Many connections at a time."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A sender that hangs up is no news."""


if __name__ == "__main__":
    port, path, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    Server(("127.0.0.1", port), handler(out, Random(seed))).serve_forever()
