"""Whether notices reached their recipients."""

import pytest

from mcu.ids import LegId, NoticeId
from mcu.media.receipts import MOST_LOST, Receipts

LEG, NOTICE = LegId("leg_a"), NoticeId("ntc_a")


def awaiting(receipts: Receipts) -> Receipts:
    receipts.sent(LEG, NOTICE, first=100, last=124)
    return receipts


@pytest.mark.policy("S5.3-7")
def test_a_report_that_covers_the_last_packet_confirms_the_notice() -> None:
    receipts = awaiting(Receipts())
    assert receipts.reported(LEG, highest=123, lost=0) == []
    assert receipts.reported(LEG, highest=124, lost=0) == [(NOTICE, True)]
    assert receipts.reported(LEG, highest=200, lost=0) == []


@pytest.mark.policy("S5.3-7")
def test_loss_in_the_middle_of_the_notice_counts_also_when_an_earlier_report_told_of_it() -> None:
    receipts = Receipts()
    receipts.reported(LEG, highest=99, lost=3)
    awaiting(receipts)
    receipts.reported(LEG, highest=110, lost=3 + MOST_LOST + 1)
    assert receipts.reported(LEG, highest=130, lost=3 + MOST_LOST + 1) == [(NOTICE, False)]


def test_loss_from_before_the_notice_is_not_held_against_it() -> None:
    receipts = Receipts()
    receipts.reported(LEG, highest=99, lost=500)
    awaiting(receipts)
    assert receipts.reported(LEG, highest=130, lost=500 + MOST_LOST) == [(NOTICE, True)]


def test_a_new_connection_confirms_nothing_that_was_sent_on_the_lost_one() -> None:
    receipts = awaiting(Receipts())
    receipts.forget(LEG)
    assert receipts.reported(LEG, highest=300, lost=0) == []
