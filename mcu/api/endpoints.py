"""Telephones and room systems of our own: made, seen with their state, taken away; and where each is reached."""

import secrets
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from mcu.api.fields import PageQuery, Text, page_token
from mcu.api.live import LIVE
from mcu.api.routes import Call, Nothing, Reply, Request, Routes
from mcu.api.server import API
from mcu.auth.bearer import Scope
from mcu.booking.endpoints import Digest, Endpoint, State, Switchboard
from mcu.booking.store import Taken
from mcu.errors import Conflict, Invalid, NotFound
from mcu.ids import EndpointId, new_id

routes = Routes("Telephones")

ENDPOINTS = "/api/v1/endpoints"
ENDPOINT = f"{ENDPOINTS}/{{endpoint}}"
PASSWORD_CHARACTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another
PASSWORD_LENGTH: Final = 20  # 100 bits

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,62}$")]
Number = Annotated[str, StringConstraints(pattern=r"^([0-9]{2,8}|[0-9]{10,15})$")]
Password = Annotated[str, StringConstraints(min_length=12, max_length=128, pattern=r"^[\x21-\x7e]+$")]


class NoDomain(Conflict):
    """There is no SIP here, or the organisation has no domain, so that endpoints would have no address."""

    code, title = "no-sip", "There is no domain for endpoints: set sip.addresses, and the organisation's domains"
    http = 409


class EndpointIn(Request):
    """An endpoint to be."""

    name: Name = Field(description="The user of its URI, and of its password")
    number: Number | None = Field(None, description="That others dial: 2 to 15 digits, not 9, which are a meeting's")
    display_name: Text = Field(description="How it is named in a meeting and to whom it calls")
    language: Literal["sv", "en"] = "sv"
    password: Password | None = Field(None, description="Left out, one is made. It cannot be read again.")
    digests: Annotated[list[Digest], Field(min_length=1, max_length=2)] = Field(
        ["SHA-256", "MD5"],
        description="By which it may prove its password. `MD5` alone is for telephones that give up where they are "
        "asked for SHA-256 too.",
    )


class EndpointOut(BaseModel):
    """An endpoint. More states may come."""

    id: str
    name: str
    number: str | None
    uri: str
    display_name: str
    language: Literal["sv", "en"]
    state: State = Field(description="`online`: it is registered; `busy`: and in a call")
    created_at: datetime
    organisation: str | None = Field(description="Whose it is: that of the token it was added with")

    @classmethod
    def of(cls, endpoint: Endpoint, switchboard: Switchboard) -> "EndpointOut":
        same = ("id", "name", "number", "display_name", "language", "created_at")
        return cls(
            **{name: getattr(endpoint, name) for name in same},
            uri=f"sip:{endpoint.name}@{switchboard.domain_of(endpoint.organisation)}",
            state=switchboard.state(endpoint.id),
            organisation=endpoint.organisation or None,
        )


class EndpointWithPassword(EndpointOut):
    password: str = Field(description="Shown in this answer alone")


class EndpointPage(BaseModel):
    items: list[EndpointOut]
    next_page_token: str | None


class RegistrationOut(BaseModel):
    """One way by which an endpoint can be reached now."""

    endpoint_id: str
    contact: str
    transport: str
    address: str = Field(description="That it registers from")
    instance: str | None = Field(description="Of the device, where it says one (RFC 5626)")
    expires_at: datetime


class RegistrationPage(BaseModel):
    items: list[RegistrationOut]


class DialTest(Request):
    """What is dialled, and by whom."""

    dialled: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="A number, a name, or a `sip:` or `tel:` URI"
    )
    caller: Literal["endpoint", "stranger"] = Field("endpoint", description="One of ours, or anybody else")


class DialTestOut(BaseModel):
    """Where such a call goes. More routes may come."""

    route: str = Field(description="`meeting`, `reception`, `endpoint`, `domain` or `refused`")
    steps: list[str] = Field(description="The reason for each step, as sentences")


class DialRulesOut(BaseModel):
    rules: list[str] = Field(description="In the order in which they are looked at; the first that fits decides")


@routes.add(
    "POST",
    ENDPOINTS,
    body=EndpointIn,
    answer=EndpointWithPassword,
    status=201,
    scope=Scope.ADMIN,
    idempotent=True,
    location=True,
    problems=(Taken, NoDomain),
)
async def add_endpoint(call: Call[EndpointIn]) -> Reply:
    """Add a telephone or a room system, for the token's organisation.

    It registers by SIP with its name and its password, and is then called by its number or its URI.
    """
    board, asked, organisation = call.request.app[LIVE].switchboard, call.body, call.caller.organisation
    if not board.domain_of(organisation):
        raise NoDomain("Endpoints have their addresses in the server's domain, or their organisation's.")
    made = asked.password or "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(PASSWORD_LENGTH))
    name = EndpointId(new_id("ep"))
    endpoint = Endpoint(
        id=name,
        name=asked.name,
        number=asked.number,
        display_name=asked.display_name,
        language=asked.language,
        secret=board.secret(name, asked.name, organisation, made, asked.digests),
        created_at=call.request.app[API].clock.now(),
        organisation=organisation,
    )
    tx = await call.writing()
    await tx.endpoints.add(endpoint)

    async def stored() -> None:
        board.added(endpoint)

    call.after_commit(stored)
    body = EndpointWithPassword(**EndpointOut.of(endpoint, board).model_dump(), password=made)
    return Reply(body=body, location=f"{ENDPOINTS}/{name}")


@routes.add("GET", ENDPOINTS, query=PageQuery, answer=EndpointPage, scope=Scope.ADMIN, problems=(Invalid,))
async def list_endpoints(call: Call[Nothing]) -> Reply:
    """List the telephones and room systems, each with its state."""
    board, wanted = call.request.app[LIVE].switchboard, call.query(PageQuery).wanted()
    async with call.request.app[API].store.reading() as tx:
        page = await tx.endpoints.page(wanted, call.caller.organisation)
    items = [EndpointOut.of(one, board) for one in page.items]
    return Reply(body=EndpointPage(items=items, next_page_token=page_token(page.last)))


@routes.add("DELETE", ENDPOINT, status=204, scope=Scope.ADMIN, problems=(NotFound,))
async def remove_endpoint(call: Call[Nothing]) -> Reply:
    """Remove one. It can register and call no more; calls that stand go on."""
    name = EndpointId(call.path["endpoint"])
    tx = await call.writing()
    await tx.endpoints.remove(name, call.caller.organisation)

    async def removed() -> None:
        call.request.app[LIVE].switchboard.removed(name)

    call.after_commit(removed)
    return Reply()


@routes.add("GET", "/api/v1/registrations", answer=RegistrationPage, scope=Scope.ADMIN)
async def list_registrations(call: Call[Nothing]) -> Reply:
    """List where the endpoints are reached now. One that several devices register has several."""
    items = [
        RegistrationOut(
            endpoint_id=one.endpoint,
            contact=one.uri,
            transport=one.transport,
            address=one.address,
            instance=one.instance or None,
            expires_at=one.expires_at,
        )
        for one in call.request.app[LIVE].switchboard.contacts(call.caller.organisation)
    ]
    return Reply(body=RegistrationPage(items=items))


@routes.add("GET", "/api/v1/dial-rules", answer=DialRulesOut, scope=Scope.ADMIN)
async def list_dial_rules(call: Call[Nothing]) -> Reply:
    """List the rules by which calls are routed."""
    return Reply(body=DialRulesOut(rules=list(call.request.app[LIVE].switchboard.rules)))


@routes.add(
    "POST", "/api/v1/dial-rules/test", body=DialTest, answer=DialTestOut, scope=Scope.ADMIN, problems=(Invalid,)
)
async def test_dial_rules(call: Call[DialTest]) -> Reply:
    """Say where a call would go, and why. Nobody is called.

    One of ours is an endpoint of the token's organisation.
    """
    asked, board = call.body, call.request.app[LIVE].switchboard
    stranger = asked.caller == "stranger"
    told = board.explain(asked.dialled, stranger=stranger, organisation=call.caller.organisation)
    return Reply(body=DialTestOut(route=told.route, steps=list(told.steps)))
