"""WebRTC legs of a worker: an offer in, a transport and an answer out. The one `seams.TransportFactory`.

Owns each leg's life on the network: proved by a check, then DTLS, then connected, then the end, told once. Packets are
the plane's; the rest is in the files beside it, each one job. Nothing above the seam knows aiortc.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog
from aiortc import RTCCertificate, RTCDtlsParameters
from aiortc.sdp import SessionDescription

from mcu.clock import Clock
from mcu.errors import Conflict, Unavailable
from mcu.ids import LegId
from mcu.media import _native as native
from mcu.media.messages import Cause, LegMedia, Source
from mcu.media.seams import EncodedPicture, FrameLimit, Traffic, Transport, TransportListener, VideoCodec, Wanted
from mcu.media.transport import answer as sdp
from mcu.media.transport.dtls import SecureTransport
from mcu.media.transport.engine import Engine
from mcu.media.transport.figures import Figures
from mcu.media.transport.incoming import Incoming
from mcu.media.transport.streams import NUMBERS, add_streams, layers_of, sources_of
from mcu.media.transport.told import SOURCES, picture_of, tell

log = structlog.get_logger()

CONNECT_S = 10.0  # for ICE and DTLS together
PIXELS_MAX = 4096 * 4096  # of a frame that a leg sends


class WebRtcTransport:
    """One leg's packets, both ways; a `seams.Transport`. Hears of its leg from the engine."""

    def __init__(
        self, engine: Engine, handle: int, agreed: sdp.Agreed, answer: str, dtls: SecureTransport, clock: Clock
    ) -> None:
        self.handle = handle
        self._engine, self._agreed, self._answer, self._dtls = engine, agreed, answer, dtls
        self._listener: TransportListener | None = None
        self._codecs = sources_of(agreed)
        self._sends = {source: line.codec if (line := agreed.sent(source)) else None for source in Source}
        layers = layers_of(agreed)
        self._incoming = Incoming(engine.plane, handle, {source: len(names) for source, names in layers.items()}, clock)
        self._figures = Figures(self._codecs, layers)
        loop = asyncio.get_running_loop()
        self._proved: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[Cause] = loop.create_future()
        self._task: asyncio.Task[None] | None = None
        self._ending = False  # the plane has no such leg any more

    def start(self, listener: TransportListener) -> asyncio.Task[None]:
        """Connects in the background. The task ends when everything that the leg held is released."""
        self._listener = listener
        self._engine.listen(self.handle, self)
        self._task = asyncio.create_task(self._run(listener))
        return self._task

    # -- seams.Transport ------------------------------------------------------------------------------------------

    def takes(self, source: Source) -> VideoCodec | None:
        return self._sends[source]

    def limit(self, source: Source) -> FrameLimit | None:
        """Browsers take what there is."""
        return None

    def handle_of(self, source: Source) -> int:
        return self.handle

    def request_key(self, source: Source) -> None:
        if self._dtls.connected and not self._ending:
            self._engine.plane.want_key(self.handle, NUMBERS[source])

    def want(self, source: Source, wanted: Wanted) -> None:
        if not self._ending:
            self._incoming.want(NUMBERS[source], wanted)

    def aim(self, bits_per_second: int) -> None:
        """See `seams.Transport`."""
        if not self._ending:
            self._engine.plane.aim(self.handle, bits_per_second)

    async def restart(self, offer: str) -> str:
        """New ICE credentials for the same leg. See `seams.Transport`."""
        theirs = await asyncio.to_thread(sdp.restarted, offer, self._agreed)
        if self._ending:
            raise Conflict("The leg's connection has ended.")
        ours = credentials()
        self._engine.plane.restart_ice(self.handle, ours.ufrag, ours.password, theirs.ufrag)
        self._answer = sdp.with_credentials(self._answer, ours)
        return self._answer

    def stats(self, leg: LegId) -> LegMedia:
        if self._ending:
            raise Conflict("The leg's connection has ended.")
        counted = self._engine.plane.leg_stats(self.handle)
        return self._figures.of(leg, self._dtls.profile, counted)

    def traffic(self) -> Traffic:
        if self._ending:
            raise Conflict("The leg's connection has ended.")
        return Traffic(*self._engine.plane.leg_traffic(self.handle))

    async def close(self) -> None:
        """Says good-bye. The plane has no such leg from the call on, not only from the return. May be called again."""
        if not self._ending:
            self._release()
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    # -- engine.LegEvents -----------------------------------------------------------------------------------------

    def on_event(self, event: native.Event) -> None:
        listener = self._listener
        assert listener is not None
        match event.kind:
            case native.PICTURE:
                listener.on_picture(SOURCES[event.a], picture_of(event, self._codecs[event.a]))
            case native.DTLS:
                self._dtls.records.put(event.data)
            case native.BANDWIDTH:
                listener.on_bandwidth(event.a)
            case native.LAYER:
                self._incoming.on_layer(event)
            case _:
                if not tell(listener, event):
                    self._life_event(event.kind)

    def on_failure(self) -> None:
        self._end(Cause.FAILED)

    def _life_event(self, kind: int) -> None:
        """RTCP BYE is not among these: it ends a stream (a microphone that is taken away), DTLS ends the leg."""
        if kind == native.PROVED and not self._proved.done():
            self._proved.set_result(None)
        elif kind == native.SILENT:
            self._end(Cause.NETWORK)

    # -- its life -------------------------------------------------------------------------------------------------

    async def _run(self, listener: TransportListener) -> None:
        try:
            cause = await self._live(listener)
        except Exception:  # this leg ends, and no other
            log.exception("leg_transport_failed")
            cause = Cause.FAILED
        self._release()
        listener.on_lost(cause)

    async def _live(self, listener: TransportListener) -> Cause:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._proved
                await self._dtls.start(self._agreed.dtls)
        except TimeoutError:
            return Cause.FAILED
        if not self._dtls.connected:
            return Cause.FAILED
        self._dtls.on_closed = lambda: self._end(Cause.HANGUP)
        listener.on_connected()
        return await self._ended

    def _end(self, cause: Cause) -> None:
        if not self._ended.done():
            self._ended.set_result(cause)

    def _release(self) -> None:
        self._ending = True
        self._incoming.end()
        self._dtls.end()
        self._engine.remove(self.handle)


class WebRtcTransports:
    """Makes the WebRTC transports of one worker, on its engine.

    `pixels_max`: larger frames of a leg are dropped before any decoder sees them.
    """

    def __init__(self, engine: Engine, *, pixels_max: int = PIXELS_MAX, clock: Clock) -> None:
        self._engine = engine
        self._pixels_max = min(pixels_max, PIXELS_MAX)
        self._clock = clock
        self._legs: dict[int, WebRtcTransport] = {}
        self._drops = Counter[str]()

    async def answer(self, offer: str, listener: TransportListener) -> tuple[WebRtcTransport, str]:
        """A transport for an SDP offer, and the SDP answer. Connects in the background.

        Raises `errors.Invalid` for an offer that cannot be parsed or has no audio that we know, and
        `errors.Unavailable` where the worker has as many legs as it can.
        """
        session, agreed = await asyncio.to_thread(sdp.agree, offer)  # 1.4 ms for Chromium's, more for worse
        certificate = self._engine.certificates.current
        ours = self._ours(certificate)
        try:
            handle = self._engine.plane.add_webrtc(ours.ice.ufrag, ours.ice.password, agreed.ice.ufrag)
        except OSError:
            raise Unavailable("This media worker has as many legs as it can have.") from None
        try:
            return self._start(handle, session, agreed, ours, certificate, listener)
        except Exception:
            self._engine.plane.remove(handle)  # nobody else has it yet
            raise

    def _start(
        self,
        handle: int,
        session: SessionDescription,
        agreed: sdp.Agreed,
        ours: sdp.Ours,
        certificate: RTCCertificate,
        listener: TransportListener,
    ) -> tuple[WebRtcTransport, str]:
        dtls = SecureTransport(self._engine.plane, handle, certificate, agreed.role)
        add_streams(self._engine.plane, handle, agreed, ours, self._pixels_max)
        answer = sdp.write(session, agreed, ours)
        transport = WebRtcTransport(self._engine, handle, agreed, answer, dtls, self._clock)
        self._legs[handle] = transport
        transport.start(listener).add_done_callback(lambda _: self._legs.pop(handle))
        return transport, answer

    def send_picture(self, transports: Sequence[Transport], source: Source, picture: EncodedPicture) -> None:
        """One picture to many legs. Those that were not sent it whole are told `on_key_request`."""
        handles = [leg.handle_of(source) for leg in transports if leg.takes(source) == picture.codec]
        self._drops["picture_not_taken"] += len(transports) - len(handles)
        kind = "VP8" if picture.codec == "VP8" else "H264"
        self._engine.plane.send_picture(handles, NUMBERS[source], kind, picture.data, picture.timestamp, picture.key)

    def take(self) -> None:
        self._engine.take()

    def dropped(self) -> Mapping[str, int]:
        """What was dropped since the worker started, by reason; of legs that are gone too."""
        return self._drops + Counter(self._engine.stats()["drops"])

    async def close(self) -> None:
        """Closes every leg."""
        await asyncio.gather(*(leg.close() for leg in list(self._legs.values())))

    def _ours(self, certificate: RTCCertificate) -> sdp.Ours:
        audio, *pictures = _ssrcs(5)
        return sdp.Ours(
            ice=credentials(),
            candidates=self._engine.candidates,
            dtls=RTCDtlsParameters(fingerprints=certificate.getFingerprints()),
            audio_ssrc=audio,
            pictures={Source.CAMERA: sdp.Ssrcs(*pictures[:2]), Source.SCREEN: sdp.Ssrcs(*pictures[2:])},
            cname=secrets.token_hex(8),
        )


def credentials() -> sdp.Credentials:
    """Ours, new: 64 bits of user name and 192 of password (RFC 8445 section 5.3 wants 24 and 128)."""
    return sdp.Credentials(secrets.token_hex(8), secrets.token_hex(24))


def _ssrcs(count: int) -> list[int]:
    """Different ones, none 0."""
    found = set[int]()
    while len(found) < count:
        found.add(1 + secrets.randbelow((1 << 32) - 1))
    return list(found)
