"""Requests that came through a proxy: only addresses that were configured may say for whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BehindProxies:
    """Believes X-Forwarded-For and X-Forwarded-Proto of the trusted; takes them off all others."""

    def __init__(self, app: WSGIApplication, trusted: str) -> None:
        self.app = app
        self.fixed = ProxyFix(app, x_for=1, x_proto=1)
        self.trusted = networks(trusted)
        self.trusts = lru_cache(4096)(self._trusts)  # a request costs less than reading its address

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the request as coming from where it did."""
        if self.trusts(environ.get("REMOTE_ADDR", "")):
            return self.fixed(environ, start_response)
        for name in [held for held in environ if held.startswith("HTTP_X_FORWARDED_")]:
            del environ[name]
        return self.app(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in held for held in self.trusted)


def networks(trusted: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The addresses and networks in a list with commas; raises ValueError for anything else."""
    return tuple(ip_network(held.strip()) for held in trusted.split(",") if held.strip())
