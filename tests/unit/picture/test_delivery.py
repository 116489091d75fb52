"""Who gets which class by line and losses, with time as an argument."""

import pytest

from mcu.ids import LegId
from mcu.media.messages import Layout, NetworkTrouble
from mcu.media.picture.classes import ClassKey, ViewKey
from mcu.media.picture.delivery import ASIDE_CLASSES, ASIDE_S, LOSSY_CLASSES, Delivery, Wish
from mcu.media.picture.rates import ladder
from mcu.media.seams import VideoCodec

RATES = ladder(1280, 720)
GRID = ViewKey(Layout.GRID)
BEST = ClassKey(GRID, "H264", 0)


class Line:
    """Legs of one room whose reports the test writes, second after second."""

    def __init__(self, *legs: str, view: ViewKey = GRID) -> None:
        self.delivery = Delivery(RATES)
        self.now = 0.0
        self.loss: dict[str, float] = {}
        self.keys: list[ClassKey] = []  # that were asked for
        self.room = True  # for another encoder
        self.wishes = {LegId(leg): Wish(view, "H264", 2_500_000) for leg in legs}
        self._step()

    def wish(self, leg: str, bits: int = 2_500_000, codec: VideoCodec = "H264", view: ViewKey = GRID) -> None:
        self.wishes[LegId(leg)] = Wish(view, codec, bits)

    def seconds(self, count: int) -> None:
        for _ in range(count):
            self.now += 1
            self.delivery.tune(self.now, lambda leg: self.loss.get(leg, 0.0))
            self._step()

    def _step(self) -> None:
        self.delivery.wish(self.wishes, self.now)
        for key in self.delivery.settle(self.now, lambda: self.room):
            self.keys.append(key)
            self.delivery.subscriptions.key_frame(key)

    def of(self, leg: str) -> ClassKey | None:
        return self.delivery.subscriptions.of(LegId(leg))


def test_a_leg_that_loses_much_for_some_seconds_has_another_class_than_those_that_do_not() -> None:
    line = Line("a", "b", "c")
    line.loss = {"b": 0.12}
    line.seconds(3)
    assert line.of("b") == line.of("a")  # three seconds are not over yet
    line.seconds(1)
    assert line.of("b") == ClassKey(GRID, "H264", 0, lossy=True)
    assert line.of("a") == line.of("c") == ClassKey(GRID, "H264", 0)


def test_it_is_back_when_its_line_has_been_good_for_longer() -> None:
    line = Line("a", "b")
    line.loss = {"b": 0.12}
    line.seconds(5)
    line.loss = {"b": 0.05}  # better, but not good
    line.seconds(30)
    assert line.of("b") != line.of("a")
    line.loss = {}
    line.seconds(10)
    assert line.of("b") == ClassKey(GRID, "H264", 0, lossy=True)
    line.seconds(1)
    assert line.of("b") == BEST.beside


def test_a_loss_that_comes_and_goes_moves_nobody() -> None:
    line = Line("a")
    for second in range(20):
        line.loss = {"a": 0.3 * (second % 3 > 0)}
        line.seconds(1)
        assert line.of("a") == ClassKey(GRID, "H264", 0)


def test_legs_that_lose_much_share_one_class_at_the_rate_of_the_slowest() -> None:
    line = Line("a", "b", "c")
    line.wish("c", 500_000)
    line.loss = {"b": 0.1, "c": 0.1}
    line.seconds(6)
    assert line.of("b") == line.of("c") == ClassKey(GRID, "H264", 2, lossy=True)


def test_a_room_has_a_bounded_number_of_such_classes() -> None:
    line = Line()
    views = [ViewKey(layout) for layout in (Layout.GRID, Layout.SPEAKER, Layout.AUTO, Layout.SPEAKER_WITH_TILES)]
    for number, view in enumerate(views):
        line.wish(f"leg_{number}", view=view)
        line.loss[f"leg_{number}"] = 0.2
    line.seconds(6)
    lossy = [key for key in line.delivery.subscriptions.used() if key.lossy]
    assert len(lossy) == LOSSY_CLASSES < len(views)


def test_a_personal_view_needs_no_class_for_losses_as_nobody_shares_it() -> None:
    own = ViewKey(Layout.GRID, without=LegId("a"))
    line = Line("a", view=own)
    line.loss = {"a": 0.3}
    line.seconds(6)
    assert line.of("a") == ClassKey(own, "H264", 0)


def test_a_line_without_room_for_any_picture_gets_none_and_another_when_there_is_room() -> None:
    line = Line("a", "b")
    line.wish("b", 60_000)
    line.seconds(5)
    assert line.of("b") is None
    assert line.delivery.trouble(LegId("b")) is NetworkTrouble.STOPPED
    assert line.delivery.trouble(LegId("a")) is NetworkTrouble.NONE
    assert line.of("a") is not None
    line.wish("b", 300_000)
    line.seconds(5)
    assert line.of("b") == ClassKey(GRID, "H264", 2)
    assert line.delivery.trouble(LegId("b")) is NetworkTrouble.NARROW


@pytest.mark.parametrize("bits", [2_500_000, 500_000])
def test_only_a_lowest_class_is_as_slow_as_its_slowest_leg_needs(bits: int) -> None:
    line = Line("a")
    line.wish("a", bits)
    line.seconds(6)
    key = line.of("a")
    assert key is not None
    assert (line.delivery.limit(key) is None) == (bits == 2_500_000)


def narrowed_and_back(line: Line, leg: str) -> None:
    line.wish(leg, 500_000)
    line.seconds(5)
    line.wish(leg)
    line.seconds(5)


def test_whose_line_is_wide_again_costs_nobody_else_a_key_frame_and_comes_in_with_the_next() -> None:
    line = Line("a", "b", "c")
    line.keys.clear()
    narrowed_and_back(line, "c")
    assert line.of("c") == BEST.beside
    assert line.of("a") == line.of("b") == BEST
    assert BEST not in line.keys
    line.delivery.subscriptions.key_frame(BEST)
    line.seconds(1)
    assert line.of("c") == BEST
    assert BEST not in line.keys


def test_after_a_minute_an_encoder_is_worth_more_than_a_key_frame() -> None:
    line = Line("a", "b")
    narrowed_and_back(line, "b")
    line.keys.clear()
    line.seconds(int(ASIDE_S) - 5)
    assert (line.of("b"), line.keys) == (BEST.beside, [])
    line.seconds(5)
    assert (line.of("b"), line.keys) == (BEST, [BEST])


def test_a_line_that_becomes_narrow_costs_those_whose_lines_are_no_key_frame_either() -> None:
    line = Line("a", "b")
    line.wish("a", 500_000)
    line.seconds(5)
    line.keys.clear()
    line.wish("b", 500_000)
    line.seconds(5)
    lowest = ClassKey(GRID, "H264", 2)
    assert (line.of("a"), line.of("b"), line.keys) == (lowest, lowest.beside, [lowest.beside])


def test_who_was_without_a_picture_costs_those_who_have_one_no_key_frame() -> None:
    line = Line("a", "b")
    line.wish("a", 500_000)
    line.wish("b", 60_000)
    line.seconds(5)
    line.wish("b", 300_000)
    line.seconds(5)
    assert line.of("b") == ClassKey(GRID, "H264", 2, aside=True)


def test_who_comes_or_chooses_another_view_has_its_picture_at_once() -> None:
    line, other = Line("a"), ViewKey(Layout.SPEAKER)
    line.wish("b")
    line.wish("c", view=other)
    line.seconds(1)
    line.wish("c")
    line.seconds(1)
    assert line.of("a") == line.of("b") == line.of("c") == BEST


def test_whose_line_changes_while_it_is_aside_is_not_held_there_by_a_key_frame() -> None:
    line = Line("a", "b")
    narrowed_and_back(line, "b")
    line.wish("b", 500_000)
    line.delivery.wish(line.wishes, line.now)
    line.delivery.tune(line.now, lambda _leg: 0.0)
    lowest = ClassKey(GRID, "H264", 2)
    assert line.delivery.settle(line.now, lambda: True) == [lowest]
    line.delivery.subscriptions.key_frame(BEST)
    assert line.delivery.subscriptions.awaited_by(LegId("b")) == lowest


def test_a_worker_that_has_much_to_do_has_no_encoder_for_that() -> None:
    line = Line("a", "b", "c")
    narrowed_and_back(line, "c")
    line.room = False
    narrowed_and_back(line, "b")
    assert (line.of("b"), line.of("c")) == (BEST.beside, BEST.beside)  # where there is one, it is shared
    line.delivery.subscriptions.key_frame(BEST)
    narrowed_and_back(line, "c")
    assert line.of("b") == line.of("c") == BEST


def test_a_room_has_a_bounded_number_of_classes_aside() -> None:
    views = [ViewKey(layout) for layout in (Layout.GRID, Layout.SPEAKER, Layout.AUTO)]
    line = Line()
    for number, view in enumerate(views):
        line.wish(f"stays_{number}", view=view)
        line.wish(f"moves_{number}", 500_000, view=view)
    line.seconds(1)
    for number, view in enumerate(views):
        line.wish(f"moves_{number}", view=view)
    line.seconds(5)
    moved = [line.of(f"moves_{number}") for number in range(len(views))]
    assert [key is not None and key.aside for key in moved] == [True, True, False]
    assert len(views) == ASIDE_CLASSES + 1
