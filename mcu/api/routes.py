"""The layer in which every REST route is declared: what it takes, answers and demands, said once.

Requests are checked and OpenAPI is generated from the same declaration. To add a route:

    routes = Routes("Rooms")

    @routes.add("POST", "/api/v1/rooms/{room}/end", answer=RoomOut, scope=Scope.ROOMS_CONTROL, problems=(NotFound,))
    async def end_room(call: Call[Nothing]) -> Reply:
        '''End a room for all.

        The first line is the summary in the documentation, the rest its description.
        '''
        room = await call.request.app[ROOMS].end(RoomId(call.path["room"]))
        return Reply(RoomOut.of(room))

and put `routes` among those in `mcu/api/catalogue.py`. A service of your own is an `web.AppKey` that the app sets.
Path parameters are those of PATTERNS (a value that does not match is a 404). A body model derives from `Request`, whose
unknown fields are refused. Raise what is in `mcu.errors`; it becomes a problem. Writing goes through
`tx = await call.writing()`: it is committed after the handler has returned and before the answer leaves.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from mcu.api.problems import PreconditionRequired
from mcu.auth.bearer import Caller, Scope
from mcu.booking.meeting import Meeting
from mcu.booking.store import Stale, Transaction
from mcu.errors import McuError, NotFound, Unauthenticated

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
SDP = "application/sdp"

PATTERNS: Mapping[str, str] = {
    "meeting": "mtg_[0-9a-f]{32}",
    "participant": "pt_[0-9a-f]{32}",
    "room": "room_[0-9a-f]{32}",
    "leg": "leg_[0-9a-f]{32}",
    "endpoint": "ep_[0-9a-f]{32}",
    "call": "call_[0-9a-f]{32}",
    "number": "[0-9]{9}",
    "source": "[a-z0-9][a-z0-9._-]{0,62}",
    "value": "[A-Za-z0-9._:~@+-]{1,200}",
}


class Request(BaseModel):
    """A request body or a set of query parameters: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Request):
    """No body."""


B = TypeVar("B", covariant=True)
Q = TypeVar("Q", bound=Request)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a handler answers. `etag`: the version of what is shown; `status` `None`: the route's own."""

    body: BaseModel | str | None = None
    status: int | None = None
    etag: int | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Writing(Protocol):
    """Where a call gets its transaction from."""

    async def begin(self) -> Transaction: ...

    def after_commit(self, act: Callable[[], Awaitable[None]]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Call(Generic[B]):
    """One request, checked: its body, its path, who calls."""

    request: web.Request
    body: B
    query_model: Request
    path: Mapping[str, str]
    unit: Writing
    who: Caller | None = None
    token: str | None = None  # what stood after `Bearer`, where the route takes a session token

    @property
    def caller(self) -> Caller:
        if self.who is None:
            raise Unauthenticated("Send a bearer token.")
        return self.who

    def own(self, meeting: Meeting) -> Meeting:
        """It, where its organisation is the caller's. Raises `NotFound`, as where there is none."""
        if not self.caller.owns(meeting.organisation):
            raise NotFound("There is no such meeting.")
        return meeting

    def query(self, model: type[Q]) -> Q:
        """The query parameters; `model` is the route's."""
        assert isinstance(self.query_model, model)
        return self.query_model

    async def writing(self) -> Transaction:
        """The call's transaction, begun at the first call. Do what is slow before."""
        return await self.unit.begin()

    def after_commit(self, act: Callable[[], Awaitable[None]]) -> None:
        """Done once the transaction is durable, before the answer leaves."""
        self.unit.after_commit(act)

    def require_version(self, version: int) -> None:
        """Raises `PreconditionRequired` without `If-Match`, `Stale` if it names another version (RFC 9110 13.1.1)."""
        if (wanted := self.request.headers.get("If-Match")) is None:
            raise PreconditionRequired("Read it, and send its ETag as If-Match.")
        tags = {tag.strip() for tag in wanted.split(",")}
        if not tags & {"*", f'"{version}"'}:
            raise Stale("Read it again, and make your change to what it is now.")


Handler = Callable[[Call[Any]], Awaitable[Reply]]
H = TypeVar("H", bound=Callable[..., Awaitable[Reply]])


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    tag: str
    handler: Handler
    body: type[BaseModel] | None = None
    media: str = JSON  # of the body; SDP: the body is text
    query: type[Request] = Nothing
    answer: type[BaseModel] | None = None
    answer_media: str = JSON
    status: int = 200
    other_statuses: tuple[int, ...] = ()  # also successes, with the same body
    scope: Scope | None = None
    session: bool = False  # takes a session or reconnect token instead of an API token
    if_match: bool = False
    idempotent: bool = False  # takes an Idempotency-Key
    etag: bool = False
    location: bool = False
    problems: tuple[type[McuError], ...] = ()
    request_headers: Mapping[str, str] = field(default_factory=dict)  # optional ones, with what they mean

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def has_body(self) -> bool:
        return self.body is not None or self.media == SDP

    @property
    def pattern(self) -> str:
        """The path as aiohttp wants it."""
        return "/".join(
            f"{{{part[1:-1]}:{PATTERNS[part[1:-1]]}}}" if part.startswith("{") else part
            for part in self.path.split("/")
        )


class Routes(list[Route]):
    """The routes of one module, under one heading of the documentation."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag

    def add(self, method: str, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares the decorated handler as a `Route`; `declared` are its fields."""

        def keep(handler: H) -> H:
            self.append(Route(method=method, path=path, tag=self.tag, handler=handler, **declared))
            return handler

        return keep
