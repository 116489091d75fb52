"""Legs with ports of their own, at a real plane: what SDP says is what passes, encrypted or not at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import numpy as np
import pytest
from rtp_calls import PORTS, Call, Told

from mcu.clock import SystemClock
from mcu.errors import Conflict, Invalid, NotAcceptable, Unavailable
from mcu.ids import LegId
from mcu.media.messages import Source
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, FrameLimit, Wanted
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


@pytest.mark.parametrize("speaker", [0, 1])
async def test_sound_passes_encrypted_in_the_best_codec_both_ways(engine: Engine, speaker: int) -> None:
    call = Call(engine)
    assert "AEAD_AES_256_GCM" in call.answer
    assert "opus/48000/2" in call.answer
    assert await call.heard(speaker) < 30
    media = call.ends[speaker].stats(LegId("leg_1"))
    assert (media.srtp_profile, media.sending[0].codec) == ("AEAD_AES_256_GCM", "opus")
    assert [told.connected for told in call.told] == [True, True]
    await call.close()


async def test_an_answer_may_have_numbers_of_its_own_for_what_is_sent_to_it(engine: Engine) -> None:
    """RFC 3264, section 6.1: what it sends itself has those of our offer."""
    call = Call(engine, change_answer=lambda answer: answer.replace("SAVP 96 ", "SAVP 120 ").replace(":96 ", ":120 "))
    assert "a=rtpmap:120 opus/48000/2" in call.answer
    assert await call.heard(1) < 30
    await call.close()


async def test_where_keys_differ_nothing_is_heard(engine: Engine) -> None:
    call = Call(engine)
    wrong = RtpTransport(engine, Terms(address="127.0.0.1"), call.digits.append, SystemClock())
    wrong.answer(call.offer, Told())  # with keys of its own that the first never learns
    call.ends[1], kept = wrong, call.ends[1]
    assert await call.heard(1) == 127
    await kept.close()
    await call.close()


@pytest.mark.parametrize("events", [False, True])
async def test_a_tone_of_a_key_is_a_key_where_telephone_events_were_not_agreed(engine: Engine, events: bool) -> None:
    call = Call(engine, events=events)
    at = np.arange(TICK_SAMPLES) / SAMPLE_RATE
    one = (4000 * (np.sin(2 * np.pi * 700 * at) + np.sin(2 * np.pi * 1200 * at))).astype(np.int16)  # in whole turns
    await call.heard(0, tone=one)
    assert call.digits == ([] if events else ["1"])
    await call.close()


async def test_a_picture_arrives_whole_at_who_wants_it(engine: Engine) -> None:
    call = Call(engine, Kind.AUDIO, Kind.MAIN)
    assert [end.takes(Source.CAMERA) for end in call.ends] == ["H264", "H264"]
    assert [end.takes(Source.SCREEN) for end in call.ends] == [None, None]
    call.ends[1].want(Source.CAMERA, Wanted(width=640, height=360, bits_per_second=500_000))
    picture = (
        bytes.fromhex("0000000167420a1ef80a00b5")
        + b"\x00\x00\x00\x01\x68\xce\x38\x80\x00\x00\x00\x01\x65"
        + bytes(2000)
    )
    handle = call.ends[0].handle_of(Source.CAMERA)
    until = time.monotonic() + 5
    stamp = 0
    while not call.told[1].pictures and time.monotonic() < until:
        stamp += 3600
        call.plane.send_picture([handle], 1, "H264", picture, stamp, True)
        await asyncio.sleep(0.04)
    assert call.told[1].pictures
    assert call.told[1].pictures[0].key
    assert call.ends[1].traffic().received >= 1  # on the line of the picture
    assert call.ends[1].traffic().spoken == 0
    call.ends[1].request_key(Source.CAMERA)
    async with asyncio.timeout(5):
        assert await call.told[0].keys_wanted.get() is Source.CAMERA
    await call.close()


async def test_where_nothing_can_be_asked_by_rtcp_signalling_is_told_that_a_key_frame_is_needed(engine: Engine) -> None:
    terms, told = Terms(address="127.0.0.1"), Told()
    ends = [RtpTransport(engine, terms, print, SystemClock()) for _ in range(2)]
    offer = "".join(line for line in ends[0].offer().splitlines(keepends=True) if "rtcp-fb" not in line)
    asked = asyncio.Event()
    ends[1].on_unsighted = asked.set
    ends[0].accept(ends[1].answer(offer, told), Told())
    ends[1].want(Source.CAMERA, Wanted(width=640, height=360, bits_per_second=500_000))
    no_key = b"\x00\x00\x00\x01\x41" + bytes(100)
    async with asyncio.timeout(5):
        while not asked.is_set():
            engine.plane.send_picture([ends[0].handle_of(Source.CAMERA)], 1, "H264", no_key, 3600, False)
            await asyncio.sleep(0.04)
    ends[1].refresh()
    assert told.keys_wanted.get_nowait() is Source.CAMERA
    for end in ends:
        await end.close()


async def test_a_telephone_takes_no_ports_for_pictures(engine: Engine) -> None:
    phone = RtpTransport(engine, Terms(address="127.0.0.1", kinds=(Kind.AUDIO,)), print, SystemClock())
    ours = RtpTransport(engine, Terms(address="127.0.0.1"), print, SystemClock())
    ours.answer(phone.offer(), Told())
    assert engine.plane.stats()["legs"] == 2
    for end in (phone, ours):
        await end.close()


@pytest.mark.parametrize(
    ("place", "said", "kinds", "carries"),
    [
        ("t=0 0", "b=AS:384\r\nt=0 0", (Kind.AUDIO, Kind.MAIN), 304_000),
        ("t=0 0", "b=AS:384\r\nt=0 0", tuple(Kind), 304_000),
        ("a=rtpmap:97", "b=AS:300\r\na=rtpmap:97", (Kind.AUDIO, Kind.MAIN), 300_000),
        ("a=rtpmap:97", "b=TIAS:0\r\na=rtpmap:97", (Kind.AUDIO, Kind.MAIN), 0),
    ],
    ids=["of all, less the sound", "of all, with slides", "of pictures", "none for now"],
)
async def test_no_more_is_said_to_be_carried_than_the_other_side_takes_and_no_larger_picture(
    engine: Engine, place: str, said: str, kinds: tuple[Kind, ...], carries: int
) -> None:
    terms = Terms(address="127.0.0.1", kinds=kinds)
    ends, told = [RtpTransport(engine, terms, print, SystemClock()) for _ in range(2)], Told()
    offer = ends[0].offer().replace("42e01f", "42e00d")
    ends[1].answer(offer.replace(place, said, 1), told)
    await asyncio.sleep(0)
    assert told.carries == carries
    assert ends[1].limit(Source.CAMERA) == FrameLimit(396, 11_880)
    for end in ends:
        await end.close()


async def test_where_encryption_is_required_who_has_none_is_refused_and_gives_back_its_ports(engine: Engine) -> None:
    plain = RtpTransport(engine, Terms(address="127.0.0.1", encryption=Encryption.OFFERED), print, SystemClock())
    offer = plain.offer()
    assert "RTP/AVP" in offer
    strict = RtpTransport(engine, Terms(address="127.0.0.1"), print, SystemClock())
    with pytest.raises(NotAcceptable):
        strict.answer(offer, Told())
    await strict.close()
    await plain.close()
    assert engine.plane.stats()["legs"] == 0


async def test_where_it_is_only_offered_a_plain_telephone_is_heard(engine: Engine) -> None:
    call = Call(engine, encryption=Encryption.OFFERED)
    assert await call.heard(0) < 30
    assert call.ends[0].stats(LegId("leg_1")).srtp_profile == ""
    await call.close()


async def test_what_is_not_sdp_is_refused_and_an_answer_to_nothing_too(engine: Engine) -> None:
    end = RtpTransport(engine, Terms(address="127.0.0.1"), print, SystemClock())
    with pytest.raises(Invalid):
        end.answer("hello", Told())
    with pytest.raises(Conflict):
        end.accept("v=0", Told())
    with pytest.raises(Conflict):
        await end.restart("v=0")
    await end.close()


async def test_when_the_range_is_used_up_no_port_of_the_leg_stays_taken(engine: Engine) -> None:
    """Others on this machine may have some of its ports."""
    ends, taken = list[RtpTransport](), 0
    with suppress(Unavailable):
        while True:
            ends.append(RtpTransport(engine, Terms(address="127.0.0.1"), print, SystemClock()))
            ends[-1].offer()
            taken = engine.plane.stats()["legs"]
    assert len(ends) > 2
    await ends.pop().close()
    assert engine.plane.stats()["legs"] == taken
    for end in ends:
        await end.close()
    assert engine.plane.stats()["legs"] == 0
