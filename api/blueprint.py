"""Declaring routes: flask-smorest's Blueprint with this API's conventions built in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import flask_smorest
from flask import request
from marshmallow import Schema, ValidationError

from api.answers import LATER, PROBLEM_ANSWER, answers
from api.parsing import StrictParser
from service.access import ACCESS

F = TypeVar("F", bound=Callable[..., Any])
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"\\d{1,9}")$', "examples": ['"12"']},
    "description": 'The version you saw, in quotes: `"12"`. Stale: 412 with the newer entries.',
}
_KEY = '^("[!#-~ ]{1,200}"|[!#-~]{1,200})$'
_IDEMPOTENCY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 202, "pattern": _KEY},
    "description": "Your key for this request: sent again, it is answered as the first time.",
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "An ETag you have; still fresh: 304.",
}


class Blueprint(flask_smorest.Blueprint):
    """Routes declare what they take and answer; the description is made from that."""

    ARGUMENTS_PARSER = StrictParser()

    def get(self, rule: str, operation: str, **declared: Any) -> Callable[[F], F]:
        """Declare a GET route; see ``_declare``."""
        return self._declare("GET", rule, operation, **declared)

    def post(self, rule: str, operation: str, **declared: Any) -> Callable[[F], F]:
        """Declare a POST route; see ``_declare``."""
        return self._declare("POST", rule, operation, **declared)

    def delete(self, rule: str, operation: str, **declared: Any) -> Callable[[F], F]:
        """Declare a DELETE route; see ``_declare``."""
        return self._declare("DELETE", rule, operation, **declared)

    def _declare(
        self,
        method: str,
        rule: str,
        operation: str,
        *,
        answer: str = "text",
        media: tuple[str, ...] = (),
        status: int = 200,
        creates: bool = False,
        writes: bool = False,
        conditional: bool = False,
        streams: bool = False,
        media_type: str = "",
        waits: bool = False,
        action: str | None = None,
    ) -> Callable[[F], F]:
        """Route and describe it; ``answer`` is the component it answers with, ``media`` what files may be.

        ``action``: what of the access table it takes; without one it is open to all, token or not.

        ``creates``: takes an Idempotency-Key; ``writes``: that and If-Match. ``conditional``: may
        answer 304. ``streams``: NDJSON and CSV, too. ``media_type``: of the answer, when it is not JSON
        or plain text. ``waits``: may be refused for lack of a place to wait. Raises KeyError for an
        action that is not in the table.
        """
        spec: dict[str, Any] = {
            "operationId": operation,
            "responses": answers(
                answer,
                status,
                media_type,
                media=media,
                creates=creates or writes,
                conditional=conditional,
                streams=streams,
            ),
        }
        if waits:
            spec["responses"]["503"] = LATER
        if action is None:
            spec["security"] = []
        else:
            spec["responses"]["401"] = PROBLEM_ANSWER
            spec["responses"]["403"] = PROBLEM_ANSWER
            spec["responses"]["429"] = LATER
            spec["x-allowed-to"] = sorted(ACCESS[action])
        if answer == "Ready":
            spec["responses"]["503"] = spec["responses"]["200"]
        headers = [_IF_MATCH] if writes else []
        headers += [_IDEMPOTENCY] if writes or creates else []
        headers += [_IF_NONE_MATCH] if conditional else []

        def decorate(view: F) -> F:
            view.action = action  # type: ignore[attr-defined] # read in api/auth.py
            query = getattr(view, "_apidoc", {}).get("manual_doc", {}).get("parameters", [])
            documented = self.doc(**spec, parameters=[*query, *headers])(view)
            routed: F = self.route(rule, methods=[method])(documented)
            return routed

        return decorate

    def query(self, schema: type) -> Callable[[F], F]:
        """The route takes these query parameters, as its first argument."""
        parse = self.ARGUMENTS_PARSER.use_args(schema(), location="query")
        describe = self.doc(parameters=[{"in": "query", "schema": schema}])
        without = _without_query(schema())

        def decorate(view: F) -> F:
            parsed = parse(view)

            @wraps(parsed)
            def routed(*args: Any, **kwargs: Any) -> Any:
                if request.query_string or without is None:
                    return parsed(*args, **kwargs)
                return view(dict(without), *args, **kwargs)

            described: F = describe(routed)
            return described

        return decorate

    def body(self, schema: type, component: str) -> Callable[[F], F]:
        """The route takes this JSON body, as its first argument; described by the component."""
        parse = self.ARGUMENTS_PARSER.use_args(schema(), location="json")
        describe = self.doc(
            requestBody={
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": f"#/components/schemas/{component}"}}
                },
            }
        )

        def decorate(view: F) -> F:
            described: F = describe(parse(view))
            return described

        return decorate


def _without_query(schema: Schema) -> dict[str, Any] | None:
    """What a query without parameters means: known beforehand, so it is not parsed; None if refused."""
    try:
        held: dict[str, Any] = schema.load({})
    except ValidationError:
        return None
    return held
