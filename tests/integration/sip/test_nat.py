"""A telephone behind a NAT that has keys by DTLS and no ICE: it greets us from elsewhere than it says that it is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from baresip import telephone
from dialled import PIN, hear_each_other, in_the_room, press
from hall import hall, hum, inside, until
from networks import Network, network
from running_server import RunningServer, running_server

HOST_HZ, PHONE_HZ = 3000.0, 2700.0  # above all notes of notices
HOME = "192.168.77.2"  # where it is, for itself alone
PORTS = "40000-44999"  # of the NAT


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, net: Network) -> Iterator[RunningServer]:
    here = {"media__addresses": f"{net.here},127.0.0.1", "sip__addresses": net.here}
    with running_server(tmp_path_factory.mktemp("nat"), media__workers="1", sip__port="0", **here) as started:
        yield started


async def test_it_hears_and_is_heard_and_its_reports_come_too(
    server: RunningServer, net: Network, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with (
            net.behind_nat(PORTS, HOME),
            telephone(
                tmp_path / "phone",
                hertz=PHONE_HZ,
                transport="tcp",
                encryption="dtls_srtp",
                account=f"anna@{HOME}",
                within=net,
            ) as phone,
        ):
            phone.dial(f"sip:{here.number}@{net.here}:{server.logged('sip_serving')[0]['port']}")
            await until(lambda: phone.talks)
            await asyncio.sleep(1)
            await press(phone, f"{PIN}#")
            await in_the_room(host)
            await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=1.0)
            for part in ("RTP", "RTCP"):
                assert f"DTLS-SRTP complete (audio/{part}) Profile=AEAD_AES_256_GCM" in phone.log
