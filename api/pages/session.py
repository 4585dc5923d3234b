"""Who is signed in to the pages: the cookie, and that a form comes from a page of ours."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Response, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.pages.language import later, say
from service.errors import NotAllowedError
from service.identity.trip import LASTS as LONGEST_TRIP
from service.sessions import LASTS

OPEN = frozenset(
    {
        "pages.sign_in",
        "pages.take_token",
        "pages.see_link",
        "pages.follow_link",
        "pages.signed_out",
        "pages.to_issuer",
        "pages.from_issuer",
        "pages.go_on",
        "pages.leave_issuer",
    }
)
"""Pages for people who are not signed in: they show nothing of any clinic."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_FORGED = later(
    "This form did not come from a page of this service. Open the page again and send it from there."
)


def _plain() -> bool:
    """Whether this is http on this very machine, where a cookie cannot be Secure."""
    host = request.host.rpartition(":")[0] if request.host[-1:].isdigit() else request.host
    return not request.is_secure and (host or request.host) in _LOOPBACK


def cookie_name() -> str:
    """The session cookie's name; ``__Host-`` binds it to this host and to https."""
    return "plan-history-session" if _plain() else "__Host-plan-history-session"


def secret_of_request() -> str | None:
    """The session's secret, as the browser sent it."""
    held: str | None = g.get("secret") or request.cookies.get(cookie_name())
    return held if held and len(held) < 200 and held.isascii() else None


def keep(answer: AnyResponse, secret: str) -> AnyResponse:
    """Give the browser the session's secret; it sends it along from pages of ours alone (Strict)."""
    return _keep(answer, cookie_name(), secret, int(LASTS.total_seconds()), "Strict")


def forget(answer: AnyResponse) -> AnyResponse:
    """Take it back."""
    return _keep(answer, cookie_name(), "", 0, "Strict")


def _trip_name() -> str:
    return "plan-history-trip" if _plain() else "__Host-plan-history-trip"


def trip_of_request() -> str | None:
    """What this browser keeps of a sign-in that goes by way of the issuer."""
    return request.cookies.get(_trip_name())


def keep_trip(answer: AnyResponse, kept: str) -> AnyResponse:
    """Let the browser keep it: it is sent along when the issuer's site leads back here (Lax)."""
    return _keep(answer, _trip_name(), kept, LONGEST_TRIP, "Lax")


def forget_trip(answer: AnyResponse) -> AnyResponse:
    """It ends here, however it ended."""
    return _keep(answer, _trip_name(), "", 0, "Lax")


def _keep(answer: AnyResponse, name: str, value: str, seconds: int, sent_from: str) -> AnyResponse:
    """Set a cookie, or with no seconds take it away: this host's alone, and kept from scripts."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        expires=None if seconds else 0,
        secure=not _plain(),
        httponly=True,
        samesite=sent_from,
        path="/",
    )
    return answer


def csrf(secret: str) -> str:
    """The token forms carry: known only to pages that were made for this session."""
    return hashlib.sha256(f"form {secret}".encode()).hexdigest()


class ForeignFormError(NotAllowedError):
    """A form that no page of this session sent."""

    title = later("That form did not come from here")


def refuse_strangers() -> None:
    """Refuse a form that another site sent (its Origin tells)."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    foreign = site not in (None, "same-origin", "none")
    if foreign or (origin is not None and urlsplit(origin).netloc != request.host):
        raise ForeignFormError(say(_FORGED))


def refuse_forged(secret: str) -> None:
    """Refuse a form without the token of this session."""
    given = request.form.get("csrf") or request.headers.get("X-CSRF", "")
    if not hmac.compare_digest(given.encode(), csrf(secret).encode()):
        raise ForeignFormError(say(_FORGED))


def to_sign_in() -> AnyResponse:
    """Off to sign in, and back to where one was going."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    wanted = None if "HX-Request" in request.headers or wanted == "/home" else wanted
    place = url_for("pages.sign_in", next=wanted) if wanted else url_for("pages.sign_in")
    if "HX-Request" in request.headers:
        answer = make_response(Response(status=401))
        answer.headers["HX-Redirect"] = place
        return answer
    return redirect(place, 303)


def way_back(given: str | None) -> str | None:
    """An address of ours to go on to; anything that leads elsewhere is dropped."""
    if not given or not given.startswith("/") or given.startswith(("//", "/\\")):
        return None
    parts = urlsplit(given)
    return given if not parts.scheme and not parts.netloc and "\\" not in given else None
