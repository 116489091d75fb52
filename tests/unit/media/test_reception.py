"""The reception: what is said to a call, that nobody else hears it, and how it leaves (S5.3-1)."""

import asyncio
import threading
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hall import until
from paper_plane import PaperPlane
from sound import record

from mcu.clock import SystemClock
from mcu.errors import Conflict, NotAcceptable, NotFound, Unavailable
from mcu.ids import CallId
from mcu.media import cards
from mcu.media.audio.outgoing import NOTHING_SAID, Outgoing
from mcu.media.call_messages import CallKey, CallLost, CallTold, Card, LineKeys, OfferCall
from mcu.media.cards import Cards
from mcu.media.frames import AnyEvent
from mcu.media.messages import Cause, Source
from mcu.media.outside import OutsideListener
from mcu.media.prompts import Prompts, PromptsUnusable, check
from mcu.media.reception import Reception
from mcu.media.seams import (
    TICK_SAMPLES,
    CallTransport,
    EncodedPicture,
    FrameLimit,
    TransportListener,
    VideoCodec,
)
from mcu.media.transport.rtp import RtpTransports

ONE, TWO = CallId("call_1"), CallId("call_2")


class PaperTransport:
    """An `RtpTransport` without a network."""

    def __init__(self, handle: int, on_digit: Callable[[str], None]) -> None:
        self.handle, self.press = handle, on_digit
        self.listener: TransportListener | None = None
        self.on_gone: Callable[[Cause], None] = lambda _cause: None
        self.released = self.held = False
        self.changes = list[str]()
        self.codec: VideoCodec | None = None

    def takes(self, _source: Source) -> VideoCodec | None:
        return self.codec

    def limit(self, _source: Source) -> FrameLimit | None:
        return None

    def answer(self, offer: str, listener: TransportListener) -> str:
        if offer == "clear":
            raise NotAcceptable
        self.listener = listener
        listener.on_connected()
        return "an answer"

    def offer(self, said: str, codecs: Sequence[str], keys: Sequence[LineKeys], *, anew: bool) -> str:
        assert not anew
        return f"{said}, by other ports"

    def accept(self, answer: str, listener: TransportListener) -> None:
        self.answer(answer, listener)

    def change(self, offer: str) -> str:
        self.changes.append(offer)
        return "a change"

    def accept_change(self, answer: str) -> None:
        if not self.changes:
            raise Conflict

    def hold(self, held: bool) -> None:
        self.held = held

    def move(self, listener: TransportListener) -> None:
        self.listener = listener

    def release(self) -> None:
        self.released = True

    def lose(self) -> None:
        assert self.listener is not None
        self.on_gone(Cause.NETWORK)
        self.listener.on_lost(Cause.NETWORK)


class InARoom(OutsideListener):
    """Who is told of a call that has left for a room."""

    def on_connected(self) -> None: ...

    def on_lost(self, cause: Cause) -> None: ...


class Desk:
    """A reception at a plane on paper."""

    def __init__(self, prompts: Path, pool: Executor) -> None:
        self.sent = list[tuple[CallTransport, EncodedPicture]]()
        self.cards = Cards(lambda *sent: self.sent.append(sent), pool, SystemClock())
        self.plane, self.made, self.told = PaperPlane(), list[PaperTransport](), list[AnyEvent]()
        self.woken = self.number = 0
        self.reception = Reception(
            cast("RtpTransports", self),
            self.plane,
            Prompts([prompts]),
            self.cards,
            self.told.append,
            lambda _: self.wake(),
        )

    def new(self, *, ipv6: bool, encrypted: bool, by_dtls: bool, on_digit: Callable[[str], None]) -> PaperTransport:
        self.made.append(PaperTransport(self.plane.leg(), on_digit))
        return self.made[-1]

    def wake(self) -> None:
        self.woken += 1

    def call(self, call: CallId) -> PaperTransport:
        self.reception.answer(call, "an offer", encrypted=True)
        return self.made[-1]

    def tick(self) -> None:
        self.number += 1
        out = Outgoing(self.plane, SystemClock())
        self.plane.collect(self.number, 0)
        self.reception.tick(self.number, 0, NOTHING_SAID, out)
        out.send(self.number)

    def heard(self, transport: PaperTransport) -> list[int]:
        """The first sample of each tick."""
        return [int(sent.samples[0]) for sent in self.plane.legs[transport.handle]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    record(tmp_path / "sv" / "pin.wav", np.full(2 * TICK_SAMPLES, 1000, np.int16))
    with ThreadPoolExecutor(1) as pool:
        yield Desk(tmp_path, pool)


def seen(desk: Desk, transport: PaperTransport) -> list[EncodedPicture]:
    return [picture for to, picture in desk.sent if to is transport]


@pytest.mark.policy("S5.3-1")
async def test_a_call_with_picture_sees_its_card_until_it_is_in_a_room_and_what_many_see_is_made_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "EVERY_S", 0.05)
    one, two, blind = (desk.call(CallId(f"call_{number}")) for number in (1, 2, 3))
    one.codec = two.codec = "H264"
    for number in (1, 2, 3):
        desk.reception.show(CallId(f"call_{number}"), Card(title="Pinkod"))
    await until(lambda: len(seen(desk, one)) >= 3 and len(seen(desk, two)) >= 3)
    assert seen(desk, blind) == []
    first, second, third = seen(desk, one)[:3]
    assert [picture.key for picture in (first, second)] == [True, True]
    assert first.data != second.data  # of two in a row in H.264 the ids differ
    assert third.data is first.data
    assert {picture.data for picture in seen(desk, two)} == {first.data, second.data}
    assert first.timestamp < second.timestamp < third.timestamp
    desk.reception.show(TWO, Card(title="Pinkod", typed="●"))
    await until(lambda: seen(desk, two)[-1].data not in (first.data, second.data))
    desk.reception.seat(ONE, InARoom())
    desk.reception.end(TWO)
    desk.reception.show(ONE, Card(title="Du väntar på att släppas in."))
    waits = len(seen(desk, one))
    await until(lambda: len(seen(desk, one)) >= waits + 3)
    assert seen(desk, one)[-1].data not in (first.data, second.data)
    desk.reception.let_in(ONE)
    desk.reception.show(ONE, Card(title="Pinkod"))  # too late
    gone = len(desk.sent)
    await asyncio.sleep(0.2)
    assert len(desk.sent) == gone
    desk.reception.close()


async def test_who_is_lost_outside_a_room_sees_nothing_any_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "EVERY_S", 0.05)
    transport = desk.call(ONE)
    transport.codec = "VP8"
    desk.reception.show(ONE, Card(title="Pinkod"))
    desk.reception.seat(ONE, InARoom())
    await until(lambda: len(seen(desk, transport)) >= 2)
    transport.lose()
    gone = len(desk.sent)
    await asyncio.sleep(0.2)
    assert len(desk.sent) == gone
    desk.reception.close()


async def test_who_needs_a_whole_picture_gets_the_card_again_but_not_more_than_twice_a_second(desk: Desk) -> None:
    transport = desk.call(ONE)
    transport.codec = "VP8"
    desk.reception.show(ONE, Card(title="Pinkod"))
    await until(lambda: len(seen(desk, transport)) == 1)
    assert transport.listener is not None
    for _ in range(20):
        transport.listener.on_key_request(Source.CAMERA)
    await asyncio.sleep(0.2)
    assert len(seen(desk, transport)) == 1
    await until(lambda: len(seen(desk, transport)) == 2)
    transport.listener.on_bandwidth(0)  # it asks for no pictures
    transport.listener.on_key_request(Source.CAMERA)
    await asyncio.sleep(0.6)
    assert len(seen(desk, transport)) == 2
    desk.reception.close()


async def test_who_comes_back_from_a_room_is_told_why(desk: Desk) -> None:
    transport = desk.call(ONE)
    desk.tick()
    desk.reception.seat(ONE, transport.listener)  # type: ignore[arg-type]
    desk.reception.take_back(ONE)
    desk.reception.say(ONE, ["pin"], "sv")
    assert transport.listener is not None
    transport.listener.on_connected()
    desk.tick()
    assert desk.heard(transport) == [0, 1000]


@pytest.mark.policy("S5.3-1")
async def test_each_call_hears_its_own_prompt_and_no_other(desk: Desk) -> None:
    first, second = desk.call(ONE), desk.call(TWO)
    desk.reception.say(ONE, ["pin"], "sv")
    for _ in range(3):
        desk.tick()
    assert desk.heard(first) == [1000, 1000, 0]
    assert desk.heard(second) == [0, 0, 0]
    assert set(desk.plane.heard_in.values()) == {0}  # nobody is heard anywhere


async def test_what_was_said_is_told_when_its_pause_is_over_and_once(desk: Desk) -> None:
    desk.call(ONE)
    desk.reception.say(ONE, ["pin"], "sv")
    for _ in range(11):
        desk.tick()
    assert desk.told == []
    for _ in range(5):
        desk.tick()
    assert desk.told == [CallTold(call=ONE)]


async def test_nothing_to_say_ends_what_is_being_said(desk: Desk) -> None:
    phone = desk.call(ONE)
    desk.reception.say(ONE, ["pin"], "sv")
    desk.tick()
    desk.reception.say(ONE, [], "sv")
    desk.tick()
    assert desk.heard(phone) == [1000, 0]
    assert desk.told == []


async def test_a_key_is_told_also_after_the_call_has_left_for_a_room(desk: Desk) -> None:
    phone = desk.call(ONE)
    phone.press("4")
    desk.reception.seat(ONE, cast("TransportListener", object()))
    phone.press("2")
    assert desk.told == [CallKey(call=ONE, key="4"), CallKey(call=ONE, key="2")]
    assert desk.reception.idle
    assert not phone.released
    with pytest.raises(NotFound):
        desk.reception.say(ONE, ["pin"], "sv")


async def test_a_call_that_is_refused_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(NotAcceptable):
        desk.reception.answer(ONE, "clear", encrypted=True)
    assert desk.made[0].released
    assert desk.reception.idle
    assert desk.plane.sounds == set()


async def test_a_call_comes_from_another_worker_with_what_was_said_there(desk: Desk) -> None:
    assert (
        desk.reception.offer(OfferCall(call=ONE, said="what was said", encrypted=True))
        == "what was said, by other ports"
    )
    desk.reception.accept(ONE, "their answer")
    assert not desk.reception.idle
    with pytest.raises(Conflict):
        desk.reception.accept(ONE, "again")
    with pytest.raises(NotFound):
        desk.reception.accept(TWO, "their answer")


async def test_one_call_is_here_once(desk: Desk) -> None:
    desk.call(ONE)
    with pytest.raises(Unavailable):
        desk.reception.answer(ONE, "an offer", encrypted=True)


async def test_a_call_that_is_lost_is_told_and_gone(desk: Desk) -> None:
    phone = desk.call(ONE)
    phone.lose()
    assert desk.told == [CallLost(call=ONE, cause=Cause.NETWORK)]
    assert desk.plane.sounds == set()


async def test_a_call_in_a_room_is_changed_held_and_missed_as_one_in_the_reception(desk: Desk) -> None:
    phone = desk.call(ONE)
    desk.reception.seat(ONE, InARoom())
    assert desk.reception.change(ONE, "another offer") == "a change"
    desk.reception.accept(ONE, "their answer to a change")
    assert desk.reception.held(ONE) is False
    desk.reception.hold(ONE, held=True)
    assert desk.reception.held(ONE) is True
    phone.lose()
    assert desk.told == [CallLost(call=ONE, cause=Cause.NETWORK)]
    with pytest.raises(NotFound):
        desk.reception.change(TWO, "another offer")


async def test_the_end_of_the_worker_ends_every_call(desk: Desk) -> None:
    desk.call(ONE)
    desk.reception.offer(OfferCall(call=TWO, said="said", encrypted=True))
    desk.reception.end(CallId("call_3"))
    desk.reception.close()
    assert [transport.released for transport in desk.made] == [True, True]


async def test_a_recording_is_read_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path / "sv" / "help.wav", np.full(22_050, 9, np.int16), rate=22_050)
    readers = list[threading.Thread]()

    def opened(path: str) -> wave.Wave_read:
        readers.append(threading.current_thread())
        return wave.Wave_read(path)

    monkeypatch.setattr("mcu.media.prompts.wave.open", opened)
    prompts = Prompts([tmp_path])
    for _ in range(2):
        await prompts.read(["help", "help"], "sv")
        assert len(prompts.samples(["help", "help"], "sv")) >= 2 * 48_000
    assert len(readers) == 1
    assert readers[0] is not threading.current_thread()
    with pytest.raises(NotFound):
        await prompts.read(["unheard-of"], "sv")


def test_an_organisations_recording_goes_before_the_operators_and_is_heard_by_no_others_callers(tmp_path: Path) -> None:
    for folder, loud in (("norr", 700), ("own", 500)):
        record(tmp_path / folder / "sv" / "pin.wav", np.full(960, loud, np.int16))
    record(tmp_path / "own" / "sv" / "wrong.wav", np.full(960, 9, np.int16))
    prompts = Prompts([tmp_path / "own"], {"norr": tmp_path / "norr"})
    assert [prompts.samples(["pin"], "sv", voice)[0] for voice in ("norr", "syd", "", "norr")] == [700, 500, 500, 700]
    assert prompts.samples(["wrong"], "sv", "norr")[0] == 9


def test_an_operators_recording_goes_before_the_built_one_whatever_its_rate(tmp_path: Path) -> None:
    own, built = tmp_path / "own", tmp_path / "built"
    record(own / "sv" / "pin.wav", np.full(800, 500, np.int16), rate=8000)
    record(built / "sv" / "pin.wav", np.full(960, 9, np.int16))
    record(built / "sv" / "wrong.wav", np.full(960, 9, np.int16))
    prompts = Prompts([own, built])
    assert (prompts.samples(["pin"], "sv")[:4800] == 500).all()
    assert prompts.samples(["wrong"], "sv")[0] == 9
    assert len(prompts.samples(["pin", "wrong"], "sv")) % TICK_SAMPLES == 0
    with pytest.raises(NotFound):
        prompts.samples(["pin"], "en")


@pytest.mark.parametrize(
    "content",
    [b"", b"ID3 of another kind", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x06\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0"],
)
def test_a_recording_that_cannot_be_played_is_named_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sv" / "pin.wav"
    record(path, np.full(800, 500, np.int16), rate=8000)
    check([tmp_path])
    path.write_bytes(content)
    with pytest.raises(PromptsUnusable, match=r"pin\.wav .*convert it"):
        check([tmp_path])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    with pytest.raises(PromptsUnusable, match=r"pin\.wav has 8 bits"):
        check([tmp_path])
    with pytest.raises(PromptsUnusable, match="no folder"):
        check([tmp_path / "none"])


def test_a_prompt_that_was_not_built_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sv.txt").write_text("welcome|Hej.\n")
    monkeypatch.setattr("mcu.media.prompts.BUILT", tmp_path)
    with pytest.raises(PromptsUnusable, match=r"welcome\.wav is missing: run scripts/prompts"):
        check([])


def test_what_many_are_told_is_there_once(tmp_path: Path) -> None:
    record(tmp_path / "sv" / "welcome.wav", np.full(960, 9, np.int16))
    prompts = Prompts([tmp_path])
    one, other = (prompts.samples(["welcome"], "sv") for _ in range(2))
    assert one is other
    assert not one.flags.writeable
