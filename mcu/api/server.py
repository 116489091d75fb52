"""The REST API as an aiohttp application: every declared route behind the same checks and the same problems.

    app = make_app(api, ROUTES)
    runner = Runner(app)  # the log line is ours: the route, never the URL

Adds the request id, the security headers and one log line to whatever is served from this application.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog
from aiohttp import web
from pydantic import BaseModel

from mcu.api import problems
from mcu.api.docs import add_docs
from mcu.api.idempotency import Replies
from mcu.api.reading import bearer_token, read_body, read_caller, read_query
from mcu.api.routes import Call, Reply, Route
from mcu.api.unit import Unit
from mcu.auth.bearer import Bearer
from mcu.auth.pins import PinHasher
from mcu.auth.sealing import Seal
from mcu.auth.tokens import Tokens
from mcu.booking.reach import Reach
from mcu.booking.store import MeetingListener, Store
from mcu.clock import Clock
from mcu.errors import McuError
from mcu.ids import new_id

log = structlog.get_logger()

MAX_BODY_BYTES = 256 * 1024
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "mcu",  # and not what it is made of, with versions
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Api:
    """What the booking routes and the layer itself need."""

    store: Store
    bearer: Bearer
    tokens: Tokens
    seal: Seal
    pins: PinHasher
    clock: Clock
    reach: Reach
    listener: MeetingListener


API = web.AppKey("api", Api)


def make_app(api: Api, routes: Iterable[Route]) -> web.Application:
    """An application that serves `routes`. The caller adds services (`app[KEY] = …`) and pages before it starts."""
    app = web.Application(middlewares=[_outermost], client_max_size=MAX_BODY_BYTES)
    app[API] = api
    replies = Replies(api.seal, api.clock)
    routes = tuple(routes)
    for route in routes:
        app.router.add_route(route.method, route.pattern, _serve(route, api, replies))
    add_docs(app, routes)
    return app


def _serve(route: Route, api: Api, replies: Replies) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        unit = Unit(api.store)
        call = await _read(route, request, api.bearer, unit)
        claim = await replies.claim(request, call.caller) if route.idempotent else None
        if claim is None:
            async with unit:
                response = _render(route, await route.handler(call))
        else:
            with replies.in_flight(claim):
                async with api.store.reading() as tx:
                    if (earlier := await replies.earlier(claim, tx)) is not None:
                        return earlier
                async with unit:
                    response = _render(route, await route.handler(call))
                    await replies.keep(claim, response, await unit.begin())
        await unit.committed()
        return response

    return handle


async def _read(route: Route, request: web.Request, bearer: Bearer, unit: Unit) -> Call[object]:
    who = await read_caller(route, request, bearer)
    token = bearer_token(request) if route.session else None
    query = read_query(route, request)
    body = await read_body(route, request)
    return Call(
        request=request, body=body, query_model=query, path=dict(request.match_info), unit=unit, who=who, token=token
    )


def _render(route: Route, reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["ETag"] = f'"{reply.etag}"'
    if reply.location is not None:
        headers["Location"] = reply.location
    status = reply.status or route.status
    if reply.body is None:
        return web.Response(status=status, headers=headers, body=b"")
    text = reply.body.model_dump_json(by_alias=True) if isinstance(reply.body, BaseModel) else reply.body
    return web.Response(status=status, headers=headers, body=text.encode(), content_type=route.answer_media)


@web.middleware
async def _outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever happens inside, the answer has a request id and the security headers, and errors are problems."""
    name = new_id("req")
    begun = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request=name, **_ids(request)):
        response = await _answered(request, handler, name)
        if not response.prepared:
            response.headers["X-Request-Id"] = name
            for header, value in SECURITY_HEADERS.items():
                response.headers.setdefault(header, value)
        log.info(
            "request",
            method=request.method,
            route=_route_of(request),
            status=response.status,
            milliseconds=round((time.perf_counter() - begun) * 1000, 1),
        )
    return response


async def _answered(request: web.Request, handler: Handler, name: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except McuError as error:
        return problems.answer(error, name)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        ours, kept = problems.from_http(error)
        response = problems.answer(ours, name)
        response.headers.update(kept)
        return response
    except Exception as error:
        log.error("unhandled", exc_info=error)
        return problems.answer(McuError("It has been logged under the request id."), name)


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


def _ids(request: web.Request) -> dict[str, str]:
    """The names of things that the path holds; they say nothing about a person."""
    return {name: request.match_info[name] for name in ("meeting", "room", "leg") if name in request.match_info}
