"""WebRTC legs of a worker: an offer in, a transport and an answer out. The one `seams.TransportFactory`.

Owns each leg's life on the network: ICE, then DTLS, then packets, then the end, told once. The rest is in the files
beside it, each one job. Nothing above the seam knows aiortc.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from aiortc import RTCCertificate, RTCIceTransport

from mcu.clock import Clock, SystemClock
from mcu.errors import Unavailable
from mcu.ids import LegId
from mcu.media.messages import Cause, LegMedia, Source
from mcu.media.seams import EncodedPicture, TransportListener, VideoCodec
from mcu.media.transport import answer as sdp
from mcu.media.transport.drops import Drops
from mcu.media.transport.dtls import SecureTransport
from mcu.media.transport.ice import Agent, Gatherer, host_addresses
from mcu.media.transport.session import Session

log = structlog.get_logger()

CONNECT_S = 10.0  # for ICE and DTLS together
POLL_S = 0.01  # while something is missing: how long a packet may be overtaken before it is asked for
REPORT_S = 1.0
PIXELS_MAX = 4096 * 4096  # of a frame that a leg sends
RENEW = timedelta(days=7)  # a certificate is replaced when it has less than this left


class WebRtcTransport:
    """One leg's packets, both ways; a `seams.Transport`."""

    def __init__(
        self, agent: Agent, ice: RTCIceTransport, dtls: SecureTransport, session: Session, agreed: sdp.Agreed
    ) -> None:
        self._agent, self._ice, self._dtls, self._session, self._agreed = agent, ice, dtls, session, agreed
        self._ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False  # the task is past its life, or told to be: never cancel it (again), it holds sockets

    def start(self, listener: TransportListener) -> asyncio.Task[None]:
        """Connects in the background. The task ends when everything that the leg held is released."""
        self._task = asyncio.create_task(self._run(listener))
        return self._task

    # -- seams.Transport ------------------------------------------------------------------------------------------

    @property
    def video_codec(self) -> VideoCodec | None:
        return self._session.codec

    def send_audio(self, payload: bytes, *, level: int) -> int | None:
        return self._session.send_audio(payload, level)

    def skip_audio(self) -> None:
        self._session.skip_audio()

    def send_picture(self, picture: EncodedPicture) -> None:
        self._session.send_picture(picture)

    def request_key(self, source: Source) -> None:
        self._session.request_key(source)

    def limit_bitrate(self, source: Source, bits_per_second: int) -> None:
        self._session.limit_bitrate(source, bits_per_second)

    def stats(self, leg: LegId) -> LegMedia:
        rtt = self._session.rtt or self._agent.rtt
        return LegMedia(
            leg=leg,
            rtt_ms=None if rtt is None else round(1000 * rtt, 2),
            srtp_profile=self._dtls.profile,
            receiving=self._session.receiving(),
            sending=self._session.sending(),
            dropped=dict(self._agent.drop.leg),
        )

    async def close(self) -> None:
        """Says good-bye and leaves no task, timer or socket. May be called more than once."""
        if self._task is not None:
            if not self._ending:
                self._ending = True
                self._task.cancel()
            await asyncio.wait([self._task])

    # -- its life -------------------------------------------------------------------------------------------------

    async def _run(self, listener: TransportListener) -> None:
        try:
            cause = await self._live(listener)
            self._ending = True
            listener.on_lost(cause)
        except Exception:  # this leg ends, and no other
            log.exception("a leg's transport failed")
            listener.on_lost(Cause.FAILED)
        finally:
            self._ending = True
            await self._release()

    async def _live(self, listener: TransportListener) -> Cause:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._ice.start(self._agreed.ice)
                if self._ice.state == "completed":
                    await self._dtls.start(self._agreed.dtls)
        except TimeoutError:
            return Cause.FAILED
        if not self._dtls.connected:
            return Cause.FAILED
        self._agent.on_lost = lambda: self._end(Cause.NETWORK)
        self._dtls.on_closed = lambda: self._end(Cause.HANGUP)
        self._dtls.deliver_to(self)
        listener.on_connected()
        return await self._report_until_ended()

    async def _report_until_ended(self) -> Cause:
        while True:
            done, _ = await asyncio.wait([self._ended], timeout=REPORT_S)
            if done:
                return self._ended.result()
            self._session.each_second()

    def _end(self, cause: Cause) -> None:
        if not self._ended.done():
            self._ended.set_result(cause)

    async def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._dtls.stop()
        await self._ice.stop()

    # -- packets (dtls.PacketSink) --------------------------------------------------------------------------------

    def on_rtp(self, packet: bytes) -> None:
        self._session.on_rtp(packet)
        if self._timer is None and self._session.busy:
            self._arm()

    def on_rtcp(self, packet: bytes) -> None:
        self._session.on_rtcp(packet)

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(POLL_S, self._poll)

    def _poll(self) -> None:
        self._timer = None
        self._session.poll()
        if self._session.busy:
            self._arm()


class WebRtcTransports:
    """Makes the WebRTC transports of one worker.

    `addresses`: where browsers reach this machine; empty: every address it has. `pixels_max`: larger frames of a leg
    are dropped before any decoder sees them.
    """

    def __init__(
        self, addresses: Sequence[str] = (), *, pixels_max: int = PIXELS_MAX, clock: Clock | None = None
    ) -> None:
        self._addresses = tuple(addresses)
        self._pixels_max = min(pixels_max, PIXELS_MAX)
        self._clock = clock or SystemClock()
        self._certificate = RTCCertificate.generateCertificate()
        self._legs: set[WebRtcTransport] = set()
        self._dropped: Counter[str] = Counter()

    async def answer(self, offer: str, listener: TransportListener) -> tuple[WebRtcTransport, str]:
        """A transport for an SDP offer, and the SDP answer. Connects in the background.

        Raises `errors.Invalid` for an offer that cannot be parsed or has no audio that we know, and
        `errors.Unavailable` when no socket can be had.
        """
        session_description, agreed = await asyncio.to_thread(sdp.agree, offer)  # 1.4 ms for Chromium's, more for worse
        drop = Drops(self._dropped)
        agent = Agent(self._addresses or host_addresses(), drop, self._clock)
        gatherer = Gatherer(agent)
        ice = RTCIceTransport(gatherer)
        await gatherer.gather()
        if not agent.local_candidates:
            await ice.stop()
            raise Unavailable("No socket could be opened on any of the server's media addresses.")
        dtls = SecureTransport(ice, agent, self._fresh_certificate(), drop)
        dtls._set_role(agreed.role)
        session = Session(agreed, dtls, listener, self._pixels_max, drop, self._clock)
        transport = WebRtcTransport(agent, ice, dtls, session, agreed)
        ours = sdp.Ours(
            ice=gatherer.getLocalParameters(),
            candidates=gatherer.getLocalCandidates(),
            dtls=dtls.getLocalParameters(),
            audio_ssrc=session.audio_out.ssrc,
            video_ssrc=session.video_out.ssrc,
            cname=session.cname,
        )
        try:
            written = sdp.write(session_description, agreed, ours)
        except Exception:
            await ice.stop()  # nobody else has its sockets yet
            raise
        self._legs.add(transport)
        transport.start(listener).add_done_callback(lambda _: self._legs.discard(transport))
        return transport, written

    def dropped(self) -> Mapping[str, int]:
        """What was dropped since the worker started, by reason; of legs that are gone too."""
        return self._dropped

    async def close(self) -> None:
        """Closes every leg."""
        await asyncio.gather(*(leg.close() for leg in list(self._legs)))

    def _fresh_certificate(self) -> RTCCertificate:
        if self._certificate.expires - datetime.now(UTC) < RENEW:
            self._certificate = RTCCertificate.generateCertificate()
        return self._certificate
