"""Nobody enters or leaves unnoticed: the gate of a room, and every notice that is played in it (policy 5.3).

Owns the state of each leg, which notices play to whom in which tick, and what became of them. It has no clock, no
socket and no task: a tick's number comes in, a plan goes out, and both mixers do what the plan says. It takes no
setting, role or flag by which a notice could be left out (S5.3-3); how long the sounds are is all that it is told.

Whoever enters does so in a batch, one batch at a time: those already inside and the batch's own members hear its
sounds whole, and in the next tick all its members are inside. Since nobody else can enter meanwhile, everyone who is in
the room at that moment was told (S5.3-1). Who is let in while a batch plays shares the next one (S5.3-5).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mcu.ids import LegId, NoticeId
from mcu.media.life import LegEvent, LegState, after
from mcu.media.messages import Cause, NoticeKind, NoticeRecord, Outcome
from mcu.media.seams import Cue

COALESCE_TICKS = 2  # leaves this close share a notice; with the tick of the event itself 60 ms of the 100 (S5.3-2)
REPORT_TICKS = 500  # 10 s: two RTCP intervals of a receiver (RFC 3550 6.2: 5 s at the least rate)

_AWAY = (LegState.HELD, LegState.RECONNECTING, LegState.ANNOUNCING)


class TickPlan(NamedTuple):
    """What both mixers and the room do in one tick. It is the `Gate` of `seams.py`."""

    inside: frozenset[LegId]
    cues: Mapping[LegId, Sequence[Cue]]
    changes: list[tuple[LegId, LegState, Cause | None]]  # since the last tick, in order
    records: list[NoticeRecord]  # new or changed since the last tick
    finished: list[tuple[NoticeId, frozenset[LegId]]]  # the last piece is in this tick; these recipients got it whole


@dataclass(kw_only=True)
class _Seat:
    state: LegState
    number: int  # seats are taken in this order
    joined: bool = False  # its JOINED notice has started
    present: bool = False  # the last that the others were told is that it is here
    returning: bool = False  # back on a new connection, and not announced since
    restored: bool = False  # its former worker died, and it has not been back since
    lost_tick: int | None = None
    cause: Cause | None = None
    missed: Counter[NoticeKind] = field(default_factory=Counter)


@dataclass(kw_only=True)
class _Notice:
    id: NoticeId
    kind: NoticeKind
    legs: tuple[LegId, ...]
    cause: Cause | None
    wall_ms: int
    tick: int
    ticks: int  # how long its sound is
    hearers: set[LegId]
    missed: dict[NoticeKind, int]
    recipients: dict[LegId, Outcome] = field(default_factory=dict)
    sent: int = 0  # pieces

    @property
    def whole(self) -> bool:
        return self.sent >= self.ticks

    @property
    def settled(self) -> bool:
        return self.whole and Outcome.SENT not in self.recipients.values()

    def concerns(self, leg: LegId) -> bool:
        """Whether it tells `leg` anything: not if it is about that leg alone."""
        return self.kind is NoticeKind.MISSED or set(self.legs) != {leg}

    def record(self) -> NoticeRecord:
        return NoticeRecord(
            notice=self.id,
            kind=self.kind,
            legs=self.legs,
            cause=self.cause,
            wall_ms=self.wall_ms,
            tick=self.tick,
            missed=dict(self.missed),
            recipients=dict(self.recipients),
        )


class RoomLife:
    """The legs of one room from connecting to gone.

    `sound_ticks`: how long the sound of each kind of notice is. `resume_ticks`: how long a lost leg keeps its seat.
    """

    def __init__(
        self,
        *,
        sound_ticks: Mapping[NoticeKind, int],
        resume_ticks: int,
        new_notice_id: Callable[[], NoticeId],
    ) -> None:
        self._sound_ticks = dict(sound_ticks)
        self._resume_ticks = resume_ticks
        self._new_notice_id = new_notice_id
        self._seats: dict[LegId, _Seat] = {}
        self._taken = 0  # seats, ever
        self._where: dict[LegState, set[LegId]] = {state: set() for state in LegState}
        self._inside: frozenset[LegId] | None = frozenset()  # None: it has changed
        self._members: set[LegId] = set()  # of the batch that plays
        self._batch: list[_Notice] = []
        self._leaving: dict[LegId, Cause] = {}  # gone or lost, the others not told yet
        self._leave_tick: int | None = None  # when the first of them was seen
        self._notices: dict[NoticeId, _Notice] = {}  # playing, or waiting for RTCP
        self._changes: list[tuple[LegId, LegState, Cause | None]] = []
        self._dirty: dict[NoticeId, _Notice] = {}
        self._number = 0
        self._wall_ms = 0

    # -- what happens ------------------------------------------------------------------------------------------------

    def add(self, leg: LegId) -> None:
        """A new leg, CONNECTING. A leg that has a seat keeps it as it is."""
        if leg not in self._seats:
            self._take(leg, LegState.CONNECTING)
            self._changes.append((leg, LegState.CONNECTING, None))

    def restore(self, leg: LegId) -> None:
        """A seat that was in the room when its former worker died: RECONNECTING.

        No notice is played for it, as nobody is here to hear it. Whoever comes back is told, in its summary, how many
        are still away.
        """
        if leg not in self._seats:
            seat = self._take(leg, LegState.RECONNECTING)
            seat.joined, seat.restored, seat.cause = True, True, Cause.WORKER
            self._changes.append((leg, LegState.RECONNECTING, Cause.WORKER))

    def happened(self, leg: LegId, event: LegEvent, cause: Cause | None = None) -> None:
        """`event` befalls `leg`. An unknown leg, or an event that means nothing in its state, changes nothing.

        RETURNED is for when the new connection's keys are agreed, so that it can hear. ANNOUNCED comes from nowhere but
        this class: no caller can open the gate.
        """
        if event is not LegEvent.ANNOUNCED:
            self._move(leg, event, cause)

    def reported(self, leg: LegId, notice: NoticeId, received: bool) -> None:
        """RTCP shows that `leg` got all of `notice`, or did not. Only what was sent whole can be reported on."""
        found = self._notices.get(notice)
        if found is None or found.recipients.get(leg) is not Outcome.SENT:
            return
        if received:
            self._settle(found, leg, Outcome.RECEIVED)
        else:
            self._fail(found, leg, Outcome.NOT_RECEIVED)

    def state(self, leg: LegId) -> LegState:
        """Where a leg is. GONE also for one that was never here."""
        seat = self._seats.get(leg)
        return seat.state if seat else LegState.GONE

    @property
    def idle(self) -> bool:
        """Nobody has a seat, and all is told: until somebody comes, a tick would do nothing."""
        return not (self._seats or self._notices or self._leaving or self._changes or self._dirty)

    def _take(self, leg: LegId, state: LegState) -> _Seat:
        self._taken += 1
        self._seats[leg] = seat = _Seat(state=state, number=self._taken)
        self._where[state].add(leg)
        return seat

    def _put(self, leg: LegId, seat: _Seat, state: LegState) -> None:
        if LegState.IN_ROOM in (seat.state, state):
            self._inside = None
        self._where[seat.state].discard(leg)
        if state is not LegState.GONE:
            self._where[state].add(leg)
        seat.state = state

    def _move(self, leg: LegId, event: LegEvent, cause: Cause | None) -> None:
        seat = self._seats.get(leg)
        if seat is None or (state := after(seat.state, event)) is seat.state:
            return
        self._put(leg, seat, state)
        self._changes.append((leg, state, cause))
        if state is not LegState.IN_ROOM:
            self._members.discard(leg)
        if state in (LegState.HELD, LegState.RECONNECTING, LegState.GONE):
            self._stop_hearing(leg, reports_end=state is not LegState.HELD)
        if event is LegEvent.RETURNED:
            seat.returning = True
            self._leaving.pop(leg, None)
        elif state is LegState.RECONNECTING:
            self._lose(leg, seat, cause or Cause.NETWORK)
        elif state is LegState.GONE:
            self._end(leg, seat, cause or Cause.HANGUP)

    def _lose(self, leg: LegId, seat: _Seat, cause: Cause) -> None:
        seat.lost_tick, seat.cause = None, cause
        if seat.present:
            self._leaving[leg] = cause

    def _end(self, leg: LegId, seat: _Seat, cause: Cause) -> None:
        del self._seats[leg]
        if seat.present:
            self._leaving.setdefault(leg, cause)
        if seat.restored:
            for other in self._seats.values():
                other.missed[NoticeKind.LEFT] += other.restored

    def _stop_hearing(self, leg: LegId, *, reports_end: bool) -> None:
        """What is being sent does not arrive whole; what was sent on a lost connection will never be reported on."""
        for notice in self._notices.values():
            notice.hearers.discard(leg)
            outcome = notice.recipients.get(leg)
            if outcome is Outcome.PENDING:
                self._fail(notice, leg, Outcome.NOT_SENT)
            elif outcome is Outcome.SENT and reports_end:
                self._fail(notice, leg, Outcome.NOT_RECEIVED)

    # -- outcomes ----------------------------------------------------------------------------------------------------

    def _settle(self, notice: _Notice, leg: LegId, outcome: Outcome) -> None:
        notice.recipients[leg] = outcome
        self._dirty[notice.id] = notice

    def _fail(self, notice: _Notice, leg: LegId, outcome: Outcome) -> None:
        """The leg was not told: it is owed a summary (S5.3-6)."""
        self._settle(notice, leg, outcome)
        seat = self._seats.get(leg)
        if seat is None:
            return
        if notice.kind is NoticeKind.MISSED:
            seat.missed.update(notice.missed)
        else:
            seat.missed[notice.kind] += len(set(notice.legs) - {leg})

    # -- a tick ------------------------------------------------------------------------------------------------------

    def tick(self, number: int, wall_ms: int) -> TickPlan:
        """The plan of the next 20 ms. `number` grows; where it jumps (a late mixer), no piece of a sound is lost."""
        self._number, self._wall_ms = number, wall_ms
        self._expire()
        self._enter()
        self._start_batch()
        self._start_leaves()
        cues, finished = self._play()
        changes, self._changes = self._changes, []
        dirty, self._dirty = self._dirty, {}
        return TickPlan(
            inside=self._all_inside(),
            cues=cues,
            changes=changes,
            records=[notice.record() for notice in dirty.values()],
            finished=finished,
        )

    def _all_inside(self) -> frozenset[LegId]:
        """The same object for as long as nobody enters or leaves."""
        if self._inside is None:
            self._inside = frozenset(self._where[LegState.IN_ROOM])
        return self._inside

    def _in_state(self, *states: LegState) -> list[LegId]:
        """By seat. A tick in which nothing changes never asks for those who are in the room: they may be many."""
        found = [leg for state in states for leg in self._where[state]]
        return sorted(found, key=lambda leg: self._seats[leg].number) if len(found) > 1 else found

    def _expire(self) -> None:
        for leg in self._in_state(LegState.RECONNECTING):
            seat = self._seats[leg]
            if seat.lost_tick is None:
                seat.lost_tick = self._number
            elif self._number - seat.lost_tick >= self._resume_ticks:
                self._move(leg, LegEvent.ENDED, seat.cause)
        for notice in list(self._notices.values()):
            if notice.whole and self._number - notice.tick >= notice.ticks + REPORT_TICKS:
                for leg in [leg for leg, outcome in notice.recipients.items() if outcome is Outcome.SENT]:
                    self._fail(notice, leg, Outcome.NOT_RECEIVED)
            if notice.settled:
                del self._notices[notice.id]

    def _enter(self) -> None:
        """The tick after all sounds of the batch were sent whole."""
        if all(notice.whole for notice in self._batch):
            for leg in sorted(self._members):
                self._move(leg, LegEvent.ANNOUNCED, None)
            self._members.clear()
            self._batch.clear()

    def _start_batch(self) -> None:
        """Everyone who waits to enter, together. Without a sound to play they enter at once."""
        if self._batch or not self._where[LegState.ANNOUNCING]:
            return
        self._members = set(self._in_state(LegState.ANNOUNCING))
        entering: dict[NoticeKind, list[LegId]] = {NoticeKind.JOINED: [], NoticeKind.RECONNECTED: []}
        for leg in self._in_state(LegState.ANNOUNCING):
            seat = self._seats[leg]
            self._sum_up(leg, seat)
            if not seat.joined:
                entering[NoticeKind.JOINED].append(leg)
            elif seat.returning:
                entering[NoticeKind.RECONNECTED].append(leg)
            seat.joined = seat.present = True
            seat.returning = seat.restored = False
        hearers = self._members | set(self._in_state(LegState.IN_ROOM))
        for kind, legs in entering.items():
            if legs:
                self._batch.append(self._start(kind, legs, hearers))
        if not self._batch:
            self._enter()

    def _sum_up(self, leg: LegId, seat: _Seat) -> None:
        """A notice for one leg alone, about what it missed while it was away (S5.3-6)."""
        if seat.restored:
            seat.missed[NoticeKind.LEFT] += sum(
                other.restored and other.state is LegState.RECONNECTING for other in self._seats.values()
            )
        missed = {kind: count for kind, count in seat.missed.items() if count}
        seat.missed.clear()
        if missed:
            self._batch.append(self._start(NoticeKind.MISSED, [leg], {leg}, missed=missed))

    def _start_leaves(self) -> None:
        if not self._leaving:
            self._leave_tick = None
            return
        if self._leave_tick is None:
            self._leave_tick = self._number
        if self._number - self._leave_tick < COALESCE_TICKS:
            return
        hearers = self._members | set(self._in_state(LegState.IN_ROOM))
        for cause in dict.fromkeys(self._leaving.values()):
            legs = [leg for leg, why in self._leaving.items() if why is cause]
            self._start(NoticeKind.LEFT, legs, hearers, cause=cause)
        for leg in self._leaving.keys() & set(self._in_state(LegState.RECONNECTING)):
            self._seats[leg].present = False
        self._leaving.clear()
        self._leave_tick = None

    def _start(
        self,
        kind: NoticeKind,
        legs: Sequence[LegId],
        hearers: Iterable[LegId],
        *,
        cause: Cause | None = None,
        missed: Mapping[NoticeKind, int] | None = None,
    ) -> _Notice:
        notice = _Notice(
            id=self._new_notice_id(),
            kind=kind,
            legs=tuple(legs),
            cause=cause,
            wall_ms=self._wall_ms,
            tick=self._number,
            ticks=self._sound_ticks[kind],
            hearers=set(hearers),
            missed=dict(missed or {}),
        )
        self._notices[notice.id] = self._dirty[notice.id] = notice
        notice.recipients = {leg: Outcome.PENDING for leg in sorted(notice.hearers) if notice.concerns(leg)}
        if kind is not NoticeKind.MISSED:
            self._owe_absent(notice)
        return notice

    def _owe_absent(self, notice: _Notice) -> None:
        for leg in self._in_state(*_AWAY):
            if self._seats[leg].joined and leg not in notice.hearers and notice.concerns(leg):
                self._fail(notice, leg, Outcome.NOT_SENT)

    def _play(self) -> tuple[dict[LegId, Sequence[Cue]], list[tuple[NoticeId, frozenset[LegId]]]]:
        """The next piece of each sound. Two notices of one kind that start together are one sound."""
        cues: dict[LegId, Sequence[Cue]] = {}
        finished: list[tuple[NoticeId, frozenset[LegId]]] = []
        for notice in self._notices.values():
            if notice.whole:
                continue
            due = (Cue(notice.kind, notice.sent),)  # one object for all: as a rule it is the only one, and all share it
            for leg in notice.hearers:
                others = cues.get(leg, ())
                if due[0] not in others:
                    cues[leg] = (*others, *due) if others else due
            notice.sent += 1
            if notice.whole:
                finished.append((notice.id, self._sent_whole(notice)))
        return cues, finished

    def _sent_whole(self, notice: _Notice) -> frozenset[LegId]:
        whole = frozenset(leg for leg, outcome in notice.recipients.items() if outcome is Outcome.PENDING)
        for leg in whole:
            self._settle(notice, leg, Outcome.SENT)
        return whole
