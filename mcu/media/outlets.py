"""What a room's picture mixer asks of its legs' connections, and where what it composed goes out."""

from collections.abc import Sequence
from typing import Protocol

from mcu.ids import LegId, RoomId
from mcu.media import cost
from mcu.media.frames import AnyEvent
from mcu.media.leg import Connection
from mcu.media.messages import LayoutChanged, RoomProfile, Source
from mcu.media.seams import EncodedPicture, Shown, TransportFactory, Wanted


class Seats(Protocol):
    """Who is here: the room."""

    def connection(self, leg: LegId) -> Connection | None: ...

    def is_inside(self, leg: LegId) -> bool: ...


class Owner(Protocol):
    """What it asks of the worker."""

    def emit(self, event: AnyEvent) -> None: ...

    def fits(self, cores: float) -> bool:
        """Whether its rooms may cost so much more."""


class Outlets:
    """A `seams.PictureOutputs` of one room."""

    def __init__(
        self,
        room: RoomId,
        profile: RoomProfile,
        seats: Seats,
        transports: TransportFactory,
        owner: Owner,
    ) -> None:
        self._room, self._profile, self._seats, self._transports, self._owner = room, profile, seats, transports, owner

    def send_picture(self, legs: Sequence[LegId], source: Source, picture: EncodedPicture) -> None:
        inside = [
            connection
            for leg in legs
            if self._seats.is_inside(leg) and (connection := self._seats.connection(leg)) is not None
        ]
        self._transports.send_picture([connection.transport for connection in inside], source, picture)

    def take(self) -> None:
        self._transports.take()

    def request_key(self, leg: LegId, source: Source) -> None:
        if (connection := self._seats.connection(leg)) is not None:
            connection.transport.request_key(source)

    def want(self, leg: LegId, source: Source, wanted: Wanted) -> None:
        if (connection := self._seats.connection(leg)) is not None:
            connection.transport.want(source, wanted)

    def aim(self, leg: LegId, bits_per_second: int) -> None:
        if (connection := self._seats.connection(leg)) is not None:
            connection.transport.aim(bits_per_second)

    def picture_loss(self, leg: LegId, source: Source) -> float:
        connection = self._seats.connection(leg)
        return connection.losses.get(source, 0.0) if connection is not None else 0.0

    def has_room(self) -> bool:
        return self._owner.fits(cost.of_view(self._profile))

    def layout_changed(self, viewers: Sequence[LegId], shown: Shown) -> None:
        self._owner.emit(
            LayoutChanged(
                room=self._room,
                viewers=list(viewers),
                layout=shown.layout,
                width=self._profile.width,
                height=self._profile.height,
                tiles=list(shown.tiles),
                content=shown.content,
                personal=shown.personal,
            )
        )
