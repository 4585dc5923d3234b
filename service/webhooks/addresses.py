"""Where deliveries may go: out into the world, never back into the house.

A target is resolved once, every address it has is judged, and the connection goes to that very
address: a name that points elsewhere a moment later changes nothing (OWASP: server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.errors import TargetRefusedError

LONGEST = 2_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
"""All that has been given out of IPv6; what lies beside it wraps IPv4 in old ways, or is nobody's."""
_NOBODYS = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))
"""A relay that is gone (RFC 7526), and documentation (RFC 9637): newer than what Python knows."""
_SCHEMES = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Place:
    """The parts of a target's URL."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def named(self) -> str:
        """Host and port as the Host header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _SCHEMES["https" if self.secure else "http"]
        return host if self.port == usual else f"{host}:{self.port}"


def place_of(url: str, *, private: bool) -> Place:
    """The parts of a target's URL; raises TargetRefusedError with what to mend.

    ``private``: whether targets in private networks, and without TLS, are allowed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise TargetRefusedError("This is no URL; write https://host/path.") from wrong
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise TargetRefusedError(f"Write a URL of at most {LONGEST} plain ASCII characters.")
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise TargetRefusedError("Write a whole URL such as https://example.org/hook.")
    if parts.scheme != "https" and not private:
        raise TargetRefusedError("What is sent concerns clients: give an https address.")
    if parts.username is not None or parts.fragment:
        raise TargetRefusedError("Leave user, password and fragment out; deliveries are signed.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return Place(secure, parts.hostname, port or _SCHEMES[parts.scheme], path)


def resolve(place: Place, *, private: bool) -> str:
    """The one address to connect to; raises TargetRefusedError when any the name has is not allowed.

    Raises OSError when the name has none.
    """
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = [str(held[4][0]) for held in found]
    if not private and not all(map(is_public, addresses)):
        raise TargetRefusedError(
            "That host lies in a private, local or reserved network, to which nothing is sent. Give "
            "a public one, or let the operator set PLAN_HISTORY_WEBHOOK_PRIVATE_TARGETS."
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also when it wraps another."""
    held = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(held, ipaddress.IPv6Address):
        inner = held.ipv4_mapped or held.sixtofour or (held.teredo or (None, None))[1]
        if held in _NAT64:
            inner = ipaddress.IPv4Address(int(held) & 0xFFFF_FFFF)
        if inner is not None and not is_public(str(inner)):
            return False
        if held.ipv4_mapped is not None or held in _NAT64:
            return True
        if held not in _GIVEN_OUT:
            return False
    nobodys = any(held in network for network in _NOBODYS)
    return held.is_global and not held.is_multicast and not nobodys
