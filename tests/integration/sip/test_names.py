"""Where a domain's servers are, asked of a real DNS server."""

import asyncio
from pathlib import Path

import pytest
from dns_server import dns_server

from mcu.errors import Unavailable
from mcu.net.sip import names
from mcu.net.sip.names import Names, Place
from mcu.protocol.sip.locating import ANY, Transport

RECORDS = (
    'naptr-record=naptr.example,10,1,S,"SIPS+D2T","",_sips._tcp.srv.example',
    'naptr-record=naptr.example,20,1,S,"SIP+D2U","",_sip._udp.srv.example',
    "srv-host=_sips._tcp.srv.example,one.example,5071,1",
    "srv-host=_sip._udp.srv.example,two.example,5072,2,10",
    "srv-host=_sip._udp.srv.example,one.example,5070,1",
    "srv-host=_sip._tcp.none.example",  # decidedly none
    "host-record=none.example,127.0.0.9",
    "host-record=one.example,127.0.0.1,::1",
    "host-record=two.example,127.0.0.2",
    "host-record=srv.example,127.0.0.3",
    "host-record=plain.example,127.0.0.4",
)


def found(places: object) -> list[tuple[str, str, int]]:
    assert isinstance(places, list)
    return [(one.transport, one.address, one.port) for one in places]


@pytest.mark.parametrize(
    ("name", "port", "transports", "expected"),
    [
        (
            "naptr.example",
            None,
            ANY,
            [
                *[("tls", "::1", 5071), ("tls", "127.0.0.1", 5071)],
                *[("udp", "::1", 5070), ("udp", "127.0.0.1", 5070), ("udp", "127.0.0.2", 5072)],
            ],
        ),
        ("naptr.example", None, ("tls",), []),  # whoever says how is not asked what else there is
        (
            "srv.example",
            None,
            ("udp",),
            [("udp", "::1", 5070), ("udp", "127.0.0.1", 5070), ("udp", "127.0.0.2", 5072)],
        ),
        ("srv.example", None, ("tls",), [("tls", "::1", 5071), ("tls", "127.0.0.1", 5071)]),
        ("srv.example", 5099, ANY, [("udp", "127.0.0.3", 5099)]),  # a port: no records
        ("srv.example", None, ("tcp",), [("tcp", "127.0.0.3", 5060)]),
        ("plain.example", None, ANY, [("udp", "127.0.0.4", 5060)]),
        ("plain.example", None, ("tls",), [("tls", "127.0.0.4", 5061)]),
        ("none.example", None, ("tcp",), []),
        ("nobody.example", None, ANY, []),
        ("a" * 64 + ".example", None, ANY, []),  # no name at all
    ],
)
async def test_a_domain_is_found_as_it_says(
    tmp_path: Path,
    name: str,
    port: int | None,
    transports: tuple[Transport, ...],
    expected: list[tuple[str, str, int]],
) -> None:
    with dns_server(tmp_path, *RECORDS) as server:
        asked = Names(("127.0.0.1", server)).places(name, port, transports)
        if expected:
            places = await asked
            assert found(places) == expected
            assert {one.name for one in places} == {name}  # which is what its certificate must be for
        else:
            with pytest.raises(Unavailable):
                await asked


async def test_an_address_is_looked_up_by_nobody() -> None:
    nobody = Names(("127.0.0.1", 9))
    assert await nobody.places("::1", None, ANY) == [Place("udp", "::1", 5060, "::1")]
    assert await nobody.places("192.0.2.1", 5080, ("tls",)) == [Place("tls", "192.0.2.1", 5080, "192.0.2.1")]


async def test_an_answer_is_kept_for_as_long_as_it_holds_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "ANSWER_S", 0.3)
    with dns_server(tmp_path, *RECORDS, ttl_s=1) as server:
        known = Names(("127.0.0.1", server))
        before = await known.places("two.example", 5060, ("udp",))
    assert await known.places("two.example", 5060, ("udp",)) == before
    await asyncio.sleep(1.1)
    with pytest.raises(Unavailable):
        await known.places("two.example", 5060, ("udp",))


async def test_as_this_machine_does_its_file_of_hosts_is_read() -> None:
    places = await Names().places("localhost", 5060, ("udp",))
    assert "127.0.0.1" in [one.address for one in places]
