"""A press that comes by two ways."""

from mcu.signalling.sip.presses import SAME_S, Presses, Way


def told(*presses: tuple[float, Way, str]) -> str:
    found = Presses()
    return "".join(key for at, way, key in presses if found.is_new(way, key, at))


def test_a_press_by_two_ways_is_one_whichever_comes_first() -> None:
    assert told((0, "media", "5"), (0.2, "info", "5")) == "5"
    assert told((0, "info", "5"), (0.2, "media", "5")) == "5"


def test_the_same_key_twice_is_twice() -> None:
    assert told((0, "media", "5"), (0.2, "media", "5")) == "55"
    assert told((0, "media", "5"), (0.1, "info", "5"), (0.3, "media", "5"), (0.4, "info", "5")) == "55"
    assert told((0, "media", "5"), (0.1, "media", "5"), (0.3, "info", "5"), (0.4, "info", "5")) == "55"


def test_the_ways_may_be_several_keys_apart() -> None:
    pressed = [(at / 4, "media", key) for at, key in enumerate("1233")]
    late = [(at / 4 + 1.1, "info", key) for at, key in enumerate("1233")]
    assert told(*sorted([*pressed, *late])) == "1233"  # type: ignore[arg-type]


def test_what_was_lost_by_one_way_came_by_the_other() -> None:
    assert (
        told((0, "media", "1"), (0.1, "info", "1"), (0.6, "info", "2"), (1, "media", "3"), (1.1, "info", "3")) == "123"
    )


def test_long_after_it_is_another_press() -> None:
    assert told((0, "media", "5"), (SAME_S + 0.1, "info", "5")) == "55"
