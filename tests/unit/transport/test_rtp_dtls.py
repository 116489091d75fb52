"""Calls with keys by DTLS (RFC 5763): both sides' handshakes over a real plane, and what changes them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import pytest
from rtp_calls import PORTS, Call, Told

from mcu.clock import SystemClock
from mcu.errors import NotAcceptable
from mcu.ids import LegId
from mcu.media.messages import Cause, Source
from mcu.media.transport import association
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.protocol.sdp.exchange import Kind

LEG = LegId("leg_1")
WITHOUT_MUX = "a=rtcp-mux\r\n"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=PORTS), SystemClock())
    yield made
    made.close()


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - of C's threads
            await asyncio.sleep(0.01)


async def connected(call: Call) -> None:
    await until(lambda: all(told.connected for told in call.told))


def attribute(sdp: str, name: str) -> list[str]:
    return re.findall(rf"a={name}:(\S.*?)\r", sdp)


def elsewhere(offer: str) -> str:
    """The same, by the next port, where nobody is."""
    return re.sub(r"m=audio (\d+)", lambda found: f"m=audio {int(found[1]) + 1}", offer)


def anothers(offer: str) -> str:
    """Likewise, and with the fingerprint of nobody's certificate."""
    return re.sub(r"(sha-256) \S+", lambda found: f"{found[1]} " + ":".join(["AB"] * 32), elsewhere(offer))


@pytest.mark.parametrize("mux", [True, False])
async def test_who_answers_is_greeted_by_who_offered_and_each_hears_the_other_by_aes_256_gcm(
    engine: Engine, mux: bool
) -> None:
    call = Call(engine, by_dtls=True, change=lambda offer: offer if mux else offer.replace(WITHOUT_MUX, ""))
    assert "UDP/TLS/RTP/SAVPF" in call.offer
    assert "crypto" not in call.offer
    assert (attribute(call.offer, "setup"), attribute(call.answer, "setup")) == (["actpass"], ["passive"])
    assert ("rtcp-mux" in call.answer) is mux
    assert not any(told.connected for told in call.told)  # before there are keys
    await connected(call)
    assert call.ends[0].stats(LEG).srtp_profile == call.ends[1].stats(LEG).srtp_profile == "SRTP_AEAD_AES_256_GCM"
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    async with asyncio.timeout(5):
        while not all(told.reports for told in call.told):  # by RTCP
            await call.heard(0)
    assert not any(engine.plane.leg_stats(end.handle)["drops"].get("srtp") for end in call.ends)
    await call.close()


async def test_who_says_that_they_wait_is_greeted(engine: Engine) -> None:
    call = Call(engine, by_dtls=True, change=lambda offer: offer.replace("setup:actpass", "setup:passive"))
    assert attribute(call.answer, "setup") == ["active"]
    await connected(call)
    assert await call.heard(0) < 30
    await call.close()


async def test_pictures_have_their_own_handshake_and_begin_with_it(engine: Engine) -> None:
    call = Call(engine, Kind.AUDIO, Kind.MAIN, by_dtls=True)
    assert len(set(attribute(call.answer, "tls-id"))) == 2
    await connected(call)
    async with asyncio.timeout(5):
        assert await call.told[0].keys_wanted.get() is Source.CAMERA
        assert await call.told[1].keys_wanted.get() is Source.CAMERA
    await call.close()


async def test_hold_and_resume_keep_the_keys(engine: Engine) -> None:
    call = Call(engine, by_dtls=True)
    await connected(call)
    held = call.ends[1].change(call.offer.replace("sendrecv", "sendonly"))
    resumed = call.ends[1].change(call.offer)
    for reply in (held, resumed):
        assert attribute(reply, "tls-id") == attribute(call.answer, "tls-id")
        assert attribute(reply, "setup") == ["passive"]
    await asyncio.sleep(0.1)
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    await call.close()


CHANGES = {
    "another fingerprint": (r"(a=fingerprint:sha-256 ).{5}", r"\g<1>00:11"),
    "another tls-id": (r"(a=tls-id:).{8}", r"\g<1>12345678"),
    "the other role": (r"setup:actpass", r"setup:passive"),
}


@pytest.mark.parametrize("how", CHANGES)
async def test_a_new_handshake_follows_where_they_offer(engine: Engine, how: str) -> None:
    call = Call(engine, by_dtls=True)
    await connected(call)
    begun = [one.agreed for one in call.associations(1)]
    reply = call.ends[1].change(re.sub(*CHANGES[how], call.offer))
    assert attribute(reply, "tls-id") != attribute(call.answer, "tls-id")
    assert [one.agreed for one in call.associations(1)] != begun
    assert not any(one.connected for one in call.associations(1))
    await call.close()


async def move(call: Call, engine: Engine, *, keeps: bool) -> Told:
    """The second end's, to another worker; `keeps`: its keys come along, and the first end shakes no hands again."""
    told, keys = Told(), call.keys[1]
    moved = RtpTransport(engine, Terms(address="127.0.0.1", kinds=(Kind.AUDIO,)), print, SystemClock())
    offer = moved.offer(call.answer, keys=keys if keeps else ())
    assert attribute(offer, "setup") == ["actpass"]
    assert attribute(offer, "tls-id") != attribute(call.answer, "tls-id")
    if keeps:  # as baresip does: the association is what it was, and so it answers
        offer = re.sub(r"a=tls-id:.*", f"a=tls-id:{attribute(call.answer, 'tls-id')[0]}", offer)
        offer = offer.replace("setup:actpass", "setup:passive")
    moved.accept(call.ends[0].change(offer), told)
    call.former, call.ends[1] = call.ends[1], moved
    return told


async def test_a_call_that_comes_to_another_worker_has_its_handshake_anew(engine: Engine) -> None:
    call = Call(engine, by_dtls=True)
    await connected(call)
    told = await move(call, engine, keeps=False)
    await until(lambda: told.connected and all(one.connected for one in call.associations(0)))
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    await call.former.close()
    await call.close()


async def test_a_far_end_that_cannot_shake_hands_again_is_heard_on_another_worker_by_the_keys_it_has(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(association, "CONNECT_S", 0.2)
    call = Call(engine, by_dtls=True)
    await connected(call)
    begun = call.associations(0)
    told = await move(call, engine, keeps=True)
    await until(lambda: told.connected)
    assert call.associations(0) == begun
    assert call.ends[1].stats(LEG).srtp_profile
    assert await call.heard(0) < 30
    assert await call.heard(1) < 30
    assert told.lost == []  # although nobody greets
    await call.former.close()
    await call.close()


@pytest.mark.policy("S10")
@pytest.mark.parametrize(
    "how", [r"a=fingerprint:.*\r\n", r"sha-256 (?=.*\r\n)", r"a=setup:actpass\r\n(?=)", "UDP/TLS/RTP/SAVPF"]
)
async def test_what_is_less_in_a_call_that_stands_is_refused_and_leaves_it_as_it_was(engine: Engine, how: str) -> None:
    call = Call(engine, by_dtls=True)
    await connected(call)
    by = {"sha-256 (?=.*\\r\\n)": "sha-1 ", r"a=setup:actpass\r\n(?=)": "a=setup:holdconn\r\n"}.get(how, "")
    offer = re.sub(r"a=fingerprint:.*\r\n", "", call.offer) if by == "" else call.offer
    offer = re.sub(how, by or "RTP/AVP", offer) if how.startswith("UDP") or by else offer
    with pytest.raises(NotAcceptable):
        call.ends[1].change(offer)
    assert await call.heard(1) < 30
    await call.close()


@pytest.mark.policy("S10")
async def test_a_certificate_that_is_not_the_offers_ends_the_call_unheard(engine: Engine) -> None:
    change = r"(a=fingerprint:sha-256 ).{5}"
    call = Call(engine, by_dtls=True, change=lambda offer: re.sub(change, r"\g<1>00:11", offer))
    await until(lambda: bool(call.told[1].lost))
    assert call.told[1].lost == [Cause.FAILED]
    assert not call.told[1].connected
    await call.close()


async def test_a_call_whose_far_end_greets_from_elsewhere_is_up_by_its_certificate(engine: Engine) -> None:
    call = Call(engine, by_dtls=True, change=elsewhere)
    await until(lambda: call.told[1].connected)
    await call.close()


async def test_a_call_that_nobody_with_its_certificate_greets_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(association, "CONNECT_S", 0.1)
    call = Call(engine, by_dtls=True, change=anothers)
    await until(lambda: bool(call.told[1].lost))
    assert not call.told[1].connected
    await call.close()
