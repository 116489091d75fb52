"""Who is mixed: the C chooses, tick by tick, whom the plain twin chooses."""

import ctypes

from ear import native
from hypothesis import given
from hypothesis import strategies as st
from loudest import TALKS_FROM, Loudest

from mcu.ids import LegId


class Standing(ctypes.Structure):
    """`struct mcu_standing`."""

    _fields_ = [("level", ctypes.c_double), ("chosen", ctypes.c_bool)]


class Room:
    """The standings of a room's legs, by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._standings: dict[str, Standing] = {}

    def pick(self, levels: dict[str, int]) -> tuple[set[str], int]:
        """Who is chosen, and the bar."""
        self._standings = {leg: self._standings.get(leg) or Standing(127, False) for leg in levels}
        pointers = (ctypes.POINTER(Standing) * len(levels))(*map(ctypes.pointer, self._standings.values()))
        numbers = (ctypes.c_int * len(levels))(*levels.values())
        bar = native.mcu_loudest(pointers, numbers, ctypes.c_size_t(len(levels)), ctypes.c_size_t(self._most))
        return {leg for leg, standing in self._standings.items() if standing.chosen}, bar


legs = st.sampled_from("abcdefgh")
ticks = st.lists(st.dictionaries(legs, st.integers(0, 127)), max_size=60)


@given(st.integers(1, 5), ticks)
def test_whom_the_twin_chooses_is_chosen(most: int, levels: list[dict[str, int]]) -> None:
    room, twin = Room(most), Loudest(most)
    for tick in levels:
        said = {LegId(leg): level for leg, level in tick.items()}
        assert room.pick(tick)[0] == set(twin.pick(said))


@given(st.integers(1, 5), ticks, st.integers(0, 127))
def test_a_newcomer_is_chosen_if_it_is_louder_than_the_bar_was(
    most: int, levels: list[dict[str, int]], level: int
) -> None:
    room, again = Room(most), Room(most)
    for tick in levels:
        room.pick(tick)
        again.pick(tick)
    last = levels[-1] if levels else {}
    bar = room.pick(last)[1]
    assert bar <= TALKS_FROM
    chosen, _ = again.pick({**last, "newcomer": level})
    assert ("newcomer" in chosen) == (level < bar)
