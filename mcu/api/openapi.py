"""OpenAPI 3.1 from the declared routes and their pydantic models.

`python -m mcu.api.openapi` prints it; `docs/openapi.json` is its output, and CI compares.
"""

import json
import sys
from collections.abc import Iterable
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mcu import errors
from mcu.api import problems
from mcu.api.idempotency import HEADER, KeyInFlight, KeyReused
from mcu.api.routes import JSON, MERGE_PATCH, PATTERNS, SDP, Request, Route
from mcu.booking.store import Stale

REF = "#/components/schemas/{model}"
Json = dict[str, Any]


def document(routes: Iterable[Route]) -> Json:
    """The whole document, ready for `json.dumps`."""
    routes = list(routes)
    refs, schemas = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        operation = _operation(route, refs)
        if links := _links(route, routes):
            operation["responses"][str(route.status)]["links"] = links
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "MCU", "version": "1", "description": _ABOUT, "license": _LICENSE},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


_ABOUT = (
    "Booking and running meetings. What is under /api/v1 only grows: expect new fields in answers, and new values "
    "where a field is one of several. Unknown fields in requests are refused. Errors are RFC 9457 problems."
)
_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_SECURITY = {
    "api": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From the configured issuer, or from `mcu token`. Scopes are listed with each operation.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The session token of `POST /api/v1/join/{number}`, or the reconnect token.",
    },
}


def _schemas(routes: list[Route]) -> tuple[dict[Any, str], Json]:
    """Each model once: bodies and queries as they are read, answers as they are written."""
    wanted: dict[tuple[type[BaseModel], Any], None] = {(problems.Problem, "serialization"): None}
    for route in routes:
        if route.body:
            wanted[route.body, "validation"] = None
        if route.answer:
            wanted[route.answer, "serialization"] = None
    found, definitions = models_json_schema(list(wanted), ref_template=REF)
    return {key: value["$ref"] for key, value in found.items()}, definitions.get("$defs", {})


def _operation(route: Route, refs: dict[Any, str]) -> Json:
    summary, _, description = cleandoc(route.handler.__doc__ or route.name).partition("\n")
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "description": description.strip(),
        "parameters": [*_path_parameters(route), *_query_parameters(route.query), *_header_parameters(route)],
        "responses": {**_successes(route, refs), **_problems(route, refs)},
        "security": _security(route),
    }
    if route.has_body:
        schema = {"$ref": refs[route.body, "validation"]} if route.body else {"type": "string"}
        kinds = (MERGE_PATCH, JSON) if route.media == MERGE_PATCH else (route.media,)
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}
    return operation


def _security(route: Route) -> list[Json]:
    if route.scope:
        return [{"api": [route.scope.value]}]
    return [{"session": []}] if route.session else []


def _path_parameters(route: Route) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{PATTERNS[name]}$"}}
        for name in route.parameters
    ]


def _query_parameters(model: type[Request]) -> list[Json]:
    schema = model.model_json_schema(ref_template=REF)
    inlined = _inline(schema.get("properties", {}), schema.get("$defs", {}))
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": one.pop("description", ""),
            "schema": one,
        }
        for name, one in inlined.items()
    ]


def _inline(node: Any, definitions: Json) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rpartition("/")[2]], definitions)
        return {key: _inline(value, definitions) for key, value in node.items()}
    return [_inline(one, definitions) for one in node] if isinstance(node, list) else node


def _header_parameters(route: Route) -> list[Json]:
    headers = [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.request_headers.items()
    ]
    if route.if_match:
        headers.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": route.method != "PUT",
                "description": "The ETag of what was read. 428 without it, 412 if it has changed since.",
                "schema": {"type": "string"},
            }
        )
    if route.idempotent:
        headers.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": "The same request with the same key within 24 h gets the first one's reply.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            }
        )
    return headers


def _successes(route: Route, refs: dict[Any, str]) -> Json:
    found: Json = {}
    for status in (route.status, *route.other_statuses):
        response: Json = {"description": HTTPStatus(status).phrase, "headers": _response_headers(route)}
        if route.answer:
            response["content"] = {JSON: {"schema": {"$ref": refs[route.answer, "serialization"]}}}
        elif route.answer_media == SDP:
            response["content"] = {SDP: {"schema": {"type": "string"}}}
        found[str(status)] = response
    return found


def _response_headers(route: Route) -> Json:
    named = {"X-Request-Id": "Names this request in the logs.", "ETag": "The version.", "Location": "Where it is."}
    shown = {"X-Request-Id", *(["ETag"] if route.etag else []), *(["Location"] if route.location else [])}
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in named.items() if name in shown}


def _links(route: Route, routes: list[Route]) -> Json:
    """From what a POST made to what can be done with it: its id, and its version where one is demanded."""
    if route.method != "POST" or not route.location or route.answer is None:
        return {}
    return {
        other.name: {
            "operationId": other.name,
            "parameters": {
                **{f"path.{name}": f"$request.path.{name}" for name in route.parameters},
                f"path.{other.parameters[-1]}": "$response.body#/id",
                **({"header.If-Match": "$response.header.ETag"} if other.if_match else {}),
            },
        }
        for other in routes
        if other.path.startswith(f"{route.path}/{{") and len(other.parameters) == len(route.parameters) + 1
    }


def _problems(route: Route, refs: dict[Any, str]) -> Json:
    """By status; the codes that are known are named in the description."""
    by_status: dict[int, set[str]] = {}
    for kind in (*_implied(route), *route.problems):
        by_status.setdefault(kind.http, set()).add(kind.code)
    schema = {"$ref": refs[problems.Problem, "serialization"]}
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: " + ", ".join(f"`{code}`" for code in sorted(codes)),
            "content": {problems.CONTENT_TYPE: {"schema": schema}},
        }
        for status, codes in sorted(by_status.items())
    }


class _TooLarge(errors.McuError):
    code, http = "request-entity-too-large", 413


def _implied(route: Route) -> list[type[errors.McuError]]:
    """What the layer itself may answer for such a route."""
    kinds: list[type[errors.McuError]] = [errors.McuError, problems.Invalid422, problems.Malformed, errors.Unavailable]
    if route.parameters:
        kinds.append(errors.NotFound)
    if route.has_body:
        kinds += [problems.UnsupportedMediaType, _TooLarge]
    if route.scope or route.session:
        kinds += [errors.Unauthenticated, errors.Refused]
    if route.if_match:
        kinds += [problems.PreconditionRequired, Stale]
    if route.idempotent:
        kinds += [KeyReused, KeyInFlight]
    return kinds


def main() -> None:
    """Prints the document of everything that is served."""
    from mcu.api.catalogue import ROUTES

    json.dump(document(ROUTES), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
