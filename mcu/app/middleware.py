"""What is done to every request before any part sees it: whose address it is, and that it is counted."""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from mcu.clock import Clock
from mcu.telemetry.metrics import Metrics

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_requests(metrics: Metrics, clock: Clock) -> Middleware:
    """Counts each answer under its route's template. Must be the outermost: it sees what was answered."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun, status = clock.monotonic(), 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            method = request.method if request.method in _METHODS else "other"
            metrics.request_answered(method, route_of(request), status, clock.monotonic() - begun)
        return response

    return middleware


def route_of(request: web.Request) -> str:
    """The template of the path; one name for all that nothing was found for."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def believe_proxies(networks: Sequence[str]) -> Middleware:
    """Takes the address and scheme of a request from the proxy in front, when the peer is one that is trusted."""
    trusted = [ipaddress.ip_network(network) for network in networks]

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.remote is None or not _within(request.remote, trusted):
            return await handler(request)
        forwarded = request.headers.get("X-Forwarded-For", "")
        client = client_of([part.strip() for part in forwarded.split(",")], trusted) or request.remote
        scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
        return await handler(request.clone(remote=client, scheme="https" if scheme == "https" else "http"))

    return middleware


def client_of(hops: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The nearest hop that is no proxy of ours: what stands before it, anybody may have written."""
    for hop in reversed(hops):
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            return None
        if not _within(hop, trusted):
            return hop
    return None


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
