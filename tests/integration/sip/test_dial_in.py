"""Telephones in meetings: real baresip phones, a real server with two workers, and a browser's person to hear them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from baresip import Telephone, telephone
from hall import Hall, hall, hum, inside, loudness, texts, until
from running_server import RunningServer, running_server

from mcu.demo.guest import Guest
from mcu.media.life import LegState
from mcu.media.seams import SAMPLE_RATE, Samples
from mcu.signalling.webrtc.messages import Entry, Roster

PIN = "135790"
HOST_HZ, PHONE_HZ = 900.0, 700.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__workers": "2",
        "media__addresses": "127.0.0.1",
        "media__rtp_first_port": "48200",
        "media__rtp_last_port": "48399",
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
    }
    with running_server(tmp_path_factory.mktemp("sip"), **settings) as started:
        yield started


def uri(server: RunningServer, user: str) -> str:
    return f"sip:{user}@127.0.0.1:{server.logged('sip_serving')[0]['port']}"


def telephones(person: Guest) -> list[Entry]:
    rosters = [message for message in person.messages if isinstance(message, Roster)]
    return [entry for entry in rosters[-1].entries if entry.kind == "sip"] if rosters else []


async def in_the_room(host: Guest) -> None:
    await until(lambda: [entry.state for entry in telephones(host)] == [LegState.IN_ROOM], within=20)


async def press(phone: Telephone, keys: str) -> None:
    await asyncio.to_thread(phone.press, keys)


def strength(samples: Samples, hertz: float, seconds: float) -> float:
    """The share of the last seconds that is at one frequency, 0 … 1."""
    last = samples[-int(seconds * SAMPLE_RATE) :].astype(np.float64)
    if np.mean(last**2) < 100:
        return 0.0
    spectrum = np.abs(np.fft.rfft(last * np.hanning(last.size))) ** 2
    at = round(hertz * last.size / SAMPLE_RATE)
    return float(spectrum[at - 5 : at + 6].sum() / spectrum.sum())


async def enter(here: Hall, phone: Telephone, host: Guest) -> None:
    """Through the menu: what is pressed while it speaks counts."""
    phone.dial(uri(here.server, "reception"))
    await until(lambda: "audio: start" in phone.log)
    await asyncio.sleep(1)
    await press(phone, here.number)
    await asyncio.sleep(2)
    await press(phone, f"{PIN}#")
    await in_the_room(host)


@pytest.mark.policy("S5.3-1", "S5.3-2")
async def test_a_telephone_comes_in_by_number_and_pin_is_announced_hears_is_heard_and_leaves(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            await enter(here, phone, host)
            await asyncio.sleep(3)
            assert host.client is not None
            assert loudness(host.client.heard(), PHONE_HZ, 1.0) > 0.8
            assert strength(phone.heard(), HOST_HZ, 1.0) > 0.8
            assert "Telefon gick med" in texts(host)
            phone.hang_up()
            await until(lambda: "Telefon lämnade" in texts(host))
            assert telephones(host) == []


async def test_a_call_to_the_meetings_own_number_asks_for_the_pin_alone_and_ends_with_the_meeting(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ, transport="tcp", codec="PCMA/8000/1") as phone:
            phone.dial(uri(server, here.number))
            await until(lambda: "audio: start" in phone.log)
            await asyncio.sleep(1)
            await press(phone, f"{PIN}#")
            await in_the_room(host)
            await asyncio.sleep(2)
            assert host.client is not None
            assert loudness(host.client.heard(), PHONE_HZ, 1.0) > 0.8
            async with here.api.post(f"{await here.room()}/end") as answer:
                assert answer.ok
            await until(lambda: phone.closed)


async def test_a_call_that_is_not_encrypted_is_refused(server: RunningServer, tmp_path: Path) -> None:
    with telephone(tmp_path / "phone", hertz=PHONE_HZ, encryption="") as phone:
        phone.dial(uri(server, "reception"))
        await until(lambda: phone.closed)
        assert "488" in phone.log


async def test_no_number_pin_or_key_of_a_caller_is_in_a_log(server: RunningServer, tmp_path: Path) -> None:
    async with hall(server, guest_pin=PIN) as here:
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            phone.dial(uri(server, "reception"))
            await until(lambda: "audio: start" in phone.log)
            await press(phone, here.number)
            await asyncio.sleep(1)
            await press(phone, "999999#")
            await asyncio.sleep(1)
            phone.hang_up()
            await until(lambda: phone.closed)
        logged = server.log_path.read_text("utf-8")
        assert server.logged("call_came")
        for secret in (here.number, "999999", PIN, "anna"):
            assert secret not in logged
