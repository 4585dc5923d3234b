"""gunicorn's threaded worker, with patience for slow clients that ends.

Without it a client that sends a byte now and then keeps a thread for as long as it likes.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

READING = 15.0
"""Seconds within which a request must have arrived, head and body."""
SENDING = 30
"""Seconds a client may go without taking any of its answer."""
_BODY = ("CONTENT-LENGTH", "TRANSFER-ENCODING")


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn publishes no types
    """Stops listening to a client whose request does not arrive in time; an answer still goes out."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.reading: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        """A request begins to arrive."""
        self.reading[conn] = time.monotonic() + READING
        with contextlib.suppress(OSError):
            taken = struct.pack("ll", SENDING, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, taken)
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """A request without a body has arrived; what answers it – a stream – may last."""
        if not any(name in _BODY and value != "0" for name, value in req.headers):
            self.reading.pop(conn, None)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """It was answered, or given up."""
        self.reading.pop(conn, None)
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Let go of whoever sends nothing, or too slowly; gunicorn calls this at least every second.

        What has arrived is still read after that, and an answer may take as long as it likes.
        """
        super().murder_pending()
        now = time.monotonic()
        for conn in [held for held, until in list(self.reading.items()) if until < now]:
            self.reading.pop(conn, None)  # it may have arrived just now
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RD)
