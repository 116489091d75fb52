"""The registrar's office: who of our endpoints may register, where each is reached, and what of it is kept on disk.

What is acknowledged is on disk before, as far as it can outlive us: registrations by datagrams do, those by a
connection end with it. A binding is kept longer than it holds, so that nine in ten refreshes write nothing; after a
restart it holds for as long as was last granted, in which its endpoint comes again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

import structlog

from mcu.auth.guesses import PAIR, Paces
from mcu.auth.sealing import Seal
from mcu.booking.endpoints import Contact, Digest, Directory, Endpoint, Explained, State
from mcu.booking.store import Store, StoredBinding
from mcu.clock import Clock
from mcu.errors import McuError, NotFound, Refused, TooMany, Unavailable
from mcu.ids import EndpointId
from mcu.net.sip.endpoint import Flow
from mcu.net.sip.flows import StreamFlow
from mcu.networks import network_of
from mcu.protocol.sip.authenticator import Authenticator, Challenged, WrongPassword
from mcu.protocol.sip.digest import Challenger, ha1
from mcu.protocol.sip.events import Asked
from mcu.protocol.sip.flow import is_secure, tag
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.gruu import Gruus
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.registrar import LONGEST_S, SHORTEST_S, Binding, Registrar, TooBrief
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri, Uri, parse_uri
from mcu.protocol.sip.values import parse_address
from mcu.signalling.sip.routing import RULES, DialPlan, Kind, Route
from mcu.tally import one_less

log = structlog.get_logger(__name__)

IDLE_REGISTERED_S: Final = LONGEST_S + 60.0  # who registers by a connection need say nothing on it meanwhile
KEPT_LONGER: Final = 10  # times what is granted

FlowTo = Callable[[str, int], Flow]  # by datagrams; raises `Unavailable`


class Answering(Protocol):
    """What sends a response."""

    def respond(self, key: Key, response: Response) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """One way to an endpoint: a request goes by `flow`, to `uri`, with these as its Route."""

    endpoint: Endpoint
    domain: str  # of its address
    flow: Flow
    uri: SipUri
    routes: tuple[str, ...]


class NotReached(Unavailable):
    """Whoever is called is ours, and registered nowhere."""

    code, title = "not-reached", "Nobody can be reached there just now"
    http, sip, q850 = 409, 480, 20  # subscriber absent


class Registrations:
    """One domain's endpoints; a `mcu.booking.endpoints.Switchboard`. `start` before calls come, `stop` after them."""

    def __init__(
        self, domain: str, *, plan: DialPlan, directory: Directory, store: Store, seal: Seal, clock: Clock
    ) -> None:
        self.realm, self.directory, self.plan = domain, directory, plan
        self._store, self._seal, self._clock = store, seal, clock
        self._registrar = Registrar[Flow](Gruus(domain, seal.mac(b"gruu")))
        self._authenticators = {
            name: Authenticator(Challenger(self.domain_of(name)), partial(self._passwords, name))
            for name in ("", *(one.id for one in plan.organisations))
        }
        self._paces = Paces(clock)
        self._kept: dict[EndpointId, tuple[StoredBinding, ...]] = {}
        self._trusted: dict[Flow, EndpointId] = {}  # TLS connections by which somebody has registered
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls: Counter[EndpointId] = Counter()  # in which each is now

    def domain_of(self, organisation: str) -> str:
        known = self.plan.organisations.get(organisation)
        if known is None:
            return self.realm
        return known.domains[0] if self.realm and known.domains and not known.call_control else ""

    def _whose(self, host: str) -> str | None:
        """Whose endpoints have their addresses there; `None`: none of ours."""
        at = self.plan.organisations.at(host)
        if at is not None:
            return None if at.call_control else at.id
        return "" if host == self.realm else None

    def is_ours(self, host: str) -> bool:
        return self._whose(host) is not None

    def _at(self, uri: Uri) -> Endpoint | None:
        """Whose address this is."""
        organisation = self._whose(uri.host) if isinstance(uri, SipUri) else None
        return None if organisation is None else self.directory.named(_user(uri), organisation)

    async def start(self, flow_to: FlowTo) -> None:
        """What was acknowledged before a restart holds again."""
        async with self._store.reading() as tx:
            stored = await tx.endpoints.bindings()
        now = self._now
        for endpoint in self.directory:
            self._kept[endpoint.id] = tuple(one for one in stored if one.endpoint == endpoint.id)
            self._registrar.restore(endpoint.id, list(_restored(self._kept[endpoint.id], flow_to, now)))

    async def stop(self) -> None:
        """What is being written is written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- who it is ----------------------------------------------------------------------------------------------------

    def caller(self, request: Request, flow: Flow) -> Endpoint | None:
        """The endpoint that sends this; None where it claims to be none of ours.

        By the TLS connection by which it registered or shows its certificate, else by its password. Raises what
        refuses it.
        """
        claimed = request.from_.uri
        endpoint = self._at(claimed)
        if endpoint is None or (self._trusted.get(flow) == endpoint.id and _is_direct(request)):
            return endpoint
        if self._shows(endpoint, request, flow):
            return endpoint
        proven = self._proven(request, flow, endpoint.organisation)
        if proven is not endpoint:
            raise Refused("An endpoint calls in its own name.")
        return proven

    def _shows(self, endpoint: Endpoint, request: Request, flow: Flow) -> bool:
        """Whether the certificate at the other end of the connection is this endpoint's."""
        domain = self.domain_of(endpoint.organisation)
        return isinstance(flow, StreamFlow) and _is_direct(request) and flow.shown.is_users(endpoint.name, domain)

    def _proven(self, request: Request, flow: Flow, organisation: str) -> Endpoint:
        who = (_claimed(request), network_of(flow.peer.host))
        self._paces.check(PAIR, *who)
        try:
            name = self._authenticators[organisation].user(request, self._now)
        except WrongPassword:
            self._paces.count(PAIR, *who)
            raise
        endpoint = self.directory.named(name, organisation)
        assert endpoint is not None  # it has a password
        return endpoint

    def _passwords(self, organisation: str, name: str) -> Mapping[str, str] | None:
        endpoint = self.directory.named(name, organisation)
        if endpoint is None:
            return None
        digests: Mapping[str, str] = json.loads(self._seal.open(endpoint.secret, endpoint.id.encode()))
        return digests

    # -- REGISTER -----------------------------------------------------------------------------------------------------

    def asked(self, asked: Asked, flow: Flow, answering: Answering) -> None:
        """Answers a REGISTER, at once or when it is on disk."""
        try:
            endpoint = self._registering(asked.request, flow)
            said = self._registrar.register(endpoint.id, asked.request, flow, self._now)
        except McuError as error:
            answering.respond(asked.key, response_to(asked.request, error.sip, tag=tag(), headers=refusal(error)))
            return
        if isinstance(flow, StreamFlow):
            flow.idle_s = IDLE_REGISTERED_S
        if is_secure(flow) and _is_direct(asked.request):
            self._trusted[flow] = endpoint.id
        response = response_to(asked.request, 200, tag=tag(), headers=[*said, ("Date", _date(self._clock.now()))])
        if self._is_kept(endpoint.id):
            answering.respond(asked.key, response)
            return
        task = asyncio.create_task(self._answer_when_kept(endpoint.id, asked, response, answering))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _registering(self, request: Request, flow: Flow) -> Endpoint:
        """Whoever registers does so for itself alone (section 10.3, steps 3 to 5)."""
        about = request.to.uri
        if not isinstance(about, SipUri):
            raise Malformed("who registers has a SIP address")
        organisation = self._whose(about.host)
        if organisation is None:
            raise Refused("Endpoints of this server's domains alone register here.")
        named = self._at(about)
        if named is not None and self._shows(named, request, flow):
            return named
        if self._proven(request, flow, organisation) is not named:
            raise Refused("An endpoint registers itself alone.")
        assert named is not None  # somebody's password has proved it
        return named

    async def _answer_when_kept(
        self, endpoint: EndpointId, asked: Asked, response: Response, answering: Answering
    ) -> None:
        try:
            await self._keep(endpoint)
        except Exception as error:  # who has no answer comes again and again
            code, status = (error.code, error.sip) if isinstance(error, McuError) else (type(error).__name__, 500)
            log.error("registration_not_kept", code=code)
            response = response_to(asked.request, status, tag=tag())
        answering.respond(asked.key, response)

    def _is_kept(self, endpoint: EndpointId) -> bool:
        """Whether what is on disk says at least what holds now, and nothing that does not."""
        wanted, kept = self._to_keep(endpoint), self._kept.get(endpoint, ())
        if [_same(one) for one in wanted] != [_same(one) for one in kept]:
            return False
        now = self._clock.now()
        return all((one.kept_until - now).total_seconds() >= one.granted_s for one in kept)

    def _to_keep(self, endpoint: EndpointId) -> tuple[StoredBinding, ...]:
        return tuple(
            StoredBinding(
                endpoint=endpoint,
                contact=str(one.contact),
                host=one.flow.peer.host,
                port=one.flow.peer.port,
                call_id=one.call_id,
                path=list(one.path),
                granted_s=one.granted_s,
                kept_until=datetime.fromtimestamp(self._now + KEPT_LONGER * one.granted_s, UTC),
            )
            for one in self._registrar.bindings(endpoint, self._now)
            if one.flow.transport == "UDP"
        )

    async def _keep(self, endpoint: EndpointId) -> None:
        async with self._writing:
            wanted = self._to_keep(endpoint)
            async with self._store.writing() as tx:
                await tx.endpoints.keep(endpoint, wanted)
            self._kept[endpoint] = wanted

    def closed(self, flow: Flow) -> None:
        """A connection has ended."""
        self._trusted.pop(flow, None)
        self._registrar.lost(flow)

    # -- where they are -----------------------------------------------------------------------------------------------

    def locate(self, dialled: str | SipUri, organisation: str = "") -> Sequence[Target]:
        """Every way to whom a number or a name in an organisation, or a URI of ours, means: the newest first.

        Raises `NotFound` where it means nobody, `NotReached` where who it means is registered nowhere.
        """
        if not isinstance(dialled, SipUri):
            endpoint = self.directory.called(dialled, organisation)
            bindings = self._registrar.bindings(endpoint.id, self._now) if endpoint else ()
        elif "gr" in dialled.params and dialled.params["gr"] is None:
            user, bindings = self._registrar.hidden(dialled, self._now)
            endpoint = self.directory.get(EndpointId(user))
        else:
            device = "gr" in dialled.params
            user, whose = dialled.user or "", self._whose(dialled.host) or organisation
            endpoint = self.directory.get(EndpointId(user)) if device else self.directory.called(user, whose)
            find = self._registrar.device if device else _every(self._registrar)
            bindings = find(endpoint.id, dialled, self._now) if endpoint else ()
        if endpoint is None:
            raise NotFound("No endpoint has that number or name.")
        if not bindings:
            raise NotReached("Nobody is registered there now.")
        domain = self.domain_of(endpoint.organisation)
        return [_target(endpoint, one, domain) for one in _one_of_each_device(bindings)]

    def aimed(self, request: Request, flow: Flow) -> Request:
        """To a device by its contact, where it is asked by its GRUU, which it need not know (RFC 5627)."""
        uri = request.uri if ";gr" in request.target else None
        if not isinstance(uri, SipUri) or "gr" not in uri.params or not self.is_ours(uri.host):
            return request
        try:
            known = next((one.uri for one in self.locate(uri) if one.flow == flow), None)
        except (NotFound, NotReached):
            return request
        if known is None:
            return request
        return Request(request.method, str(known), headers=request.headers, body=request.body)

    def numbered(self, number: str) -> Sequence[Target]:
        """Every way to an organisation's endpoint whose whole number this is; none where it is nobody's.

        Raises `NotReached`.
        """
        route = self.plan.by_number(number, ())
        return self.locate(route.to, route.organisation) if route.kind is Kind.ENDPOINT else ()

    def contacts(self, organisation: str = "") -> Sequence[Contact]:
        ours = {one.id for one in self.directory if organisation in ("", one.organisation)}
        return [
            Contact(
                endpoint=EndpointId(user),
                uri=str(one.contact.uri),
                transport=one.flow.transport,
                address=one.flow.peer.host,
                instance=one.instance,
                expires_at=datetime.fromtimestamp(one.expires_at, UTC),
            )
            for user, bindings in self._registrar.users(self._now)
            for one in bindings
            if user in ours
        ]

    def state(self, endpoint: EndpointId) -> State:
        if not self._registrar.bindings(endpoint, self._now):
            return "offline"
        return "busy" if self._calls[endpoint] else "online"

    def engaged(self, endpoint: EndpointId) -> None:
        """It is in one call more."""
        self._calls[endpoint] += 1

    def disengaged(self, endpoint: EndpointId) -> None:
        one_less(self._calls, endpoint)

    @property
    def rules(self) -> Sequence[str]:
        return RULES

    def explain(self, dialled: str, *, stranger: bool, organisation: str = "") -> Explained:
        """Raises `Invalid`."""
        uri = parse_uri(dialled) if ":" in dialled else SipUri(self.realm, dialled)
        whose = self.plan.organisations.get(organisation)
        neighbour = whose if whose is not None and whose.call_control and not stranger else None
        route = self.plan.route(
            uri, stranger=stranger, of=organisation if neighbour is None else "", neighbour=neighbour
        )
        steps = route.steps
        if route.kind is Kind.ENDPOINT:
            steps = (*steps, *self.plan.zones.explained(self._addresses(route)))
        return Explained(route=route.kind, steps=steps)

    def _addresses(self, route: Route) -> list[str]:
        """From which whom it leads to has registered."""
        try:
            return [one.flow.peer.host for one in self.locate(route.to, route.organisation)]
        except McuError:
            return []

    # -- what is changed of them --------------------------------------------------------------------------------------

    def secret(
        self, endpoint: EndpointId, name: str, organisation: str, password: str, digests: Sequence[Digest]
    ) -> bytes:
        domain = self.domain_of(organisation)
        kept = {algorithm: ha1(algorithm, name, domain, password) for algorithm in digests}
        return self._seal.close(json.dumps(kept).encode(), endpoint.encode())

    def added(self, endpoint: Endpoint) -> None:
        self.directory.put(endpoint)

    def removed(self, endpoint: EndpointId) -> None:
        """Its registrations are no more either, and no connection is trusted to be its."""
        self.directory.drop(endpoint)
        self._registrar.forget(endpoint)
        self._kept.pop(endpoint, None)
        for flow in [flow for flow, known in self._trusted.items() if known == endpoint]:
            del self._trusted[flow]

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()


def _restored(stored: Sequence[StoredBinding], flow_to: FlowTo, now: float) -> Iterator[Binding[Flow]]:
    for one in stored:
        left = one.kept_until.timestamp() - now
        try:
            flow = flow_to(one.host, one.port)
        except McuError:
            continue  # this server listens there no more
        if left > 0:
            yield Binding(
                contact=parse_address(one.contact),
                flow=flow,
                call_id=one.call_id,
                cseq=0,
                expires_at=now + min(left, one.granted_s),
                granted_s=one.granted_s,
                path=tuple(one.path),
            )


def _every(registrar: Registrar[Flow]) -> Callable[[str, SipUri, float], tuple[Binding[Flow], ...]]:
    return lambda user, _, now: registrar.bindings(user, now)


def _one_of_each_device(bindings: Sequence[Binding[Flow]]) -> Iterator[Binding[Flow]]:
    """A device that keeps several flows is called by the newest (RFC 5626, section 7)."""
    seen: set[str] = set()
    for one in bindings:
        if not one.reg_id or one.instance not in seen:
            yield one
        seen.add(one.instance)


def _target(endpoint: Endpoint, one: Binding[Flow], domain: str) -> Target:
    assert isinstance(one.contact.uri, SipUri)  # the registrar binds no other
    return Target(endpoint, domain, one.flow, one.contact.uri, one.path)


def _same(one: StoredBinding) -> tuple[object, ...]:
    return one.contact, one.host, one.port, one.call_id, tuple(one.path), one.granted_s


def _is_direct(request: Request) -> bool:
    """Nobody stands between, whose connection others may share."""
    return len(request.vias) == 1


def _user(uri: Uri) -> str:
    return (uri.user or "") if isinstance(uri, SipUri) else ""


def _claimed(request: Request) -> str:
    """The user of the credentials, whom guesses are counted for."""
    return next((name for one in request.credentials if (name := one.params.get("username"))), "")


def refusal(error: McuError) -> list[tuple[str, str]]:
    """What the response says beside its status."""
    if isinstance(error, Challenged):
        return error.headers
    if isinstance(error, TooBrief):
        return [("Min-Expires", str(SHORTEST_S))]
    return [("Retry-After", str(error.retry_after))] if isinstance(error, TooMany) else []


def _date(now: datetime) -> str:
    return now.strftime("%a, %d %b %Y %H:%M:%S GMT")
