"""Our transport and aiortc's client, over real sockets on loopback: sound, picture, what is lost, and how it ends."""

import asyncio
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from calls import MakeCall
from rtc import Ear, Relay, bars, is_rtp, until

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture, LiveSound, OpusEncoder, tone
from mcu.demo.taps import Heard
from mcu.ids import LegId
from mcu.media.messages import Cause, Source
from mcu.media.seams import EncodedPicture, VideoCodec
from mcu.media.transport.webrtc import WebRtcTransports

LEG = LegId("leg_1")


def loudest_hertz(heard: Heard) -> float:
    samples = heard.samples[-48_000:].astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 48_000 / len(samples))


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_sound_and_picture_go_both_ways(call: MakeCall, codec: VideoCodec) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), camera=LivePicture(bars(), 15), codecs=(codec,)))
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 10 and talk.client.packets_received() > 60)
    assert abs(loudest_hertz(talk.client.heard()) - 440) < 3
    assert {picture.codec for picture in talk.ear.of(Source.CAMERA)} == {codec}
    assert talk.client.picture is not None
    bright = talk.client.picture.to_ndarray()[:180, :320] > 190
    assert 0.05 < bright.mean() < 0.25


async def test_the_screen_is_a_second_picture(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 10), screen=LivePicture(bars(640, 360), 5)))
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.SCREEN)) > 3 and len(talk.ear.of(Source.CAMERA)) > 3)
    assert {(p.width, p.height) for p in talk.ear.of(Source.SCREEN)} == {(640, 360)}
    assert {(p.width, p.height) for p in talk.ear.of(Source.CAMERA)} == {(320, 180)}


async def test_a_leg_without_camera_or_video_line_has_sound_alone(call: MakeCall) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False))
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 20)
    assert talk.leg.video_codec is None
    assert [stream.media for stream in talk.leg.stats(LEG).sending] == ["audio"]


async def test_the_level_in_the_header_arrives(call: MakeCall) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440, amplitude=32_000, seconds=0.4)), video=False))
    await talk.begin()
    await until(lambda: len(talk.ear.audio) > 40)
    levels = [packet.level for packet in talk.ear.audio]
    assert 3 in levels[:20]  # a sine at full scale is 3 dB below the square wave
    assert levels[-1] == 127


async def test_the_far_end_sees_the_level_that_we_send(call: MakeCall) -> None:
    talk = call(MeetingClient(video=False))
    levels: list[object] = []
    await talk.begin()
    receiver = talk.client._peer.getTransceivers()[0].receiver
    handle = receiver._handle_rtp_packet

    async def look(packet: object, arrival_time_ms: int) -> None:
        levels.append(packet.extensions.audio_level)  # type: ignore[attr-defined]
        await handle(packet, arrival_time_ms)

    vars(receiver)["_handle_rtp_packet"] = look
    encoder = OpusEncoder()
    sent = [talk.leg.send_audio(encoder.encode(tick), level=42) for tick, _ in zip(tone(440), range(5), strict=False)]
    await until(lambda: len(levels) == 5)
    assert levels == [(False, 42)] * 5
    assert sent[0] is not None
    assert sent == list(range(sent[0], sent[0] + 5))


async def test_time_passes_in_the_timestamps_of_silence_too(call: MakeCall) -> None:
    talk = call(MeetingClient(video=False))
    await talk.begin()
    payload = OpusEncoder().encode(np.zeros(960, np.int16))
    talk.leg.send_audio(payload, level=127)
    talk.leg.skip_audio()
    talk.leg.skip_audio()
    talk.leg.send_audio(payload, level=127)
    await until(lambda: talk.client.packets_received() == 2)
    first, second = talk.client.heard_sound.packets
    assert second.timestamp - first.timestamp == 3 * 960
    assert second.sequence - first.sequence == 1


@pytest.mark.policy("S10")
@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_keys_are_agreed_for_the_strongest_profile_that_both_have(call: MakeCall, taken: int) -> None:
    talk = call(MeetingClient(video=False))
    talk.client_profiles = SRTP_PROFILES[::-1][: 3 - taken]
    await talk.begin()
    assert talk.leg.stats(LEG).srtp_profile == SRTP_PROFILES[taken].openssl_profile.decode()


@pytest.mark.policy("S10")
async def test_a_leg_that_has_only_a_weaker_profile_is_not_connected(call: MakeCall) -> None:
    talk = call(MeetingClient(video=False))
    weak = replace(SRTP_PROFILES[-1], openssl_profile=b"SRTP_AES128_CM_SHA1_32")
    talk.client_profiles = [weak]
    with pytest.raises((ConnectionError, TimeoutError)):
        await talk.begin()
    await until(lambda: talk.ear.lost)
    assert talk.ear.lost == [Cause.FAILED]
    assert not talk.ear.connected.is_set()


async def test_a_lost_video_packet_is_asked_for_again_and_no_frame_is_missing(call: MakeCall) -> None:
    relay, seen = Relay(), set[bytes]()

    def lose_each_tenth(data: bytes) -> bool:
        if not is_rtp(data) or data[2:4] in seen or data[1] & 127 == 96 or int.from_bytes(data[2:4], "big") % 10:
            return True
        seen.add(data[2:4])
        return False

    relay.up = lose_each_tenth
    talk = call(MeetingClient(camera=LivePicture(bars(640, 360), 30, 2_000_000)), relay)
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.CAMERA)) > 60)
    times = [picture.timestamp for picture in talk.ear.of(Source.CAMERA)]
    assert len(seen) > 3
    assert times == sorted(times)
    assert [picture.key for picture in talk.ear.of(Source.CAMERA)].count(True) == 1
    assert "video_unrepaired" not in talk.leg.stats(LEG).dropped


async def test_a_gap_that_stays_is_followed_by_a_key_frame_that_we_asked_for(call: MakeCall) -> None:
    relay, lost = Relay(), set[bytes]()
    talk = call(MeetingClient(camera=LivePicture(bars(), 30)), relay)
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
    assert talk.leg.stats(LEG).dropped["video_unrepaired"] == 1


async def test_what_the_far_end_lost_is_sent_again(call: MakeCall) -> None:
    relay, seen = Relay(), set[bytes]()

    def lose_each_seventh(data: bytes) -> bool:
        if not is_rtp(data) or data[1] & 127 == 96 or data[2:4] in seen or int.from_bytes(data[2:4], "big") % 7:
            return True
        seen.add(data[2:4])
        return False

    talk = call(MeetingClient(camera=LivePicture(bars(640, 360), 20, 1_500_000)), relay)
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 0)  # nobody misses what came before the first
    relay.down = lose_each_seventh
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 40)
    assert len(seen) > 3
    assert talk.client.seen is not None
    assert talk.client.seen.frames >= len(talk.ear.of(Source.CAMERA)) - 5


async def test_the_room_gets_the_key_frame_that_it_asks_for(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 20)))
    await talk.begin()
    await until(lambda: len(talk.ear.of(Source.CAMERA)) > 15)
    before = len(talk.ear.of(Source.CAMERA))
    talk.leg.request_key(Source.CAMERA)
    await until(lambda: any(picture.key for picture in talk.ear.of(Source.CAMERA)[before:]), 1)


async def test_a_picture_that_cannot_be_decoded_yet_is_not_sent_but_a_key_frame_asked_for(call: MakeCall) -> None:
    talk = call(MeetingClient(codecs=("VP8",)))
    await talk.begin()
    talk.leg.send_picture(EncodedPicture("VP8", b"\x11" + bytes(100), 0, key=False))
    assert talk.ear.key_requests == 1
    assert talk.leg.stats(LEG).dropped["picture_before_key"] == 1


async def test_the_far_ends_wish_for_a_key_frame_reaches_the_room(call: MakeCall) -> None:
    talk = call(MeetingClient(camera=LivePicture(bars(), 15)))
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.seen and talk.client.seen.decoded > 3)
    receiver = talk.client._peer.getTransceivers()[1].receiver
    before = talk.ear.key_requests
    ssrc = int(re.findall(r"a=ssrc:(\d+) cname", talk.answer)[1])
    await receiver._send_rtcp_pli(ssrc)
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

    sender._RTCRtpSender__encoder = Encoder()
    talk.leg.limit_bitrate(Source.CAMERA, 250_000)
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
    assert 3 < streams["audio"].loss_percent < 20
    assert 8 < streams["audio"].lost < 30
    assert 0 < streams["audio"].jitter_ms < 100
    assert 20_000 < streams["audio"].bitrate_bps < 100_000
    assert (streams["camera"].width, streams["camera"].height) == (640, 368)
    assert 8 < streams["camera"].frame_rate < 22
    assert stats.rtt_ms is not None
    assert 0 < stats.rtt_ms < 500
    sent = {stream.media: stream for stream in stats.sending}
    assert sent["audio"].packets == len(talk.ear.audio)
    assert sent["video"].codec == "H264"
    assert 8 < sent["video"].frame_rate < 22


async def test_reports_say_how_far_the_sound_that_we_sent_has_come(call: MakeCall) -> None:
    relay, gone = Relay(), list[bytes]()

    def lose_two(data: bytes) -> bool:
        if is_rtp(data, 96) and len(gone) < 2 and data[3] % 8 == 0:
            gone.append(data)
            return False
        return True

    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False), relay)
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 0)  # what is lost before the first that comes is not counted
    relay.down = lose_two
    await until(lambda: talk.ear.reports and talk.ear.reports[-1][1] == 2)
    highest, lost = talk.ear.reports[-1]
    sent = talk.leg.stats(LEG).sending[0].packets
    first = talk.leg._session.audio_out.first
    assert lost == 2
    assert first < highest < first + sent


async def test_a_good_bye_is_a_hang_up_at_once(call: MakeCall) -> None:
    talk = call(MeetingClient(video=False))
    await talk.begin()
    began = time.monotonic()
    await talk.client.close()
    await until(lambda: talk.ear.lost, 1)
    assert talk.ear.lost == [Cause.HANGUP]
    assert time.monotonic() - began < 0.5


async def test_a_lost_network_is_seen_within_five_seconds(call: MakeCall) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False))
    await talk.begin()
    talk.client.vanish()
    began = time.monotonic()
    await until(lambda: talk.ear.lost, 6)
    assert talk.ear.lost == [Cause.NETWORK]
    assert 2 < time.monotonic() - began < 5


async def test_a_silent_leg_that_answers_is_not_lost(call: MakeCall) -> None:
    relay = Relay()
    relay.up = lambda data: data[0] < 64  # no RTP, no RTCP: STUN only
    talk = call(MeetingClient(video=False), relay)
    await talk.begin()
    await asyncio.sleep(6)
    assert talk.ear.lost == []


async def test_an_offer_whose_browser_never_comes_fails(
    server: WebRtcTransports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcu.media.transport.webrtc.CONNECT_S", 0.3)
    ear, client = Ear(), MeetingClient(video=False)

    async def exchange(offer: str) -> str:
        ear.transport, _ = await server.answer(offer, ear)
        raise ConnectionError("the browser is closed here")

    with pytest.raises(ConnectionError):
        await client.connect(exchange)
    await until(lambda: ear.lost, 1)
    assert ear.lost == [Cause.FAILED]
    await client.close()
    assert ear.transport is not None
    await ear.transport.close()


async def test_after_a_nat_rebinding_sound_goes_on_both_ways(call: MakeCall) -> None:
    relay = Relay()
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False), relay)
    talk.ear.echo = True
    await talk.begin()
    await until(lambda: talk.client.packets_received() > 20)
    await relay.rebind()
    began = talk.client.packets_received()
    await until(lambda: talk.client.packets_received() > began + 20, 8)
    assert talk.ear.lost == []
