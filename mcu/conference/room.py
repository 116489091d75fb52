"""A meeting that runs: the one owner of its roster. Everybody else sends it work, and it does one thing at a time.

It has done what `policy.py` decides (`execution.py`), follows the worker's word on each leg's state, keeps what was
acknowledged (`keeper.py`) and tells people (`audience.py`). It touches no media and knows no wire format. When its
worker dies it opens itself again on another, with every seat kept, and asks the browsers to come back.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import msgspec
import structlog

from mcu.booking.meeting import Meeting
from mcu.booking.store import RoomRun, Store
from mcu.clock import Clock
from mcu.conference import policy
from mcu.conference.acts import Act, Admit, CallOut, End, HangUp, Remove, SetLocked, SetRoomLayout, SetRoomPersonal
from mcu.conference.audience import Audience
from mcu.conference.ending import Ending
from mcu.conference.execution import Executor, Sent, replied
from mcu.conference.invitations import Dialler, Invitations
from mcu.conference.keeper import Keeper
from mcu.conference.leg_news import LegNews
from mcu.conference.link import Link
from mcu.conference.mailbox import Mailbox
from mcu.conference.reopening import Reopening
from mcu.conference.roster import Called, Line, Person, Roster, Seat, Stage
from mcu.conference.tickets import SeatGone, Tickets
from mcu.conference.updates import GoneCause, Seated, Watcher
from mcu.conference.workers import Worker, Workers, answered
from mcu.errors import McuError, NotFound, Unavailable
from mcu.ids import CallId, LegId, RoomId
from mcu.media import messages as media
from mcu.media.frames import AnyEvent, AnyReply
from mcu.media.life import LegState
from mcu.media.messages import Cause, Layout

log = structlog.get_logger(__name__)

TICK_S = 0.5

GONE: dict[Cause | None, GoneCause] = {Cause.REMOVED: "removed", Cause.ENDED: "ended", Cause.HANGUP: "left"}


@dataclass(frozen=True, kw_only=True)
class RoomSettings:
    """How rooms are run. `profile` is that of every room but for its layout and language."""

    profile: media.RoomProfile = field(default_factory=media.RoomProfile)
    empty_grace_s: float = 60.0  # an empty room stays open: somebody's browser may be starting again
    dialler: Callable[[], Dialler | None] = lambda: None  # who calls people into them


class Room:
    """One run of a meeting."""

    def __init__(
        self,
        run: RoomRun,
        meeting: Meeting,
        *,
        store: Store,
        workers: Workers,
        clock: Clock,
        settings: RoomSettings,
        dropped: Callable[[str], None],
    ) -> None:
        self.meeting = meeting
        self._clock = clock
        self._settings = settings
        self.cores = 0.0  # that it costs, as its worker says
        self._restored = False
        self._roster = Roster(layout=Layout(run.layout), locked=run.locked, personal=meeting.personal)
        self._invitations = Invitations(self._roster, settings.dialler, self)
        self._tickets = Tickets()
        self._audience = Audience(self._roster)
        self._keeper = Keeper(store, run, dropped)
        self._link = Link(workers, run.id)
        self._mailbox = Mailbox(dropped)
        self._leg_news = LegNews()
        self._executor = Executor(
            run.id, self._roster, self._link, self._audience, clock=clock, on_missing=self._missing
        )
        self._ending = Ending(settings.empty_grace_s, clock.monotonic())
        self._finished = False
        self._reopening = Reopening(
            run.id,
            self._roster,
            self._link,
            profile=lambda: self.profile,
            clock=clock,
            given_up=lambda: self._mailbox.tell("given_up", self._give_up),
        )
        self.closed = asyncio.Event()

    # -- what may be read at any time -------------------------------------------------------------------------------

    @property
    def id(self) -> RoomId:
        return self._keeper.run.id

    @property
    def ended(self) -> bool:
        """It takes nobody any more; `closed` is set once that is written."""
        return self._finished

    @property
    def run_row(self) -> RoomRun:
        return self._keeper.run

    @property
    def spotlight(self) -> LegId | None:
        return self._roster.spotlight

    @property
    def ends_at(self) -> datetime | None:
        return self._ending.at(self.meeting)

    @property
    def worker(self) -> Worker | None:
        return self._link.worker

    def lines(self) -> list[Line]:
        return self._roster.lines()

    def called(self) -> list[Called]:
        """Who are called into it, and what came of it, oldest first."""
        return list(self._roster.called.values())

    def line(self, leg: LegId) -> Line:
        """Raises `NotFound`."""
        return self._roster.line(leg)

    def seat(self, leg: LegId) -> Seat | None:
        return self._roster.get(leg)

    def name_of(self, leg: LegId) -> str | None:
        """Also of one who has left, while the room runs."""
        return self._audience.name_of(leg)

    # -- what is asked of it ----------------------------------------------------------------------------------------

    async def reserve(self, person: Person) -> LegId:
        """A ticket for a seat. One who came by a personal link gets the seat that he or she has already.

        Raises as `policy.door` does.
        """
        return await self._mailbox.ask(partial(self._reserve, person))

    async def sit(
        self, leg: LegId, offer: str, *, muted: bool, elsewhere: bool, person: Person | None = None
    ) -> tuple[str, int]:
        """Take the seat, new or again, with an SDP offer: the answer, and the how manieth it is for this seat.

        `elsewhere`: it is another browser than the one that sits there. `person`: who it is by its reconnect token, for
        a room that was opened again by another process than gave the ticket.

        Raises `SeatGone` without a ticket, as `policy.door` does, `Invalid` for an offer of no use, and `Unavailable`
        when the room closes meanwhile.
        """
        sent, number = await self._mailbox.ask(partial(self._sit, leg, offer, muted, elsewhere, person))
        return answered(await replied(sent)).answer, number

    async def media_worker(self) -> Worker:
        """That which carries it, as soon as there is one. Raises `Unavailable`."""
        return await self._link.ready()

    async def seat_call(self, leg: LegId, call: CallId, *, unattended: bool = False, again: bool = False) -> None:
        """Seat a call in the worker's reception. `unattended`: a machine; `again`: its worker died. Raises as `sit`."""
        sent, _ = await self._mailbox.ask(partial(self._sit, leg, "", unattended, not again, None, call, unattended))
        await replied(sent)

    def call_came_to(self, call: CallId, stage: Stage, leg: LegId | None = None) -> None:
        """What a dialler has come to. Takes it without waiting."""
        self._mailbox.tell(("call", call), partial(self._invitations.changed, call, stage, leg))

    async def restart_ice(self, leg: LegId, offer: str) -> str:
        """The answer to an offer that restarts ICE. Nobody is told. Raises as `leg_media`, and `Invalid`."""
        return answered(await self._of_seat(media.RestartIce(room=self.id, leg=leg, offer=offer))).answer

    async def act(self, who: LegId | None, *acts: Act) -> None:
        """Do `acts` for the one who sits in `who`, or for the API (`None`). On return all are done, and kept.

        Raises as `policy.decide` does, if it refuses one; then none is done. To the API it raises `Unavailable` where
        what is done could not be kept. Who sits in the room is answered by what is: it is kept as soon as it can be.
        """
        sent = await self._mailbox.ask(partial(self._act, who, acts))
        if any(isinstance(act, End) for act in acts):
            await self.closed.wait()
            return
        if sent:
            await asyncio.wait(sent)
        if any(isinstance(act, SetLocked | SetRoomLayout) for act in acts):
            try:
                await self._keeper.keep()
            except Unavailable:
                if who is None:
                    raise

    async def attach(self, leg: LegId, watcher: Watcher) -> None:
        """`watcher` is told of this seat from now on. Raises `SeatGone` when nobody sits in it."""
        await self._mailbox.ask(partial(self._attach, leg, watcher))

    def detach(self, leg: LegId, watcher: Watcher) -> None:
        self._mailbox.tell(("detach", leg, id(watcher)), partial(self._audience.detach, leg, watcher))

    async def leg_media(self, leg: LegId) -> media.LegMedia:
        """Raises `NotFound`, `Conflict` (no connection now) or `Unavailable`."""
        reply = await self._of_seat(media.GetLegMedia(room=self.id, leg=leg))
        if not isinstance(reply, media.LegMediaReply):
            raise McuError("The media worker gave no figures.")
        return reply.media

    async def _of_seat(self, command: media.GetLegMedia | media.RestartIce) -> AnyReply:
        """What the worker replies about a seat that is taken."""
        if command.leg not in self._roster:
            raise NotFound("Nobody sits in that seat.")
        return await replied(self._link.send(command))

    def meeting_changed(self, meeting: Meeting) -> None:
        self._mailbox.tell("meeting", partial(self._meeting_changed, meeting))

    def on_event(self, event: AnyEvent) -> None:
        """From the worker. The newest about the same thing counts; of legs, what `LegNews` keeps."""
        match event:
            case media.LegChanged():
                self._leg_news.put(event)
                self._mailbox.tell(("leg", event.leg), partial(self._leg_news_came, event.leg))
            case media.NoticeChanged():
                self._mailbox.tell(("notice", event.record.notice), partial(self._notice_changed, event))
            case media.SpeakersChanged():
                self._mailbox.tell("speakers", partial(self._roster.heard, event.active, event.speaking))
            case media.LayoutChanged():
                for leg in event.viewers:
                    self._mailbox.tell(("layout", leg), partial(self._audience.picture, leg, event))
            case media.NetworkChanged():
                self._mailbox.tell(("network", event.leg), partial(self._audience.network, event.leg, event))
            case media.CostChanged():
                self.cores = event.cores
            case media.LegTold():
                self._mailbox.tell(("told", event.leg), partial(self._audience.told, event.leg))

    def on_death(self, worker: Worker) -> None:
        if self._link.worker is worker:
            self._link.lost()
            self._mailbox.tell("death", self._worker_died)

    # -- its own life -----------------------------------------------------------------------------------------------

    async def open(self, *, restored: bool) -> None:
        """Open it on a worker. `restored`: it ran already when the process was started. Raises `Unavailable`."""
        self._restored = restored
        self._invitations.begin(self.meeting, restored=restored)
        await self._link.open(self.profile)

    async def run(self) -> None:
        """The owner. Returns when the room has ended; cancelled, it closes without ending (we are being stopped)."""
        helpers = [asyncio.create_task(self._tick_forever()), asyncio.create_task(self._keeper.write())]
        try:
            while not self._finished:
                await self._mailbox.wait()
                self._turn()
        finally:
            helpers += self._reopening.tasks
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await self._close()

    def _turn(self) -> None:
        """One round of work. A defect in it is reported and does not end the meeting."""
        try:
            self._mailbox.do_all()
            for admit in policy.releases(self._roster, self.meeting):
                self._executor.do(admit)
            self._audience.refresh()
        except Exception:
            log.exception("room_turn_failed", room=self.id)

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._mailbox.tell("tick", self._tick)

    async def _close(self) -> None:
        self._mailbox.close()
        self._invitations.close()
        await self._link.close()
        if self._finished:
            for seat in list(self._roster):
                self._audience.release(seat.leg, "ended")
                self._roster.drop(seat.leg)
            self._keeper.run = replace(self._keeper.run, ended_at=self._clock.now())
        try:
            await self._keeper.keep()
            await self._keeper.flush()
        except Exception as error:  # the end is written again when the process starts
            log.error("room_end_not_stored", room=self.id, error=type(error).__name__)
        self.closed.set()

    # -- work, done by the owner ------------------------------------------------------------------------------------

    def _reserve(self, person: Person) -> LegId:
        leg = self._tickets.of(person)
        if leg is None or leg not in self._roster:
            policy.door(self._roster, self.meeting, person.role, self._clock.now())
            leg = self._tickets.give(person, leg, keep=[seat.leg for seat in self._roster])
        self._ending.wanted(self._clock.monotonic())
        return leg

    def _sit(
        self,
        leg: LegId,
        offer: str,
        muted: bool,
        elsewhere: bool,
        known_as: Person | None,
        call: CallId | None = None,
        unattended: bool = False,
    ) -> tuple[Sent, int]:
        if self._restored and known_as is not None and self._is_invited(known_as):
            self._tickets.show(leg, known_as, keep=[seat.leg for seat in self._roster])
        person = self._tickets.person(leg)
        seat = self._roster.get(leg)
        if seat is None:
            seat = self._new_seat(leg, person, camera="m=video" in offer)
        elif elsewhere:
            self._audience.release(leg, "replaced")
        seat.muted, seat.unattended = seat.muted or muted, seat.unattended or unattended
        seat.answering += 1
        seat.offers += 1
        sent = self._link.send(self._add_leg(seat, offer, call))
        sent.add_done_callback(lambda task: self._mailbox.tell(("sat", task), partial(self._sat, leg, task)))
        self._executor.say_again(seat)
        return sent, seat.offers

    def _is_invited(self, person: Person) -> bool:
        return person.participant is None or self.meeting.participant(person.participant) is not None

    def _new_seat(self, leg: LegId, person: Person, *, camera: bool) -> Seat:
        admitted = policy.door(self._roster, self.meeting, person.role, self._clock.now())
        seat = Seat(
            leg=leg,
            person=person,
            since=self._clock.monotonic(),
            admitted=admitted,
            camera=camera,
        )
        self._roster.add(seat)
        self._audience.name(seat)
        return seat

    def _add_leg(self, seat: Seat, offer: str, call: CallId | None) -> media.AddLeg:
        return media.AddLeg(
            room=self.id,
            leg=seat.leg,
            offer=offer,
            call=call,
            label=seat.person.name,
            language=seat.person.language,
            admitted=seat.admitted,
            muted=seat.muted,
        )

    def _sat(self, leg: LegId, task: Sent) -> None:
        """The worker has answered the offer, or has not: then a seat that never had an answer is given up."""
        seat = self._roster.get(leg)
        if seat is None:
            return
        seat.answering -= 1
        if not task.cancelled() and task.exception() is None:
            seat.answered = True
        elif not seat.answered and not seat.answering:
            self._roster.drop(leg)

    def _act(self, who: LegId | None, acts: Sequence[Act]) -> list[Sent]:
        sent: list[Sent] = []
        granted: list[Act] = []
        for act in acts:
            granted += policy.decide(self._roster, self.meeting, who, act, granted)
        for one in granted:
            if isinstance(one, End):
                self._finished = True
            elif isinstance(one, CallOut | HangUp):
                self._invitations.do(one, self.meeting, self._clock.now())
            else:
                sent += self._do(one)
        self._note_run()
        return sent

    def _do(self, act: Act) -> list[Sent]:
        if isinstance(act, Remove):
            self._tickets.take_back(act.leg)
        task = self._executor.do(act)
        return [] if task is None else [task]

    def _note_run(self) -> None:
        self._keeper.run = replace(self._keeper.run, locked=self._roster.locked, layout=self._roster.layout.value)

    def _attach(self, leg: LegId, watcher: Watcher) -> None:
        seat = self._roster.get(leg)
        if seat is None:
            raise SeatGone("Send an offer first.")
        seated = Seated(leg=leg, room=self.id, meeting=self.meeting.id, person=seat.person, title=self.meeting.title)
        self._audience.attach(seat, watcher, seated)

    def _tick(self) -> None:
        now, wall = self._clock.monotonic(), self._clock.now()
        for late in policy.overdue(self._roster, now):
            self._executor.do(late)
        self._invitations.tick(now)
        self._invitations.call_due(self.meeting, wall)
        if len(self._roster) or self._invitations.going:
            self._ending.wanted(now)
        self._audience.ends(self._ending.soon(self.meeting, wall))
        if self._ending.due(self.meeting, now, wall):
            self._finished = True

    def _meeting_changed(self, meeting: Meeting) -> None:
        """The booking's lock and layout are the room's at its opening; whoever changes them means the room, too."""
        former, self.meeting = self.meeting, meeting
        if meeting.access.locked != former.access.locked:
            self._executor.do(SetLocked(locked=meeting.access.locked))
        if meeting.layout != former.layout:
            self._executor.do(SetRoomLayout(layout=Layout(meeting.layout)))
        if meeting.personal != former.personal:
            self._executor.do(SetRoomPersonal(personal=meeting.personal))
        self._note_run()
        self._keeper.keep_soon()
        self._ending.changed(meeting, self._clock.now())

    # -- what the worker says ---------------------------------------------------------------------------------------

    def _leg_news_came(self, leg: LegId) -> None:
        for event in self._leg_news.take(leg):
            self._leg_changed(event)

    def _leg_changed(self, event: media.LegChanged) -> None:
        seat = self._roster.get(event.leg)
        if seat is None:
            if event.state is not LegState.GONE:  # no media without a seat on the roster (S5.3-4)
                self._link.send(media.RemoveLeg(room=self.id, leg=event.leg, cause=Cause.REMOVED))
            return
        if event.state is LegState.GONE:
            self._gone(seat, event.cause)
            return
        seat.state = event.state
        if event.state is LegState.IN_ROOM:
            seat.entered_at, seat.away = seat.entered_at or self._clock.now(), False
        elif event.state is LegState.RECONNECTING:
            seat.away |= event.cause is not Cause.WORKER  # then nobody was told that it had gone
        elif event.state is LegState.WAITING and seat.admitted:
            self._executor.do(Admit(leg=seat.leg))

    def _gone(self, seat: Seat, cause: Cause | None) -> None:
        if seat.answering:  # it is coming back at this very moment, into a fresh seat at the worker
            seat.begin_anew(self._clock.monotonic())
            return
        self._tickets.update(seat.leg, seat.person)
        self._roster.drop(seat.leg)
        self._audience.forget(seat.leg)
        self._audience.release(seat.leg, GONE.get(cause, "timeout"))

    def _missing(self, leg: LegId, cause: Cause) -> None:
        """The worker does not have a leg that was to go."""
        gone = media.LegChanged(room=self.id, leg=leg, state=LegState.GONE, cause=cause)
        self._mailbox.tell(("missing", leg), partial(self._leg_changed, gone))

    def _notice_changed(self, event: media.NoticeChanged) -> None:
        self._keeper.notice(event.record)
        self._audience.notice(event.record)

    # -- when the worker dies ---------------------------------------------------------------------------------------

    def _worker_died(self) -> None:
        """Every seat is kept. Who was inside is absent until its browser is back; the others begin anew."""
        for seat in self._roster:
            if seat.entered:
                seat.state = LegState.RECONNECTING
            else:
                seat.begin_anew(self._clock.monotonic())
        self._roster.speaking = frozenset()
        self._audience.reconnect()
        log.warning("room_lost_its_worker", room=self.id, legs=len(self._roster))
        self._reopening.begin()

    def _give_up(self) -> None:
        self._finished = True

    @property
    def profile(self) -> media.RoomProfile:
        """How it is mixed."""
        base = self._settings.profile
        return msgspec.structs.replace(base, layout=self._roster.layout, language=self.meeting.language)
