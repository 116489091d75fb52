"""From an HTTP request to a checked `Call`: who calls, the query, the body. Refuses before anything is changed."""

import json
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mcu.api.problems import Malformed, UnsupportedMediaType, field_error, invalid
from mcu.api.routes import JSON, MERGE_PATCH, SDP, Nothing, Request, Route
from mcu.auth.bearer import Bearer, Caller
from mcu.errors import Unauthenticated


def bearer_token(request: web.Request) -> str:
    """What stands after `Bearer`. Raises `Unauthenticated`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send Authorization: Bearer and a token.")
    return token.strip()


async def read_caller(route: Route, request: web.Request, bearer: Bearer) -> Caller | None:
    if route.scope is None:
        return None
    caller = await bearer.caller(bearer_token(request))
    caller.require(route.scope)
    return caller


def read_query(route: Route, request: web.Request) -> Request:
    """Each parameter at most once."""
    given = request.query
    for name in given:
        if len(given.getall(name)) > 1:
            raise field_error("query", "A parameter is given more than once.", "repeated")
    try:
        return route.query.model_validate_strings(dict(given))
    except ValidationError as found:
        raise invalid(found, "query") from found


async def read_body(route: Route, request: web.Request) -> Any:
    """The body as the route's model, or as text. Raises `Malformed`, `UnsupportedMediaType`, `Invalid422`."""
    if not route.has_body:
        return Nothing()
    _check_media(route, request)
    raw = await request.read()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not UTF-8.") from error
    return text if route.body is None else read_json(route.body, text)


def read_json(model: type[BaseModel], text: str) -> BaseModel:
    """Strict: no other types than the model's, no name twice, no NaN."""
    try:
        json.loads(text, object_pairs_hook=_names_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON, or says one name twice.") from error
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as found:
        raise invalid(found) from found


def _check_media(route: Route, request: web.Request) -> None:
    taken = {route.media, JSON} if route.media == MERGE_PATCH else {route.media}
    if request.content_type not in taken or (request.charset or "utf-8").lower() != "utf-8":
        raise UnsupportedMediaType(f"Send {' or '.join(sorted(taken))}{'' if SDP in taken else ' in UTF-8'}.")


def _names_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)
