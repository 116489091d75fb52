"""How a leg's network is judged: thresholds, both ways, and that it does not flicker."""

from typing import Any, Literal

import pytest

from mcu.ids import LegId
from mcu.media.messages import LegMedia, LineStats, NetworkLevel, NetworkTrouble, StreamStats
from mcu.media.quality import BETTER_AFTER, FINE, WORSE_AFTER, Quality, Verdict

PACKETS = 100  # of each way, between two judgements


def line(bits_per_second: int, state: Literal["steady", "silent"] = "steady") -> LineStats:
    return LineStats(bits_per_second=bits_per_second, pictures_bps=0, loss_percent=0.0, rtt_ms=30.0, state=state)


class Leg:
    """Its figures as they grow, and what is thought of them."""

    def __init__(self) -> None:
        self.quality = Quality()
        self._packets, self._lost_in, self._lost_out, self._made_up = 0, 0, 0, 0
        self.told: list[Verdict | None] = []
        self.look()

    def look(
        self,
        times: int = 1,
        *,
        packets: int = PACKETS,
        lost_in: int = 0,
        lost_out: int = 0,
        made_up_ms: int = 0,
        picture: NetworkTrouble = NetworkTrouble.NONE,
        **connection: Any,  # rtt_ms, line
    ) -> Verdict | None:
        for _ in range(times):
            self._packets += packets
            self._lost_in += lost_in
            self._lost_out += lost_out
            self._made_up += made_up_ms
            media = LegMedia(
                leg=LegId("leg_a"),
                srtp_profile="",
                receiving=[self._stream(self._lost_in, self._made_up)],
                sending=[self._stream(self._lost_out)],
                dropped={},
                **{"rtt_ms": 30.0, "line": None, **connection},
            )
            if self.quality.judge(media, picture):
                self.told.append(self.quality.verdict)
        return self.quality.verdict

    def _stream(self, lost: int, made_up_ms: int = 0) -> StreamStats:
        came = self._packets - lost
        return StreamStats(media="audio", codec="opus", packets=came, lost=lost, concealed_ms=made_up_ms)


def test_nothing_is_said_before_enough_was_seen_and_then_that_it_is_good() -> None:
    leg = Leg()
    assert leg.look(WORSE_AFTER - 1) is None
    assert leg.look() == FINE
    leg.look(10)
    assert leg.told == [FINE]


@pytest.mark.parametrize(
    ("seen", "level", "trouble"),
    [
        ({"lost_in": 2, "lost_out": 2}, NetworkLevel.GOOD, NetworkTrouble.NONE),
        ({"lost_in": 3}, NetworkLevel.WEAK, NetworkTrouble.SENDING),
        ({"lost_in": 10}, NetworkLevel.POOR, NetworkTrouble.SENDING),
        ({"lost_out": 3}, NetworkLevel.WEAK, NetworkTrouble.RECEIVING),
        ({"lost_out": 10}, NetworkLevel.POOR, NetworkTrouble.RECEIVING),
        ({"made_up_ms": 100}, NetworkLevel.GOOD, NetworkTrouble.NONE),
        ({"made_up_ms": 110}, NetworkLevel.WEAK, NetworkTrouble.SENDING),
        ({"made_up_ms": 360}, NetworkLevel.POOR, NetworkTrouble.SENDING),
        ({"rtt_ms": 400.0}, NetworkLevel.WEAK, NetworkTrouble.DELAY),
        ({"rtt_ms": 1000.0}, NetworkLevel.POOR, NetworkTrouble.DELAY),
        ({"rtt_ms": None}, NetworkLevel.GOOD, NetworkTrouble.NONE),
        ({"picture": NetworkTrouble.NARROW}, NetworkLevel.WEAK, NetworkTrouble.NARROW),
        ({"picture": NetworkTrouble.NARROW, "lost_out": 5}, NetworkLevel.WEAK, NetworkTrouble.RECEIVING),
        ({"picture": NetworkTrouble.STOPPED, "lost_out": 5}, NetworkLevel.WEAK, NetworkTrouble.STOPPED),
        ({"picture": NetworkTrouble.STOPPED, "lost_out": 10}, NetworkLevel.POOR, NetworkTrouble.RECEIVING),
        ({"line": line(300_000)}, NetworkLevel.GOOD, NetworkTrouble.NONE),
        ({"line": line(299_000)}, NetworkLevel.WEAK, NetworkTrouble.NARROW),  # before anything is lost
        ({"line": line(99_000)}, NetworkLevel.POOR, NetworkTrouble.NARROW),
        ({"line": line(99_000), "picture": NetworkTrouble.STOPPED}, NetworkLevel.POOR, NetworkTrouble.STOPPED),
        ({"line": line(2_000_000, "silent")}, NetworkLevel.POOR, NetworkTrouble.RECEIVING),
        ({"lost_in": 5, "packets": 20}, NetworkLevel.GOOD, NetworkTrouble.NONE),  # too few to say anything
    ],
)
def test_a_network_is_as_its_worst_way(seen: dict[str, Any], level: NetworkLevel, trouble: NetworkTrouble) -> None:
    leg = Leg()
    assert leg.look(WORSE_AFTER, **seen) == Verdict(level, trouble)


def test_one_bad_moment_is_told_to_nobody() -> None:
    leg = Leg()
    leg.look(5)
    for _ in range(10):
        leg.look(lost_in=50)
        leg.look(2)
    assert leg.told == [FINE]


def test_what_lasts_is_told_soon_and_that_it_is_over_later() -> None:
    leg = Leg()
    leg.look(5)
    assert leg.look(WORSE_AFTER - 1, lost_in=20) == FINE
    assert leg.look(lost_in=20) == Verdict(NetworkLevel.POOR, NetworkTrouble.SENDING)
    assert leg.look(BETTER_AFTER - 1) == Verdict(NetworkLevel.POOR, NetworkTrouble.SENDING)
    assert leg.look() == FINE


def test_a_network_about_a_threshold_is_told_of_once() -> None:
    leg = Leg()
    leg.look(5)
    for lost in [2, 3] * 20:
        leg.look(lost_in=lost)
    leg.look(2, lost_in=3)
    for lost in [2, 3] * 20:
        leg.look(lost_in=lost)
    assert leg.told == [FINE, Verdict(NetworkLevel.WEAK, NetworkTrouble.SENDING)]


def test_of_another_trouble_of_the_same_weight_is_told_when_the_first_is_over() -> None:
    leg = Leg()
    leg.look(2, rtt_ms=500.0)
    leg.look(BETTER_AFTER, picture=NetworkTrouble.NARROW)
    assert leg.told == [Verdict(NetworkLevel.WEAK, each) for each in (NetworkTrouble.DELAY, NetworkTrouble.NARROW)]


def test_what_was_lost_of_one_size_of_a_camera_is_not_taken_for_what_was_lost_of_another() -> None:
    quality = Quality()
    for packets in range(100, 500, 100):
        sizes = [
            StreamStats(media="camera", codec="VP8", layer=layer, packets=packets, lost=lost)
            for layer, lost in (("q", 50), ("f", 0))
        ]
        media = LegMedia(
            leg=LegId("leg_a"), rtt_ms=None, line=None, srtp_profile="", receiving=sizes, sending=[], dropped={}
        )
        quality.judge(media, NetworkTrouble.NONE)
    assert quality.verdict == FINE
