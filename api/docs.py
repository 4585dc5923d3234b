"""The API's description as a page, with Swagger UI from this host alone."""

from __future__ import annotations

from flask import Blueprint, Response, redirect

docs = Blueprint("docs", __name__)
root = Blueprint("root", __name__)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plan History – the API</title>
<link rel="icon" href="/static/vendor/swagger-ui/favicon-32x32.png">
<link rel="stylesheet" href="/static/vendor/swagger-ui/swagger-ui.css">
<script src="/static/vendor/swagger-ui/swagger-ui-bundle.js" defer></script>
<script src="/static/docs.js" defer></script>
</head>
<body>
<div id="swagger-ui">
<noscript>The description as JSON is at <a href="/openapi.json">/openapi.json</a>.</noscript>
</div>
</body>
</html>
"""


@docs.get("/docs")
def page() -> Response:
    """The page."""
    answer = Response(_PAGE, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@root.get("/")
def index() -> Response:
    """Where a newcomer lands."""
    return redirect("/home", 302)  # type: ignore[return-value] # werkzeug's Response, Flask's own base
