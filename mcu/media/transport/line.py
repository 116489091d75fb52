"""One m-line of a call with ports of its own: its leg in the plane, what was agreed of it, and the keys that it has."""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mcu.clock import Clock
from mcu.errors import Unavailable
from mcu.media import _native as native
from mcu.media.call_messages import LineKeys
from mcu.media.leg import START_BITRATE
from mcu.media.seams import VideoCodec, Wanted
from mcu.media.transport.association import CONNECT_S, Association
from mcu.media.transport.engine import NO_PORTS, Engine
from mcu.media.transport.flow import Flow
from mcu.media.transport.incoming import Incoming
from mcu.protocol.sdp import h264
from mcu.protocol.sdp.codecs import Format
from mcu.protocol.sdp.description import NOWHERE
from mcu.protocol.sdp.dtls import Association as Agreed
from mcu.protocol.sdp.exchange import Kind, Ports, Stream
from mcu.protocol.sdp.ice import Credentials

SOURCES: Final = {Kind.AUDIO: native.AUDIO, Kind.MAIN: native.CAMERA, Kind.SLIDES: native.SCREEN}
PROFILES: Final = {  # of RFC 4568 and what followed, as the plane calls them
    "AEAD_AES_256_GCM": "AEAD_AES_256_GCM",
    "AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
    "AES_256_CM_HMAC_SHA1_80": "AES256_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_80": "AES128_CM_SHA1_80",
}
_AUDIO: Final = {"opus": "opus", "g722": "G722", "pcma": "PCMA", "pcmu": "PCMU"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Whom a line tells: of itself, as the first argument."""

    on_keyed: Callable[["Line", bool, bool], None]  # by DTLS: RTCP's own or not, and whether there are keys
    on_slides: Callable[[bool], None]
    clock: Clock
    pixels_max: int


class Line:
    """Belongs to one event loop. `end` it."""

    def __init__(self, engine: Engine, kind: Kind, uses: Uses, *, ipv6: bool, encrypted: bool) -> None:
        """`encrypted`: nothing ever passes on it in the clear. Raises `Unavailable` where there are no ports."""
        try:
            self.handle, rtp, rtcp = engine.plane.add_rtp(ipv6)
        except OSError:
            raise Unavailable(NO_PORTS) from None
        self.kind, self.ports = kind, Ports(rtp, rtcp, new_tls_id(), new_credentials())
        self.stream: Stream | None = None
        self.incoming: Incoming | None = None
        self.most = START_BITRATE  # that they have said that they take
        self.estimate = START_BITRATE  # bit/s of pictures that the plane says it carries
        self._engine, self._uses = engine, uses
        self._flow: Flow | None = None
        self._moves = False
        self._brought: tuple[LineKeys, ...] = ()
        self.association: Association | None = None
        self._found = True  # where it is, as far as ICE is to say that
        self._checks: asyncio.TimerHandle | None = None  # for which it is waited so long
        self._remote: tuple[str, int, int | None] | None = None  # as their SDP last had it
        if encrypted:
            engine.plane.require_keys(self.handle)

    @property
    def carries(self) -> int:
        return min(self.estimate, self.most)

    @property
    def ready(self) -> bool:
        """Whether packets may pass: it has the keys that were agreed on, or those that it came with, and is found."""
        keyed = self.association is None or self.association.connected or bool(self._brought)
        return self._found and keyed

    @property
    def keys(self) -> tuple[LineKeys, ...]:
        """By DTLS."""
        return (tuple(self.association.keys(self.kind)) if self.association is not None else ()) or self._brought

    def bring(self, keys: Iterable[LineKeys]) -> None:
        """It was on another worker, where it had these by DTLS."""
        self._moves = True
        self._brought = tuple(one for one in keys if one.kind is self.kind)

    @property
    def profile(self) -> str:
        """Of SRTP, by name; "": there is none."""
        if self.association is not None:
            return self.association.profile or next((one.profile for one in self._brought), "")
        keys = self.stream.keying.keys if self.stream is not None else None
        return "" if keys is None else PROFILES[keys.suite]

    def renews(self, stream: Stream) -> bool:
        """Whether what is agreed now needs another leg: what the plane's was made for, it keeps."""
        return self.stream is None or _of_plane(self.stream) != _of_plane(stream)

    def ports_for(self, stream: Stream | None) -> Ports:
        """What is said of it where this is agreed: another association has another name (RFC 8842, section 5.3)."""
        before, ports = self.stream, self.ports
        if stream is None or before is None:
            return ports
        if before.keying.dtls is not None and stream.keying.dtls != before.keying.dtls:
            ports = replace(ports, tls_id=new_tls_id())
        if before.ice is not None and stream.ice != before.ice:  # they restart it
            ports = replace(ports, ice=new_credentials())
        return ports

    def connect(self, stream: Stream, wanted: Wanted | None, *, held: bool) -> None:
        """As it is for as long as its codec stays: in which directions packets pass may change."""
        plane, source = self._engine.plane, SOURCES[stream.kind]
        plane.add_stream(
            self.handle,
            source,
            formats=[(number, codec(stream), 0) for number in _numbers(stream)],
            dtmf=stream.dtmf,
            tones=stream.kind is Kind.AUDIO and not stream.dtmf,
            nack="nack" in stream.feedback,
            pli="nack pli" in stream.feedback,
            fir="ccm fir" in stream.feedback,
            tmmbr="ccm tmmbr" in stream.feedback,
            cname=secrets.token_hex(8),
            pixels_max=self._uses.pixels_max,
        )
        self.follow(stream)
        if stream.kind is not Kind.AUDIO:
            self.incoming = Incoming(plane, self.handle, {source: 1}, self._uses.clock)
            if wanted is not None:
                self.incoming.want(source, wanted)
            if stream.kind is Kind.SLIDES:
                self._flow = Flow(self._received, self._uses.on_slides)
        plane.hold(self.handle, held)

    def follow(self, stream: Stream) -> None:
        """What of it may change while it is used. Where packets are known to come from stays, until they move."""
        plane, before, self.stream = self._engine.plane, self.stream, stream
        if stream.keying.encrypts:
            plane.require_keys(self.handle)
        if (keys := stream.keying.keys) is not None:
            plane.set_keys(self.handle, PROFILES[keys.suite], keys.ours, keys.theirs)
        self._associate(stream.keying.dtls, muxed=stream.muxed)
        if self.association is not None and not self.association.connected:
            for one in self._brought:
                plane.set_keys(self.handle, one.profile, one.ours, one.theirs, one.rtcp)
        if stream.kind is not Kind.AUDIO:
            self.most = stream.limits.bits_per_second
            if stream.bits_per_second is not None:  # 0: no picture for now
                self.most = min(self.most, stream.bits_per_second)
        if stream.ice is None:
            self._place(stream)
        elif before is None or before.ice != stream.ice:
            self._await_checks(stream, stream.ice)

    def _place(self, stream: Stream) -> None:
        """It is where they say."""
        remote = stream.address, stream.rtp_port, None if stream.muxed else stream.rtcp_port
        if remote != self._remote and stream.address != NOWHERE:
            self._remote = remote
            self._engine.plane.set_remote(self.handle, *remote)
        if self.association is not None and self._remote is not None:
            self.association.begin()

    def _await_checks(self, stream: Stream, theirs: Credentials) -> None:
        """It is where their checks come from."""
        ours = self.ports.ice
        assert ours is not None
        self._engine.plane.use_ice(self.handle, stream.muxed, ours.ufrag, ours.password, theirs.ufrag)
        if self._moves:  # baresip does not check again: it is where it was
            self._place(stream)
        elif self._checks is None:
            self._found = False
            self._checks = asyncio.get_running_loop().call_later(CONNECT_S, self._uses.on_keyed, self, False, False)

    def found(self) -> None:
        """A check has said where it is."""
        if self._checks is not None:
            self._checks.cancel()
        self._found = True
        if self.association is not None:
            self.association.begin()
        if self.ready:
            self._uses.on_keyed(self, False, True)

    def greeted(self, event: native.Event) -> None:
        """A DTLS came for it."""
        if self.association is None:
            return
        if event.b:
            self.association.put_of(event)
        else:
            self.association.put(event)

    def end(self) -> None:
        if self.incoming is not None:
            self.incoming.end()
        if self._flow is not None:
            self._flow.end()
        if self._checks is not None:
            self._checks.cancel()
        if self.association is not None:
            self.association.end()
        if self.stream is None:
            self._engine.plane.remove(self.handle)
        else:
            self._engine.remove(self.handle)

    def _associate(self, agreed: Agreed | None, *, muxed: bool) -> None:
        """Another handshake where another is agreed on; until it is over the keys of the one before hold."""
        before = self.association
        if agreed is None or (before is not None and before.agreed == agreed):
            return
        if before is not None:
            self._brought = self.keys
            before.drop()
        self.association = Association(
            self._engine.plane,
            self.handle,
            self._engine.certificates.current,
            agreed,
            muxed=muxed,
            tell=lambda rtcp, keyed: self._uses.on_keyed(self, rtcp, keyed),
        )

    def _received(self) -> int:
        """Packets of pictures."""
        streams = self._engine.plane.leg_stats(self.handle)["streams"]
        return sum(stream["packets"] for stream in streams if not stream["sending"])


def new_tls_id() -> str:
    """Ours, of a new association (RFC 8842, section 4: 120 bits at least)."""
    return secrets.token_hex(16)


def new_credentials() -> Credentials:
    """Ours, for checks (RFC 8445, section 5.3): 64 bits of user name and 192 of password."""
    return Credentials(secrets.token_hex(8), secrets.token_hex(24))


def codec(stream: Stream) -> str:
    """As the plane calls it."""
    return _AUDIO[stream.format.name] if stream.kind is Kind.AUDIO else video_codec(stream)


def video_codec(stream: Stream) -> VideoCodec:
    if stream.format.name == "vp8":
        return "VP8"
    return "H264" if h264.mode(stream.format) else "H264/0"


def _of_plane(stream: Stream) -> tuple[Format, tuple[int, ...], int, bool, bool]:
    """What the plane's leg of a line was made for."""
    by_dtls = stream.keying.dtls is not None
    return stream.format, _numbers(stream), stream.dtmf, by_dtls, by_dtls and stream.muxed


def _numbers(stream: Stream) -> tuple[int, ...]:
    """Payload types of what it carries: the one by which it is sent first."""
    sent = stream.format.payload_type
    return (sent,) if stream.received in (None, sent) else (sent, stream.received)
