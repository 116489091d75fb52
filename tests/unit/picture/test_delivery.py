"""Who gets which class by line and losses, with time as an argument."""

import pytest

from mcu.ids import LegId
from mcu.media.messages import Layout, NetworkTrouble
from mcu.media.picture.classes import ClassKey, ViewKey
from mcu.media.picture.delivery import LOSSY_CLASSES, Delivery, Wish
from mcu.media.picture.rates import ladder
from mcu.media.seams import VideoCodec

RATES = ladder(1280, 720)
GRID = ViewKey(Layout.GRID)


class Line:
    """Legs of one room whose reports the test writes, second after second."""

    def __init__(self, *legs: str, view: ViewKey = GRID) -> None:
        self.delivery = Delivery(RATES)
        self.now = 0.0
        self.loss: dict[str, float] = {}
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
        for key in self.delivery.settle():
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
    assert line.of("b") != line.of("a")
    line.seconds(1)
    assert line.of("b") == line.of("a")


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
