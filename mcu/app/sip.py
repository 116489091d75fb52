"""SIP's front end, as the settings have it; there is none where no address is set."""

import ssl
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from mcu.app.sockets import CannotListen, check_clients, client_context, tls_context
from mcu.auth.sealing import Seal
from mcu.booking.door import Door
from mcu.booking.endpoints import Directory
from mcu.booking.organisations import Organisation, Organisations
from mcu.booking.reach import OwnNumber, Reach
from mcu.booking.store import Store
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.workers import Workers
from mcu.config import organisations as config
from mcu.config.fields import HOST
from mcu.config.settings import Settings
from mcu.config.sip import Sip, SipNumber, SipZone, Trunk
from mcu.net.bfcp import server as floors
from mcu.protocol.sip.gate import Limits
from mcu.signalling.sip import trunks
from mcu.signalling.sip.dialling import DialOptions
from mcu.signalling.sip.front import FrontEnd, SipOptions
from mcu.signalling.sip.outgoing import Patience
from mcu.signalling.sip.registrations import Registrations
from mcu.signalling.sip.routing import DialPlan
from mcu.signalling.sip.zones import Zone, Zones

log = structlog.get_logger(__name__)

DNS_PORT: Final = 53


def reach_of(sip: Sip, organisations: Iterable[config.Organisation], web: str) -> Reach:
    """By what this server is reached, and by whose."""
    known = Organisations(organisation_of(one) for one in organisations)
    numbers = [_own_number(one, known) for one in sip.numbers]
    return Reach(web=web, sip_domain=sip.domain, numbers=numbers, organisations=known)


def organisation_of(one: config.Organisation) -> Organisation:
    """As the rest of the service knows it."""
    fields = one.model_dump(exclude={"encryption", "prompts"})
    return Organisation(**fields, encrypted=one.encryption == "required")


def _own_number(one: SipNumber, known: Organisations) -> OwnNumber:
    whose = known.with_number(one.number)
    return OwnNumber(**{**dict(one), "organisation": one.organisation or (whose.id if whose else "")})


async def load_registrations(sip: Sip, reach: Reach, store: Store, seal: Seal, clock: Clock) -> Registrations:
    """The endpoints that there are; nothing listens yet."""
    async with store.reading() as tx:
        directory = Directory(await tx.endpoints.all())
    hosts = {sip.domain, *(f"[{one}]" if ":" in one else one for one in sip.addresses)}
    plan = DialPlan(
        hosts,
        sip.call_domains,
        own=reach.dialled,
        called=lambda user, organisation: directory.called(user, organisation) is not None,
        organisations=reach.organisations,
        zones=Zones([_zone(one) for one in sip.zones]),
    )
    return Registrations(sip.domain, plan=plan, directory=directory, store=store, seal=seal, clock=clock)


def make_sip(
    settings: Settings,
    *,
    conference: Conference,
    workers: Workers,
    door: Door,
    registrations: Registrations,
    clock: Clock,
) -> FrontEnd | None:
    """Nothing listens yet. Raises `BadCertificate`."""
    sip = settings.sip
    if not sip.addresses:
        return None
    options = SipOptions(
        addresses=sip.addresses,
        port=sip.port,
        tls_port=sip.tls_port,
        floors=_floors(sip, settings.media.addresses),
        floor_unused_s=sip.floor_unused_s,
        tls=_shown(sip),
        client=client_of(sip),
        name=sip.name,
        encrypted=sip.encryption == "required",
        language=sip.language,
        dialling=_dialling(sip),
        limits=_limits(sip),
    )
    return FrontEnd(
        options, conference=conference, workers=workers, door=door, registrations=registrations, clock=clock
    )


async def open_sip(stack: AsyncExitStack, front: FrontEnd) -> None:
    """Takes calls until the stack unwinds. Raises `CannotListen`."""
    try:
        await front.start()
    except OSError as error:
        raise CannotListen(
            f"SIP cannot have its ports ({error.strerror}): set sip.addresses, sip.port, sip.tls_port, "
            "sip.floor_port and sip.floor_tls_port"
        ) from error
    stack.push_async_callback(front.stop)
    log.info(
        "sip_serving",
        port=front.ports[0],
        tls_port=front.ports[1],
        floor_port=front.floors.port,
        floor_tls_port=front.floors.tls_port,
    )


def _shown(sip: Sip) -> ssl.SSLContext | None:
    context = tls_context(sip.tls_cert, sip.tls_key)
    if context is not None and sip.tls_clients_ca is not None:
        check_clients(context, sip.tls_clients_ca)
    return context


def client_of(sip: Sip) -> ssl.SSLContext:
    """What the server connects to others with. Raises `BadCertificate`."""
    return client_context(sip.tls_ca, sip.tls_cert, sip.tls_key)


def _floors(sip: Sip, media: Sequence[str]) -> floors.Listen:
    """On the addresses that the SDP of calls may name, which are media's: all of the machine's where none are set.

    No certificate is asked of who comes there: what shows whose floor it is are its numbers.
    """
    everywhere = sorted({"::" if ":" in one else "0.0.0.0" for one in sip.addresses})
    tls = tls_context(sip.tls_cert, sip.tls_key)
    return floors.Listen(
        addresses=tuple(media) or everywhere, port=sip.floor_port, tls_port=sip.floor_tls_port, tls=tls
    )


def _zone(zone: SipZone) -> Zone:
    return Zone(**dict(zone) | {"reaches": frozenset(zone.reaches)})


def _limits(sip: Sip) -> Limits:
    return Limits(
        known=sip.known,
        calls_per_second=sip.calls_per_second,
        calls_of_one=sip.calls_of_one,
        messages_per_second=sip.messages_per_second,
    )


def _dialling(sip: Sip) -> DialOptions:
    return DialOptions(
        trunks=tuple(trunk_of(one) for one in sip.trunks),
        domains=tuple(one.lower() for one in sip.call_domains),
        by_dtls=sip.keys == "dtls",
        dns_server=dns_server_of(sip),
        at_once=sip.calls_out_max,
        an_hour=sip.calls_out_per_hour,
        patience=Patience(ring_s=sip.ring_s, person_s=sip.person_s),
    )


def trunk_of(trunk: Trunk) -> trunks.Trunk:
    """As the front end knows it."""
    hosts = tuple(trunks.Host(name, port) for name, port in map(_host, trunk.hosts))
    return trunks.Trunk(
        name=trunk.name,
        hosts=hosts,
        transport=trunk.transport,
        registers=trunk.registers,
        domain=trunk.domain or hosts[0].name,
        user=trunk.user,
        password=trunk.password.get_secret_value() if trunk.password else "",
        caller_id=trunk.caller_id,
        priority=trunk.priority,
        prefixes=trunk.prefixes,
        dear=trunk.premium,
        codecs=trunk.codecs,
        encrypted=trunk.encryption == "required",
        by_dtls=trunk.keys == "dtls",
        verifies=trunk.verifies_callers,
        calls_max=trunk.calls_max,
    )


def dns_server_of(sip: Sip) -> tuple[str, int] | None:
    """`None`: this machine's own."""
    if not sip.dns_server:
        return None
    address, port = _host(sip.dns_server)
    return address, port or DNS_PORT


def _host(text: str) -> tuple[str, int | None]:
    """A name or an address, and the port if it says one."""
    found = HOST.fullmatch(text)
    assert found is not None  # the settings have been read
    return found[1].strip("[]").lower(), int(found[2]) if found[2] else None
