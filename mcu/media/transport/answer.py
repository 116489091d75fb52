"""An SDP offer (RFC 8829) into what was agreed, and the answer that says so. Pure: no socket, no clock.

Takes: audio in Opus; the first video line both ways (the camera up, the composed picture down); the second video line
likewise (the shared screen up, what others share down, to who takes it apart). All in one BUNDLE with rtcp-mux. Any
other line is answered with port 0.
Congestion: transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) on each line that offers it,
pictures only where they have RTX too; else REMB. REMB also caps what the browser sends, whichever it is.
H.264 in packetization-mode 1 goes before VP8, and that before mode 0, whose slices must fit in a packet each;
constrained baseline goes before other profiles. Retransmission is by RTX (RFC 4588) where the offer has it.
We are an ICE-lite agent (RFC 8445 section 2.5): the browser checks, and its own candidates are not read. Ours are UDP,
TCP that waits for the browser (RFC 6544), and TCP with a false TLS greeting for browsers that know it.
DTLS role: passive wherever the offer allows it. The DTLS server picks the SRTP profile, and browsers that pick prefer
AES-CM with SHA-1 over the AEAD profiles; the price is half a round trip.
"""

import secrets
from collections.abc import Sequence
from typing import Literal, NamedTuple

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
from mcu.media.transport import simulcast
from mcu.media.transport.addresses import SSLTCP

OFFER_MAX = 64 * 1024  # characters; Chromium's with three lines has some 12,000
LINES_MAX = 1000  # Chromium's with three lines has some 300
MEDIA_MAX = 16
SKIPPED = ("a=candidate:", "a=rtcp:", "a=rtcp-fb:*")  # not used here; the last costs codecs times lines
LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"  # RFC 9143
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"  # lets the browser estimate and send REMB
SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
SSRCS_MAX = 4  # of a line: a stream, its repair, and what some browsers leave there
WIDE = "transport-cc"
_FEEDBACK = {
    "nack": RTCRtcpFeedback("nack"),
    "nack pli": RTCRtcpFeedback("nack", "pli"),
    "ccm fir": RTCRtcpFeedback("ccm", "fir"),
    "ccm tmmbr": RTCRtcpFeedback("ccm", "tmmbr"),
    "goog-remb": RTCRtcpFeedback("goog-remb"),
    WIDE: RTCRtcpFeedback(WIDE),
}
_BROKEN = (AssertionError, AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)
_OURS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One m-line that we take. Payload type 0: there is none."""

    index: int
    mid: str
    payload_type: int
    direction: str  # ours
    ssrcs: tuple[int, ...]  # that the offer announces
    extensions: dict[str, int]  # URI to id, of those that we use
    rtx: int = 0  # payload type of its retransmissions
    feedback: frozenset[str] = frozenset()  # of _FEEDBACK

    @property
    def sends(self) -> bool:
        """Whether we send on it."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


class VideoLine(Line, frozen=True, kw_only=True):
    codec: VideoCodec
    source: Source
    layers: tuple[simulcast.Layer, ...] = ()  # of a simulcast that we receive


class Credentials(msgspec.Struct, frozen=True):
    """Of one side, in ICE (RFC 8445 section 5.3)."""

    ufrag: str
    password: str


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What offer and answer have in common."""

    audio: Line
    video: tuple[VideoLine, ...]
    ice: Credentials
    dtls: RTCDtlsParameters
    role: Literal["client", "server"]  # ours, in DTLS
    greets: bool  # candidates of `SSLTCP` are understood

    def sent(self, source: Source) -> VideoLine | None:
        """The line on which we send this picture: as CAMERA the composed one, as SCREEN what somebody shares."""
        return next((line for line in self.video if line.source is source and line.sends), None)


class Ssrcs(NamedTuple):
    """Of a picture that we send, and of its retransmissions."""

    ssrc: int
    rtx: int


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer says of us."""

    ice: Credentials
    candidates: Sequence[RTCIceCandidate]
    dtls: RTCDtlsParameters
    audio_ssrc: int
    pictures: dict[Source, Ssrcs]
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
        video=_video_lines(bundle, simulcast.sections(offer)),
        ice=_ice(first),
        dtls=dtls,
        role="client" if dtls.role == "server" else "server",
        greets=not (session.origin or "").startswith("mozilla"),  # which refuses an answer that has one
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


def _ice(media: MediaDescription) -> Credentials:
    ice = media.ice
    if ice is None or not ice.usernameFragment or not ice.password:
        raise Invalid("The offer has no ICE credentials (a=ice-ufrag, a=ice-pwd).")
    if len(ice.usernameFragment) > 256 or not 22 <= len(ice.password) <= 256:
        raise Invalid("The offer's ICE credentials do not have the length of RFC 8839.")
    if ice.iceLite:
        raise Invalid("The offer is of an ICE-lite agent; one of the two must be a full one that starts.")
    return Credentials(ice.usernameFragment, ice.password)


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
    wide = WIDE in map(_said, codec.rtcpFeedback) and bool(_extensions(media, (), True))
    return Line(
        index=index,
        mid=media.rtp.muxId,
        payload_type=_payload_type(codec),
        direction=_OURS[media.direction or "sendrecv"],
        ssrcs=_ssrcs(media),
        extensions=_extensions(media, (MID, LEVEL), wide),
        feedback=frozenset({WIDE} if wide else ()),
    )


def _video_lines(bundle: list[tuple[int, MediaDescription]], sections: list[list[str]]) -> tuple[VideoLine, ...]:
    offered = [(index, media) for index, media in bundle if media.kind == "video"]
    pairs = zip(offered, (Source.CAMERA, Source.SCREEN), strict=False)
    lines = (_video(index, media, source, sections[index]) for (index, media), source in pairs)
    return tuple(line for line in lines if line is not None)


def _video(index: int, media: MediaDescription, source: Source, section: list[str]) -> VideoLine | None:
    codec = choose_video(media.rtp.codecs)
    if codec is None:
        return None
    direction = _OURS[media.direction or "sendrecv"]
    layers = _layers(media, section, _payload_type(codec)) if direction in ("sendrecv", "recvonly") else ()
    named = (simulcast.RID, simulcast.REPAIRED) if layers else ()
    rtx = _rtx(media.rtp.codecs, codec)
    feedback = frozenset(map(_said, codec.rtcpFeedback)) & _FEEDBACK.keys()
    wide = WIDE in feedback and bool(rtx and _extensions(media, (), True))
    return VideoLine(
        index=index,
        mid=media.rtp.muxId,
        payload_type=_payload_type(codec),
        direction=direction,
        ssrcs=_ssrcs(media),
        extensions=_extensions(media, (MID, *named) if wide else (MID, SEND_TIME, *named), wide),
        rtx=rtx,
        feedback=feedback if wide else feedback - {WIDE},
        codec=_codec(codec),
        source=source,
        layers=layers,
    )


def _layers(media: MediaDescription, section: list[str], payload_type: int) -> tuple[simulcast.Layer, ...]:
    """Packets must say which line and which layer they are of."""
    told = _extensions(media, (MID, simulcast.RID))
    return simulcast.offered(section, payload_type) if len(told) == 2 else ()


def _payload_type(codec: RTCRtpCodecParameters) -> int:
    return int(codec.payloadType or 0)


def _ssrcs(media: MediaDescription) -> tuple[int, ...]:
    return tuple(dict.fromkeys(described.ssrc for described in media.ssrc if 0 < described.ssrc < 1 << 32))[:SSRCS_MAX]


def _extensions(media: MediaDescription, ours: Sequence[str], wide: bool = False) -> dict[str, int]:
    """Those that fit in the one-byte header (RFC 8285 section 4.2); `wide`: with the transport-wide number."""
    ours = (*ours, SEQUENCE) if wide else ours
    return {ext.uri: ext.id for ext in media.rtp.headerExtensions if ext.uri in ours and 0 < ext.id < 15}


def _rtx(codecs: Sequence[RTCRtpCodecParameters], codec: RTCRtpCodecParameters) -> int:
    repeats = (c for c in codecs if c.name.lower() == "rtx" and c.parameters.get("apt") == codec.payloadType)
    return next(map(_payload_type, repeats), 0)


def _said(feedback: RTCRtcpFeedback) -> str:
    return f"{feedback.type} {feedback.parameter}" if feedback.parameter else feedback.type


def choose_video(codecs: Sequence[RTCRtpCodecParameters]) -> RTCRtpCodecParameters | None:
    """The best of what we have; None where there is nothing of it."""
    ranked = [(rank, number) for number, codec in enumerate(codecs) if (rank := _rank(codec)) is not None]
    return codecs[min(ranked)[1]] if ranked else None


def _rank(codec: RTCRtpCodecParameters) -> int | None:
    name = codec.name.upper()
    if codec.clockRate != 90_000 or name not in ("H264", "VP8"):
        return None
    if name == "VP8":
        return 10
    mode = _mode(codec)
    if mode not in ("0", "1"):
        return None
    profile = str(codec.parameters.get("profile-level-id", "42000a")).lower()
    order = ("42e0", "42c0", "4200", "4d", "64")  # constrained baseline, baseline, main, high
    return (0 if mode == "1" else 20) + next((rank for rank, is_ in enumerate(order) if profile.startswith(is_)), 5)


def _mode(codec: RTCRtpCodecParameters) -> str:
    return str(codec.parameters.get("packetization-mode", "0"))


def _codec(codec: RTCRtpCodecParameters) -> VideoCodec:
    if codec.name.upper() == "VP8":
        return "VP8"
    return "H264" if _mode(codec) == "1" else "H264/0"


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
    return simulcast.written(str(answer), {line.index: line.layers for line in agreed.video})


def _refuse(offered: MediaDescription) -> MediaDescription:
    media = MediaDescription(kind=offered.kind, port=0, profile=offered.profile, fmt=offered.fmt)
    media.ice = RTCIceParameters()
    media.direction = "inactive"
    media.rtp.muxId = offered.rtp.muxId
    return media


def _take(offered: MediaDescription, line: Line, agreed: Agreed, ours: Ours) -> MediaDescription:
    codecs = _answered_codecs(offered, line)
    media = MediaDescription(kind=offered.kind, port=9, profile=offered.profile, fmt=[c.payloadType for c in codecs])
    media.host, media.rtcp_host, media.rtcp_port, media.rtcp_mux = "0.0.0.0", "0.0.0.0", 9, True
    media.direction = line.direction
    media.rtp.muxId = line.mid
    media.rtp.codecs = codecs
    media.rtp.headerExtensions = [
        RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in line.extensions.items()
    ]
    media.ice_candidates = [one for one in ours.candidates if agreed.greets or one.protocol != SSLTCP]
    media.ice_candidates_complete = True  # aiortc reads the last line's
    media.ice = RTCIceParameters(ours.ice.ufrag, ours.ice.password, iceLite=True)
    media.dtls = RTCDtlsParameters(fingerprints=ours.dtls.fingerprints, role=agreed.role)
    if line.sends:
        _announce(media, line, agreed, ours)
    return media


def _announce(media: MediaDescription, line: Line, agreed: Agreed, ours: Ours) -> None:
    """Our streams by their SSRCs, a stream and its retransmissions as a pair (RFC 5576 section 4.2, RFC 4588)."""
    if isinstance(line, VideoLine):
        ssrcs = [*ours.pictures[line.source]][: 2 if line.rtx else 1]
        stream = ours.cname if line.source is Source.CAMERA else f"{ours.cname}-content"  # a browser's page tells by it
    else:
        ssrcs, stream = [ours.audio_ssrc], ours.cname
    media.msid = f"{stream} {stream}-{media.kind}"
    media.ssrc = [SsrcDescription(ssrc=ssrc, cname=ours.cname, msid=media.msid) for ssrc in ssrcs]
    media.ssrc_group = [GroupDescription(semantic="FID", items=[*ssrcs])] if len(ssrcs) > 1 else []


def _answered_codecs(offered: MediaDescription, line: Line) -> list[RTCRtpCodecParameters]:
    codec = _answered(offered, line.payload_type)
    codec.rtcpFeedback = [_FEEDBACK[said] for said in _FEEDBACK if said in line.feedback]
    if isinstance(line, VideoLine):
        codec.parameters = {} if line.codec == "VP8" else _h264(offered, line)
        if not line.rtx:
            return [codec]
        repeats = _answered(offered, line.rtx)
        repeats.parameters = {"apt": line.payload_type}
        return [codec, repeats]
    codec.parameters = {"minptime": 10, "useinbandfec": 1}
    return [codec]


def _answered(offered: MediaDescription, payload_type: int) -> RTCRtpCodecParameters:
    codec = next(codec for codec in offered.rtp.codecs if codec.payloadType == payload_type)
    return RTCRtpCodecParameters(codec.mimeType, codec.clockRate, codec.channels, codec.payloadType)


def _h264(offered: MediaDescription, line: VideoLine) -> dict[str, int | str | None]:
    codec = next(codec for codec in offered.rtp.codecs if codec.payloadType == line.payload_type)
    return {
        "level-asymmetry-allowed": "1",
        "packetization-mode": "1" if line.codec == "H264" else "0",
        "profile-level-id": str(codec.parameters.get("profile-level-id", "42000a")),
    }


# -- ICE restart ----------------------------------------------------------------------------------------------------


def restarted(offer: str, agreed: Agreed) -> Credentials:
    """The browser's new credentials (RFC 8839 section 4.4.1.1.1).

    Raises `errors.Invalid` where it is not the offer of the same browser in the same session.
    """
    bundle = _bundle(parse(offer))
    dtls = _dtls(bundle[0][1])
    if _prints(dtls) != _prints(agreed.dtls):
        raise Invalid("The offer is not of this session: it has other fingerprints.")
    ice = _ice(bundle[0][1])
    if ice == agreed.ice:
        raise Invalid("The offer has the ICE credentials of before: it restarts nothing.")
    return ice


def _prints(dtls: RTCDtlsParameters) -> set[tuple[str, str]]:
    return {(print_.algorithm.lower(), print_.value.upper()) for print_ in dtls.fingerprints}


def with_credentials(answer: str, ice: Credentials) -> str:
    """The same answer with other ICE credentials, and everything else as it was."""
    new = {"a=ice-ufrag:": ice.ufrag, "a=ice-pwd:": ice.password}
    lines = answer.splitlines()
    for number, line in enumerate(lines):
        start = next((start for start in new if line.startswith(start)), None)
        lines[number] = f"{start}{new[start]}" if start else line
    return "\r\n".join(lines) + "\r\n"
