"""What of a room is kept on disk: its run (with its lock and layout), and the record of each notice (S5.3-7).

A run is on disk when `keep` returns. Notices are written behind, the newest state of each, soon after they change; if
the database fails they are tried again, and beyond a bound the oldest are let go, and counted.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import structlog

from mcu.booking.store import RoomRun, Store, StoredNotice
from mcu.ids import NoticeId
from mcu.media.messages import NoticeRecord

log = structlog.get_logger(__name__)

GATHER_S = 0.2  # a notice's record changes with each recipient's report: written once for many
RETRY_S = 1.0
MAX_WAITING = 1000


class Keeper:
    """Writes for one room. `run` is what is on disk, or about to be."""

    def __init__(self, store: Store, run: RoomRun, dropped: Callable[[str], None]) -> None:
        self.run = run
        self._dropped = dropped
        self._store = store
        self._writing = asyncio.Lock()
        self._written = run
        self._waiting: dict[NoticeId, NoticeRecord] = {}
        self._filled = asyncio.Event()

    async def keep(self) -> None:
        """Returns when `run` as it is now, or newer, is on disk. Raises what the store does; then it is kept soon."""
        async with self._writing:
            run = self.run
            if run == self._written:
                return
            try:
                async with self._store.writing() as tx:
                    await tx.rooms.update(run)
            except BaseException:  # who waited for it may have been cancelled, too
                self.keep_soon()
                raise
            self._written = run

    def notice(self, record: NoticeRecord) -> None:
        self._waiting.pop(record.notice, None)
        self._waiting[record.notice] = record
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._dropped("notice_records")
        self._filled.set()

    def keep_soon(self) -> None:
        """Nobody waits for it."""
        self._filled.set()

    async def write(self) -> None:
        """What waits, soon after it has come. Until cancelled."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER_S)
            try:
                await self.flush()
            except Exception as error:  # the room goes on without its database; what waits goes on waiting
                log.error("room_not_stored", room=self.run.id, error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                self._filled.set()

    async def flush(self) -> None:
        """Write what waits. What could not be written waits again."""
        self._filled.clear()
        await self.keep()
        batch, self._waiting = self._waiting, {}
        if not batch:
            return
        try:
            async with self._store.writing() as tx:
                await tx.notices.save([self._stored(record) for record in batch.values()])
        except BaseException:
            self._waiting = batch | self._waiting
            raise

    def _stored(self, record: NoticeRecord) -> StoredNotice:
        at = datetime.fromtimestamp(record.wall_ms / 1000, UTC)
        return StoredNotice(id=record.notice, room=self.run.id, at=at, record=msgspec.json.encode(record))
