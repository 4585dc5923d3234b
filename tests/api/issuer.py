"""A small OIDC issuer on this host: it publishes its keys, and signs whatever a test makes up."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID, uuid4
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Key = RSAKey | ECKey | OKPKey | OctKey
NAME, AUDIENCE = "https://issuer.test", "plan-history"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing."""


class TokenIssuer:
    """Its keys, those it publishes, and how often somebody asked for them."""

    server: type[WSGIServer] = WSGIServer

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {
            "rsa-1": RSAKey.generate_key(2048),
            "ec-1": ECKey.generate_key("P-256"),
        }
        self.published = ["rsa-1", "ec-1"]
        self.raw: bytes | None = None
        self.status = "200 OK"
        self.location: str | None = None
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()
        self.url = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with the JWKS, once the gate is open."""
        self.asked += 1
        self.gate.wait(10)
        moved = [("Location", self.location)] if self.location else []
        start_response(self.status, [("Content-Type", "application/json"), *moved])
        return [self.jwks() if self.raw is None else self.raw]

    def jwks(self) -> bytes:
        """What it publishes."""
        shown = [
            {**self.keys[kid].as_dict(private=False), "kid": kid, "use": "sig"}
            for kid in self.published
        ]
        return json.dumps({"keys": shown}).encode()

    def rotate(self, *, keep: bool = True) -> str:
        """Publish another key and sign with it from now on; the old ones stay published, or not."""
        kid = f"ec-{uuid4().hex}"
        self.keys[kid] = ECKey.generate_key("P-256")
        self.published = [*self.published, kid] if keep else [kid]
        return kid

    @contextlib.contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve on a free port."""
        with make_server("127.0.0.1", 0, self, self.server, _Quiet) as server:
            self.url = f"http://127.0.0.1:{server.server_port}/jwks"
            thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
            thread.start()
            yield self
            self.gate.set()
            server.shutdown()
            thread.join()

    def sign(
        self,
        claims: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | None = None,
        *,
        key: Key | None = None,
    ) -> str:
        """A token with these claims; ``header`` changes or (None) takes away what it says of itself."""
        kid = self.published[-1]
        said = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **(header or {})}
        said = {name: held for name, held in said.items() if held is not None}
        raw = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        signing = key or self.keys[str(said.get("kid", kid))]
        return compact(said, raw, signing)


def compact(header: Mapping[str, Any], raw: bytes, key: Key) -> str:
    """Header and payload, signed as the header says, whether or not anybody should take it."""
    alg = JWSRegistry.algorithms[str(header["alg"])]
    head = b64(json.dumps(header).encode())
    signed = f"{head}.{b64(raw)}"
    return f"{signed}.{b64(alg.sign(signed.encode(), key))}"


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims_for(clinic_id: UUID, subject: UUID | str, /, **changed: Any) -> dict[str, Any]:
    """The claims of a good token, changed; None takes one away."""
    now = int(time.time())
    held = {
        "iss": NAME,
        "aud": AUDIENCE,
        "sub": str(subject),
        "clinic_id": str(clinic_id),
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": uuid4().hex,
        **changed,
    }
    return {name: value for name, value in held.items() if value is not None}


__all__ = ["AUDIENCE", "NAME", "Key", "TokenIssuer", "b64", "claims_for", "compact"]
