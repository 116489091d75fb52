"""A participant as a program: a real WebRTC client on aiortc, offering what a browser offers.

For tests, the demo and the benchmarks. It keeps the time for its sources and gives what it received through its taps
(see `taps.py` for why not through aiortc). Host candidates only: no STUN server is ever asked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from fractions import Fraction
from typing import cast

import aioice.ice
import av
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpCodecParameters,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.codecs import get_encoder
from aiortc.rtcrtpsender import RTCEncodedFrame

from mcu.demo.sources import PictureSource, SoundSource, silence
from mcu.demo.taps import Heard, InOrder, PictureTap, SoundTap, tap
from mcu.media.seams import TICK_MS, TICK_SAMPLES, VIDEO_CLOCK, VideoCodec

Exchange = Callable[[str], Awaitable[str]]  # an SDP offer to its answer
CONNECT_S = 10.0  # seconds


def use_loopback() -> None:
    """From now on clients of this process have the loopback address alone, which aioice leaves out by itself."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Silent(MediaStreamTrack):
    """aiortc wants a track before it sends; what is sent comes from elsewhere."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    async def recv(self) -> av.AudioFrame:
        raise RuntimeError("frames are made by the sender's feed")


class Pace:
    """Wakes every `seconds`, without drift. After a stall it goes on from now: nothing is sent in a burst."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: float | None = None

    async def wait(self) -> None:
        now = time.monotonic()
        due = now if self._next is None or now - self._next > 10 * self._seconds else self._next
        self._next = due + self._seconds
        await asyncio.sleep(max(0.0, due - now))


class SoundFeed:
    """Takes the place of an audio sender's encoder."""

    def __init__(self, source: SoundSource) -> None:
        self.source = source
        self.sent = 0
        self._pace = Pace(TICK_MS / 1000)
        self._timestamp = 0

    async def next(self, _codec: RTCRtpCodecParameters) -> RTCEncodedFrame:
        await self._pace.wait()
        spoken = self.source.next()
        self._timestamp += TICK_SAMPLES
        self.sent += 1
        return RTCEncodedFrame([spoken.payload], self._timestamp, -spoken.level)


class PictureFeed:
    """Takes the place of a video sender's encoder. Sends nothing while `on` is false, as a camera that is off."""

    def __init__(self, source: PictureSource) -> None:
        self.source = source
        self.on = True
        self.sent = 0
        self.key_requests = 0
        self._key = True
        self._pace = Pace(1 / source.fps)
        self._began = time.monotonic()
        self._started = False

    def want_key(self) -> None:
        self.key_requests += 1
        self._key = True

    async def next(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        await self._pace.wait()
        if not self.on:
            self._key = True
            return None
        if not self._started:
            self.source.start("H264" if codec.name == "H264" else "VP8")
            self._packer, self._started = get_encoder(codec), True
        key, self._key = self._key, False
        packet = av.Packet(await asyncio.to_thread(self.source.next, key))
        packet.pts = int((time.monotonic() - self._began) * VIDEO_CLOCK)
        packet.time_base = Fraction(1, VIDEO_CLOCK)
        payloads, timestamp = self._packer.pack(packet)
        self.sent += 1
        return RTCEncodedFrame(payloads, timestamp, cast(int, None))  # no level: it is not sound


class MeetingClient:
    """One participant. Sound both ways; pictures both ways where it has a `camera` or wants to `watch`."""

    def __init__(
        self,
        *,
        sound: SoundSource | None = None,
        camera: PictureSource | None = None,
        screen: PictureSource | None = None,
        watch: bool = True,
        content: bool = False,
        codecs: Sequence[VideoCodec] = ("H264", "VP8"),
        rtx: bool = True,
    ) -> None:
        """`watch`: decode what comes, or only count. `codecs`: what it offers, best first; none: no video at all.

        `content`: take what others share as a picture of its own. `rtx`: have what was lost sent again in a stream of
        its own (RFC 4588).
        """
        if not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True):
            use_loopback()
        self.sound = SoundFeed(sound or silence())
        self.camera = PictureFeed(camera) if camera is not None else None
        self.screen = PictureFeed(screen) if screen is not None else None
        self.heard_sound = SoundTap()
        self.seen: PictureTap | None = None
        self.content: PictureTap | None = None
        self.connected_s: float | None = None  # from the offer's sending to keys agreed
        self._watch, self._codecs, self._rtx = watch, codecs, rtx
        self._takes_content = content
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connected = asyncio.Event()
        self._gone = asyncio.Event()
        self._peer.on("connectionstatechange", self._on_state)

    async def connect(self, exchange: Exchange) -> None:
        """Offers, and returns when packets can flow. Raises `ConnectionError`, or what `exchange` raises."""
        lines = self._add_lines()
        await self._peer.setLocalDescription(await self._peer.createOffer())
        began = time.monotonic()
        answer = await exchange(self._peer.localDescription.sdp)
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        self.seen, self.content = [self._tap(line) for line in lines]
        try:
            await asyncio.wait_for(self._connected.wait(), CONNECT_S)
        except TimeoutError as error:
            raise ConnectionError(f"not connected within {CONNECT_S:g} s") from error
        self.connected_s = time.monotonic() - began

    def _add_lines(self) -> tuple[RTCRtpTransceiver | None, RTCRtpTransceiver | None]:
        """Those on which pictures come: the composed one, and content."""
        audio = self._peer.addTransceiver(Silent("audio"), direction="sendrecv")
        _feed(audio.sender, self.sound)
        tap(audio.receiver, self.heard_sound)
        if not self._codecs:
            return None, None
        camera = self._add_video("sendrecv", self.camera)
        if self.screen is None and not self._takes_content:
            return camera, None
        directions = {(True, False): "sendonly", (True, True): "sendrecv", (False, True): "recvonly"}
        screen = self._add_video(directions[self.screen is not None, self._takes_content], self.screen)
        return camera, screen if self._takes_content else None

    def _add_video(self, direction: str, feed: PictureFeed | None) -> RTCRtpTransceiver:
        line = self._peer.addTransceiver(Silent("video") if feed else "video", direction=direction)
        if feed is not None:
            _feed(line.sender, feed)
        offered = RTCRtpSender.getCapabilities("video").codecs
        wanted = [*self._codecs, "rtx"] if self._rtx else self._codecs
        line.setCodecPreferences([codec for name in wanted for codec in offered if _is(codec, name)])
        return line

    def _tap(self, video: RTCRtpTransceiver | None) -> PictureTap | None:
        """Before the first picture can come: aiortc starts to connect in a task of its own."""
        if video is None or not video._codecs:
            return None
        codec: VideoCodec = "H264" if video._codecs[0].name == "H264" else "VP8"
        seen = PictureTap(codec, self._watch)
        tap(video.receiver, seen)
        return seen

    def _on_state(self) -> None:
        if self._peer.connectionState == "connected":
            self._connected.set()
        elif self._peer.connectionState in ("closed", "failed"):
            self._gone.set()

    # -- what came ------------------------------------------------------------------------------------------------

    def heard(self) -> Heard:
        """The sound of the last minute, decoded."""
        return self.heard_sound.heard()

    def heard_in_order(self) -> InOrder:
        """The same, tick after tick."""
        return self.heard_sound.in_order()

    @property
    def picture(self) -> av.VideoFrame | None:
        """The latest that was decoded."""
        return self.seen.latest if self.seen is not None else None

    def packets_received(self) -> int:
        return self.heard_sound.count

    async def ended(self) -> None:
        """Returns when the connection is over."""
        await self._gone.wait()

    # -- its end --------------------------------------------------------------------------------------------------

    def vanish(self) -> None:
        """Loses its network: from now on nothing goes out or comes in, and nobody is told."""
        for line in self._peer.getTransceivers():
            for protocol in line.sender.transport.transport._connection._protocols:
                protocol.transport.abort()

    async def close(self) -> None:
        """Says good-bye (DTLS close_notify) and leaves no task, thread or socket."""
        for seen in (self.seen, self.content):
            if seen is not None:
                await seen.close()
        await self._peer.close()


def _feed(sender: RTCRtpSender, feed: SoundFeed | PictureFeed) -> None:
    """Puts a feed in the place of a sender's encoder. aiortc still packs, sends, keeps and sends again."""
    assert hasattr(sender, "_next_encoded_frame")
    vars(sender)["_next_encoded_frame"] = feed.next
    if isinstance(feed, PictureFeed):
        vars(sender)["_send_keyframe"] = feed.want_key


def _is(codec: RTCRtpCodecCapability, name: str) -> bool:
    return codec.mimeType.lower() == f"video/{name}".lower()
