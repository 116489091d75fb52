"""In which states a call can be, as a table. Whatever else decides the next one is in the wrong file."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    CALLING = "calling"  # we have invited, and no final answer has come
    INVITED = "invited"  # they have, and we have not answered
    ANSWERED = "answered"  # with a 2xx, whose ACK has not come
    UP = "up"
    ENDED = "ended"


class Happened(StrEnum):
    TAKEN = "taken"  # a 2xx, sent or received
    ACKNOWLEDGED = "acknowledged"
    OVER = "over"


S, H = State, Happened
TRANSITIONS: Final[Mapping[State, Mapping[Happened, State]]] = {
    S.CALLING: {H.TAKEN: S.UP, H.OVER: S.ENDED},
    S.INVITED: {H.TAKEN: S.ANSWERED, H.OVER: S.ENDED},
    S.ANSWERED: {H.ACKNOWLEDGED: S.UP, H.OVER: S.ENDED},
    S.UP: {H.OVER: S.ENDED},
    S.ENDED: {},
}
