"""An SDP offer (RFC 8829) into what was agreed, and the answer that says so. Pure: no socket, no clock.

Takes: audio in Opus; the first video line both ways (the camera up, the composed picture down); the second video line
towards us only (the shared screen). All in one BUNDLE with rtcp-mux. Any other line is answered with port 0.
H.264 is packetization-mode 1 only, which RFC 7742 section 6.2 obliges every browser to have; constrained baseline
before other profiles, VP8 where there is no H.264.
DTLS role: passive wherever the offer allows it. The DTLS server picks the SRTP profile, and browsers that pick prefer
AES-CM with SHA-1 over the AEAD profiles; the price is half a round trip.
"""

import secrets
from collections.abc import Sequence
from typing import Literal

import msgspec
from aiortc import (
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
)
from aiortc.rtcrtpparameters import RTCRtcpFeedback
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, SsrcDescription

from mcu.errors import Invalid
from mcu.media.messages import Source
from mcu.media.seams import VideoCodec

OFFER_MAX = 64 * 1024  # characters; Chromium's with three lines has some 12,000
LINES_MAX = 1000  # Chromium's with three lines has some 300
MEDIA_MAX = 16
SKIPPED = ("a=candidate:", "a=rtcp:", "a=rtcp-fb:*")  # not used here; the last costs codecs times lines
LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"  # RFC 9143
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"  # lets the browser estimate and send REMB
FEEDBACK = (
    RTCRtcpFeedback("nack"),
    RTCRtcpFeedback("nack", "pli"),
    RTCRtcpFeedback("ccm", "fir"),
    RTCRtcpFeedback("goog-remb"),
)
_BROKEN = (AssertionError, AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)
_OURS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One m-line that we take."""

    index: int
    mid: str
    payload_type: int
    direction: str  # ours
    ssrcs: tuple[int, ...]  # that the offer announces

    @property
    def sends(self) -> bool:
        """Whether we send on it."""
        return self.direction in ("sendrecv", "sendonly")


class VideoLine(Line, frozen=True, kw_only=True):
    codec: VideoCodec
    source: Source


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What offer and answer have in common."""

    audio: Line
    video: tuple[VideoLine, ...]
    extensions: dict[str, int]  # URI to id
    ice: RTCIceParameters
    dtls: RTCDtlsParameters
    role: Literal["client", "server"]  # ours, in DTLS

    @property
    def camera(self) -> VideoLine | None:
        return next((line for line in self.video if line.source is Source.CAMERA), None)


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer says of us."""

    ice: RTCIceParameters
    candidates: Sequence[RTCIceCandidate]
    dtls: RTCDtlsParameters
    audio_ssrc: int
    video_ssrc: int
    cname: str


# -- offer ----------------------------------------------------------------------------------------------------------


def parse(offer: str) -> SessionDescription:
    """aiortc's reading of an offer. Raises `errors.Invalid` where aiortc would trip over an assert."""
    if len(offer) > OFFER_MAX:
        raise Invalid(f"The offer is longer than {OFFER_MAX} characters.")
    lines = offer.splitlines()
    if not lines or lines[0].strip() != "v=0":
        raise Invalid("The offer is not SDP: it does not begin with v=0.")
    if len(lines) > LINES_MAX or sum(line.startswith("m=") for line in lines) > MEDIA_MAX:
        raise Invalid(f"The offer has more than {LINES_MAX} lines or more than {MEDIA_MAX} media.")
    kept = [line for line in lines if not line.startswith(SKIPPED)]
    try:
        return SessionDescription.parse("\r\n".join(kept))
    except _BROKEN as error:
        raise Invalid("The offer is not well-formed SDP.") from error


def agree(offer: str) -> tuple[SessionDescription, Agreed]:
    """The offer, and what we take of it. Raises `errors.Invalid`, with what is missing."""
    session = parse(offer)
    bundle = _bundle(session)
    audio = next((_audio(index, media) for index, media in bundle if _is_opus(media)), None)
    if audio is None:
        raise Invalid("The offer has no audio in Opus at 48 kHz.")
    first = bundle[0][1]
    dtls = _dtls(first)
    return session, Agreed(
        audio=audio,
        video=_video_lines(bundle),
        extensions={ext.uri: ext.id for _, media in bundle for ext in media.rtp.headerExtensions if 0 < ext.id < 15},
        ice=_ice(first),
        dtls=dtls,
        role="client" if dtls.role == "server" else "server",
    )


def _bundle(session: SessionDescription) -> list[tuple[int, MediaDescription]]:
    """The lines that share one transport: the BUNDLE group, or the first line alone. Raises `errors.Invalid`.

    Port 0 is not looked at: in the group it means bundle-only (RFC 9143 section 6).
    """
    wanted = next((group.items for group in session.group if group.semantic == "BUNDLE"), None)
    media = list(enumerate(session.media))
    if wanted is None:
        taken = media[:1]
    else:
        taken = [(index, line) for index, line in media if line.rtp.muxId and line.rtp.muxId in wanted]
    if not taken:
        raise Invalid("The offer has no media.")
    rtp = [(index, line) for index, line in taken if line.kind in ("audio", "video")]
    if not all(line.rtcp_mux for _, line in rtp):
        raise Invalid("The offer does not multiplex RTCP with RTP (a=rtcp-mux).")
    return taken


def _ice(media: MediaDescription) -> RTCIceParameters:
    ice = media.ice
    if ice is None or not ice.usernameFragment or not ice.password:
        raise Invalid("The offer has no ICE credentials (a=ice-ufrag, a=ice-pwd).")
    if len(ice.usernameFragment) > 256 or not 22 <= len(ice.password) <= 256:
        raise Invalid("The offer's ICE credentials do not have the length of RFC 8839.")
    if ice.iceLite:
        raise Invalid("The offer is of an ICE-lite agent; one of the two must be a full one that starts.")
    return ice


def _dtls(media: MediaDescription) -> RTCDtlsParameters:
    if media.dtls is None or not media.dtls.fingerprints:
        raise Invalid("The offer has no DTLS fingerprint or role (a=fingerprint, a=setup).")
    if not any(print_.algorithm.lower() in ("sha-256", "sha-384", "sha-512") for print_ in media.dtls.fingerprints):
        raise Invalid("The offer has no fingerprint by SHA-256 or better.")
    return media.dtls


def _is_opus(media: MediaDescription) -> bool:
    return media.kind == "audio" and _opus(media) is not None


def _opus(media: MediaDescription) -> RTCRtpCodecParameters | None:
    return next((c for c in media.rtp.codecs if c.name.lower() == "opus" and c.clockRate == 48000), None)


def _audio(index: int, media: MediaDescription) -> Line:
    codec = _opus(media)
    assert codec is not None
    return Line(
        index=index,
        mid=media.rtp.muxId,
        payload_type=int(codec.payloadType or 0),
        direction=_OURS[media.direction or "sendrecv"],
        ssrcs=tuple(description.ssrc for description in media.ssrc),
    )


def _video_lines(bundle: list[tuple[int, MediaDescription]]) -> tuple[VideoLine, ...]:
    offered = [(index, media) for index, media in bundle if media.kind == "video"]
    pairs = zip(offered, (Source.CAMERA, Source.SCREEN), strict=False)
    lines = (_video(index, media, source) for (index, media), source in pairs)
    return tuple(line for line in lines if line is not None)


def _video(index: int, media: MediaDescription, source: Source) -> VideoLine | None:
    codec = choose_video(media.rtp.codecs)
    if codec is None:
        return None
    direction = _OURS[media.direction or "sendrecv"]
    if source is Source.SCREEN:
        direction = "recvonly" if direction in ("sendrecv", "recvonly") else "inactive"
    return VideoLine(
        index=index,
        mid=media.rtp.muxId,
        payload_type=int(codec.payloadType or 0),
        direction=direction,
        ssrcs=tuple(description.ssrc for description in media.ssrc),
        codec="H264" if codec.name.upper() == "H264" else "VP8",
        source=source,
    )


def choose_video(codecs: Sequence[RTCRtpCodecParameters]) -> RTCRtpCodecParameters | None:
    """H.264 constrained baseline, then other H.264, then VP8; None where there is neither."""
    ranked = [(rank, number) for number, codec in enumerate(codecs) if (rank := _rank(codec)) is not None]
    return codecs[min(ranked)[1]] if ranked else None


def _rank(codec: RTCRtpCodecParameters) -> int | None:
    name = codec.name.upper()
    if codec.clockRate != 90_000 or name not in ("H264", "VP8"):
        return None
    if name == "VP8":
        return 9
    if str(codec.parameters.get("packetization-mode", "0")) != "1":
        return None
    profile = str(codec.parameters.get("profile-level-id", "42000a")).lower()
    order = ("42e0", "42c0", "4200", "4d", "64")  # constrained baseline, baseline, main, high
    return next((rank for rank, start in enumerate(order) if profile.startswith(start)), len(order))


# -- answer ---------------------------------------------------------------------------------------------------------


def write(session: SessionDescription, agreed: Agreed, ours: Ours) -> str:
    """The answer to `session`."""
    taken: dict[int, Line] = {line.index: line for line in (agreed.audio, *agreed.video)}
    answer = SessionDescription()
    answer.origin = f"- {secrets.randbits(62)} 2 IN IP4 127.0.0.1"
    answer.group = [GroupDescription(semantic="BUNDLE", items=[line.mid for _, line in sorted(taken.items())])]
    answer.msid_semantic = [GroupDescription(semantic="WMS", items=["*"])]
    for index, offered in enumerate(session.media):
        line = taken.get(index)
        answer.media.append(_refuse(offered) if line is None else _take(offered, line, agreed, ours))
    if not any(group.semantic == "BUNDLE" for group in session.group):
        answer.group = []
    return str(answer)


def _refuse(offered: MediaDescription) -> MediaDescription:
    media = MediaDescription(kind=offered.kind, port=0, profile=offered.profile, fmt=offered.fmt)
    media.ice = RTCIceParameters()
    media.direction = "inactive"
    media.rtp.muxId = offered.rtp.muxId
    return media


def _take(offered: MediaDescription, line: Line, agreed: Agreed, ours: Ours) -> MediaDescription:
    media = MediaDescription(kind=offered.kind, port=9, profile=offered.profile, fmt=[line.payload_type])
    media.host, media.rtcp_host, media.rtcp_port, media.rtcp_mux = "0.0.0.0", "0.0.0.0", 9, True
    media.direction = line.direction
    media.rtp.muxId = line.mid
    media.rtp.codecs = [_answered_codec(offered, line)]
    media.rtp.headerExtensions = _answered_extensions(offered, line, agreed)
    media.ice_candidates, media.ice_candidates_complete = list(ours.candidates), True  # aiortc reads the last line's
    media.ice, media.dtls = ours.ice, RTCDtlsParameters(fingerprints=ours.dtls.fingerprints, role=agreed.role)
    if line.sends:
        ssrc = ours.audio_ssrc if line is agreed.audio else ours.video_ssrc
        media.msid = f"{ours.cname} {ours.cname}-{offered.kind}"
        media.ssrc = [SsrcDescription(ssrc=ssrc, cname=ours.cname, msid=media.msid)]
    return media


def _answered_codec(offered: MediaDescription, line: Line) -> RTCRtpCodecParameters:
    codec = next(codec for codec in offered.rtp.codecs if codec.payloadType == line.payload_type)
    answered = RTCRtpCodecParameters(codec.mimeType, codec.clockRate, codec.channels, codec.payloadType)
    if offered.kind == "audio":
        answered.parameters = {"minptime": 10, "useinbandfec": 1}
        return answered
    answered.rtcpFeedback = [feedback for feedback in FEEDBACK if feedback in codec.rtcpFeedback]
    if codec.name.upper() == "H264":
        answered.parameters = {
            "level-asymmetry-allowed": "1",
            "packetization-mode": "1",
            "profile-level-id": str(codec.parameters.get("profile-level-id", "42000a")),
        }
    return answered


def _answered_extensions(
    offered: MediaDescription, line: Line, agreed: Agreed
) -> list[RTCRtpHeaderExtensionParameters]:
    wanted = {MID, LEVEL} if line is agreed.audio else {MID, SEND_TIME}
    known = ((ext.uri, agreed.extensions.get(ext.uri)) for ext in offered.rtp.headerExtensions)
    return [RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in known if uri in wanted and number]
