"""What a leg can receive: an estimate counts only where it is below what we send."""

from mcu.media.transport.bandwidth import ENOUGH, RISE, Bandwidth


def test_a_browser_that_gets_little_and_says_little_is_not_held_down() -> None:
    assert Bandwidth().estimate(133_000, sending=97_000, now=0.0) is None


def test_an_estimate_below_what_we_send_is_the_limit() -> None:
    assert Bandwidth().estimate(400_000, sending=1_000_000, now=0.0) == 400_000


def test_after_a_limit_the_leg_rises_slowly_while_it_does_not_complain() -> None:
    bandwidth = Bandwidth()
    bandwidth.estimate(400_000, sending=1_000_000, now=0.0)
    assert bandwidth.estimate(500_000, sending=300_000, now=1.0) == int(400_000 * RISE)
    assert bandwidth.estimate(500_000, sending=300_000, now=1.0) == int(400_000 * RISE)
    assert bandwidth.estimate(200_000, sending=300_000, now=2.0) == 200_000


def test_beyond_any_picture_the_limit_is_forgotten() -> None:
    bandwidth = Bandwidth()
    bandwidth.estimate(400_000, sending=1_000_000, now=0.0)
    told = [bandwidth.estimate(600_000, sending=300_000, now=float(second)) for second in range(1, 60)]
    assert ENOUGH in told
    assert told[-1] is None
