"""What a worker said of legs, until the room looks."""

from hypothesis import given
from hypothesis import strategies as st

from mcu.conference.leg_news import LegNews
from mcu.ids import LegId, RoomId
from mcu.media.life import LegState
from mcu.media.messages import LegChanged

S = LegState
A, B = LegId("leg_a"), LegId("leg_b")


def taken(*states: LegState, leg: LegId = A) -> list[LegState]:
    news = LegNews()
    for state in states:
        news.put(LegChanged(room=RoomId("room_1"), leg=leg, state=state))
    return [event.state for event in news.take(A)]


def test_that_a_leg_was_in_the_room_is_not_lost_among_what_came_after() -> None:
    assert taken(S.ANNOUNCING, S.IN_ROOM, S.RECONNECTING, S.ANNOUNCING, S.HELD) == [S.IN_ROOM, S.RECONNECTING, S.HELD]


def test_what_was_before_a_leg_was_gone_does_not_count_and_what_came_after_does() -> None:
    assert taken(S.IN_ROOM, S.GONE, S.CONNECTING, S.WAITING) == [S.GONE, S.WAITING]


def test_each_piece_of_news_is_taken_once_and_by_its_own_leg() -> None:
    news = LegNews()
    news.put(LegChanged(room=RoomId("room_1"), leg=A, state=S.IN_ROOM))
    assert news.take(B) == []
    assert len(news.take(A)) == 1
    assert news.take(A) == []


@given(st.lists(st.sampled_from(S), min_size=1))
def test_however_much_is_said_little_waits_and_the_newest_is_last(states: list[LegState]) -> None:
    waiting = taken(*states)
    assert len(waiting) <= 4
    assert waiting[-1] is states[-1]
