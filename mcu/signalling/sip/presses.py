"""One press of a key may come by two ways, in the sound's stream and in INFO: it is one. Pure."""

from collections import deque
from typing import Final, Literal

Way = Literal["media", "info"]

SAME_S: Final = 3.0  # INFO may come only when the key is let go of
KEPT: Final = 32


class Presses:
    """Those of one call: each press that came by one way takes one away that comes by the other."""

    def __init__(self) -> None:
        self._alone: dict[Way, deque[tuple[str, float]]] = {
            "media": deque(maxlen=KEPT),
            "info": deque(maxlen=KEPT),
        }

    def is_new(self, way: Way, key: str, now: float) -> bool:
        """Whether it has not come by the other way."""
        others = self._alone["info" if way == "media" else "media"]
        while others and now - others[0][1] > SAME_S:
            others.popleft()
        same = next((press for press in others if press[0] == key), None)
        if same is not None:
            others.remove(same)
            return False
        self._alone[way].append((key, now))
        return True
