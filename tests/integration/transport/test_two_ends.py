"""Our transport and aiortc's client, over real sockets on loopback: sound, picture, what is lost, and how it ends."""

import asyncio
import itertools
import re
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

import aioice.ice
import numpy as np
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtp import RtcpByePacket
from calls import Call, MakeCall, Server
from rtc import Ear, Relay, bars, is_rtp, until

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture, LiveSound, tone
from mcu.ids import LegId
from mcu.media.messages import Cause, Source
from mcu.media.seams import EncodedPicture, Samples, VideoCodec, Wanted

LEG = LegId("leg_1")


def loudest_hertz(samples: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples.astype(float)))) * 48_000 / len(samples))


def is_heard(talk: Call, hertz: float) -> bool:
    """Whether the client's latest second is that tone. What a machine too busy to send was late with is a gap in it."""
    samples = talk.client.heard().samples[-48_000:]
    return samples.size == 48_000 and abs(loudest_hertz(samples) - hertz) < 3


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_sound_and_picture_go_both_ways(call: MakeCall, codec: VideoCodec) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), camera=LivePicture(bars(), 15), codecs=(codec,)))
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 10 and is_heard(talk, 440))
    assert {picture.codec for picture in talk.ear.of(Source.CAMERA)} == {codec}
    assert talk.client.picture is not None
    bright = talk.client.picture.to_ndarray()[:180, :320] > 190
    assert 0.05 < bright.mean() < 0.25


async def test_the_screen_is_a_second_picture(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 10), screen=LivePicture(bars(640, 360), 5)))
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.SCREEN)) > 3 and len(talk.ear.of(Source.CAMERA)) > 3)
    assert {(p.width, p.height) for p in talk.ear.of(Source.SCREEN) if p.key} == {(640, 360)}
    assert {(p.width, p.height) for p in talk.ear.of(Source.CAMERA) if p.key} == {(320, 180)}


async def test_a_leg_without_camera_or_video_line_has_sound_alone(call: MakeCall) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()))
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 20)
    assert talk.leg.takes(Source.CAMERA) is None
    assert [stream.media for stream in talk.leg.stats(LEG).sending] == ["audio"]


async def test_what_is_heard_is_what_was_said_and_as_loud(call: MakeCall, server: Server) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440, amplitude=32_000)), codecs=()))
    await talk.begin()
    await until(lambda: len(talk.heard) > 75)
    assert abs(loudest_hertz(np.concatenate(talk.heard[-50:])) - 440) < 3
    assert (
        2 <= np.median(server.studio.levels[talk.leg.handle][-50:]) <= 4
    )  # a sine at full scale is 3 dB below the square wave


async def test_the_far_end_sees_the_level_that_we_send(call: MakeCall) -> None:
    talk = call(MeetingClient(codecs=()), sound=tone(440, amplitude=3200))
    levels: list[Any] = []
    await talk.begin()
    receiver = talk.client._peer.getTransceivers()[0].receiver
    handle = receiver._handle_rtp_packet

    async def look(packet: Any, arrival_time_ms: int) -> None:
        levels.append(packet.extensions.audio_level)
        await handle(packet, arrival_time_ms)

    vars(receiver)["_handle_rtp_packet"] = look
    await until(lambda: len(levels) > 20)
    assert {level for _, level in levels[-5:]} == {23}  # 3 and 20 dB


async def test_time_passes_in_the_timestamps_of_silence_too(call: MakeCall, server: Server) -> None:
    talk = call(MeetingClient(codecs=()), sound=tone(440))
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 10)
    server.studio.pause(talk.leg.handle)
    await asyncio.sleep(0.2)
    server.studio.resume(talk.leg.handle)
    before = talk.client.packets_received()
    await until(lambda: talk.client.packets_received() > before + 10)
    packets = sorted(talk.client.heard_sound.packets, key=lambda packet: packet.sequence)
    steps = {
        (after.sequence - one.sequence, after.timestamp - one.timestamp) for one, after in itertools.pairwise(packets)
    }
    assert {sequences for sequences, _ in steps} == {1}
    pauses = [samples for _, samples in steps if samples > 2 * 960]
    assert len(pauses) == 1
    assert 5 * 960 <= pauses[0] <= 20 * 960
    assert pauses[0] % 960 == 0


@pytest.mark.policy("S10")
@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_keys_are_agreed_for_the_strongest_profile_that_both_have(call: MakeCall, taken: int) -> None:
    talk = call(MeetingClient(codecs=()))
    talk.client_profiles = SRTP_PROFILES[::-1][: 3 - taken]
    await talk.begin()
    assert talk.leg.stats(LEG).srtp_profile == SRTP_PROFILES[taken].openssl_profile.decode()


@pytest.mark.policy("S10")
async def test_a_leg_that_has_only_a_weaker_profile_is_not_connected(call: MakeCall) -> None:
    talk = call(MeetingClient(codecs=()))
    weak = replace(SRTP_PROFILES[-1], openssl_profile=b"SRTP_AES128_CM_SHA1_32")
    talk.client_profiles = [weak]
    with pytest.raises((ConnectionError, TimeoutError)):
        await talk.begin()
    await until(lambda: talk.ear.lost)
    assert talk.ear.lost == [Cause.FAILED]
    assert not talk.ear.connected.is_set()


@pytest.mark.parametrize("rtx", [True, False])
async def test_a_lost_video_packet_is_asked_for_again_and_no_frame_is_missing(call: MakeCall, rtx: bool) -> None:
    relay, seen = Relay(), set[bytes]()

    def lose_each_tenth(data: bytes) -> bool:
        if not is_rtp(data) or data[2:4] in seen or data[1] & 127 == 96 or int.from_bytes(data[2:4], "big") % 10:
            return True
        seen.add(data[2:4])
        return False

    relay.up = lose_each_tenth
    talk = call(MeetingClient(camera=LivePicture(bars(640, 360), 30, 2_000_000), rtx=rtx), relay)
    await talk.begin()
    await until(lambda: talk.ear.of(Source.CAMERA))
    before = talk.leg.stats(LEG).dropped.get("picture", 0)  # the first key frame may have taken two
    await until(lambda: len(talk.ear.of(Source.CAMERA)) > 60)
    times = [picture.timestamp for picture in talk.ear.of(Source.CAMERA)]
    assert len(seen) > 3
    assert times == sorted(times)
    keys = [number for number, picture in enumerate(talk.ear.of(Source.CAMERA)) if picture.key]
    assert keys[-1] < 5  # at the beginning, and never again
    assert talk.leg.stats(LEG).dropped.get("picture", 0) == before


async def test_a_gap_that_stays_is_followed_by_a_key_frame_that_we_asked_for(call: MakeCall) -> None:
    relay, lost = Relay(), set[bytes]()
    talk = call(MeetingClient(camera=LivePicture(bars(), 30), rtx=False), relay)
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.CAMERA)) > 5)

    def lose_one_for_good(data: bytes) -> bool:
        if is_rtp(data) and data[1] & 127 > 96 and not lost:
            lost.add(data[1:4])
        return data[1:4] not in lost

    relay.up = lose_one_for_good
    before = len(talk.ear.of(Source.CAMERA))
    await until(lambda: any(picture.key for picture in talk.ear.of(Source.CAMERA)[before:]))
    after = talk.ear.of(Source.CAMERA)[before:]
    gap = next(number for number, picture in enumerate(after) if picture.key)
    assert gap <= 2, "nothing but what was whole before the gap came before the key frame"
    assert talk.client.camera is not None
    assert talk.client.camera.key_requests == 1
    assert talk.leg.stats(LEG).dropped["picture"] >= 1


@pytest.mark.parametrize("rtx", [True, False])
async def test_what_the_far_end_lost_is_sent_again_in_the_stream_that_was_announced_for_it(
    call: MakeCall, rtx: bool
) -> None:
    relay, seen, streams = Relay(), set[bytes](), defaultdict[int, set[int]](set)

    def lose_each_seventh_picture_packet(data: bytes) -> bool:
        if not is_rtp(data):
            return True
        streams[data[1] & 127].add(int.from_bytes(data[8:12], "big"))
        if int.from_bytes(data[8:12], "big") != talk.ssrc_of_video() or data[2:4] in seen or data[3] % 7:
            return True
        seen.add(data[2:4])
        return False

    talk = call(MeetingClient(camera=LivePicture(bars(640, 360), 20, 1_500_000), rtx=rtx), relay)
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 0)  # nobody misses what came before the first
    relay.down = lose_each_seventh_picture_packet
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 40)
    assert len(seen) > 3
    assert talk.client.seen is not None
    assert talk.client.seen.frames >= len(talk.ear.of(Source.CAMERA)) - 5
    del streams[96]  # sound
    announced = re.findall(r"a=ssrc-group:FID (\d+) (\d+)", talk.answer)
    ours = map(int, announced[0]) if rtx else [talk.ssrc_of_video()]
    assert list(streams.values()) == [{ssrc} for ssrc in ours]


async def test_the_room_gets_the_key_frame_that_it_asks_for(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 20)))
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.CAMERA)) > 15)
    before = len(talk.ear.of(Source.CAMERA))
    talk.leg.request_key(Source.CAMERA)
    await until(lambda: any(picture.key for picture in talk.ear.of(Source.CAMERA)[before:]), 1)


async def test_content_comes_on_a_line_of_its_own_to_who_offered_one(call: MakeCall, server: Server) -> None:
    takes, does_not = call(MeetingClient(content=True)), call(MeetingClient(screen=LivePicture(bars(), 5)))
    for talk in (takes, does_not):
        await talk.begin()
    picture = LivePicture(bars(), 15)
    picture.start("H264")
    legs = [takes.leg, does_not.leg]
    for number in range(2):  # aiortc has a picture whole when the next begins
        made = EncodedPicture("H264", picture.next(not number), 9000 * number, key=not number)
        server.transports.send_picture(legs, Source.SCREEN, made)
    await until(lambda: takes.client.content is not None and takes.client.content.frames == 1)
    assert takes.client.seen is not None
    assert takes.client.seen.frames == 0
    assert server.dropped("picture_not_taken") == 2


async def test_a_picture_goes_to_those_whose_codec_it_has_and_to_nobody_else(call: MakeCall, server: Server) -> None:
    both = [call(MeetingClient(codecs=(codec,))) for codec in ("VP8", "H264")]
    for talk in both:
        await talk.begin()
    picture = LivePicture(bars(), 15)
    picture.start("VP8")
    server.transports.send_picture(
        [talk.leg for talk in both], Source.CAMERA, EncodedPicture("VP8", picture.next(True), 0, key=True)
    )
    await until(lambda: both[0].leg.stats(LEG).sending[1].packets > 0)
    assert both[1].leg.stats(LEG).sending[1].packets == 0
    assert server.dropped("picture_not_taken") == 1


async def test_the_far_ends_wish_for_a_key_frame_reaches_the_room(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 15)))
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 3)
    receiver = talk.client._peer.getTransceivers()[1].receiver
    before = talk.ear.key_requests
    await receiver._send_rtcp_pli(talk.ssrc_of_video())
    await until(lambda: talk.ear.key_requests > before)


async def test_what_we_allow_the_leg_to_send_reaches_its_encoder(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 15)))
    await talk.begin()
    await until(lambda: talk.ear.of(Source.CAMERA))
    sender = talk.client._peer.getTransceivers()[1].sender
    limits: list[int] = []

    class Encoder:
        @property
        def target_bitrate(self) -> int:
            return 0

        @target_bitrate.setter
        def target_bitrate(self, bits_per_second: int) -> None:
            limits.append(bits_per_second)

    vars(sender)["_RTCRtpSender__encoder"] = Encoder()
    talk.leg.want(Source.CAMERA, Wanted(width=320, height=180, bits_per_second=250_000))
    await until(lambda: limits)
    assert limits[0] == pytest.approx(250_000, rel=0.01)


async def test_the_figures_of_a_leg_are_those_of_its_streams(call: MakeCall) -> None:
    relay = Relay()
    relay.up = lambda data: not (is_rtp(data, 96) and data[3] % 10 == 0)
    talk = call(MeetingClient(sound=LiveSound(tone(440)), camera=LivePicture(bars(640, 368), 15)), relay)
    talk.ear.echo = True
    await talk.begin()
    await asyncio.sleep(4.3)
    stats = talk.leg.stats(LEG)
    streams = {stream.media: stream for stream in stats.receiving}
    assert 2 < streams["audio"].loss_percent < 25
    assert 8 < streams["audio"].lost < 30
    assert 0 < streams["audio"].jitter_ms < 100
    assert 20_000 < streams["audio"].bitrate_bps < 100_000
    assert (streams["camera"].width, streams["camera"].height) == (640, 368)
    assert 8 < streams["camera"].frame_rate < 22
    assert stats.rtt_ms is not None
    assert 0 < stats.rtt_ms < 500
    sent = {stream.media: stream for stream in stats.sending}
    came: list[tuple[int, int]] = []

    def all_that_was_sent_came() -> bool:
        received = talk.client.packets_received()
        now = {stream.media: stream.packets for stream in talk.leg.stats(LEG).sending}
        came.append((received, now["audio"]))
        return received == now["audio"]

    await until(all_that_was_sent_came)
    assert all(received <= counted for received, counted in came)
    assert streams["audio"].concealed_ms + streams["audio"].recovered_ms > 100
    assert 20 <= streams["audio"].delay_ms <= 200
    assert sent["video"].codec == "H264"
    assert 8 < sent["video"].frame_rate < 22


async def test_a_workers_figures_are_those_of_its_legs_and_its_counters_outlive_them(
    call: MakeCall, server: Server
) -> None:
    relay = Relay()
    relay.up = lambda data: not (is_rtp(data, 96) and data[3] % 10 == 0)
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()), relay)
    await talk.begin()
    await asyncio.sleep(3)
    audio = talk.leg.stats(LEG).receiving[0]
    now = server.engine.network()
    assert 0 < now.jitter_ms_in < 100
    assert 0 < now.rtt_ms < 500
    assert now.packets_in > audio.packets > 100
    assert audio.lost <= now.lost_in < audio.lost + 3
    assert audio.concealed_ms + audio.recovered_ms <= now.concealed_ms + now.recovered_ms
    await talk.leg.close()
    after = server.engine.network()
    assert (after.jitter_ms_in, after.rtt_ms) == (0, 0)
    assert after.lost_in >= now.lost_in
    assert after.concealed_ms >= now.concealed_ms > 0


async def test_reports_say_how_far_the_sound_that_we_sent_has_come(call: MakeCall) -> None:
    relay, gone = Relay(), list[bytes]()

    def lose_two(data: bytes) -> bool:
        if is_rtp(data, 96) and len(gone) < 2 and data[3] % 8 == 0:
            gone.append(data)
            return False
        return True

    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()), relay)
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 0)  # what is lost before the first that comes is not counted
    relay.down = lose_two
    await until(lambda: talk.ear.reports and talk.ear.reports[-1][1] == 2)
    highest, lost = talk.ear.reports[-1]
    sent = talk.leg.stats(LEG).sending[0].packets
    last = talk.server.engine.plane.sent_sequence(talk.leg.handle)
    assert lost == 2
    assert last - sent < highest <= last


async def test_a_good_bye_is_a_hang_up_at_once(call: MakeCall) -> None:
    talk = call(MeetingClient(codecs=()))
    await talk.begin()
    began = time.monotonic()
    await talk.client.close()
    await until(lambda: talk.ear.lost, 1)
    assert talk.ear.lost == [Cause.HANGUP]
    assert time.monotonic() - began < 0.5


async def test_a_stream_that_says_bye_ends_no_leg(call: MakeCall) -> None:
    """Some browsers say so when a microphone is taken away."""
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()))
    await talk.begin()
    await until(lambda: len(talk.heard) > 10)
    sender = talk.client._peer.getTransceivers()[0].sender
    await sender._send_rtcp([RtcpByePacket(sources=[sender._ssrc])])
    heard = len(talk.heard)
    await until(lambda: len(talk.heard) > heard + 25)
    assert talk.ear.lost == []


async def test_a_lost_network_is_seen_within_seven_seconds(call: MakeCall) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()))
    await talk.begin()
    talk.client.vanish()
    began = time.monotonic()
    await until(lambda: talk.ear.lost, 8)
    assert talk.ear.lost == [Cause.NETWORK]
    assert 4 < time.monotonic() - began < 7


async def test_a_silent_leg_that_answers_is_not_lost(call: MakeCall) -> None:
    relay = Relay()
    relay.up = lambda data: not is_rtp(data)  # reports and checks only
    talk = call(MeetingClient(codecs=()), relay)
    await talk.begin()
    await asyncio.sleep(8)
    assert talk.ear.lost == []


async def test_an_offer_whose_browser_never_comes_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcu.media.transport.webrtc.CONNECT_S", 0.3)
    ear, client = Ear(server.transports), MeetingClient(codecs=())

    async def exchange(offer: str) -> str:
        ear.transport, _ = await server.transports.answer(offer, ear)
        raise ConnectionError("the browser is closed here")

    with pytest.raises(ConnectionError):
        await client.connect(exchange)
    await until(lambda: ear.lost, 1)
    assert ear.lost == [Cause.FAILED]
    await client.close()
    assert ear.transport is not None
    await ear.transport.close()


@pytest.mark.parametrize("server_is_dtls_client", [False, True])
@pytest.mark.parametrize("first", range(3))
async def test_a_handshake_survives_the_loss_of_its_flights(
    call: MakeCall, server_is_dtls_client: bool, first: int
) -> None:
    relay, flights = Relay(), [0, 0]

    def lose(way: int, data: bytes) -> bool:
        if not 19 < data[0] < 64:
            return True
        flights[way] += 1
        return flights[way] != 1 + first // 2

    relay.up, relay.down = (lambda data: first == 1 or lose(0, data)), (lambda data: first == 0 or lose(1, data))
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()), relay)
    talk.server_is_dtls_client = server_is_dtls_client
    await talk.begin()
    await until(lambda: len(talk.heard) > 10)
    assert talk.ear.lost == []


async def test_after_a_nat_rebinding_sound_goes_on_both_ways_with_the_clients_next_check(
    call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 2)  # Chromium's is 2.5 s
    relay = Relay()
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()), relay)
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 20)
    await relay.rebind()
    checked = asyncio.Event()

    def look(data: bytes) -> bool:
        if data[0] < 4:
            checked.set()
        return True

    relay.up = look
    await asyncio.wait_for(checked.wait(), 4)
    heard, received = len(talk.heard), talk.client.packets_received()
    await until(lambda: talk.client.packets_received() > received + 20 and len(talk.heard) > heard + 20, 1)
    assert talk.ear.lost == []


async def test_a_restart_of_ice_keeps_the_leg_its_keys_and_its_sound(
    call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiortc cannot restart: its agent is given the new credentials by hand, as a browser does by itself."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 1)
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()))
    await talk.begin()
    await until(lambda: len(talk.heard) > 20)
    agent = talk.client._peer.getTransceivers()[0].sender.transport.transport._connection
    fresh = re.sub(r"a=ice-ufrag:\S+", "a=ice-ufrag:fresh4", talk.offer)
    answer = await talk.leg.restart(re.sub(r"a=ice-pwd:\S+", "a=ice-pwd:" + "f" * 24, fresh))
    agent._local_username, agent._local_password = "fresh4", "f" * 24
    agent.remote_username = re.findall(r"a=ice-ufrag:(\S+)", answer)[0]
    agent.remote_password = re.findall(r"a=ice-pwd:(\S+)", answer)[0]
    heard, received = len(talk.heard), talk.client.packets_received()
    await asyncio.sleep(6)  # longer than a leg is kept whose checks prove nothing
    assert len(talk.heard) > heard + 250
    assert talk.client.packets_received() > received + 250
    assert talk.ear.lost == []
    assert talk.leg.stats(LEG).dropped.get("stun_forged", 0) == 0
