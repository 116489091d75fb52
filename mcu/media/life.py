"""The life of one participant's leg, as a table.

Whatever decides the next state is in TRANSITIONS. If a rule about state is anywhere else, it is in the wrong file. The
worker runs it (`announce.py`); the control process follows it from the worker's events.
"""

from enum import StrEnum


class LegState(StrEnum):
    """Where a leg is. Only IN_ROOM hears the room and is heard and seen by it (S5.3-1)."""

    CONNECTING = "connecting"  # offer answered, keys not agreed yet
    WAITING = "waiting"  # connected, in the lobby: nobody has let it in
    ANNOUNCING = "announcing"  # let in; what the others (or it) must be told first is being played
    IN_ROOM = "in_room"
    HELD = "held"  # in the meeting but, by its own wish, neither hearing nor heard
    RECONNECTING = "reconnecting"  # its network is gone; the seat is kept for the resume window
    GONE = "gone"


class LegEvent(StrEnum):
    """What can happen to a leg."""

    CONNECTED = "connected"  # DTLS is up
    ADMITTED = "admitted"  # the rules of the meeting, or a host, let it in
    ANNOUNCED = "announced"  # all that had to be told has been sent, whole
    HELD = "held"
    RESUMED = "resumed"
    LOST = "lost"  # no packets, or the worker died
    RETURNED = "returned"  # a new connection took the seat
    ENDED = "ended"  # hung up, removed, timed out, failed


S, E = LegState, LegEvent

TRANSITIONS: dict[LegState, dict[LegEvent, LegState]] = {
    S.CONNECTING: {E.CONNECTED: S.WAITING, E.LOST: S.GONE, E.ENDED: S.GONE},
    S.WAITING: {E.ADMITTED: S.ANNOUNCING, E.LOST: S.GONE, E.ENDED: S.GONE},
    S.ANNOUNCING: {E.ANNOUNCED: S.IN_ROOM, E.HELD: S.HELD, E.LOST: S.RECONNECTING, E.ENDED: S.GONE},
    S.IN_ROOM: {E.HELD: S.HELD, E.LOST: S.RECONNECTING, E.ENDED: S.GONE},
    S.HELD: {E.RESUMED: S.ANNOUNCING, E.LOST: S.RECONNECTING, E.ENDED: S.GONE},
    S.RECONNECTING: {E.RETURNED: S.ANNOUNCING, E.ENDED: S.GONE},
    S.GONE: {},
}


def after(state: LegState, event: LegEvent) -> LegState:
    """The state that follows. An event that means nothing in a state changes nothing."""
    return TRANSITIONS[state].get(event, state)
