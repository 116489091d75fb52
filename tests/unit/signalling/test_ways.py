"""By which ways an address leads, before any name is looked up."""

from types import SimpleNamespace
from typing import Any

import pytest

from mcu.booking.organisations import Organisations
from mcu.net.sip.flows import Peer
from mcu.net.sip.names import Names
from mcu.protocol.sip.uri import SipUri
from mcu.signalling.sip.registrations import Target
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.trunks import Host, Trunks
from mcu.signalling.sip.ways import Way, Ways

OURS, THEIRS = "mcu.example", "far.example"


def ways(to: str, *transports: str) -> list[Way]:
    """`transports`: by which the endpoint that is meant has registered."""
    flows: Any = [SimpleNamespace(transport=one, peer=Peer("192.0.2.7", 40_000)) for one in transports]
    anna: Any = SimpleNamespace(organisation="")
    targets = [
        Target(endpoint=anna, domain=OURS, flow=one, uri=SipUri("x.invalid", "anna"), routes=()) for one in flows
    ]
    endpoints: Any = SimpleNamespace(is_ours=lambda host: host == OURS, locate=lambda _: targets)
    roads = Roads(Trunks([]), SimpleNamespace(), Names(("127.0.0.1", 9)))
    settings: Any = {"domains": [THEIRS], "encrypted": True, "by_dtls": False, "organisations": Organisations([])}
    return Ways(roads, endpoints, **settings).to(to, 0.0)


@pytest.mark.parametrize(
    ("uri", "host", "transports"),
    [
        (f"sip:bo@{THEIRS}", Host(THEIRS), ("tls", "tcp", "udp")),
        (f"sips:bo@{THEIRS}", Host(THEIRS), ("tls",)),
        (f"sip:bo@{THEIRS}:5070;transport=tcp", Host(THEIRS, 5070), ("tcp",)),
    ],
)
def test_a_domain_is_asked_how_it_is_reached_unless_the_address_says_it(
    uri: str, host: Host, transports: tuple[str, ...]
) -> None:
    (way,) = ways(uri)
    assert (way.host, way.transports) == (host, transports)


async def test_an_endpoint_is_reached_by_the_flow_it_has_and_a_browser_gets_its_keys_by_dtls() -> None:
    found = ways(f"sip:anna@{OURS}", "UDP", "TLS", "WS", "WSS")
    assert [way.by_dtls for way in found] == [False, False, True, True]
    assert [way.own and way.own.flow.transport for way in found] == ["UDP", "TLS", "WS", "WSS"]
