"""What two sides have in common, and the descriptions that say so (RFC 3264).

`answer` takes the other side's offer; `offer` makes ours and `accepted` reads what came back to it. Each m-line is one
`Stream` with ports of its own. Where encryption is required a line without it is refused, and where nothing of worth
is left the whole is `NotAcceptable` (488): nothing is ever taken in the clear instead (policy S10).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from mcu.errors import Invalid, NotAcceptable
from mcu.protocol.sdp import codecs, crypto, dtls, h264, ice, keying, vp8
from mcu.protocol.sdp.codecs import Format, Limits
from mcu.protocol.sdp.crypto import Crypto
from mcu.protocol.sdp.description import (
    DIRECTIONS,
    NOWHERE,
    REVERSED,
    Attribute,
    Description,
    Direction,
    Media,
    Origin,
    is_reached,
    parse,
)
from mcu.protocol.sdp.ice import Credentials
from mcu.protocol.sdp.keying import PLAIN, SECURE, Encryption, Keying, Side

AUDIO: Final = ("opus", "g722", "pcma", "pcmu")  # best first
DTMF: Final = "telephone-event"
LEVEL: Final = 31  # of H.264 that we receive: 1280x720 at 30 pictures a second
SOUND_BITS: Final = 80_000  # per second, with headers
LEAST_BITS: Final = 30_000  # for pictures, whatever is said of all
FEEDBACK: Final = frozenset({"nack", "nack pli", "ccm fir", "ccm tmmbr"})
_OFFERED_AUDIO: Final = (
    Format(96, "opus", 48000, 2, {"useinbandfec": "1"}),
    Format(9, "g722", 8000),
    Format(8, "pcma", 8000),
    Format(0, "pcmu", 8000),
    Format(101, DTMF, 8000, params={"0-15": ""}),
)
_OFFERED_VIDEO: Final = (
    Format(97, "h264", 90000, params={"profile-level-id": "42e01f", "packetization-mode": "1"}, feedback=FEEDBACK),
    Format(98, "h264", 90000, params={"profile-level-id": "42e01f"}, feedback=FEEDBACK),
    Format(99, "vp8", 90000, feedback=FEEDBACK),
)


class Kind(StrEnum):
    AUDIO = "audio"
    MAIN = "main"
    SLIDES = "slides"  # `a=content:slides` (RFC 4796)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where we take a stream's packets."""

    rtp: int
    rtcp: int
    tls_id: str = ""  # of the DTLS association that would be there
    ice: Credentials | None = None  # with which they would be checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One m-line that both sides take."""

    index: int
    kind: Kind
    format: Format  # that is sent both ways, with the payload type by which we send it
    received: int | None = None  # payload type by which they send it, where that may be another
    dtmf: int = 0  # payload type by which they send telephone-event; 0: none
    direction: Direction  # ours
    address: str  # theirs
    rtp_port: int
    rtcp_port: int  # the same as `rtp_port`: multiplexed (RFC 5761)
    keying: Keying
    ice: Credentials | None = None  # theirs
    bits_per_second: int | None = None  # the most that we may send
    bits_of_pictures: int | None = None  # and of all that are pictures together
    protocol: str

    @property
    def sends(self) -> bool:
        """Whether we send on it."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")

    @property
    def muxed(self) -> bool:
        """RTCP comes and goes on RTP's port (RFC 5761)."""
        return self.rtcp_port == self.rtp_port

    @property
    def limits(self) -> Limits:
        """Of the pictures that we send."""
        return h264.limits(self.format.params) if self.format.name == "h264" else vp8.limits(self.format.params)

    @property
    def feedback(self) -> frozenset[str]:
        return self.format.feedback & FEEDBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """This side of the call."""

    address: str
    ports: Mapping[Kind, Ports]  # of the kinds that may be taken
    encryption: Encryption = Encryption.REQUIRED
    fingerprint: str  # of our certificate, for DTLS
    by_dtls: bool = False  # what we offer has its keys by that, not in SDP
    origin: Origin
    held: bool = False  # the other side is on hold
    before: Mapping[Kind, Stream] = field(default_factory=dict)  # of a call that stands: what was agreed

    @property
    def offers_sdes(self) -> bool:
        """What we offer has its keys in SDP."""
        return self.encryption is Encryption.REQUIRED and not self.by_dtls

    @property
    def offers_dtls(self) -> bool:
        return self.encryption is Encryption.REQUIRED and self.by_dtls

    @property
    def asks(self) -> Encryption:
        """Of their lines. A call of which all was encrypted gets nothing beside it in the clear."""
        kept = bool(self.before) and all(stream.keying.encrypts for stream in self.before.values())
        return Encryption.REQUIRED if kept else self.encryption


def kinds(said: Description) -> tuple[Kind, ...]:
    """What a description has lines of that are not refused in it."""
    found = {_kind(media) for media in said.media}
    return tuple(kind for kind in Kind if kind in found)


def by_ipv6(text: str) -> bool:
    """Whether the sound is at an address of IPv6: the origin and pictures may have another (RFC 5118, section 4.8).

    False for what is no SDP, which `parse` refuses.
    """
    try:
        said = parse(text)
        sound = next((media for media in said.media if _kind(media) is Kind.AUDIO), None)
        address = NOWHERE if sound is None else said.address_of(sound)
    except Invalid:
        return False
    return ":" in (said.origin.address if address == NOWHERE else address)


# -- their offer ----------------------------------------------------------------------------------------------------


def answer(offer: Description, ours: Ours) -> tuple[Description, tuple[Stream, ...]]:
    """What we take of an offer, and the answer that says so.

    Raises `NotAcceptable` where there is no sound to be had of it, `Invalid` where it is not well-formed.
    """
    streams = tuple(_taken(offer, ours))
    if not any(stream.kind is Kind.AUDIO for stream in streams):
        raise NotAcceptable("The offer has no audio in a codec and with an encryption that this meeting takes.")
    by_line = {stream.index: stream for stream in streams}
    media = tuple(
        _answered(by_line[index], offer, offered, ours) if index in by_line else offered.refused()
        for index, offered in enumerate(offer.media)
    )
    checked = any(stream.ice is not None for stream in streams)
    return replace(_described(ours, media, checked=checked), times=offer.times), streams


def _taken(offer: Description, ours: Ours) -> Iterator[Stream]:
    """At most one stream of each kind: the first that can be taken."""
    taken: set[Kind] = set()
    for index, media in enumerate(offer.media):
        kind = _kind(media)
        if kind is None or kind in taken or kind not in ours.ports:
            continue
        stream = _stream(offer, index, media, kind, ours, "offered")
        if stream is not None:
            taken.add(kind)
            yield stream


def _kind(media: Media) -> Kind | None:
    if media.port == 0 or media.protocol not in SECURE | PLAIN:
        return None
    if media.kind == "audio":
        return Kind.AUDIO
    if media.kind != "video":
        return None
    return Kind.SLIDES if media.is_slides else Kind.MAIN


def _stream(session: Description, index: int, media: Media, kind: Kind, ours: Ours, side: Side) -> Stream | None:
    found = codecs.formats(media)
    chosen = _audio(found) if kind is Kind.AUDIO else _video(found)
    before = ours.before.get(kind)
    agreed = keying.agreed(session, media, before.keying if before is not None else None, ours.asks, side)
    address = session.address_of(media)
    if chosen is None or agreed is None or not is_reached(address, ours.address):
        return None
    theirs = session.direction_of(media)
    return Stream(
        index=index,
        kind=kind,
        format=chosen,
        dtmf=next((f.payload_type for f in found if f.name == DTMF and f.clock == 8000), 0),
        direction=_held(REVERSED[theirs], held=ours.held),
        address=address,
        rtp_port=media.port,
        rtcp_port=media.port if media.has("rtcp-mux") else media.own_rtcp_port,
        keying=agreed,
        ice=ice.of(session, media),
        bits_per_second=_bandwidth(session, media, kind),
        bits_of_pictures=_of_pictures(session),
        protocol=media.protocol,
    )


def _bandwidth(session: Description, media: Media, kind: Kind) -> int | None:
    """Of the session's, where the line has none of its own, pictures get what sound leaves."""
    if media.bits_per_second is not None:
        return media.bits_per_second
    return session.bits_per_second if kind is Kind.AUDIO else _of_pictures(session)


def _of_pictures(session: Description) -> int | None:
    said = session.bits_per_second
    return None if said is None else max(LEAST_BITS, said - SOUND_BITS)


def _audio(found: Sequence[Format]) -> Format | None:
    known = [
        f for f in found if f.name in AUDIO and (f.clock, f.channels) == ((48000, 2) if f.name == "opus" else (8000, 1))
    ]
    return min(known, key=lambda f: AUDIO.index(f.name), default=None)


def _video(found: Sequence[Format]) -> Format | None:
    return h264.best(found) or next((f for f in found if (f.name, f.clock) == ("vp8", 90000)), None)


def _held(direction: Direction, *, held: bool) -> Direction:
    if not held:
        return direction
    return "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"


def _answered(stream: Stream, offer: Description, offered: Media, ours: Ours) -> Media:
    ports = ours.ports[stream.kind]
    attributes = [
        *_of_format(stream),
        *([Attribute("rtcp-mux")] if stream.muxed else [Attribute("rtcp", str(ports.rtcp))]),
        *stream.keying.attributes(ours.fingerprint, ports.tls_id),
        *(_of_ice(ours, ports, muxed=stream.muxed) if stream.ice is not None else []),
        *([ice.MISMATCH] if ice.mismatches(offer, offered) else []),
        *([Attribute("content", "slides")] if stream.kind is Kind.SLIDES else []),
        *([Attribute("label", label)] if (label := offered.value("label")) else []),
        Attribute(stream.direction),
    ]
    numbers = [stream.format.payload_type, *([stream.dtmf] if stream.dtmf else [])]
    return Media(
        kind=offered.kind,
        port=ports.rtp,
        protocol=offered.protocol,
        formats=tuple(map(str, numbers)),
        attributes=tuple(attributes),
    )


def _of_format(stream: Stream) -> Iterator[Attribute]:
    said = dict(stream.format.params)
    match stream.format.name:
        case "h264":
            said = h264.answered(stream.format, LEVEL)
        case "opus":
            said = {"useinbandfec": "1"}
    yield from replace(stream.format, params=said, feedback=stream.feedback).attributes()
    if stream.dtmf:
        yield from Format(stream.dtmf, DTMF, 8000, params={"0-15": ""}).attributes()


def _of_ice(ours: Ours, ports: Ports, *, muxed: bool) -> Iterator[Attribute]:
    if ports.ice is not None:
        yield from ice.attributes(ports.ice, ours.address, (ports.rtp,) if muxed else (ports.rtp, ports.rtcp))


def _described(ours: Ours, media: tuple[Media, ...], *, checked: bool) -> Description:
    """`checked`: with ICE."""
    attributes = (ice.LITE,) if checked else ()
    return Description(origin=ours.origin, connection=ours.address, attributes=attributes, media=media)


# -- our offer ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offered:
    """What we offered, with the keys that only we know until it is answered."""

    description: Description
    keys: Mapping[Kind, tuple[Crypto, ...]] = field(repr=False)


def offer(ours: Ours, audio: Sequence[str] = ()) -> Offered:
    """Every codec and suite that we have, in our order. The kinds are those of `ours.ports`, audio first.

    `audio`: the codecs of sound, in lower case; none named: all.
    """
    keys = {kind: tuple(crypto.offered()) if ours.offers_sdes else () for kind in ours.ports}
    media = tuple(_offered(kind, ours, keys[kind], audio) for kind in Kind if kind in ours.ports)
    return Offered(_described(ours, media, checked=ours.offers_dtls), keys)


def offer_again(said: Description, ours: Ours, *, resumed: bool = False) -> Offered:
    """What was agreed before, by these ports: for a call whose media moves. Codecs, keys and all else stay.

    `said`: our last answer or offer. A telephone that cannot change its keys in a call need not. `resumed`: who was on
    hold may answer that it is no more.
    """
    kept = {index: kind for index, media in enumerate(said.media) if (kind := _kind(media)) in ours.ports and kind}
    media = tuple(
        _moved(media, ours, ours.ports[kept[index]], resumed=resumed) if index in kept else media.refused()
        for index, media in enumerate(said.media)
    )
    origin = replace(said.origin, version=said.origin.version + 1)
    keys = {kind: tuple(_cryptos(said.media[index])) for index, kind in kept.items()}
    return Offered(replace(said, origin=origin, connection=ours.address, media=media), keys)


def offer_anew(said: Description, ours: Ours) -> Offered:
    """Our own codecs and keys in a session in which another has spoken: its lines stay in their places.

    `said`: what they were told last. The kinds are those of `ours.ports`; a line that is none of ours is refused.
    """
    made = offer(ours)
    left = {kind: media for media in made.description.media if (kind := _kind(media)) is not None}
    media = tuple(left.pop(kind) if (kind := _kind(line)) in left and kind else line.refused() for line in said.media)
    origin = replace(said.origin, version=said.origin.version + 1)
    return replace(made, description=replace(made.description, origin=origin, media=media))


def _moved(media: Media, ours: Ours, ports: Ports, *, resumed: bool) -> Media:
    new = {"rtcp": str(ports.rtcp), "setup": "actpass", "fingerprint": ours.fingerprint, "tls-id": ports.tls_id}
    kept = (Attribute(a.name, new.get(a.name, a.value)) for a in media.attributes if a.name not in ice.NAMES)
    checked = _of_ice(ours, ports, muxed=media.has("rtcp-mux")) if media.has("ice-ufrag") else ()
    attributes: Iterable[Attribute] = (*kept, *checked)
    if resumed:
        attributes = (Attribute("sendrecv") if a.name in DIRECTIONS else a for a in attributes)
    return replace(media, port=ports.rtp, connection=None, attributes=tuple(attributes))


def _cryptos(media: Media) -> Iterator[Crypto]:
    return (found for value in media.values("crypto") if (found := crypto.parse(value)) is not None)


def _offered(kind: Kind, ours: Ours, keys: Iterable[Crypto], audio: Sequence[str]) -> Media:
    sound = [one for one in _OFFERED_AUDIO if not audio or one.name in (*audio, DTMF)]
    offered = sound if kind is Kind.AUDIO else _OFFERED_VIDEO
    ports, keys = ours.ports[kind], list(keys)
    return Media(
        kind="audio" if kind is Kind.AUDIO else "video",
        port=ports.rtp,
        protocol="UDP/TLS/RTP/SAVPF" if ours.offers_dtls else "RTP/SAVP" if keys else "RTP/AVP",
        formats=tuple(str(format_.payload_type) for format_ in offered),
        attributes=(
            *(attribute for format_ in offered for attribute in format_.attributes()),
            Attribute("rtcp", str(ports.rtcp)),
            *(Attribute("crypto", str(one)) for one in keys),
            *(_by_dtls(ours, ports) if ours.offers_dtls else []),
            *([Attribute("content", "slides")] if kind is Kind.SLIDES else []),
            Attribute("sendonly" if ours.held else "sendrecv"),
        ),
    )


def _by_dtls(ours: Ours, ports: Ports) -> Iterator[Attribute]:
    """Whoever has that mostly has ICE."""
    yield Attribute("rtcp-mux")
    yield from dtls.attributes("actpass", ours.fingerprint, ports.tls_id)
    yield from _of_ice(ours, ports, muxed=False)


def accepted(offered: Offered, answer_: Description, ours: Ours) -> tuple[Stream, ...]:
    """What they took of our offer. Raises `NotAcceptable` or `Invalid`, as `answer` does."""
    lines = offered.description.media
    if len(answer_.media) != len(lines):
        raise Invalid("The answer has not as many media as the offer.")
    pairs = enumerate(zip(lines, answer_.media, strict=True))
    found = (_accepted(answer_, index, line, theirs, offered, ours) for index, (line, theirs) in pairs)
    streams = tuple(stream for stream in found if stream is not None)
    if not any(stream.kind is Kind.AUDIO for stream in streams):
        raise NotAcceptable("The answer has no audio in a codec and with an encryption that was offered.")
    return streams


def _accepted(
    session: Description, index: int, line: Media, theirs: Media, offered: Offered, ours: Ours
) -> Stream | None:
    kind = _kind(line)
    if kind is None or theirs.port == 0 or theirs.kind != line.kind or theirs.protocol != line.protocol:
        return None
    stream = _stream(session, index, theirs, kind, ours, "answered")
    if stream is None:
        return None
    return replace(
        stream,
        keying=keying.accepted(stream.keying, line, offered.keys[kind]),
        received=_number_in(line, stream.format),
        dtmf=_number_in(line, Format(stream.dtmf, DTMF, 8000)) if stream.dtmf else 0,
    )


def _number_in(line: Media, taken: Format) -> int:
    """Of what they have taken in our offer: they send it by that, whatever their answer calls it (RFC 3264, 6.1)."""
    of_each = {_meaning(one): one.payload_type for one in reversed(codecs.formats(line))}
    return of_each.get(_meaning(taken), taken.payload_type)


def _meaning(format_: Format) -> tuple[str, int, int, int]:
    return format_.name, format_.clock, format_.channels, h264.mode(format_)
