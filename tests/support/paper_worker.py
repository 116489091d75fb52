"""A media worker without media: the real announcing (`RoomLife`), ticked by hand, that dies when it is told to.

It is a clock and a fault: for rules about time and for a worker's death in the middle of something. What a worker
really does with packets is tested with real ones (`tests/integration/live`).
"""

import asyncio
from collections.abc import Sequence

from mcu.conference.workers import WorkersListener
from mcu.errors import Invalid, NotFound, Unavailable
from mcu.ids import LegId, NoticeId, RoomId, new_id
from mcu.media.announce import RoomLife
from mcu.media.call_messages import CallCommand, RelayCommand
from mcu.media.frames import AnyCommand, AnyReply
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import (
    AddLeg,
    AdmitLeg,
    Answered,
    Cause,
    CheckNetwork,
    CloseRoom,
    Done,
    HoldLeg,
    LegChanged,
    NoticeChanged,
    NoticeKind,
    NoticeRecord,
    OpenRoom,
    Ping,
    RemoveLeg,
    RestartIce,
)

SOUND_TICKS = {NoticeKind.JOINED: 20, NoticeKind.LEFT: 15, NoticeKind.RECONNECTED: 20, NoticeKind.MISSED: 10}
BAD_OFFER = "not an offer"


class PaperRoom:
    """One room's lives."""

    def __init__(self, command: OpenRoom) -> None:
        self.life = RoomLife(
            sound_ticks=SOUND_TICKS,
            resume_ticks=int(command.profile.resume_window_s * 50),
            new_notice_id=lambda: NoticeId(new_id("ntc")),
        )
        self.admitted: dict[LegId, bool] = {seat.leg: True for seat in command.absent}
        self.held = {seat.leg for seat in command.absent if seat.held}
        self.notices: dict[NoticeId, NoticeRecord] = {}
        self.number = 0
        for seat in command.absent:
            self.life.restore(seat.leg)


class PaperWorker:
    """Implements `mcu.conference.workers.Worker`."""

    def __init__(self, name: str, owner: "PaperWorkers") -> None:
        self.id = name
        self.alive = True
        self.rooms: dict[RoomId, PaperRoom] = {}
        self.asked: list[AnyCommand] = []
        self.obeys = asyncio.Event()  # cleared: commands are on their way, and have not arrived
        self.obeys.set()
        self._owner = owner

    async def ask(self, command: AnyCommand) -> AnyReply:
        if not self.alive:
            raise Unavailable("dead")
        self.asked.append(command)
        await self.obeys.wait()
        match command:
            case OpenRoom():
                self.rooms[command.room] = PaperRoom(command)
                return Done()
            case CloseRoom():
                del self.rooms[command.room]
                return Done()
        assert not isinstance(command, CheckNetwork | CallCommand | RelayCommand | Ping)  # those are of no room
        return self._obey(self.rooms[command.room], command)

    def _obey(self, room: PaperRoom, command: AnyCommand) -> AnyReply:
        life = room.life
        match command:
            case AddLeg():
                if command.offer == BAD_OFFER:
                    raise Invalid("no offer")
                if command.leg not in room.admitted:
                    room.admitted[command.leg] = command.admitted
                    life.add(command.leg)
                return Answered(answer=f"answer to {command.offer}")
            case AdmitLeg() | HoldLeg() | RemoveLeg() if command.leg not in room.admitted:
                raise NotFound("no such leg")
            case RestartIce():
                return Answered(answer=f"restarted by {command.offer}")
            case AdmitLeg():
                room.admitted[command.leg] = True
                life.happened(command.leg, LegEvent.ADMITTED)
            case HoldLeg():
                (room.held.add if command.held else room.held.discard)(command.leg)
                life.happened(command.leg, LegEvent.HELD if command.held else LegEvent.RESUMED)
            case RemoveLeg():
                life.happened(command.leg, LegEvent.ENDED, command.cause)
        return Done()

    def connect(self, leg: LegId) -> None:
        """The leg's media comes up."""
        room = next(room for room in self.rooms.values() if leg in room.admitted)
        for event in (LegEvent.CONNECTED, LegEvent.RETURNED):
            room.life.happened(leg, event)
        if room.admitted[leg]:
            room.life.happened(leg, LegEvent.ADMITTED)
        if leg in room.held:
            room.life.happened(leg, LegEvent.HELD)

    def lose(self, leg: LegId) -> None:
        """The leg's network is gone."""
        for room in self.rooms.values():
            room.life.happened(leg, LegEvent.LOST, Cause.NETWORK)

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            for name, room in self.rooms.items():
                self._tick(name, room)

    def _tick(self, name: RoomId, room: PaperRoom) -> None:
        room.number += 1
        plan = room.life.tick(room.number, 1_700_000_000_000 + room.number * 20)
        for record in plan.records:
            room.notices[record.notice] = record
            self._owner.listener.on_event(self, NoticeChanged(room=name, record=record))
        for leg, state, cause in plan.changes:
            if state is LegState.GONE:
                del room.admitted[leg]
                room.held.discard(leg)
            self._owner.listener.on_event(self, LegChanged(room=name, leg=leg, state=state, cause=cause))
        for notice, recipients in plan.finished:
            for leg in recipients:
                room.life.reported(leg, notice, received=True)


class PaperWorkers:
    """Implements `mcu.conference.workers.Workers`. A worker that dies is followed by another at once, unless `none`."""

    listener: WorkersListener

    def __init__(self) -> None:
        self.workers: list[PaperWorker] = []
        self.none = False

    @property
    def now(self) -> PaperWorker:
        return self.workers[-1]

    def subscribe(self, listener: WorkersListener) -> None:
        self.listener = listener

    async def pick(self, wait_s: float = 0.0) -> PaperWorker:
        if self.none:
            raise Unavailable("none lives")
        if not self.workers or not self.now.alive:
            self.workers.append(PaperWorker(f"w{len(self.workers)}", self))
        return self.now

    def kill(self) -> None:
        self.now.alive = False
        self.listener.on_death(self.now)

    def notices(self) -> Sequence[NoticeRecord]:
        return [record for room in self.now.rooms.values() for record in room.notices.values()]
