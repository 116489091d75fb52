"""What a worker keeps of one leg: its seat, its connection (and the one that takes over), and what it asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mcu.ids import CallId, LegId
from mcu.media.messages import Cause, Layout, Personal, Source
from mcu.media.quality import Quality
from mcu.media.seams import EncodedPicture, Seen, Transport, Viewer

START_BITRATE = 2_000_000  # bit/s to a leg that has not yet said what it can receive


@dataclass(kw_only=True, eq=False)
class Leg:
    """One seat. `connection` carries it now; `taking_over` is connecting and gets the seat when it is up."""

    leg: LegId
    label: str
    language: str
    muted: bool
    admitted: bool
    camera: bool = True
    screen: bool = False
    held: bool = False  # by its own wish; outlives a lost connection
    layout: Layout | None = None
    wants_own_view: bool = False
    has_own_view: bool = False  # and there is room for it
    bits_per_second: int = START_BITRATE
    connection: "Connection | None" = None
    taking_over: "Connection | None" = None

    def seen(self) -> Seen:
        """How it may be shown."""
        return Seen(leg=self.leg, label=self.label, muted=self.muted, camera=self.camera, screen=self.screen)

    def viewer(self, personal: Callable[["Leg"], Personal]) -> Viewer | None:
        """How it looks on; None: it takes no picture. `personal`: asked of who does."""
        if self.connection is None:
            return None
        transport = self.connection.transport
        codec = transport.takes(Source.CAMERA)
        if codec is None:
            return None
        return Viewer(
            leg=self.leg,
            codec=codec,
            layout=self.layout,
            bits_per_second=self.bits_per_second,
            content=transport.takes(Source.SCREEN),
            personal=personal(self),
            limit=transport.limit(Source.CAMERA),
            content_limit=transport.limit(Source.SCREEN),
        )


class ConnectionOwner(Protocol):
    """Whom a connection tells: the room."""

    def connected(self, connection: "Connection") -> None: ...

    def renewed(self, connection: "Connection") -> None: ...

    def lost(self, connection: "Connection", cause: Cause) -> None: ...

    def picture(self, connection: "Connection", source: Source, picture: EncodedPicture) -> None: ...

    def key_requested(self, connection: "Connection", source: Source) -> None: ...

    def bandwidth(self, connection: "Connection", bits_per_second: int) -> None: ...

    def audio_report(self, connection: "Connection", highest_sequence: int, lost: int) -> None: ...

    def unsent(self, connection: "Connection", tick: int) -> None: ...


class Connection:
    """One transport of a leg: says to the room whose events these are. A `TransportListener`."""

    def __init__(self, leg: Leg, owner: ConnectionOwner) -> None:
        self.leg = leg
        self.up = False
        self.quality = Quality()
        self.losses: dict[Source, float] = {}  # shares of the packets of pictures that were sent; 0 where there is none
        self.call: CallId | None = None  # whose reception it comes from, and goes back to
        self._owner = owner
        self._transport: Transport | None = None

    @property
    def transport(self) -> Transport:
        """What carries it. Set by the room as soon as the offer is answered."""
        if self._transport is None:
            raise RuntimeError("a connection is used before its offer is answered")
        return self._transport

    @transport.setter
    def transport(self, transport: Transport) -> None:
        self._transport = transport

    def on_connected(self) -> None:
        self.up = True
        self._owner.connected(self)

    def on_renewed(self) -> None:
        self._owner.renewed(self)

    def on_lost(self, cause: Cause) -> None:
        self.up = False
        self._owner.lost(self, cause)

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        self._owner.picture(self, source, picture)

    def on_key_request(self, source: Source) -> None:
        self._owner.key_requested(self, source)

    def on_bandwidth(self, bits_per_second: int) -> None:
        self._owner.bandwidth(self, bits_per_second)

    def on_audio_report(self, highest_sequence: int, lost: int) -> None:
        self._owner.audio_report(self, highest_sequence, lost)

    def on_picture_loss(self, source: Source, share: float) -> None:
        self.losses[source] = share

    def on_unsent(self, tick: int) -> None:
        self._owner.unsent(self, tick)
