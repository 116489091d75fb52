"""RTCP with one leg (RFC 3550 section 6, RFC 4585, REMB): what we report and ask, and what its reports mean.

Owns the round trip and the wording of compounds. Knows neither keys nor sockets: bytes and `now` in, bytes and calls
out. Reading and writing of the single packets is aiortc's.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

from aiortc import rtp
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from mcu.media.transport.drops import Drops
from mcu.media.transport.rtp_in import ReceivedStream
from mcu.media.transport.rtp_out import Outgoing

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
PACKETS_MAX = 32  # in a compound; what follows is not read
_BROKEN = (ValueError, IndexError, struct.error)


class Listener(Protocol):
    """What the far end's RTCP asks and says, by SSRC of ours."""

    def on_nack(self, ssrc: int, lost: Sequence[int]) -> None: ...

    def on_key_wanted(self, ssrc: int) -> None: ...

    def on_remb(self, bits_per_second: int) -> None: ...

    def on_report(self, ssrc: int, report: RtcpReceiverInfo) -> None: ...


def ntp(wall: float) -> int:
    """Unix time in seconds as the 64 bits of an NTP timestamp."""
    return int((wall + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


class Rtcp:
    """One leg's reports. `ssrc`: in whose name we ask and report. `cname`: its length must be a multiple of four,
    for aiortc does not pad the chunks of an SDES packet one by one.
    """

    def __init__(self, ssrc: int, cname: str, drop: Drops) -> None:
        self.rtt: float | None = None  # seconds, from the last report that told
        self._ssrc, self._drop = ssrc, drop
        self._cname = cname.encode()
        self._feedback_head = bytes(RtcpRrPacket(ssrc)) + self._sdes([ssrc])

    def _sdes(self, ssrcs: Sequence[int]) -> bytes:
        return bytes(RtcpSdesPacket([RtcpSourceInfo(ssrc, [(1, self._cname)]) for ssrc in ssrcs]))

    # -- out ------------------------------------------------------------------------------------------------------

    def report(self, sent: Sequence[Outgoing], received: Sequence[ReceivedStream], now: float, wall: float) -> bytes:
        """The compound of each second: a sender report per stream that we sent on, all blocks in the first."""
        blocks = [_block(stream, now) for stream in received[:31]]
        active = [stream for stream in sent if stream.packets]
        reports = b""
        for stream in active:
            info = RtcpSenderInfo(
                ntp(wall), stream.timestamp_at(now) & 0xFFFFFFFF, stream.packets, stream.octets & 0xFFFFFFFF
            )
            reports += bytes(RtcpSrPacket(stream.ssrc, info, blocks))
            blocks = []
        if not active:
            reports = bytes(RtcpRrPacket(self._ssrc, blocks))
        return reports + self._sdes([stream.ssrc for stream in active] or [self._ssrc])

    def nack(self, media_ssrc: int, lost: Sequence[int]) -> bytes:
        return self._feedback_head + bytes(RtcpRtpfbPacket(rtp.RTCP_RTPFB_NACK, self._ssrc, media_ssrc, list(lost)))

    def pli(self, media_ssrc: int) -> bytes:
        return self._feedback_head + bytes(RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, self._ssrc, media_ssrc))

    def remb(self, bits_per_second: int, media_ssrcs: Sequence[int]) -> bytes:
        fci = rtp.pack_remb_fci(bits_per_second, list(media_ssrcs))
        return self._feedback_head + bytes(RtcpPsfbPacket(rtp.RTCP_PSFB_APP, self._ssrc, 0, fci))

    # -- in -------------------------------------------------------------------------------------------------------

    def receive(
        self, data: bytes, listener: Listener, received: Sequence[ReceivedStream], now: float, wall: float
    ) -> None:
        """Reads a compound. One that is malformed is counted and does nothing."""
        try:
            packets = RtcpPacket.parse(data)
        except _BROKEN:
            self._drop("rtcp_malformed")
            return
        for packet in packets[:PACKETS_MAX]:
            if isinstance(packet, RtcpSrPacket):
                _note_sender_report(packet, received, now)
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                for report in packet.reports:
                    self._note_rtt(report, wall)
                    listener.on_report(report.ssrc, report)
            else:
                self._feedback(packet, listener)

    def _feedback(self, packet: AnyRtcpPacket, listener: Listener) -> None:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == rtp.RTCP_RTPFB_NACK:
            listener.on_nack(packet.media_ssrc, packet.lost)
        elif isinstance(packet, RtcpPsfbPacket):
            if packet.fmt == rtp.RTCP_PSFB_PLI:
                listener.on_key_wanted(packet.media_ssrc)
            elif packet.fmt == rtp.RTCP_PSFB_FIR and len(packet.fci) >= 4:
                listener.on_key_wanted(int.from_bytes(packet.fci[:4], "big"))  # RFC 5104 section 4.3.1
            elif packet.fmt == rtp.RTCP_PSFB_APP:
                self._remb(packet.fci, listener)

    def _remb(self, fci: bytes, listener: Listener) -> None:
        try:
            bits_per_second, _ = rtp.unpack_remb_fci(fci)
        except _BROKEN:
            self._drop("rtcp_malformed")
            return
        listener.on_remb(bits_per_second)

    def _note_rtt(self, report: RtcpReceiverInfo, wall: float) -> None:
        if report.lsr:
            units = ((ntp(wall) >> 16) - report.lsr - report.dlsr) & 0xFFFFFFFF
            if units < 60 << 16:  # else the clock was set, or the far end errs
                self.rtt = units / 65536


def _note_sender_report(packet: RtcpSrPacket, received: Sequence[ReceivedStream], now: float) -> None:
    for stream in received:
        if stream.ssrc == packet.ssrc:
            stream.sender_report = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
            stream.sender_report_at = now


def _block(stream: ReceivedStream, now: float) -> RtcpReceiverInfo:
    since = now - stream.sender_report_at if stream.sender_report else 0.0
    return RtcpReceiverInfo(
        ssrc=stream.ssrc,
        fraction_lost=stream.report(),
        packets_lost=rtp.clamp_packets_lost(stream.lost),
        highest_sequence=(stream.highest - (1 << 16)) & 0xFFFFFFFF,  # Unwrap begins a turn ahead
        jitter=int(stream.jitter),
        lsr=stream.sender_report,
        dlsr=min(int(since * 65536), 0xFFFFFFFF),
    )
