"""What the conference keeps beyond its own life. `mcu.storage` implements it; when a method returns, it is on disk.

A room's row holds what was acknowledged to a caller and must outlive `kill -9`: that the room is locked, and its
layout. Seats are not kept: they live and die with their media.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from mcu.ids import MeetingId, NoticeId, RoomId
from mcu.media.messages import Layout, NoticeRecord


class RoomRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a meeting. `ended_at` is `None` while it runs."""

    room: RoomId
    meeting: MeetingId
    opened_at: datetime
    locked: bool = False
    layout: Layout = Layout.AUTO
    ended_at: datetime | None = None


class RoomStore(Protocol):
    """Rooms, by id."""

    async def put_room(self, row: RoomRow) -> None:
        """Writes the row, new or changed."""

    async def live_rooms(self) -> list[RoomRow]:
        """Those without `ended_at`, oldest first: what ran when the process last stopped, whatever stopped it."""


class NoticeStore(Protocol):
    """The record of who was told what (S5.3-7). Nothing in it is a name."""

    async def put_notices(self, meeting: MeetingId, room: RoomId, records: Sequence[NoticeRecord]) -> None:
        """Writes each record, over an older one of the same notice, all or none."""

    async def notices(self, room: RoomId, *, after: NoticeId | None, limit: int) -> list[NoticeRecord]:
        """Up to `limit` records of the room, oldest first (notice ids sort by age), those after `after`."""
