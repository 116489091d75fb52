"""Numbers of a stream that a client counts on."""

from hypothesis import given
from hypothesis import strategies as st

from mcu.demo.taps import Unwrap


@given(st.integers(0, 1 << 40), st.lists(st.integers(-2000, 30000), max_size=50))
def test_numbers_that_wrap_are_counted_on(start: int, steps: list[int]) -> None:
    unwrap, highest = Unwrap(16), start
    offset = unwrap(start & 0xFFFF) - start
    for step in steps:
        value = highest + step
        assert unwrap(value & 0xFFFF) == value + offset
        highest = max(highest, value)


def test_a_number_overtaken_by_the_first_is_not_negative() -> None:
    unwrap = Unwrap(16)
    assert unwrap(0) - unwrap(65535) == 1
    assert unwrap(65000) > 0
