"""How a leg's network is judged: thresholds, both ways, and that it does not flicker."""

from typing import Any

import pytest

from mcu.media.messages import NetworkLevel, NetworkTrouble
from mcu.media.quality import BETTER_AFTER, FINE, WORSE_AFTER, Quality, Verdict
from mcu.media.seams import Traffic

PACKETS = 100  # of each way, between two judgements


def line(bits_per_second: int, *, silent: bool = False) -> dict[str, Any]:
    return {"bits_per_second": bits_per_second, "silent": silent}


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
        **connection: Any,  # rtt_ms, bits_per_second, silent
    ) -> Verdict | None:
        for _ in range(times):
            self._packets += packets
            self._lost_in += lost_in
            self._lost_out += lost_out
            self._made_up += made_up_ms
            traffic = Traffic(
                received=self._packets - self._lost_in,
                lost=self._lost_in,
                spoken=self._packets - self._lost_in,
                made_up_ms=self._made_up,
                sent=self._packets - self._lost_out,
                unreceived=self._lost_out,
                **{"rtt_ms": 30.0, **line(0), **connection},
            )
            if self.quality.judge(traffic, picture):
                self.told.append(self.quality.verdict)
        return self.quality.verdict


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
        ({"rtt_ms": -1.0}, NetworkLevel.GOOD, NetworkTrouble.NONE),
        ({"picture": NetworkTrouble.NARROW}, NetworkLevel.WEAK, NetworkTrouble.NARROW),
        ({"picture": NetworkTrouble.NARROW, "lost_out": 5}, NetworkLevel.WEAK, NetworkTrouble.RECEIVING),
        ({"picture": NetworkTrouble.STOPPED, "lost_out": 5}, NetworkLevel.WEAK, NetworkTrouble.STOPPED),
        ({"picture": NetworkTrouble.STOPPED, "lost_out": 10}, NetworkLevel.POOR, NetworkTrouble.RECEIVING),
        (line(300_000), NetworkLevel.GOOD, NetworkTrouble.NONE),
        (line(299_000), NetworkLevel.WEAK, NetworkTrouble.NARROW),  # before anything is lost
        (line(99_000), NetworkLevel.POOR, NetworkTrouble.NARROW),
        ({**line(99_000), "picture": NetworkTrouble.STOPPED}, NetworkLevel.POOR, NetworkTrouble.STOPPED),
        (line(2_000_000, silent=True), NetworkLevel.POOR, NetworkTrouble.RECEIVING),
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
