"""Which organisation's call control a call comes from, and what of its From is believed."""

import asyncio
from dataclasses import dataclass, field

import pytest
from sip_messages import request

from mcu.booking.organisations import Organisation, Organisations
from mcu.errors import Unavailable
from mcu.net.sip.names import Place
from mcu.signalling.sip.neighbours import Neighbours, shown

VAST = Organisation(
    id="vast",
    name="Region Väst",
    domains=("vast.example", "sip.vast.example"),
    prefixes=("+4631",),
    call_control="sip:sbc.vast.example;transport=tls",
    calls_out_max=1,
    calls_out_per_hour=1,
)


@dataclass(frozen=True)
class Peer:
    host: str


@dataclass(frozen=True)
class Flow:
    peer: Peer
    transport: str


@dataclass
class Roads:
    found: list[str] = field(default_factory=list)

    async def past_trunks(self, host: object, transports: object) -> list[Place]:
        if not self.found:
            raise Unavailable("its name has no address")
        return [Place("tls", address, 5061, "sbc.vast.example") for address in self.found]


async def test_a_call_is_a_call_controls_by_the_address_that_its_name_has_and_the_transport_that_it_says() -> None:
    neighbours = Neighbours(Organisations([VAST]), Roads(["192.0.2.9", "2001:db8::9"]))  # type: ignore[arg-type] # no sockets
    neighbours.start()
    await asyncio.sleep(0)
    for host, transport, known in (
        ("192.0.2.9", "TLS", True),
        ("2001:DB8:0::9", "TLS", True),
        ("192.0.2.9", "UDP", False),  # which anybody can write
        ("192.0.2.8", "TLS", False),
    ):
        assert (neighbours.at(Flow(Peer(host), transport)) is VAST) == known  # type: ignore[arg-type] # as above
    await neighbours.stop()


async def test_one_whose_name_leads_nowhere_is_nobody() -> None:
    neighbours = Neighbours(Organisations([VAST]), Roads())  # type: ignore[arg-type] # no sockets
    neighbours.start()
    await asyncio.sleep(0)
    assert neighbours.at(Flow(Peer("192.0.2.9"), "TLS")) is None  # type: ignore[arg-type] # as above
    await neighbours.stop()


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("<sip:bo@sip.vast.example>", "sip:bo@sip.vast.example"),
        ("<sip:+46311234567@192.0.2.9>", "sip:+46311234567@vast.example"),
        ("<tel:+46311234567>", "sip:+46311234567@vast.example"),
        ('"The king" <sip:anna@norr.example>', "sip:anonymous@vast.example"),
        ("<sip:+46901234567@192.0.2.9>", "sip:anonymous@vast.example"),
        ("<sip:vast.example>", "sip:anonymous@vast.example"),
    ],
)
def test_of_who_calls_their_own_users_and_numbers_are_shown_and_the_organisations_name(said: str, address: str) -> None:
    told = shown(request(From=f"{said};tag=1"), VAST)
    assert (str(told.uri), told.name) == (address, "Region Väst")
