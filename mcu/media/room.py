"""One room in a worker: joins each leg's transport to the announcing, the audio mixer and the picture mixer.

It decides nothing about who may hear or be heard: `RoomLife` does, and both mixers are given its word in every tick.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mcu import errors
from mcu.ids import LegId, NoticeId, RoomId, new_id
from mcu.media import cost
from mcu.media.announce import RoomLife, TickPlan
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.audio.sounds import SOUNDS
from mcu.media.audio.speaker import SpeakerDetector
from mcu.media.frames import AnyCommand
from mcu.media.leg import START_BITRATE, Connection, Leg
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import (
    AbsentLeg,
    AddLeg,
    AdmitLeg,
    CameraLeg,
    Cause,
    CostChanged,
    HoldLeg,
    LegChanged,
    LegMedia,
    LegTold,
    MuteLeg,
    NetworkChanged,
    NoticeChanged,
    NoticeKind,
    Personal,
    PersonalLeg,
    RemoveLeg,
    RestartIce,
    RoomProfile,
    SayToLeg,
    SetLegLayout,
    SetRoomLayout,
    Source,
    SpeakersChanged,
    Spotlight,
)
from mcu.media.outlets import Outlets, Owner
from mcu.media.picture.mixer import RoomPictures
from mcu.media.picture.pools import Pools
from mcu.media.prompts import Prompts
from mcu.media.receipts import Receipts
from mcu.media.seams import (
    TICK_MS,
    TICK_SAMPLES,
    Calls,
    EncodedPicture,
    SoundPlane,
    Transport,
    TransportFactory,
)
from mcu.media.words import Words

SOUND_TICKS = {kind: len(sound) // TICK_SAMPLES for kind, sound in SOUNDS.items()}
SPEAKERS_EVERY = 10  # ticks between reports of who speaks
SENT_AWAY = (Cause.REMOVED, Cause.ENDED)  # by others: whoever is on a telephone hears why
TOLD_KEPT = 8  # ticks with notices that are remembered: what became of one is known before the next begins


@dataclass(frozen=True)
class _Finished:
    """A notice whose last piece is in this tick, for one connection."""

    notice: NoticeId
    kind: NoticeKind
    connection: Connection


class RoomOwner(Owner, Protocol):
    """What a room asks of its worker."""

    def wake(self, room: "Room") -> None:
        """The room has ticks to do."""


class Room:
    """The legs of one room. All methods are called on the event loop."""

    def __init__(
        self,
        room: RoomId,
        profile: RoomProfile,
        *,
        transports: TransportFactory,
        calls: Calls,
        plane: SoundPlane,
        pools: Pools,
        owner: RoomOwner,
    ) -> None:
        self.turn = asyncio.Lock()  # held by the command that is being carried out
        self._room = room
        self._profile = profile
        self._transports = transports
        self._calls = calls
        self._plane = plane
        self._owner = owner
        self._legs: dict[LegId, Leg] = {}
        self._life = RoomLife(
            sound_ticks=SOUND_TICKS,
            resume_ticks=int(profile.resume_window_s * 1000 / TICK_MS),
            new_notice_id=lambda: NoticeId(new_id("ntc")),
        )
        self._receipts = Receipts()
        self._inside: frozenset[LegId] = frozenset()
        self._given = 0  # views of their own that are not in what the pictures cost yet
        self.cores = self._told_cores = 0.0  # what it costs, by the model of `cost`, when that was looked at last
        self._muted: frozenset[LegId] = frozenset()
        self._told = deque[tuple[int, frozenset[LegId]]](maxlen=TOLD_KEPT)  # ticks with notices, and who was to hear
        self._finished: list[_Finished] = []  # in the last tick
        self._mixer = AudioMixer(plane, profile.loudest)
        self._words = Words(lambda leg: owner.emit(LegTold(room=room, leg=leg)))
        self._speakers = SpeakerDetector()
        self._heard_from: tuple[LegId | None, list[LegId]] = (None, [])
        self._pictures = RoomPictures(profile, pools, Outlets(room, profile, self, transports, owner))
        self._painting = asyncio.create_task(self._pictures.run())
        self._closing: set[asyncio.Task[None]] = set()

    # -- commands ---------------------------------------------------------------------------------------------------

    async def add_leg(self, command: AddLeg) -> str:
        """Answer a leg's offer, or seat a call. Raises `errors.Invalid` for an offer that is of no use, and
        `errors.NotFound` for a call that is gone; nothing has changed then."""
        seat = self._legs.get(command.leg)
        leg = seat or self._new_seat(command)
        connection = Connection(leg, self)
        connection.transport, answer = await self._transport(command, connection)
        if self._legs.get(leg.leg) is not leg:  # new, or its seat was given up meanwhile
            self._legs[leg.leg] = leg
            self._life.add(leg.leg)
            self._owner.wake(self)
        leg.muted = leg.muted or command.muted
        self._note_muted()
        self._replace_taking_over(leg, connection)
        if connection.up:  # it was quicker than we
            self.connected(connection)
        return answer

    async def _transport(self, command: AddLeg, connection: Connection) -> tuple[Transport, str]:
        if command.call is None:
            return await self._transports.answer(command.offer, connection)
        connection.call = command.call
        return self._calls.seat(command.call, connection), ""

    async def restart_ice(self, command: RestartIce) -> str:
        """Answer an offer for the connection that the leg has. Raises `errors.Conflict` where it has none."""
        connection = self._leg(command.leg).connection
        if connection is None:
            raise errors.Conflict("the leg has no connection at the moment")
        return await connection.transport.restart(command.offer)

    def restore(self, seat: AbsentLeg) -> None:
        """A seat of a worker that died."""
        self._legs[seat.leg] = Leg(
            leg=seat.leg,
            label=seat.label,
            language=seat.language,
            muted=seat.muted,
            held=seat.held,
            admitted=True,
        )
        self._note_muted()
        self._life.restore(seat.leg)
        self._owner.wake(self)

    def obey(self, command: AnyCommand) -> None:
        """Carry out a command that is done at once. Raises `errors.NotFound` for a leg that is not here."""
        match command:
            case SetRoomLayout():
                self._pictures.set_layout(command.layout)
                return
            case Spotlight():
                self._pictures.set_spotlight(command.leg)
                return
        leg = self._leg(getattr(command, "leg", None))
        match command:
            case AdmitLeg():
                leg.admitted = True
                self._life.happened(leg.leg, LegEvent.ADMITTED)
            case RemoveLeg():
                self._life.happened(leg.leg, LegEvent.ENDED, command.cause)
            case HoldLeg():
                leg.held = command.held
                self._life.happened(leg.leg, LegEvent.HELD if command.held else LegEvent.RESUMED)
            case MuteLeg():
                leg.muted = command.muted
                self._note_muted()
            case CameraLeg():
                leg.camera, leg.screen = command.camera, command.screen
            case SetLegLayout():
                leg.layout = command.layout
            case PersonalLeg():
                leg.wants_own_view = command.personal
            case _:
                raise errors.Invalid(f"a room does not know {type(command).__name__}")
        self._show()

    async def say(self, command: SayToLeg, prompts: Prompts) -> None:
        """Raises `errors.NotFound`: no such leg, or no such prompt."""
        await prompts.read(command.prompts, self._leg(command.leg).language, command.voice)
        leg = self._leg(command.leg)  # it may have left meanwhile
        self._words.say(leg.leg, prompts.samples(command.prompts, leg.language, command.voice))

    def leg_media(self, leg_id: LegId) -> LegMedia:
        leg = self._leg(leg_id)
        if leg.connection is None:
            raise errors.Conflict("the leg has no connection at the moment")
        return leg.connection.transport.stats(leg_id)

    async def judge_networks(self) -> None:
        """Look at each leg's figures; tell of those whose network is another than it was. Between two, others run."""
        for leg in list(self._legs.values()):
            if leg.connection is not None:
                with contextlib.suppress(errors.Conflict):  # it has just ended
                    self._judge(leg, leg.connection)
            await asyncio.sleep(0)
        self._tell_cores()  # who is shown what hangs on their lines too

    def _judge(self, leg: Leg, connection: Connection) -> None:
        picture = self._pictures.trouble(leg.leg)
        if connection.quality.judge(connection.transport.traffic(), picture):
            verdict = connection.quality.verdict
            assert verdict is not None
            level, trouble = verdict
            self._owner.emit(NetworkChanged(room=self._room, leg=leg.leg, level=level, trouble=trouble))

    @property
    def size(self) -> int:
        return len(self._legs)

    @property
    def sound_room(self) -> int:
        """What the plane calls it."""
        return self._mixer.room

    @property
    def idle(self) -> bool:
        """Until somebody comes a tick would do nothing."""
        return not self._legs and self._life.idle

    def dropped(self) -> Mapping[str, int]:
        """What was dropped since the room opened, by reason. Its transports' are the worker's to count."""
        return self._pictures.dropped()

    @property
    def video_encodes(self) -> int:
        return self._pictures.encodes

    @property
    def frames_composed(self) -> int:
        return self._pictures.frames_composed

    async def close(self) -> None:
        """The meeting is over: every leg ends, and is told by its transport."""
        self._painting.cancel()
        for leg in list(self._legs.values()):
            self._owner.emit(LegChanged(room=self._room, leg=leg.leg, state=LegState.GONE, cause=Cause.ENDED))
            self._remove(leg, Cause.ENDED)
        self._mixer.close()
        await asyncio.gather(self._painting, *self._closing, return_exceptions=True)

    # -- the tick ---------------------------------------------------------------------------------------------------

    def tick(self, number: int, wall_ms: int, said: Said, out: Outgoing) -> None:
        """20 ms: say what is due, and mix. `number`: the worker's tick, `wall_ms`: Unix time. Nothing is sent yet.

        After an exception the legs that were to hear a piece of a notice in this tick are lost, and nothing of the room
        may be sent in it.
        """
        self._expect_receipts()
        plan = self._life.tick(number, wall_ms)
        self._follow(plan)
        if plan.cues:
            self._told.append((number, frozenset(plan.cues)))
        try:
            words = self._words.due(plan.cues)
            levels = self._mixer.mix(said, plan.inside, self._muted, plan.cues, words, out)
        except Exception:
            self.not_sent(number)
            raise
        kinds = {record.notice: record.kind for record in plan.records}
        self._finished += [
            _Finished(notice, kinds[notice], connection)
            for notice, recipients in plan.finished
            for leg_id in recipients
            if (connection := self.connection(leg_id)) is not None
        ]
        self._listen(number, levels)

    def not_sent(self, number: int) -> None:
        """What was mixed in this tick did not go out: whoever was to be told something was not (S5.3-1)."""
        self._mixer.start_over()
        for tick, legs in list(self._told):
            for connection in [self.connection(leg_id) for leg_id in legs if tick == number]:
                if connection is not None:
                    self.lost(connection, Cause.FAILED)

    def _follow(self, plan: TickPlan) -> None:
        for record in plan.records:
            self._owner.emit(NoticeChanged(room=self._room, record=record))
        if plan.inside is not self._inside:
            for leg_id in self._inside - plan.inside:
                self._speakers.forget(leg_id)
            for leg_id in plan.inside - self._inside:
                self._let_in(leg_id)
            self._inside = plan.inside
            self._show()
        for leg_id, state, cause in plan.changes:
            self._owner.emit(LegChanged(room=self._room, leg=leg_id, state=state, cause=cause))
            if state is LegState.GONE:
                self._remove(self._legs[leg_id], cause)

    def _expect_receipts(self) -> None:
        """Of notices whose last piece was in the last tick: it has been sent by now, and nothing since."""
        finished, self._finished = self._finished, []
        for notice in finished:
            leg = notice.connection.leg
            if leg.connection is notice.connection:
                with contextlib.suppress(LookupError):  # its transport has just ended, which we are about to hear
                    last = self._plane.sent_sequence(notice.connection.transport.handle)
                    self._receipts.sent(leg.leg, notice.notice, first=last - SOUND_TICKS[notice.kind] + 1, last=last)

    def _listen(self, number: int, levels: Mapping[LegId, int]) -> None:
        self._speakers.hear(levels)
        if number % SPEAKERS_EVERY:
            return
        heard_from = (self._speakers.active, sorted(self._speakers.speaking))
        if heard_from != self._heard_from:
            self._heard_from = heard_from
            self._pictures.set_speaker(heard_from[0])
            self._owner.emit(SpeakersChanged(room=self._room, active=heard_from[0], speaking=heard_from[1]))

    # -- what connections say (ConnectionOwner) ---------------------------------------------------------------------

    def connected(self, connection: Connection) -> None:
        leg = connection.leg
        if leg.taking_over is not connection:
            return
        leg.taking_over = None
        if leg.connection is not None:
            self._drop(leg.connection)
            self._receipts.forget(leg.leg)
            if self._life.state(leg.leg) is not LegState.WAITING:  # in the lobby a change of connection is nothing
                self._life.happened(leg.leg, LegEvent.LOST, Cause.NETWORK)
        leg.connection = connection
        leg.bits_per_second = START_BITRATE
        self._mixer.connect(leg.leg, connection.transport.handle)
        self._life.happened(leg.leg, LegEvent.CONNECTED)
        self._life.happened(leg.leg, LegEvent.RETURNED)
        if leg.admitted:
            self._life.happened(leg.leg, LegEvent.ADMITTED)
        if leg.held:
            self._life.happened(leg.leg, LegEvent.HELD)
        self._show()

    def renewed(self, connection: Connection) -> None:
        leg = connection.leg
        if leg.connection is connection:
            if not self._mixer.has(leg.leg, connection.transport.handle):
                self._mixer.connect(leg.leg, connection.transport.handle)
                self._receipts.forget(leg.leg)
            self._show()

    def lost(self, connection: Connection, cause: Cause) -> None:
        leg = connection.leg
        if leg.taking_over is connection:
            leg.taking_over = None
            if leg.connection is None:
                self._life.happened(leg.leg, LegEvent.LOST, cause)
        elif leg.connection is connection:
            leg.connection = None
            self._mixer.disconnect(leg.leg)
            self._life.happened(leg.leg, LegEvent.LOST, cause)
            self._receipts.forget(leg.leg)
            self._show()
        self._drop(connection)

    def picture(self, connection: Connection, source: Source, picture: EncodedPicture) -> None:
        leg = connection.leg
        if leg.connection is connection and self.is_inside(leg.leg):
            self._pictures.on_picture(leg.leg, source, picture)

    def key_requested(self, connection: Connection, source: Source) -> None:
        self._pictures.key_requested(connection.leg.leg, source)

    def bandwidth(self, connection: Connection, bits_per_second: int) -> None:
        connection.leg.bits_per_second = bits_per_second
        self._pictures.set_bandwidth(connection.leg.leg, bits_per_second)

    def audio_report(self, connection: Connection, highest_sequence: int, lost: int) -> None:
        leg = connection.leg
        if leg.connection is connection:
            for notice, received in self._receipts.reported(leg.leg, highest_sequence, lost):
                self._life.reported(leg.leg, notice, received=received)

    def unsent(self, connection: Connection, tick: int) -> None:
        leg = connection.leg
        if leg.connection is connection and any(tick == told and leg.leg in legs for told, legs in self._told):
            self.lost(connection, Cause.NETWORK)  # a piece of a notice: it does not hear the room any more (S5.3-1)

    # -- seats ------------------------------------------------------------------------------------------------------

    def _new_seat(self, command: AddLeg) -> Leg:
        return Leg(
            leg=command.leg,
            label=command.label,
            language=command.language,
            muted=command.muted,
            admitted=command.admitted,
        )

    def _leg(self, leg: LegId | None) -> Leg:
        if leg is None or leg not in self._legs:
            raise errors.NotFound("no such leg in this room")
        return self._legs[leg]

    def connection(self, leg: LegId) -> Connection | None:
        found = self._legs.get(leg)
        return found.connection if found is not None else None

    def is_inside(self, leg: LegId) -> bool:
        """In the room by the last tick's plan, and nothing has happened to it since."""
        return leg in self._inside and self._life.state(leg) is LegState.IN_ROOM

    def _note_muted(self) -> None:
        muted = frozenset(leg.leg for leg in self._legs.values() if leg.muted)
        if muted != self._muted:
            self._muted = muted

    def _show(self) -> None:
        """Tell the picture mixer who may be seen, and who looks."""
        inside = [leg for leg in self._legs.values() if self.is_inside(leg.leg)]
        self._pictures.set_seen([leg.seen() for leg in inside])
        self._weigh()
        viewers = [leg.viewer(self._personal) for leg in inside]
        self._pictures.set_viewers([viewer for viewer in viewers if viewer is not None])
        self._given = 0
        self._tell_cores()

    def _weigh(self) -> None:
        inside = sum(leg in self._inside for leg in self._legs)
        self.cores = cost.of_room(self._profile, inside, self._pictures.made)

    def _tell_cores(self) -> None:
        self._weigh()
        if self.cores != self._told_cores:
            self._told_cores = self.cores
            self._owner.emit(CostChanged(room=self._room, cores=self.cores))

    def _personal(self, leg: Leg) -> Personal:
        """A view of its own is kept once it is had; without room for one, it is asked for again with each change."""
        if not leg.wants_own_view:
            leg.has_own_view = False
            return Personal.SHARED
        if not leg.has_own_view and self._owner.fits((self._given + 1) * cost.of_view(self._profile)):
            leg.has_own_view = True
            self._given += 1
        return Personal.PERSONAL if leg.has_own_view else Personal.NO_ROOM

    def _let_in(self, leg_id: LegId) -> None:
        if (connection := self.connection(leg_id)) is not None and connection.call is not None:
            self._calls.let_in(connection.call)

    def _replace_taking_over(self, leg: Leg, connection: Connection) -> None:
        if leg.taking_over is not None:
            self._drop(leg.taking_over)
        leg.taking_over = connection

    def _remove(self, leg: Leg, cause: Cause | None) -> None:
        self._mixer.disconnect(leg.leg)
        for connection in (leg.connection, leg.taking_over):
            if connection is not None and connection.up and connection.call is not None and cause in SENT_AWAY:
                self._calls.take_back(connection.call)
            elif connection is not None:
                self._drop(connection)
        self._words.forget(leg.leg)
        self._speakers.forget(leg.leg)
        self._receipts.forget(leg.leg)
        del self._legs[leg.leg]
        self._note_muted()
        self._show()

    def _drop(self, connection: Connection) -> None:
        """Close a connection in the background."""
        task = asyncio.create_task(connection.transport.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
