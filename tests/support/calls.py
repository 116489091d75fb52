"""A client and its leg on the server, over real sockets."""

import asyncio
from collections.abc import Callable

from aiortc.rtcdtlstransport import SRTP_PROFILES
from rtc import Ear, Relay

from mcu.demo.client import MeetingClient
from mcu.media.transport.webrtc import WebRtcTransport, WebRtcTransports


class Call:
    """A client and its leg on the server."""

    def __init__(self, server: WebRtcTransports, client: MeetingClient, relay: Relay | None = None) -> None:
        self.server, self.client, self.relay = server, client, relay
        self.ear = Ear()
        self.offer = self.answer = ""
        self.client_profiles = list(SRTP_PROFILES)

    @property
    def leg(self) -> WebRtcTransport:
        assert isinstance(self.ear.transport, WebRtcTransport)
        return self.ear.transport

    async def begin(self) -> None:
        await self.client.connect(self._exchange)
        await asyncio.wait_for(self.ear.connected.wait(), 5)

    async def _exchange(self, offer: str) -> str:
        self.offer = offer
        for line in self.client._peer.getTransceivers():
            line.sender.transport._srtp_profiles = self.client_profiles
        self.ear.transport, self.answer = await self.server.answer(offer, self.ear)
        return await self.relay.stand_before(self.answer) if self.relay else self.answer

    async def end(self) -> None:
        await self.client.close()
        await self.leg.close()
        if self.relay:
            self.relay.close()


MakeCall = Callable[..., Call]
