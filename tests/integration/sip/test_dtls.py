"""Telephones with keys by DTLS (RFC 5763) and with ICE (RFC 8839): real baresip phones over TCP, both ways.

They are at an address of this machine, for baresip's ICE looks past the loopback.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from baresip import Camera, Telephone, free_port, telephone
from dialled import PIN, call, hear_each_other, in_the_room, pick_up, press, telephones, until_seen
from hall import hall, hum, inside, until
from pictures import BLUE
from running_server import RunningServer, running_server

from mcu.media.transport.addresses import host_addresses

HOST_HZ, PHONE_HZ = 3000.0, 2700.0  # above all notes of notices
HERE = next((one for one in host_addresses() if "." in one and not one.startswith("127.")), "127.0.0.1")
CHECKED = "ice: audio: connectivity check is complete"
MET = "DTLS-SRTP complete (audio/{}) Profile=AEAD_AES_256_GCM"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__workers": "2",
        "media__fps": "15",
        "media__addresses": HERE,
        "sip__addresses": HERE,
        "sip__port": "0",
        "sip__keys": "dtls",
        "sip__call_domains": HERE,
    }
    with running_server(tmp_path_factory.mktemp("sip"), **settings) as started:
        yield started


@contextmanager
def phone_at_home(directory: Path, *, ice: bool, camera: Camera | None) -> Iterator[Telephone]:
    with telephone(
        directory,
        hertz=PHONE_HZ,
        transport="tcp",
        encryption="dtls_srtp",
        camera=camera,
        account=f"anna@{HERE}",
        parameters="regint=0" + (";medianat=ice" if ice else ""),
        port=free_port(HERE),
    ) as phone:
        yield phone


async def test_who_calls_is_heard_hears_and_is_shown_also_on_another_worker_than_the_one_it_came_to(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        for ice in (False, True):  # by the worker that is next, and then by the other
            with phone_at_home(tmp_path / f"ice-{ice}", ice=ice, camera=None if ice else Camera(BLUE)) as phone:
                phone.dial(f"sip:{here.number}@{HERE}:{server.logged('sip_serving')[0]['port']}")
                await until(lambda: phone.talks)
                await asyncio.sleep(1)
                await press(phone, f"{PIN}#")
                await in_the_room(host)
                await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=1.0)
                if not ice:
                    await until_seen(phone, BLUE)
                assert MET.format("RTP") in phone.log
                assert MET.format("RTCP") in phone.log
                assert (CHECKED in phone.log) is ice
                phone.hang_up()
                await until(lambda: telephones(host) == [])


async def test_who_is_called_is_heard_hears_and_is_shown(server: RunningServer, tmp_path: Path) -> None:
    async with hall(server) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with phone_at_home(tmp_path / "phone", ice=True, camera=Camera(BLUE, "vp8")) as phone:
            await call(here, uri=phone.uri)
            await pick_up(phone, host)
            await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=0.5)
            await until_seen(phone, BLUE)
            assert MET.format("RTP") in phone.log
            assert CHECKED in phone.log
