"""The RTP session of one leg: its streams both ways and what RTCP says of them.

Starts no timer and no task: `poll` and `each_second` are called for it. What is malformed, unknown or too much is
counted and dropped; nothing that a leg sends raises.
"""

import secrets
from collections.abc import Sequence

import pylibsrtp
from aiortc.rtp import RtcpReceiverInfo

from mcu.clock import Clock
from mcu.media.messages import Source, StreamStats
from mcu.media.seams import SAMPLE_RATE, VIDEO_CLOCK, EncodedPicture, TransportListener, VideoCodec
from mcu.media.transport.answer import LEVEL, SEND_TIME, Agreed
from mcu.media.transport.drops import Drops
from mcu.media.transport.dtls import SecureTransport
from mcu.media.transport.inbound import Inbound
from mcu.media.transport.rtcp import Rtcp
from mcu.media.transport.rtp_out import AudioOut, Outgoing, VideoOut
from mcu.media.transport.stats import Loss, Rates

RTT_DEFAULT = 0.1  # seconds, until a report tells


class Session:
    """`wire` gives it packets; it gives `listener` what they mean."""

    def __init__(
        self,
        agreed: Agreed,
        wire: SecureTransport,
        listener: TransportListener,
        pixels_max: int,
        drop: Drops,
        clock: Clock,
    ) -> None:
        self._wire, self._listener, self._drop, self._clock = wire, listener, drop, clock
        self.cname = secrets.token_hex(8)
        self.inbound = Inbound(agreed, listener, pixels_max, drop)
        self._announced = {line.source: line.ssrcs[0] for line in agreed.video if line.ssrcs}
        self._limits: dict[Source, int] = {}
        camera = agreed.camera
        self.codec: VideoCodec | None = camera.codec if camera is not None and camera.sends else None
        ssrc = secrets.randbits(31) << 1
        self.audio_out = Outgoing(ssrc, agreed.audio.payload_type, SAMPLE_RATE)
        self.video_out = Outgoing(ssrc | 1, camera.payload_type if camera else 0, VIDEO_CLOCK)
        self._audio = AudioOut(self.audio_out, agreed.extensions.get(LEVEL))
        self._video = VideoOut(self.video_out, agreed.extensions.get(SEND_TIME), drop)
        self._audio_sends = agreed.audio.sends
        self._rates = [Rates("audio", "opus", self.audio_out), Rates("video", self.codec or "", self.video_out)]
        self._loss: dict[int, Loss] = {}
        self._rtcp = Rtcp(self.audio_out.ssrc, self.cname, drop)

    # -- from the room --------------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes, level: int) -> int | None:
        if not self._wire.connected or not self._audio_sends:
            self._audio.skip()
            return None
        try:
            return self._audio.send(self._wire, payload, level, self._clock.monotonic())
        except pylibsrtp.Error:
            self._drop("srtp_refused")
            return None

    def skip_audio(self) -> None:
        self._audio.skip()

    def send_picture(self, picture: EncodedPicture) -> None:
        if not self._wire.connected or picture.codec != self.codec:
            self._drop("picture_not_taken")
            return
        try:
            complete = self._video.send(self._wire, picture, self._clock.monotonic())
        except pylibsrtp.Error:
            self._drop("srtp_refused")
            return
        if not complete:
            self._listener.on_key_request()

    def request_key(self, source: Source) -> None:
        pictures = self.inbound.of(source)
        if pictures is not None:
            pictures.video.ask_key()
            self.poll()

    def limit_bitrate(self, source: Source, bits_per_second: int) -> None:
        self._limits[source] = bits_per_second
        self._send_limits()

    def _send_limits(self) -> None:
        """One REMB for the sum: a browser takes it for all that it sends."""
        if self._limits and self._wire.connected:
            streams = {pictures.source: pictures.stream.ssrc for pictures in self.inbound.pictures}
            ssrcs = {**self._announced, **streams}
            named = [ssrcs[source] for source in self._limits if source in ssrcs]
            self._wire.send_rtcp(self._rtcp.remb(sum(self._limits.values()), named))

    # -- from the far end -----------------------------------------------------------------------------------------

    def on_rtp(self, packet: bytes) -> None:
        self.inbound.receive(packet, self._clock.monotonic())

    def on_rtcp(self, packet: bytes) -> None:
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        self._rtcp.receive(packet, self, self.inbound.streams, now, wall)

    def on_nack(self, ssrc: int, lost: Sequence[int]) -> None:
        if ssrc == self.video_out.ssrc:
            self._video.resend(self._wire, lost, self._clock.monotonic())

    def on_key_wanted(self, ssrc: int) -> None:
        if ssrc == self.video_out.ssrc:
            self._listener.on_key_request()

    def on_remb(self, bits_per_second: int) -> None:
        self._listener.on_bandwidth(bits_per_second)

    def on_report(self, ssrc: int, report: RtcpReceiverInfo) -> None:
        out = self.audio_out if ssrc == self.audio_out.ssrc else self.video_out
        if ssrc != out.ssrc or not out.packets:
            return
        jitter_ms = 1000 * report.jitter / out.clock_rate
        self._loss[ssrc] = Loss(report.packets_lost, report.fraction_lost / 256, jitter_ms)
        if out is self.audio_out:
            highest = out.extended(report.highest_sequence & 0xFFFF)
            self._listener.on_audio_report(highest, max(0, report.packets_lost))

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether `poll` is needed soon: something is missing."""
        return any(pictures.video.busy for pictures in self.inbound.pictures)

    @property
    def rtt(self) -> float | None:
        return self._rtcp.rtt

    def poll(self) -> None:
        """Asks for what is missing, and gives up what is too late."""
        now, rtt = self._clock.monotonic(), self.rtt or RTT_DEFAULT
        for pictures in self.inbound.pictures:
            ready, lost, key = pictures.video.poll(now, rtt)
            pictures.give(ready)
            if lost:
                self._wire.send_rtcp(self._rtcp.nack(pictures.stream.ssrc, lost))
            if key:
                self._wire.send_rtcp(self._rtcp.pli(pictures.stream.ssrc))

    def each_second(self) -> None:
        """Reports, repeats what we ask the leg to keep to, and closes the second for the rates."""
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        self._wire.send_rtcp(self._rtcp.report([self.audio_out, self.video_out], self.inbound.streams, now, wall))
        self._send_limits()
        self._video.each_second()
        for current in self.inbound.current:
            current.update(now)
        self._rates[0].update(now)
        self._rates[1].update(now, self._video.frames)

    # -- what is known --------------------------------------------------------------------------------------------

    def receiving(self) -> list[StreamStats]:
        return [current.stats() for current in self.inbound.current]

    def sending(self) -> list[StreamStats]:
        audio, video = self._rates
        stats = [audio.stats(self._loss.get(self.audio_out.ssrc, Loss()))]
        if self.codec is not None:
            stats.append(video.stats(self._loss.get(self.video_out.ssrc, Loss()), self._video.size))
        return stats
