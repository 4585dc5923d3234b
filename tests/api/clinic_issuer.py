"""An OpenID provider on this host: people sign in at its page, it redeems its codes, and errs on request."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode
from uuid import uuid4
from wsgiref.simple_server import WSGIServer

from tests.api.issuer import TokenIssuer, b64

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT, SECRET = "plan-history-pages", "s3cret-of-the-client"
Said = dict[str, str]


class _Many(ThreadingMixIn, WSGIServer):
    """A browser opens several connections."""

    daemon_threads = True


@dataclass(frozen=True)
class Asked:
    """What a code was given for."""

    subject: str
    client: str
    redirect_uri: str
    challenge: str | None
    nonce: str | None


@dataclass
class Errs:
    """How the issuer misbehaves: each changes what it would say."""

    answer: Callable[[Said], Said] = lambda said: said
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    id_token: Callable[[str], Any] = lambda token: token
    token: Callable[[dict[str, Any]], Any] = lambda said: said
    status: str = "200 OK"
    asks: bool = True
    """Whether it asks again who says to be asked (prompt)."""


class ClinicIssuer(TokenIssuer):
    """Knows one client, and whoever says their name."""

    server = _Many

    def __init__(self, secret: str | None = SECRET) -> None:
        super().__init__()
        self.secret = secret
        self.errs = Errs()
        self.announces: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, Asked] = {}
        self.seen: list[Said] = []
        self.left: list[Said] = []
        self.back = ""
        self.clock: Callable[[], float] = time.time

    @property
    def name(self) -> str:
        """What it calls itself: another site than 127.0.0.1."""
        return self.url.removesuffix("/jwks").replace("127.0.0.1", "localhost")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as its endpoints do."""
        said = {name: held[0] for name, held in parse_qs(environ["QUERY_STRING"]).items()}
        places: dict[str, Callable[[], tuple[str, list[tuple[str, str]], bytes]]] = {
            "/.well-known/openid-configuration": self._announce,
            "/authorize": lambda: self._authorize(environ, said),
            "/token": lambda: self._redeem(environ),
            "/logout": lambda: self._logout(said),
        }
        place = places.get(environ["PATH_INFO"])
        if place is None:
            return super().__call__(environ, start_response)
        status, headers, raw = place()
        start_response(status, headers)
        return [raw]

    def _announce(self) -> tuple[str, list[tuple[str, str]], bytes]:
        said = {
            "issuer": self.name,
            "authorization_endpoint": f"{self.name}/authorize",
            "token_endpoint": f"{self.name}/token",
            "jwks_uri": f"{self.name}/jwks",
            "end_session_endpoint": f"{self.name}/logout",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.announces,
        }
        return _json({name: held for name, held in said.items() if held is not None})

    def _authorize(
        self, environ: WSGIEnvironment, said: Said
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        self.seen.append(said)
        given = said.get("login") or SimpleCookie(environ.get("HTTP_COOKIE", ""))
        known = given if isinstance(given, str) else given["sso"].value if "sso" in given else ""
        asks = self.errs.asks and said.get("prompt") == "login"
        if "login" not in said and (asks or not known):
            fields = "".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(held)}">'
                for name, held in said.items()
            )
            page = (
                f"<!doctype html><title>Clinic sign-in</title><h1>Clinic sign-in</h1><form>{fields}"
                '<label>Name <input name="login" autofocus></label><button>Sign in</button></form>'
            )
            return "200 OK", [("Content-Type", "text/html")], page.encode()
        answer = self.errs.answer({**self._answer(unquote(known), said)})
        place = f"{said['redirect_uri']}?{urlencode(answer)}"
        stays = ("Set-Cookie", f"sso={known}; Path=/; HttpOnly; SameSite=Lax")
        return "303 See Other", [("Location", place), stays], b""

    def _answer(self, subject: str, said: Said) -> Said:
        assert said["response_type"] == "code"
        assert said["client_id"] == CLIENT
        assert said["redirect_uri"] == self.back, "this way back is not registered"
        code = uuid4().hex
        self.codes[code] = Asked(
            subject,
            said["client_id"],
            said["redirect_uri"],
            said.get("code_challenge") if said.get("code_challenge_method") == "S256" else None,
            said.get("nonce"),
        )
        return {"code": code, "state": said.get("state", ""), "iss": self.name}

    def _redeem(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        said = {name: held[0] for name, held in parse_qs(raw.decode()).items()}
        if not self._is_the_client(environ.get("HTTP_AUTHORIZATION", ""), said):
            return _json({"error": "invalid_client"}, "401 Unauthorized")
        asked = self.codes.pop(said.get("code", ""), None)
        proof = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or said.get("redirect_uri") != asked.redirect_uri
            or asked.challenge != b64(proof)
        ):
            described = "Der Code ist ungültig."  # issuers speak other languages, too
            refusal = {"error": "invalid_grant", "error_description": described}
            return _json(refusal, "400 Bad Request")
        given = {
            "access_token": "at-" + uuid4().hex,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": "",
        }
        given["id_token"] = self.errs.id_token(self.id_token(asked, str(given["access_token"])))
        return _json(self.errs.token(given), self.errs.status)

    def id_token(self, asked: Asked, access_token: str) -> str:
        """What it says about who signed in."""
        now = int(self.clock())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.name,
            "aud": asked.client,
            "sub": asked.subject,
            "nonce": asked.nonce,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "at_hash": b64(half),
            **self.claims,
            **self.errs.claims,
        }
        held = {name: value for name, value in claims.items() if value is not None}
        return self.sign(held, {"typ": "JWT", **self.errs.header})

    def _is_the_client(self, authorization: str, said: Said) -> bool:
        if self.secret is None:
            return said.get("client_id") == CLIENT and "client_secret" not in said
        basic = base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
        if "client_secret" in said:
            return (said.get("client_id"), said["client_secret"]) == (CLIENT, self.secret)
        return authorization == f"Basic {basic}"

    def _logout(self, said: Said) -> tuple[str, list[tuple[str, str]], bytes]:
        self.left.append(said)
        place = ("Location", said["post_logout_redirect_uri"])
        gone = ("Set-Cookie", "sso=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
        return "303 See Other", [place, gone], b""


def _json(said: Any, status: str = "200 OK") -> tuple[str, list[tuple[str, str]], bytes]:
    raw = said if isinstance(said, bytes) else json.dumps(said).encode()
    return status, [("Content-Type", "application/json")], raw
