"""A call that stands and is changed: on hold and back, another codec, pictures more and less; and what is refused."""

import re
from collections.abc import AsyncIterator

import pytest
from rtp_calls import PORTS, Call, Told

from mcu.clock import SystemClock
from mcu.errors import Conflict, NotAcceptable
from mcu.ids import LegId
from mcu.media.messages import Source
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.protocol.sdp.exchange import Kind
from mcu.protocol.sdp.keying import Encryption


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=PORTS), SystemClock())
    yield made
    made.close()


def ports(sdp: str) -> list[int]:
    return [int(port) for port in re.findall(r"m=\w+ (\d+)", sdp)]


def directions(sdp: str) -> list[str]:
    return re.findall(r"a=(sendrecv|sendonly|recvonly|inactive)", sdp)


@pytest.mark.parametrize(
    ("said", "answered"),
    [("a=sendonly", "recvonly"), ("a=inactive", "inactive"), ("c=IN IP4 0.0.0.0", "recvonly")],
)
async def test_who_holds_is_sent_nothing_and_who_resumes_is_heard_and_hears(
    engine: Engine, said: str, answered: str
) -> None:
    call = Call(engine)
    held = re.sub(r"(?m)^c=.*?\r" if said[0] == "c" else "a=sendrecv\r", said + "\r", call.offer)
    reply = call.ends[1].change(held)
    assert directions(reply) == [answered]
    assert call.ends[1].held
    call.ends[1].hold(True)
    assert await call.heard(1) == 127
    again = call.ends[1].change(call.offer)
    assert not call.ends[1].held
    call.ends[1].hold(False)
    assert ports(again) == ports(call.answer)
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    assert call.told[1].renewed == 2
    await call.close()


async def test_the_same_offer_again_has_the_same_answer_and_a_change_the_next_version(engine: Engine) -> None:
    call = Call(engine)
    assert call.ends[1].change(call.offer) == call.answer
    held = call.ends[1].change(call.offer.replace("a=sendrecv", "a=sendonly"))
    versions = [int(re.findall(r"o=- \d+ (\d+) ", sdp)[0]) for sdp in (call.answer, held)]
    assert versions == [1, 2]
    assert re.findall("a=crypto.*", held) == re.findall("a=crypto.*", call.answer)  # no key is new
    await call.close()


async def test_another_codec_has_ports_of_its_own_and_the_former_are_given_back(engine: Engine) -> None:
    call = Call(engine)
    before, legs = call.ends[1].handle, engine.plane.stats()["legs"]
    only = re.sub(r"(m=audio \d+ RTP/SAVP).*?\r", "\\1 8 101\r", call.offer)
    reply = call.ends[1].change(only)
    assert "pcma/8000" in reply.lower()
    assert "opus" not in reply
    assert ports(reply) != ports(call.answer)
    assert call.ends[1].handle != before
    assert engine.plane.stats()["legs"] == legs
    assert call.ends[1].stats(LegId("leg_1")).sending[0].codec == "PCMA"
    await call.close()


async def test_we_offer_where_they_do_not_and_the_call_goes_on_both_ways(engine: Engine) -> None:
    call = Call(engine)
    call.ends[1].change(call.offer.replace("a=sendrecv", "a=sendonly"))
    offer = call.ends[1].change("")
    assert directions(offer) == ["sendrecv"]  # they may take it off hold by that
    call.ends[1].accept_change(call.ends[0].change(offer))
    assert not call.ends[1].held
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    with pytest.raises(Conflict):
        call.ends[1].accept_change(call.answer)
    await call.close()


@pytest.mark.policy("S10")
@pytest.mark.parametrize("downgrade", ["no key", "another protocol", "no codec"])
async def test_a_change_that_cannot_be_leaves_the_call_as_it_was(engine: Engine, downgrade: str) -> None:
    call = Call(engine, encryption=Encryption.REQUIRED)
    lax = RtpTransport(engine, Terms(address="127.0.0.1", encryption=Encryption.OFFERED), print, SystemClock())
    lax.answer(call.offer, Told())
    offers = {
        "no key": re.sub("a=crypto.*\r\n", "", call.offer),
        "another protocol": re.sub("a=crypto.*\r\n", "", call.offer).replace("RTP/SAVP", "RTP/AVP"),
        "no codec": re.sub(r"(m=audio \d+ RTP/SAVP).*?\r", "\\1 3\r", call.offer),
    }
    for end in (call.ends[1], lax):  # also where a call may begin without encryption
        with pytest.raises(NotAcceptable):
            end.change(offers[downgrade])
    assert call.told[1].renewed == 0
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    await lax.close()
    await call.close()


async def test_pictures_come_to_a_call_and_leave_it_and_the_sound_goes_on(engine: Engine) -> None:
    call = Call(engine, Kind.AUDIO, Kind.MAIN)
    before = call.ends[1].handle
    without = re.sub(r"m=video \d+", "m=video 0", call.offer)
    assert ports(call.ends[1].change(without))[1] == 0
    assert call.ends[1].takes(Source.CAMERA) is None
    assert engine.plane.stats()["legs"] == 3
    assert ports(call.ends[1].change(call.offer))[1] > 0
    assert call.ends[1].takes(Source.CAMERA) == "H264"
    assert engine.plane.stats()["legs"] == 4
    assert call.ends[1].handle == before
    assert await call.heard(0) < 30
    await call.close()
