"""By which ways somebody is called: straight to a SIP address, or by one trunk after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from mcu.booking.organisations import Organisation, Organisations
from mcu.net.sip.endpoint import Flow
from mcu.net.sip.names import Place
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.flow import is_web
from mcu.protocol.sip.locating import ANY, Transport
from mcu.protocol.sip.uri import SipUri, TelUri, parse_uri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip import guard
from mcu.signalling.sip.guard import NotAllowed
from mcu.signalling.sip.registrations import Target
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.routing import whole_number
from mcu.signalling.sip.trunks import Host, Trunk

OWN_USER: Final = "meeting"  # who calls, where no trunk says who: a meeting's title is nobody's business


@dataclass(frozen=True, kw_only=True)
class Way:
    """One attempt. `trunk` `None`: straight there.

    `own`: one of our own endpoints, by the flow by which it registered.
    """

    target: SipUri
    host: Host
    encrypted: bool
    by_dtls: bool  # the keys of what is, not in the SDP
    transports: tuple[Transport, ...] = ()  # that may be used
    codecs: tuple[str, ...] = ()  # all
    trunk: Trunk | None = None
    own: Target | None = None

    def answerer(self) -> Answerer | None:
        """Who we are, where they ask."""
        return None if self.trunk is None or not self.trunk.user else Answerer(self.trunk.user, self.trunk.password)

    def recipient(self, flow: Flow) -> Recipient:
        trunk = self.trunk
        if trunk is None:
            us, own = Address(SipUri(flow.host, OWN_USER)), self.own
            if own is None:
                return Recipient(flow, self.target, us, Address(self.target))
            routes = [("Route", one) for one in own.routes]
            return Recipient(flow, self.target, us, Address(SipUri(own.domain, own.endpoint.name)), routes)
        who = Address(SipUri(trunk.domain, trunk.caller_id or trunk.user or OWN_USER))
        told = [("P-Asserted-Identity", str(who))] if trunk.caller_id else []
        return Recipient(flow, self.target, who, Address(self.target), told)


class Endpoints(Protocol):
    """Our own, and where each has registered."""

    def is_ours(self, host: str) -> bool:
        """Whether it is the domain of our endpoints, or of some of them."""
        ...

    def locate(self, dialled: SipUri) -> Sequence[Target]:
        """Raises `NotFound`."""
        ...

    def numbered(self, number: str) -> Sequence[Target]:
        """Whose whole number this is; none: nobody's of ours. Raises `NotReached`."""
        ...


class Ways:
    """Finds them, by the settings; and goes them."""

    def __init__(
        self,
        roads: Roads,
        endpoints: Endpoints,
        *,
        domains: Sequence[str],
        encrypted: bool,
        by_dtls: bool,
        organisations: Organisations,
    ) -> None:
        self.trunks, self._roads, self._endpoints = roads.trunks, roads, endpoints
        self._domains, self._organisations = domains, organisations
        self._encrypted, self._by_dtls = encrypted, by_dtls

    def to(self, to: str, now: float, of: Organisation | None = None) -> list[Way]:
        """The best first. `of`: for whom it is called.

        Raises what refuses it: `Invalid`, `NotAllowed`, `NotFound`, `TooMany` or `Unavailable`.
        """
        encrypted = self._encrypted if of is None else of.encrypted
        target = guard.target(to)
        if (connected := self._connected(target)) is not None:
            there, target = connected
            control = parse_uri(there.call_control)
            assert isinstance(control, SipUri)  # the settings have been read
            return [self._straight(target, control, encrypted or there.encrypted)]
        if isinstance(target, TelUri):
            if own := self._endpoints.numbered(target.number):
                return self._to_own(own, encrypted)
            trunks = self.trunks.for_number(target.number, now, () if of is None else of.trunks)
            return [_over(one, host, target) for one in trunks for host in one.hosts]
        if target.port is None and self._endpoints.is_ours(target.host):
            return self._to_own(self._endpoints.locate(target), encrypted)
        if self.trunks.at(target.host) is not None or not guard.in_domains(target.host, self._domains):
            raise NotAllowed("Calls into that domain are not allowed: see sip.call_domains in the configuration.")
        return [self._straight(target, target, encrypted)]

    def _straight(self, target: SipUri, road: SipUri, encrypted: bool) -> Way:
        """To where `road` leads."""
        host = Host(road.host.strip("[]"), road.port)
        transports = transports_of(road)
        return Way(target=target, host=host, transports=transports, encrypted=encrypted, by_dtls=self._by_dtls)

    def _to_own(self, targets: Sequence[Target], encrypted: bool) -> list[Way]:
        theirs = self._organisations.get(targets[0].endpoint.organisation)
        either = encrypted or (theirs is not None and theirs.encrypted)
        return [_to_own(one, encrypted=either, by_dtls=self._by_dtls) for one in targets]

    def _connected(self, target: SipUri | TelUri) -> tuple[Organisation, SipUri] | None:
        """Who has a call control of its own that this is called at, and how it is called there."""
        if isinstance(target, SipUri):
            there = self._organisations.elsewhere(target.host)
            return None if there is None else (there, target)
        there = self._organisations.with_number(target.number)
        if there is None or not there.call_control:
            return None
        return there, whole_number(there, target.number)

    async def places(self, way: Way) -> Sequence[Place | Flow]:
        """Where it leads, the best first.

        Raises `Unavailable` where it leads nowhere, `NotAllowed` where its name is that of a trunk's address.
        """
        if way.own is not None:
            return [way.own.flow]
        if way.trunk is not None:
            return await self._roads.to_trunk(way.trunk, way.host)
        return await self._roads.past_trunks(way.host, way.transports)

    async def flow(self, place: Place | Flow) -> Flow:
        """Raises `Unavailable`."""
        return await self._roads.flow(place) if isinstance(place, Place) else place


def transports_of(target: SipUri) -> tuple[Transport, ...]:
    """That a URI allows: what its domain prefers of them is asked there (RFC 3263, section 4.1)."""
    if target.secure:
        return ("tls",)
    return ANY if target.transport is None else (cast("Transport", target.transport),)


def _over(trunk: Trunk, host: Host, number: TelUri) -> Way:
    return Way(
        target=SipUri(trunk.domain, number.number, params={"user": "phone"}),
        host=host,
        transports=(trunk.transport,),
        encrypted=trunk.encrypted,
        by_dtls=trunk.by_dtls,
        codecs=trunk.codecs,
        trunk=trunk,
    )


def _to_own(one: Target, *, encrypted: bool, by_dtls: bool) -> Way:
    """By the flow by which it registered, whatever its address says. Browsers have keys by DTLS alone (RFC 8827)."""
    host = Host(one.flow.peer.host, one.flow.peer.port)
    by_dtls = by_dtls or is_web(one.flow)
    return Way(target=one.uri, host=host, encrypted=encrypted, by_dtls=by_dtls, own=one)
