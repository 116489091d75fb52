"""A worker's room: what becomes of legs when connections come, fail and take over. The transport is a scripted one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from mcu import errors
from mcu.clock import SystemClock
from mcu.ids import LegId, RoomId
from mcu.media import room as room_module
from mcu.media.life import LegState
from mcu.media.messages import (
    AbsentLeg,
    AddLeg,
    AnyEvent,
    Cause,
    HoldLeg,
    LegChanged,
    LegMedia,
    MuteLeg,
    NoticeChanged,
    NoticeKind,
    RoomProfile,
    Source,
)
from mcu.media.room import SOUND_TICKS, Room
from mcu.media.seams import EncodedPicture, Transport, TransportListener

A, B = LegId("leg_a"), LegId("leg_b")
ENTERING = max(SOUND_TICKS.values()) + 3  # ticks in which a leg is announced and enters


class ScriptedTransport:
    """Says what it is told to say, and remembers what it was given."""

    video_codec = None

    def __init__(self, listener: TransportListener) -> None:
        self.listener = listener
        self.works = True
        self.sent: list[bytes] = []
        self.closed = False

    def send_audio(self, payload: bytes, *, level: int) -> int | None:
        if not self.works:
            return None
        self.sent.append(payload)
        return len(self.sent)

    def skip_audio(self) -> None: ...

    def send_picture(self, picture: EncodedPicture) -> None: ...

    def request_key(self, source: Source) -> None: ...

    def limit_bitrate(self, source: Source, bits_per_second: int) -> None: ...

    def stats(self, leg: LegId) -> LegMedia:
        return LegMedia(leg=leg, rtt_ms=None, srtp_profile="", receiving=[], sending=[], dropped={})

    async def close(self) -> None:
        self.closed = True


class ScriptedTransports:
    def __init__(self) -> None:
        self.made: list[ScriptedTransport] = []
        self.before_answer = asyncio.Event()
        self.before_answer.set()

    async def answer(self, offer: str, listener: TransportListener) -> tuple[Transport, str]:
        await self.before_answer.wait()
        if offer == "rubbish":
            raise errors.Invalid("not an offer")
        self.made.append(ScriptedTransport(listener))
        return self.made[-1], "answer"

    def dropped(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> None: ...


class Stage:
    """A room with its transports, and what it said."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.events: list[AnyEvent] = []
        self.transports = ScriptedTransports()
        self.room = Room(
            RoomId("room_1"),
            RoomProfile(resume_window_s=1.0),
            transports=self.transports,
            pool=pool,
            emit=self.events.append,
            clock=SystemClock(),
        )

    async def join(self, leg: LegId, *, muted: bool = False) -> ScriptedTransport:
        """Offer, connect, be announced and enter."""
        transport = await self.offer(leg, muted=muted)
        transport.listener.on_connected()
        self.ticks(ENTERING)
        return transport

    async def offer(self, leg: LegId, *, muted: bool = False) -> ScriptedTransport:
        await self.room.add_leg(
            AddLeg(room=RoomId("room_1"), leg=leg, offer="offer", label=leg, admitted=True, muted=muted)
        )
        return self.transports.made[-1]

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.room.tick()

    def states(self, leg: LegId) -> list[LegState]:
        return [event.state for event in self.events if isinstance(event, LegChanged) and event.leg == leg]

    def notices(self, kind: NoticeKind) -> list[NoticeChanged]:
        return [event for event in self.events if isinstance(event, NoticeChanged) and event.record.kind is kind]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    with ThreadPoolExecutor(1) as pool:
        stage = Stage(pool)
        yield stage
        await stage.room.close()


async def test_a_leg_is_announced_before_it_is_in_the_room(stage: Stage) -> None:
    await stage.join(A)
    assert stage.states(A) == [LegState.CONNECTING, LegState.WAITING, LegState.ANNOUNCING, LegState.IN_ROOM]


async def test_an_offer_that_is_of_no_use_makes_no_seat(stage: Stage) -> None:
    with pytest.raises(errors.Invalid):
        await stage.room.add_leg(AddLeg(room=RoomId("room_1"), leg=A, offer="rubbish", label="a"))
    stage.ticks(2)
    assert stage.room.size == 0
    assert stage.events == []


@pytest.mark.policy("S5.3-1")
async def test_a_leg_to_which_a_piece_of_a_notice_could_not_be_sent_is_not_in_the_room_any_more(stage: Stage) -> None:
    first = await stage.join(A)
    second = await stage.offer(B)
    second.listener.on_connected()
    stage.ticks(3)
    first.works = False
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert stage.states(B)[-1] is LegState.IN_ROOM


@pytest.mark.policy("S5.3-1")
async def test_nobody_enters_by_a_sound_that_a_defect_kept_from_being_mixed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.join(A)
    newcomer = await stage.offer(B)
    newcomer.listener.on_connected()
    stage.ticks(1)

    def defect(*_: object) -> None:
        raise ValueError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(room_module.AudioMixer, "mix", defect)
        with pytest.raises(ValueError, match="a defect"):
            stage.room.tick()
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert LegState.IN_ROOM not in stage.states(B)


@pytest.mark.policy("S5.3-8")
async def test_a_new_connection_takes_the_seat_when_it_is_up_and_is_announced_as_reconnected(stage: Stage) -> None:
    old = await stage.join(A)
    await stage.join(B)
    new = await stage.offer(A)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM
    assert not old.closed
    new.listener.on_connected()
    await asyncio.sleep(0)
    stage.ticks(ENTERING)
    assert old.closed
    assert stage.states(A)[-3:] == [LegState.RECONNECTING, LegState.ANNOUNCING, LegState.IN_ROOM]
    assert B in stage.notices(NoticeKind.RECONNECTED)[0].record.recipients
    assert not stage.notices(NoticeKind.LEFT)


async def test_a_connection_that_was_replaced_says_nothing_any_more(stage: Stage) -> None:
    old = await stage.join(A)
    new = await stage.offer(A)
    new.listener.on_connected()
    stage.ticks(ENTERING)
    old.listener.on_lost(Cause.NETWORK)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM


async def test_a_take_over_that_fails_leaves_the_seat_as_it_was(stage: Stage) -> None:
    await stage.join(A)
    new = await stage.offer(A)
    new.listener.on_lost(Cause.FAILED)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM


async def test_a_seat_given_up_while_its_offer_is_answered_is_a_new_seat(stage: Stage) -> None:
    first = await stage.join(A)
    first.listener.on_lost(Cause.NETWORK)
    stage.transports.before_answer.clear()
    offering = asyncio.create_task(stage.offer(A))
    await asyncio.sleep(0)
    stage.ticks(60)
    assert stage.states(A)[-1] is LegState.GONE
    stage.transports.before_answer.set()
    (await offering).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.IN_ROOM
    assert stage.room.size == 1


async def test_whoever_is_muted_or_comes_back_muted_is_not_heard(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    muted: list[frozenset[LegId]] = []
    mix = room_module.AudioMixer.mix

    def spy(mixer: room_module.AudioMixer, *arguments: object) -> object:
        muted.append(arguments[2])  # type: ignore[arg-type]
        return mix(mixer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(room_module.AudioMixer, "mix", spy)
    await stage.join(A)
    assert muted[-1] == frozenset()
    (await stage.offer(A, muted=True)).listener.on_connected()
    stage.ticks(1)
    assert muted[-1] == {A}
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=False))
    stage.ticks(1)
    assert muted[-1] == frozenset()


@pytest.mark.policy("S5.3-6")
async def test_a_leg_on_hold_that_loses_its_connection_comes_back_on_hold(stage: Stage) -> None:
    await stage.join(A)
    await stage.join(B)
    stage.room.obey(HoldLeg(room=RoomId("room_1"), leg=A, held=True))
    (await stage.offer(A)).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.HELD


async def test_seats_of_a_dead_worker_are_kept_with_their_mute_and_hold(stage: Stage) -> None:
    stage.room.restore(AbsentLeg(leg=A, label="a", muted=True, held=True))
    stage.ticks(1)
    assert stage.states(A) == [LegState.RECONNECTING]
    (await stage.offer(A)).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.HELD


async def test_the_end_of_the_room_ends_every_leg_and_closes_its_connection(stage: Stage) -> None:
    transport = await stage.join(A)
    await stage.room.close()
    assert stage.states(A)[-1] is LegState.GONE
    assert transport.closed


async def test_a_command_for_a_leg_that_is_not_here_is_refused(stage: Stage) -> None:
    with pytest.raises(errors.NotFound):
        stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=True))
