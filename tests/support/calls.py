"""A client and its leg on the server, over real sockets."""

import asyncio
import re
from collections.abc import Callable, Iterator

from aiortc.rtcdtlstransport import SRTP_PROFILES
from rtc import Ear, Relay, Studio

from mcu.clock import SystemClock
from mcu.demo.client import MeetingClient
from mcu.media.seams import Samples
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.webrtc import WebRtcTransport, WebRtcTransports


class Server:
    """One worker's transports and their tick. `addresses`: none are all of this machine's."""

    def __init__(self, *addresses: str) -> None:
        clock = SystemClock()
        self.engine = Engine(MediaOptions(addresses=addresses), clock)
        self.transports = WebRtcTransports(self.engine, clock=clock)
        self.studio = Studio(self.engine)

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.engine.plane.port)

    def dropped(self, reason: str) -> int:
        return self.transports.dropped().get(reason, 0)

    async def close(self) -> None:
        await self.transports.close()
        await self.studio.close()
        self.engine.close()


class Call:
    """A client and its leg on the server. `sound`: what it is sent; None: its own."""

    def __init__(
        self, server: Server, client: MeetingClient, relay: Relay | None = None, sound: Iterator[Samples] | None = None
    ) -> None:
        self.server, self.client, self.relay, self._sound = server, client, relay, sound
        self.ear = Ear(server.transports)
        self.offer = self.answer = ""
        self.client_profiles = list(SRTP_PROFILES)
        self.server_is_dtls_client = False

    @property
    def leg(self) -> WebRtcTransport:
        assert isinstance(self.ear.transport, WebRtcTransport)
        return self.ear.transport

    @property
    def heard(self) -> list[Samples]:
        """The ticks of sound that the server has decoded."""
        return self.server.studio.heard[self.leg.handle]

    async def begin(self) -> None:
        await self.client.connect(self._exchange)
        await asyncio.wait_for(self.ear.connected.wait(), 5)
        self.server.studio.seat(self.leg.handle, self._sound)

    async def _exchange(self, offer: str) -> str:
        if self.server_is_dtls_client:
            offer = offer.replace("a=setup:actpass", "a=setup:passive")
        self.offer = offer
        for line in self.client._peer.getTransceivers():
            line.sender.transport._srtp_profiles = self.client_profiles
        self.ear.transport, self.answer = await self.server.transports.answer(offer, self.ear)
        return await self.relay.stand_before(self.answer) if self.relay else self.answer

    def ssrc_of_video(self) -> int:
        """Ours."""
        return int(re.findall(r"a=ssrc:(\d+) cname", self.answer)[1])

    async def end(self) -> None:
        await self.client.close()
        await self.leg.close()
        if self.relay:
            self.relay.close()


MakeCall = Callable[..., Call]
