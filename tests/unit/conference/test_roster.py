"""What the roster shows, and to whom."""

from meetings import guest, host, roster, seat

from mcu.conference.roster import Line, Roster, for_guests, for_outside
from mcu.ids import LegId
from mcu.media.life import LegState


def hands(of: Roster) -> dict[str, int]:
    return {line.leg: line.hand for line in of.lines()}


def test_a_guest_sees_the_room_and_not_its_lobby_and_who_waits_only_itself() -> None:
    full = roster(
        seat("h", host()),
        seat("g", guest()),
        seat("away", guest(), LegState.RECONNECTING),
        seat("w", guest(), LegState.WAITING),
        seat("hw", host(), LegState.WAITING),
    )
    waiting = frozenset(one.leg for one in full.waiting)
    assert [line.leg for line in for_guests(full.lines(), waiting)] == ["h", "g", "away"]
    assert [line.leg for line in for_outside(full.lines(), LegId("hw"))] == ["hw"]


def test_raised_hands_keep_their_order() -> None:
    three = roster(seat("a", guest()), seat("b", guest()), seat("c", guest()))
    for leg in ("b", "c", "a", "b"):
        one = three.get(LegId(leg))
        assert one is not None
        three.raise_hand(one, raised=True)
    assert hands(three) == {"a": 3, "b": 1, "c": 2}
    lowered = three.get(LegId("b"))
    assert lowered is not None
    three.raise_hand(lowered, raised=False)
    assert hands(three) == {"a": 2, "b": 0, "c": 1}


def test_who_leaves_is_neither_the_speaker_nor_in_the_spotlight() -> None:
    two = roster(seat("a", guest()), seat("b", guest()))
    two.spotlight = two.active = LegId("a")
    two.speaking = frozenset({LegId("a"), LegId("b")})
    two.drop(LegId("a"))
    assert (two.spotlight, two.active, two.speaking) == (None, None, {"b"})
    assert [line.leg for line in two.lines() if line.speaking] == ["b"]


def test_a_line_says_how_the_seat_is() -> None:
    one = roster(seat("a", guest("Åsa"), muted=True, camera=True, screen=False))
    assert one.lines() == [
        Line(
            leg=LegId("a"),
            name="Åsa",
            role="guest",
            kind="webrtc",
            state=LegState.IN_ROOM,
            muted=True,
            camera=True,
            screen=False,
            hand=0,
            speaking=False,
        )
    ]


def test_a_name_is_not_in_what_a_log_would_show_of_a_person() -> None:
    assert "Åsa" not in repr(guest("Åsa"))
    assert "Åsa" not in repr(seat("a", guest("Åsa")))
