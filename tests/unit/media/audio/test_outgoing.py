"""What all rooms of a worker send in one tick, and what each is given of what was said."""

import numpy as np
from paper_plane import PaperPlane, PaperTalker

from mcu.clock import SystemClock
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.seams import TICK_SAMPLES


def test_the_rows_of_more_rooms_than_were_thought_of_all_arrive() -> None:
    plane = PaperPlane()
    out = Outgoing(plane, SystemClock())
    legs: dict[int, int] = {}
    for room in range(5):
        sounds = [plane.add_sound(True) for _ in range(40)]
        for at, row in enumerate(out.rows(sounds)):
            leg = plane.leg()
            row[:] = legs[leg] = 1000 * room + at
            out.route(leg, sounds[at])
    out.send(1)
    assert len(legs) == 200
    assert {leg: {*plane.legs[leg][0].samples.tolist()} for leg in legs} == {leg: {says} for leg, says in legs.items()}


def test_what_is_taken_back_is_not_sent_and_the_next_tick_begins_empty() -> None:
    plane = PaperPlane()
    out, leg = Outgoing(plane, SystemClock()), plane.leg()
    kept, withdrawn = plane.add_sound(True), plane.add_sound(True)
    out.rows([kept])[:] = 1
    mark = out.mark()
    out.rows([withdrawn])[:] = 2
    out.route(leg, withdrawn)
    out.back_to(mark)
    out.send(1)
    out.send(2)
    assert plane.mixed == [[kept], []]
    assert plane.routes[leg] == 0


def test_sums_are_limited_once() -> None:
    plane = PaperPlane()
    out, leg, sound = Outgoing(plane, SystemClock()), plane.leg(), plane.add_sound(True)
    out.rows([sound])[0, :3] = [70_000, -70_000, 5]
    out.route(leg, sound)
    out.send(1)
    assert plane.legs[leg][0].samples[:3].tolist() == [32_767, -32_768, 5]


def test_each_room_is_given_its_own_talkers_with_their_rows() -> None:
    talkers = [PaperTalker(room, leg, 20) for room, leg in ((3, 1), (3, 2), (7, 5), (9, 4))]
    samples = np.repeat(np.arange(4, dtype=np.int16), TICK_SAMPLES).reshape(4, TICK_SAMPLES)
    rooms = Said(talkers, samples).by_room()
    legs = {room: [talker.leg for talker in said.talkers] for room, said in rooms.items()}
    assert legs == {3: [1, 2], 7: [5], 9: [4]}
    assert {room: said.samples[:, 0].tolist() for room, said in rooms.items()} == {3: [0, 1], 7: [2], 9: [3]}
    assert Said([], samples[:0]).by_room() == {}
