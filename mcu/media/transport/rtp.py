"""Legs of a worker with ports of their own: SIP and H.323, plain or with keys by SDES or DTLS (RFC 3550, 4568, 5764).

Each m-line is a leg of the plane for itself, for it has its own ports and its own keys; to the room they are one leg,
and the sound's is its handle. Who offers and who answers, and when a leg is up or over, its signalling says: nothing is
told by the packets but that they have stopped.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Final

import structlog

from mcu.clock import Clock
from mcu.errors import Conflict
from mcu.ids import LegId
from mcu.media import _native as native
from mcu.media.call_messages import LineKeys
from mcu.media.leg import START_BITRATE
from mcu.media.messages import Cause, LegMedia, Source
from mcu.media.seams import FrameLimit, Traffic, TransportListener, VideoCodec, Wanted
from mcu.media.transport import told
from mcu.media.transport.dtls import fingerprint
from mcu.media.transport.engine import Engine
from mcu.media.transport.figures import Figures
from mcu.media.transport.line import SOURCES, Line, Uses, codec, video_codec
from mcu.media.transport.streams import NUMBERS
from mcu.protocol.sdp import description, exchange, h264
from mcu.protocol.sdp.description import Description, Origin
from mcu.protocol.sdp.exchange import Kind, Offered, Ours, Ports, Stream
from mcu.protocol.sdp.keying import Encryption

log = structlog.get_logger()

_PICTURES: Final = {Source.CAMERA: Kind.MAIN, Source.SCREEN: Kind.SLIDES}
PIXELS_MAX: Final = 4096 * 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a call may have."""

    address: str  # ours, as the peer reaches it
    kinds: tuple[Kind, ...] = (Kind.AUDIO, Kind.MAIN, Kind.SLIDES)
    encryption: Encryption = Encryption.REQUIRED
    by_dtls: bool = False  # what is offered has its keys by DTLS, not in the SDP
    pixels_max: int = PIXELS_MAX


class RtpTransport:
    """One leg's packets, both ways; a `seams.Transport`. It connects nothing: `answer`, or `offer` and `accept`.

    `answer` and `offer` take a pair of ports for each m-line.
    """

    def __init__(self, engine: Engine, terms: Terms, on_digit: Callable[[str], None], clock: Clock) -> None:
        self._engine, self._terms, self._on_digit = engine, terms, on_digit
        self.on_slides: Callable[[bool], None] = lambda _come: None  # on a line of their own
        self.on_unsighted: Callable[[], None] = lambda: None  # signalling alone can ask for a key frame
        self.on_keys: Callable[[tuple[LineKeys, ...]], None] = lambda _keys: None  # by DTLS: all that it has
        self.on_gone: Callable[[Cause], None] = lambda _cause: None  # it has ended, whoever listens
        self._listener: TransportListener | None = None
        self._lines: dict[Kind, Line] = {}
        self._figures: Figures | None = None
        self._closed = self._on_hold = self._announced = False
        self._allows_slides = True  # to be sent
        self._wanted: dict[Kind, Wanted] = {}  # of their pictures
        self._said: Description | None = None  # our last
        self._origin = Origin(secrets.randbelow(2**62), 1, terms.address)
        self._offered: Offered | None = None  # what the other side has not answered yet
        self._fingerprint = fingerprint(engine.certificates.current)
        self._uses = Uses(
            on_keyed=self._keyed,
            on_slides=lambda come: self.on_slides(come),
            clock=clock,
            pixels_max=terms.pixels_max,
        )
        self._codecs: Mapping[int, str] = {}  # that were agreed, by the plane's number of the source

    @property
    def handle(self) -> int:
        """See `seams.Transport`: of its sound."""
        return self._lines[Kind.AUDIO].handle

    # -- offers and answers ---------------------------------------------------------------------------------------

    def answer(self, offer: str, listener: TransportListener) -> str:
        """The answer to their offer; sound and picture may pass from now on.

        Raises `errors.Invalid` for what is not SDP, `NotAcceptable` where nothing can be agreed, `Unavailable` where
        there are no ports; then it is to be closed.
        """
        theirs = description.parse(offer)
        self._take_ports(exchange.kinds(theirs))
        self._said, streams = exchange.answer(theirs, self._ours())
        self._begin(streams, listener)
        return str(self._said)

    def offer(
        self, said: str = "", codecs: Sequence[str] = (), keys: Sequence[LineKeys] = (), *, anew: bool = False
    ) -> str:
        """Our offer: of all that the call may have, or of what we last `said`. `accept` takes the answer to it.

        `codecs`: of sound, in a new offer; none named: all. `keys`: that the call had by DTLS where it was. `anew`:
        what they were told was another's words, in whose session ours go on. Raises `Unavailable` where there are no
        ports; then it is to be closed.
        """
        before = description.parse(said) if said else None
        self._take_ports(exchange.kinds(before) if before is not None else self._terms.kinds)
        for line in self._lines.values() if before is not None else ():
            line.bring(keys)
        ours = self._ours()
        if before is None:
            self._offered = exchange.offer(ours, codecs)
        else:
            self._offered = exchange.offer_anew(before, ours) if anew else exchange.offer_again(before, ours)
        return str(self._offered.description)

    def accept(self, answer: str, listener: TransportListener) -> None:
        """Their answer to our offer. Raises as `answer` does, and `Conflict` where nothing was offered."""
        offered, self._offered = self._offered, None
        if offered is None:
            raise Conflict("Nothing was offered that this could be the answer to.")
        streams = exchange.accepted(offered, description.parse(answer), self._ours())
        self._say(offered.description)
        self._begin(streams, listener)

    def _say(self, said: Description) -> None:
        self._said, self._origin = said, said.origin

    @property
    def held(self) -> bool:
        """Whether they have put us on hold: they want no sound of ours (RFC 3264, section 8.4)."""
        return not any(stream.kind is Kind.AUDIO and stream.sends for stream in self._streams())

    def hold(self, held: bool) -> None:
        """While it is held nothing is sent on it but RTCP, and that nothing comes is no loss."""
        self._on_hold = held
        for line in self._lines.values():
            self._engine.plane.hold(line.handle, held)

    def allow_slides(self, allowed: bool) -> None:
        """Whether they take what others share on its own line: a floor of theirs says so."""
        self._allows_slides = allowed
        if self._listener is not None and not self._closed:
            self._listener.on_renewed()

    # -- a call that stands ---------------------------------------------------------------------------------------

    def change(self, offer: str) -> str:
        """The answer to what they offer in place of what was agreed; an offer of ours where they make none.

        That is agreed from now on, or when `accept_change` has their answer. Raises as `answer`; then all is as it was.
        """
        if self._closed or self._said is None:
            raise Conflict("The leg's connection has ended.")
        if not offer:
            self._offered = exchange.offer_again(self._said, self._ours(), resumed=True)
            return str(self._offered.description)
        theirs = description.parse(offer)
        with self._renewing(theirs) as ours:
            reply, streams = exchange.answer(theirs, ours)
        if reply != self._said:
            self._say(replace(reply, origin=replace(reply.origin, version=reply.origin.version + 1)))
        self._renew(streams)
        return str(self._said)

    def accept_change(self, answer: str) -> None:
        """Their answer to our offer in a call that stands. Raises as `accept`; then all is as it was."""
        offered, self._offered = self._offered, None
        if offered is None or self._closed:
            raise Conflict("Nothing was offered that this could be the answer to.")
        streams = exchange.accepted(offered, description.parse(answer), self._ours())
        self._say(offered.description)
        self._renew(streams)

    @contextmanager
    def _renewing(self, theirs: Description) -> Iterator[Ours]:
        """Our side of a change: with new lines for what is new, or of another codec. Where it fails there are none."""
        nowhere = dict.fromkeys(self._terms.kinds, Ports(0, 0))
        streams = {stream.kind: stream for stream in exchange.answer(theirs, self._ours(nowhere))[1]}
        former, fresh = dict(self._lines), dict[Kind, Line]()
        try:
            for kind, stream in streams.items():
                if kind not in former or former[kind].renews(stream):
                    fresh[kind] = self._line(kind)
            self._lines = former | fresh
            ports = {kind: line.ports_for(streams.get(kind)) for kind, line in self._lines.items()}
            yield self._ours(ports)
        except Exception:
            self._lines = former
            for line in fresh.values():
                line.end()
            raise
        for kind, line in self._lines.items():
            line.ports = ports[kind]
        for kind in fresh.keys() & former.keys():
            former[kind].end()

    def _renew(self, streams: tuple[Stream, ...]) -> None:
        for stream in streams:
            line = self._lines[stream.kind]
            if line.stream is None:
                self._connect(line, stream)
            else:
                line.follow(stream)
        agreed = {stream.kind for stream in streams}
        for kind in [kind for kind in self._lines if kind not in agreed]:
            self._lines.pop(kind).end()
            if kind is Kind.SLIDES:
                self.on_slides(False)
        self._note(streams)
        if self._listener is not None:
            self._listener.on_renewed()

    def _line(self, kind: Kind) -> Line:
        """Raises `Unavailable`."""
        required = self._terms.encryption is Encryption.REQUIRED
        return Line(self._engine, kind, self._uses, ipv6=":" in self._terms.address, encrypted=required)

    def _take_ports(self, kinds: Iterable[Kind]) -> None:
        for kind in (kind for kind in kinds if kind in self._terms.kinds):
            self._lines[kind] = self._line(kind)

    def _begin(self, streams: tuple[Stream, ...], listener: TransportListener) -> None:
        self._listener = listener
        for stream in streams:
            self._connect(self._lines[stream.kind], stream)
        agreed = {stream.kind for stream in streams}
        for kind in [kind for kind in self._lines if kind not in agreed]:
            self._lines.pop(kind).end()
        self._note(streams)
        asyncio.get_running_loop().call_soon(self._connected)

    def _note(self, streams: tuple[Stream, ...]) -> None:
        self._codecs = {SOURCES[stream.kind]: codec(stream) for stream in streams}
        layers = {SOURCES[stream.kind]: ("",) for stream in streams}
        self._figures = Figures(self._codecs, layers)

    def _connected(self) -> None:
        """Its sound has its keys: told once to each."""
        if self._closed or self._listener is None or self._announced:
            return
        if self._lines[Kind.AUDIO].ready:
            self._announced = True
            self._listener.on_connected()
            if any(line.carries < START_BITRATE for line in self._lines.values()):
                self._listener.on_bandwidth(self._carries())

    def _connect(self, line: Line, stream: Stream) -> None:
        line.connect(stream, self._wanted.get(stream.kind), held=self._on_hold)
        self._engine.listen(line.handle, self)

    def _ours(self, ports: Mapping[Kind, Ports] | None = None) -> Ours:
        return Ours(
            address=self._terms.address,
            ports={kind: line.ports for kind, line in self._lines.items()} if ports is None else ports,
            encryption=self._terms.encryption,
            fingerprint=self._fingerprint,
            by_dtls=self._terms.by_dtls,
            origin=self._origin,
            before={stream.kind: stream for stream in self._streams()},
        )

    # -- seams.Transport ------------------------------------------------------------------------------------------

    def takes(self, source: Source) -> VideoCodec | None:
        line = self._lines.get(_PICTURES[source])
        if line is None or line.stream is None or not line.stream.sends:
            return None
        if source is Source.SCREEN and not self._allows_slides:
            return None
        return video_codec(line.stream)

    def limit(self, source: Source) -> FrameLimit | None:
        line = self._lines.get(_PICTURES[source])
        if line is None or line.stream is None:
            return None
        within = h264.within(line.stream.limits)
        return FrameLimit(within.macroblocks, within.macroblocks_per_second)

    def handle_of(self, source: Source) -> int:
        return self._lines[_PICTURES[source]].handle

    def request_key(self, source: Source) -> None:
        if (line := self._lines.get(_PICTURES[source])) is not None and line.incoming is not None:
            self._engine.plane.want_key(line.handle, NUMBERS[source])

    def refresh(self) -> None:
        """They need a key frame, by their signalling."""
        for source in _PICTURES:
            if self._listener is not None and self.takes(source) is not None:
                self._listener.on_key_request(source)

    def want(self, source: Source, wanted: Wanted) -> None:
        self._wanted[_PICTURES[source]] = wanted
        line = self._lines.get(_PICTURES[source])
        if line is not None and line.incoming is not None and not self._closed:
            line.incoming.want(NUMBERS[source], wanted)

    def aim(self, bits_per_second: int) -> None:
        for source in _PICTURES:
            if self.takes(source) is not None:
                line = self._lines[_PICTURES[source]]
                self._engine.plane.aim(line.handle, min(bits_per_second, line.most))

    async def restart(self, offer: str) -> str:
        """There is no ICE to restart: their signalling offers again. Raises `Conflict`."""
        raise Conflict("This leg has no ICE to restart.")

    def stats(self, leg: LegId) -> LegMedia:
        if self._closed or self._figures is None:
            raise Conflict("The leg's connection has ended.")
        counted = [self._engine.plane.leg_stats(line.handle) for line in self._lines.values()]
        whole = counted[0] | {
            "streams": [stream for one in counted for stream in one["streams"]],
            "line": max((one["line"] for one in counted), key=itemgetter("bits_per_second")),
            "drops": sum((Counter(one["drops"]) for one in counted), Counter[str]()),
        }
        return self._figures.of(leg, self._lines[Kind.AUDIO].profile, whole)

    def traffic(self) -> Traffic:
        if self._closed:
            raise Conflict("The leg's connection has ended.")
        each = [Traffic(*self._engine.plane.leg_traffic(line.handle)) for line in self._lines.values()]
        return each[0] if len(each) == 1 else _together(each)

    async def close(self) -> None:
        """The plane has no such leg from the call on. May be called again."""
        if not self._closed:
            self.release()
            self.on_gone(Cause.HANGUP)

    def move(self, listener: TransportListener) -> None:
        """Somebody else is told from now on, and that it is connected first of all."""
        self._listener, self._announced = listener, False
        asyncio.get_running_loop().call_soon(self._connected)

    # -- engine.LegEvents -----------------------------------------------------------------------------------------

    def on_event(self, event: native.Event) -> None:
        listener = self._listener
        if listener is None or self._closed:
            return
        match event.kind:
            case native.PICTURE:
                listener.on_picture(told.SOURCES[event.a], told.picture_of(event, self._codecs[event.a]))
            case native.BANDWIDTH:
                self._of(event).estimate = event.a
                listener.on_bandwidth(self._carries())
            case native.PROVED:
                self._of(event).found()
            case native.DTLS:
                self._of(event).greeted(event)
            case native.KEY_UNASKED:
                self.on_unsighted()
            case native.DIGIT:
                self._on_digit(chr(event.a))
            case native.SILENT if event.leg == self.handle:
                self._lost(Cause.NETWORK)
            case _:
                told.tell(listener, event)

    def on_failure(self) -> None:
        self._lost(Cause.FAILED)

    def _lost(self, cause: Cause) -> None:
        listener = self._listener
        if not self._closed and listener is not None:
            self.release()
            self.on_gone(cause)
            listener.on_lost(cause)

    def _of(self, event: native.Event) -> Line:
        """Whose event it is."""
        return next(line for line in self._lines.values() if line.handle == event.leg)

    def _keyed(self, line: Line, rtcp: bool, keyed: bool) -> None:
        """By DTLS, and what follows: without keys there is no call; a picture begins."""
        if keys := tuple(keys for each in self._lines.values() for keys in each.keys):
            self.on_keys(keys)
        if rtcp or (line.ready and not keyed):
            return
        if line.kind is not Kind.AUDIO:
            self._shown(line, keyed)
        elif keyed:
            self._connected()
        else:
            log.info("dtls_failed", leg=self.handle)
            self._lost(Cause.FAILED)

    def _shown(self, line: Line, keyed: bool) -> None:
        source = next(source for source, kind in _PICTURES.items() if kind is line.kind)
        if keyed and self._listener is not None and self.takes(source) is not None:
            self._listener.on_key_request(source)

    def _carries(self) -> int:
        """What all its lines carry of pictures."""
        together = (s.bits_of_pictures for s in self._streams() if s.bits_of_pictures is not None)
        each = sum(line.carries for line in self._lines.values() if line.kind is not Kind.AUDIO)
        return min([each, *together])

    # -- parts ----------------------------------------------------------------------------------------------------

    def _streams(self) -> Iterator[Stream]:
        return (line.stream for line in self._lines.values() if line.stream is not None)

    def release(self) -> None:
        """As `close`, at once, and without a word."""
        self._closed = True
        for line in self._lines.values():
            line.end()


def _together(lines: Sequence[Traffic]) -> Traffic:
    """Of a leg with several, its sound's first: the round trip is that one's, the line the widest."""
    widest = max(lines, key=attrgetter("bits_per_second"))
    sums = (sum(of_each) for of_each in zip(*(line[:6] for line in lines), strict=True))
    return Traffic._make((*sums, lines[0].rtt_ms, widest.bits_per_second, widest.silent))


class RtpTransports:
    """Makes those of one worker, on its engine."""

    def __init__(self, engine: Engine, *, pixels_max: int = PIXELS_MAX, clock: Clock) -> None:
        self._engine, self._pixels_max, self._clock = engine, pixels_max, clock

    def new(
        self, *, ipv6: bool, encrypted: bool, on_digit: Callable[[str], None], by_dtls: bool = False
    ) -> RtpTransport:
        """Raises `NotAcceptable` where there is no address of that family."""
        terms = Terms(
            address=self._engine.rtp_address(ipv6=ipv6),
            encryption=Encryption.REQUIRED if encrypted else Encryption.OFFERED,
            by_dtls=by_dtls,
            pixels_max=self._pixels_max,
        )
        return RtpTransport(self._engine, terms, on_digit, self._clock)
