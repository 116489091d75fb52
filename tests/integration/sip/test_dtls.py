"""Telephones with keys by DTLS (RFC 5763): real baresip phones over TCP, both ways, and a browser's person."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from baresip import telephone
from dialled import PIN, enter_directly, in_the_room, telephones
from hall import hall, hum, inside, loudness, until
from running_server import RunningServer, running_server
from sound import share

HOST_HZ, PHONE_HZ = 3000.0, 2700.0  # above all notes of notices
MET = "DTLS-SRTP complete (audio/{}) Profile=AEAD_AES_256_GCM"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__workers": "2",
        "media__addresses": "127.0.0.1",
        "media__rtp_first_port": "48900",
        "media__rtp_last_port": "48949",
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
        "sip__keys": "dtls",
        "sip__call_domains": "127.0.0.1",
    }
    with running_server(tmp_path_factory.mktemp("sip"), **settings) as started:
        yield started


async def test_who_calls_is_heard_and_hears_also_on_another_worker_than_the_one_it_came_to(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        assert host.client is not None
        heard = host.client.heard
        for number in range(2):  # the first worker that is free, then the other
            with telephone(
                tmp_path / f"phone-{number}", hertz=PHONE_HZ, transport="tcp", encryption="dtls_srtp"
            ) as phone:
                await enter_directly(here, phone, host)
                await until(lambda: loudness(heard(), PHONE_HZ, 1.0) > 0.8)
                await until(lambda: share(phone.heard(), HOST_HZ, 1.0) > 0.8)
                assert MET.format("RTP") in phone.log
                assert MET.format("RTCP") in phone.log
                phone.hang_up()
                await until(lambda: telephones(host) == [])


async def test_who_is_called_is_heard_and_hears(server: RunningServer, tmp_path: Path) -> None:
    async with hall(server) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        assert host.client is not None
        heard = host.client.heard
        with telephone(tmp_path / "phone", hertz=PHONE_HZ, transport="tcp", encryption="dtls_srtp") as phone:
            body = {"name": "Bo Ek", "uri": phone.uri}
            async with here.api.post(f"{await here.room()}/dial-out", json=body) as answer:
                assert answer.status == 202
            await until(lambda: phone.rings)
            await asyncio.sleep(1.2)  # faster than that no person answers
            phone.accept()
            await in_the_room(host)
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)
            await until(lambda: share(phone.heard(), HOST_HZ, 0.5) > 0.8)
            assert MET.format("RTP") in phone.log
