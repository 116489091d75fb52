"""Offers that browsers wrote, and what an answer says of us."""

from pathlib import Path

from aiortc import RTCDtlsFingerprint, RTCDtlsParameters, RTCIceCandidate

from mcu.media.messages import Source
from mcu.media.transport import answer as sdp

WIRE = Path(__file__).parents[1] / "wire"
CHROMIUM = (WIRE / "chromium-156.sdp").read_text()
CHROMIUM_MDNS = (WIRE / "chromium-156-mdns.sdp").read_text()

OURS = sdp.Ours(
    ice=sdp.Credentials("ufrag", "password" * 3),
    candidates=[RTCIceCandidate(1, "f", "192.0.2.1", 4000, 1, "udp", "host")],
    dtls=RTCDtlsParameters([RTCDtlsFingerprint("sha-256", "AB")]),
    audio_ssrc=10,
    pictures={Source.CAMERA: sdp.Ssrcs(11, 12), Source.SCREEN: sdp.Ssrcs(13, 14)},
    cname="c" * 16,
)
