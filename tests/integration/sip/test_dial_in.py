"""Telephones in meetings: real baresip phones, a real server with two workers, and a browser's person to hear them."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from baresip import Telephone, telephone
from dialled import PIN, enter, enter_directly, hear_each_other, in_the_room, press, telephones, uri
from hall import hall, hum, inside, loudness, texts, until
from python_phone import RATE, python_phone
from running_server import SIP, RunningServer, running_server
from sound import quiet, record, share, tone

from mcu.media.audio.sounds import SOUNDS, detect
from mcu.media.messages import NoticeKind
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples
from mcu.signalling.webrtc.messages import Gone

HOST_HZ, PHONE_HZ = 3000.0, 2700.0  # above all notes of notices
TRUNK = {"name": "ours", "hosts": ["127.0.0.1"], "prefixes": ["+46"], "verifies_callers": True}  # all calls come by it
PATIENTS = "+46701234567"
ENGLISH = "+46812345678"  # a number whose menu speaks that
WORDS = {
    "sv/muted": 1500.0,
    "sv/one-joined": 1800.0,
    "en/one-joined": 2100.0,
    "en/ended": 2400.0,
}  # that are tones here


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__workers": "2",
        **SIP,
        "sip__numbers": json.dumps([{"number": ENGLISH, "language": "en"}]),
        "sip__trunks": json.dumps([TRUNK]),
        "sip__prompts": str(recordings(tmp_path_factory.mktemp("prompts"))),
    }
    with running_server(tmp_path_factory.mktemp("sip"), **settings) as started:
        yield started


def recordings(directory: Path) -> Path:
    """Of the operator's own, by which words are found in what is heard."""
    for name, hertz in WORDS.items():
        record(directory / f"{name}.wav", tone(hertz, 50, 8000))
    for language in ("sv", "en"):
        record(directory / language / "entered.wav", quiet(5))  # soon over
    return directory


def is_heard_after_it_is_announced(samples: Samples, hertz: float) -> bool:
    """Whether the first of a tone comes when the last sound of somebody's joining is over."""
    ticks = samples[: samples.size // TICK_SAMPLES * TICK_SAMPLES].reshape(-1, TICK_SAMPLES).astype(np.float64)
    wave = np.exp(-2j * np.pi * hertz * np.arange(TICK_SAMPLES) / SAMPLE_RATE) * np.hanning(TICK_SAMPLES)
    first = int(np.argmax(np.abs(ticks @ wave) * 4 / TICK_SAMPLES > 1000)) * TICK_SAMPLES
    joined = [at for kind, at in detect(samples) if kind is NoticeKind.JOINED]
    return first + TICK_SAMPLES > joined[-1] + SOUNDS[NoticeKind.JOINED].size


def hears_words(phone: Telephone, name: str) -> bool:
    """In the last half second."""
    return share(phone.heard(), WORDS[name], 0.5) > 0.5


@pytest.mark.policy("S5.3-1", "S5.3-2")
async def test_a_telephone_comes_in_by_number_and_pin_is_announced_hears_is_heard_and_leaves(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            await enter(here, phone, host)
            assert host.client is not None
            heard = host.client.heard
            await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=1.0)
            assert is_heard_after_it_is_announced(heard().samples, PHONE_HZ)
            assert is_heard_after_it_is_announced(phone.heard(), HOST_HZ)
            assert "Telefon gick med" in texts(host)
            phone.hang_up()
            await until(lambda: "Telefon lämnade" in texts(host))
            await until(lambda: telephones(host) == [])


async def test_a_telephone_is_named_by_its_number_mutes_itself_and_hears_the_answer_and_in_its_language_who_joins(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        assert host.client is not None
        heard = host.client.heard
        booked = {"name": "Patient", "role": "host", "phone": PATIENTS}
        async with here.api.post(f"/api/v1/meetings/{here.booked['id']}/participants", json=booked) as answer:
            assert answer.status == 201
        account = f"{PATIENTS}@127.0.0.1"
        with telephone(tmp_path / "phone", hertz=PHONE_HZ, codec="PCMA/8000/1", account=account) as phone:
            await enter(here, phone, host)
            shown = telephones(host)[0]
            assert (shown.name, shown.role) == ("Patient", "guest")  # a number is no right
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)
            await press(phone, "*6")
            await until(lambda: hears_words(phone, "sv/muted"))
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) < 0.1)
            assert telephones(host)[0].muted
            await here.host("Ek")
            await until(lambda: hears_words(phone, "sv/one-joined"))
        everything = heard()
        assert max(loudness(everything, WORDS[name], len(everything.samples) / SAMPLE_RATE) for name in WORDS) < 0.001


async def test_a_host_with_a_pin_of_its_own_ends_the_meeting_by_telephone_and_hears_in_its_language_that_it_ended(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        berg = f"/api/v1/meetings/{here.booked['id']}/participants/{here.booked['participants'][0]['id']}"
        async with here.api.put(f"{berg}/pin", json={}) as answer:
            pin = (await answer.json())["pin"]
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            await enter(here, phone, host, number=ENGLISH, pin=pin)
            assert (telephones(host)[0].name, telephones(host)[0].role) == ("Berg", "host")
            await here.host("Ek")
            await until(lambda: hears_words(phone, "en/one-joined"))
            await press(phone, "####")
            await until(lambda: hears_words(phone, "en/ended"))
            await until(lambda: phone.closed)
        assert [message.cause for message in host.messages if isinstance(message, Gone)] == ["ended"]


async def test_a_call_to_the_meetings_own_number_asks_for_the_pin_alone_and_ends_with_the_meeting(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ, transport="tcp", codec="PCMA/8000/1") as phone:
            await enter_directly(here, phone, host)
            await asyncio.sleep(2)
            assert host.client is not None
            assert loudness(host.client.heard(), PHONE_HZ, 1.0) > 0.8
            async with here.api.post(f"{await here.room()}/end") as answer:
                assert answer.ok
            await until(lambda: phone.closed)


async def test_keys_in_info_are_keys_and_what_such_a_telephone_hears_is_exact(server: RunningServer) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with python_phone(uri(server, "reception")) as phone:
            phone.say(tone(PHONE_HZ, 50 * 60)[:: SAMPLE_RATE // RATE])
            await until(lambda: phone.heard().any())
            phone.inform(here.number)
            await asyncio.sleep(2)
            phone.inform(f"{PIN}#")
            await in_the_room(host)
            assert host.client is not None
            heard = host.client.heard
            await until(lambda: loudness(heard(), PHONE_HZ, 1.0) > 0.99)
            await until(lambda: share(phone.heard(), HOST_HZ, 0.5, RATE) > 0.99)
            phone.inform("*6")
            await until(lambda: telephones(host)[0].muted)
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
            await until(lambda: phone.talks)
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
