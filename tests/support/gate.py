"""A room's gate, driven tick by tick, and a witness who sees only what comes out of it."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

from mcu.ids import LegId, NoticeId
from mcu.media.announce import RoomLife, TickPlan
from mcu.media.life import TRANSITIONS, LegEvent, LegState
from mcu.media.messages import Cause, NoticeKind, NoticeRecord

J, L, R, M = NoticeKind.JOINED, NoticeKind.LEFT, NoticeKind.RECONNECTED, NoticeKind.MISSED
SOUND_TICKS = {J: 5, L: 3, R: 4, M: 6}
LEAVE_WITHIN = 5  # ticks of 20 ms: the 100 ms of S5.3-2


class Stage:
    """A RoomLife with its clock in hand."""

    def __init__(self, sound_ticks: dict[NoticeKind, int] = SOUND_TICKS, resume_ticks: int = 100) -> None:
        names = itertools.count(1)
        self.life = RoomLife(
            sound_ticks=sound_ticks,
            resume_ticks=resume_ticks,
            new_notice_id=lambda: NoticeId(f"ntc_{next(names)}"),
        )
        self.number = 0
        self.plans: list[TickPlan] = []
        self.records: dict[NoticeId, NoticeRecord] = {}

    def tick(self, count: int = 1) -> TickPlan:
        for _ in range(count):
            self.number += 1
            plan = self.life.tick(self.number, 1_000_000 + 20 * self.number)
            self.plans.append(plan)
            self.records.update({record.notice: record for record in plan.records})
        return self.plans[-1]

    def until_quiet(self) -> TickPlan:
        """Until nothing has been heard or has changed for as long as a leave may wait."""
        quiet = 0
        while quiet < LEAVE_WITHIN:
            plan = self.tick()
            quiet = 0 if plan.cues or plan.changes else quiet + 1
        return self.plans[-1]

    def all_received(self) -> None:
        """RTCP reports of everybody on everything."""
        for record in self.records.values():
            for leg in record.recipients:
                self.life.reported(leg, record.notice, received=True)

    def admit(self, *legs: str) -> None:
        for leg in map(LegId, legs):
            self.life.add(leg)
            self.life.happened(leg, LegEvent.CONNECTED)
            self.life.happened(leg, LegEvent.ADMITTED)

    def enter(self, *legs: str) -> None:
        self.admit(*legs)
        self.until_quiet()

    def happens(self, event: LegEvent, *legs: str, cause: Cause | None = None) -> None:
        for leg in map(LegId, legs):
            self.life.happened(leg, event, cause)

    def of_kind(self, kind: NoticeKind) -> list[NoticeRecord]:
        return [record for record in self.records.values() if record.kind is kind]

    def heard(self, leg: str) -> list[list[tuple[NoticeKind, int]]]:
        """What `leg` heard, tick by tick."""
        return [[(cue.kind, cue.offset) for cue in plan.cues.get(LegId(leg), ())] for plan in self.plans]


class Witness:
    """Holds a gate to S5.3 by its outputs alone: who was inside, which pieces went to whom, what was recorded.

    It is told the same events as the gate, and keeps its own books of them. A notice is known by its kind and the tick
    in which it started.
    """

    def __init__(self) -> None:
        self.now = 0
        self.states: dict[LegId, LegState] = {}
        self.inside: frozenset[LegId] = frozenset()
        self.running: dict[LegId, set[tuple[NoticeKind, int]]] = defaultdict(set)
        self.whole: dict[LegId, set[tuple[NoticeKind, int]]] = defaultdict(set)
        self.records: dict[NoticeId, NoticeRecord] = {}
        self.started: dict[NoticeId, int] = {}
        self.let_in: dict[LegId, int] = {}  # the latest admission or return
        self.came_in: dict[LegId, int] = {}  # the latest entry
        self.waits: dict[LegId, int] = {}
        self.believed: set[LegId] = set()  # whom the others were last told are here
        self.due: dict[LegId, int] = {}  # leaves that nobody has been told of yet
        self.owed: dict[LegId, set[NoticeId]] = defaultdict(set)  # what a leg missed since it first came in
        self.summed: dict[NoticeId, set[NoticeId]] = {}  # what a summary is about

    def event(self, leg: LegId, event: LegEvent) -> None:
        """Call it before the gate is told."""
        before = self.states.get(leg, LegState.CONNECTING)
        state = TRANSITIONS[before].get(event, before)
        if state is before:
            return
        self.states[leg] = state
        if state is LegState.ANNOUNCING:
            self.waits[leg] = self.now
            if event is not LegEvent.RESUMED:
                self.let_in[leg] = self.now
        if event is LegEvent.RETURNED:
            self.due.pop(leg, None)
        elif state in (LegState.RECONNECTING, LegState.GONE) and leg in self.believed:
            self.due.setdefault(leg, self.now)

    @classmethod
    def of_new_worker(cls, seats: Iterable[LegId]) -> "Witness":
        """Of a room opened again: whoever had a seat was in the room before, and nobody is inside."""
        witness = cls()
        for leg in seats:
            witness.states[leg] = LegState.RECONNECTING
            witness.came_in[leg] = 0
        return witness

    def see(self, plan: TickPlan) -> None:
        self.now += 1
        for leg, state, _ in plan.changes:  # only these two may the gate decide by itself
            if (self.states[leg], state) in _OWN_MOVES:
                self.states[leg] = state
        new = [record for record in plan.records if record.notice not in self.records]
        self.records.update({record.notice: record for record in plan.records})
        self.started.update({record.notice: self.now for record in new})
        entering = plan.inside - self.inside
        told = {leg: set(self.whole[leg]) for leg in self.states}  # before this tick
        self._listen(plan)
        self._tally()  # who was away between two ticks missed what plays now: a summary that begins now is about it too
        for record in new:
            self._begins(record, plan)
        self._tally()
        for leg in entering:
            self._enters(leg, plan.inside, told)
        self.inside = plan.inside
        self._nobody_waits_for_long()
        assert {leg for leg, state in self.states.items() if state is LegState.IN_ROOM} == plan.inside

    def _listen(self, plan: TickPlan) -> None:
        for leg, cues in plan.cues.items():
            assert self.states[leg] in (LegState.IN_ROOM, LegState.ANNOUNCING), f"{leg} hears, and is not here"
            assert len(set(cues)) == len(cues)
        for leg in self.states:
            pieces = {(cue.kind, self.now - cue.offset) for cue in plan.cues.get(leg, ())}
            for kind, start in pieces:
                assert start == self.now or (kind, start) in self.running[leg], "a sound that starts in its middle"
            self.whole[leg] |= {piece for piece in pieces if self.now == self._last_tick(*piece)}
            self.running[leg] = pieces

    @staticmethod
    def _last_tick(kind: NoticeKind, start: int) -> int:
        return start + SOUND_TICKS[kind] - 1

    def _key(self, notice: NoticeId) -> tuple[NoticeKind, int]:
        return self.records[notice].kind, self.started[notice]

    def _begins(self, record: NoticeRecord, plan: TickPlan) -> None:
        if record.kind is M:
            (leg,) = record.legs
            missed: Counter[NoticeKind] = Counter()
            for notice in self.owed[leg]:
                missed[self.records[notice].kind] += len(set(self.records[notice].legs) - {leg})
            assert all(record.missed.get(kind, 0) >= count for kind, count in missed.items())
            self.summed[record.notice], self.owed[leg] = self.owed[leg], set()
        elif record.kind is L:
            self.believed -= set(record.legs)
            for leg in record.legs:
                self.due.pop(leg, None)
            assert all((L, self.now) in self.running[leg] for leg in plan.inside), "somebody does not hear who left"
        else:
            self.believed |= set(record.legs)

    def _tally(self) -> None:
        """Who did not hear what is on, or was on until now, is owed it."""
        for notice, record in self.records.items():
            if self.now > self._last_tick(*self._key(notice)):
                continue
            for leg in self.came_in:
                hears = self._key(notice) in self.running[leg]
                if hears or not self._concerns(record, leg):
                    continue
                if record.kind is M:
                    self.owed[leg] |= self.summed[notice]
                elif not any(notice in self.summed[m] for m in self.summed if self.records[m].legs == (leg,)):
                    self.owed[leg].add(notice)

    @staticmethod
    def _concerns(record: NoticeRecord, leg: LegId) -> bool:
        return (record.legs == (leg,)) == (record.kind is M)

    def _enters(self, leg: LegId, inside: frozenset[LegId], told: dict[LegId, set[tuple[NoticeKind, int]]]) -> None:
        about = [n for n, r in self.records.items() if leg in r.legs and r.kind in (J, R)]
        notice = max(about, key=self.started.__getitem__, default=None)
        assert notice is not None, f"{leg} enters, never announced"
        assert self.started[notice] > self.let_in[leg], f"{leg} enters without a notice of its own"
        for other in inside - {leg}:
            later = self.let_in[other] >= self.started[notice] or self.came_in.get(other, -1) > self.started[notice]
            summed_up = other in self.came_in  # then its own entry is what the books below are about
            enters_too = other not in self.inside
            heard = self._key(notice) in told[other]
            assert heard or later or (enters_too and summed_up), f"{other} was not told of {leg}"
        assert not self.owed[leg], f"{leg} missed something and was not told"
        self.came_in[leg] = self.now

    def _nobody_waits_for_long(self) -> None:
        for leg, since in self.due.items():
            assert self.now - since < LEAVE_WITHIN, f"{leg} left unnoticed"
        for leg, since in self.waits.items():
            if self.states[leg] is LegState.ANNOUNCING:
                assert self.now - since <= 2 * max(SOUND_TICKS.values()) + 2, f"{leg} waits too long"


_OWN_MOVES = {(LegState.ANNOUNCING, LegState.IN_ROOM), (LegState.RECONNECTING, LegState.GONE)}
