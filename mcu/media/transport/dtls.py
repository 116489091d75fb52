"""DTLS-SRTP for one leg: aiortc's handshake, and a packet path that does not go through its task.

Owns the keys. SRTP goes from the socket to the session, and back, within one call: no queue, no task, no `await`.
Refuses what does not authenticate. Profiles are aiortc's, AEAD first (RFC 7714), nothing weaker than AES-128 with an
80-bit tag; the side that is DTLS server chooses among them, so we are it whenever the offer lets us (see `answer.py`).
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import pylibsrtp
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import State

from mcu.media.transport.drops import Drops
from mcu.media.transport.ice import Address, Agent, Door


class PacketSink(Protocol):
    """Where decrypted packets go."""

    def on_rtp(self, packet: bytes) -> None: ...

    def on_rtcp(self, packet: bytes) -> None: ...


class SecureTransport(RTCDtlsTransport):
    """A leg's DTLS association. Tells `on_closed` once, when the far end closes it or it fails."""

    def __init__(self, ice: RTCIceTransport, agent: Agent, certificate: RTCCertificate, drop: Drops) -> None:
        super().__init__(ice, [certificate])
        self._agent = agent
        self._drop = drop
        self._profile = ""
        self.on_closed: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        return self._state is State.CONNECTED

    @property
    def profile(self) -> str:
        """The SRTP profile that was agreed on, by its IANA name; empty before that."""
        return self._profile

    def _setup_srtp(self) -> None:
        super()._setup_srtp()
        if self._ssl is not None:
            self._profile = self._ssl.get_selected_srtp_profile().decode()

    def deliver_to(self, sink: PacketSink) -> None:
        """From now on packets are decrypted and handed over. Call it when connected."""
        self._agent.on_media = partial(self._on_media, sink)

    def _on_media(self, sink: PacketSink, packet: bytes, door: Door, address: Address) -> None:
        try:
            if len(packet) > 1 and 192 <= packet[1] <= 223:  # RFC 5761 section 4
                plain, deliver = self._rx_srtp.unprotect_rtcp(packet), sink.on_rtcp
            else:
                plain, deliver = self._rx_srtp.unprotect(packet), sink.on_rtp
        except pylibsrtp.Error:
            self._drop("srtp_rejected")
            return
        self._agent.heard = True
        if not self._agent.is_remote(address):
            self._agent.send_to(door, address)
        deliver(plain)

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet as it goes on the wire. Raises `pylibsrtp.Error`."""
        protected: bytes = self._tx_srtp.protect(packet)
        return protected

    def send_wire(self, protected: bytes) -> bool:
        """Sends what `protect` made. False where the socket does not take it."""
        return self._agent.send_now(protected)

    def send_rtcp(self, packet: bytes) -> bool:
        return self._agent.send_now(self._tx_srtp.protect_rtcp(packet))

    def _set_state(self, state: State) -> None:
        was_connected = self._state is State.CONNECTED
        super()._set_state(state)
        if was_connected and state is State.CLOSED:
            self.on_closed()
