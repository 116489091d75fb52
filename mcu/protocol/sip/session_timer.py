"""Session timers (RFC 4028): a call whose end has vanished is noticed, though nobody hung up."""

from dataclasses import dataclass
from typing import Final

from mcu.errors import McuError
from mcu.protocol.sip.grammar import number
from mcu.protocol.sip.message import Message, Request, Response
from mcu.protocol.sip.values import parse_valued

LEAST: Final = 90  # s: RFC 4028, section 4
WANTED: Final = 1800
_MOST: Final = 2**31


class TooBrief(McuError):
    """They want to be asked more often than we will be: 422, with Min-SE."""

    code, title = "interval-too-brief", "The session interval is too small"
    sip = 422


@dataclass(frozen=True, slots=True)
class Interval:
    seconds: int
    ours: bool  # we refresh, they watch; else the other way round

    @property
    def due_s(self) -> float:
        """After which we refresh, or give the call up for lost (section 10)."""
        return self.seconds / 2 if self.ours else self.lost_s

    @property
    def lost_s(self) -> float:
        """After which the call is given up where nobody has refreshed it."""
        return self.seconds - min(32, self.seconds / 3)


def asking(least: int = LEAST) -> list[tuple[str, str]]:
    """What a request of ours says that begins or refreshes a session. `least`: what they ask for (section 7.4)."""
    return [("Session-Expires", str(max(WANTED, least))), ("Min-SE", str(least))]


def of_request(request: Request) -> Interval:
    """As the one who is asked. Who does not ask for a timer gets ours all the same (section 9): it need not know of it.

    Raises `TooBrief`, `Malformed`.
    """
    asked = _expires(request)
    least = least_of(request)
    if asked is None:
        return Interval(max(least, WANTED), ours=True)
    seconds, refresher = asked
    knows = "timer" in request.tokens("Supported")
    if seconds < LEAST:
        if knows:
            raise TooBrief
        seconds = LEAST
    return Interval(max(least, min(seconds, WANTED)), ours=refresher == "uas" or not knows)


def answering(interval: Interval, request: Request) -> list[tuple[str, str]]:
    """What the 2xx to that request says."""
    said = [("Session-Expires", f"{interval.seconds};refresher={'uas' if interval.ours else 'uac'}")]
    return [*said, ("Require", "timer")] if "timer" in request.tokens("Supported") else said


def of_response(response: Response) -> Interval | None:
    """As the one who asked: None where they do not do this. Raises `Malformed`."""
    said = _expires(response)
    return None if said is None else Interval(max(said[0], LEAST), ours=said[1] != "uas")


def least_of(message: Message) -> int:
    """How often they want to be asked at most, in seconds between. Raises `Malformed`."""
    text = message.headers.one("Min-SE")
    return LEAST if text is None else max(LEAST, number(parse_valued(text).value, _MOST, "Min-SE"))


def _expires(message: Message) -> tuple[int, str | None] | None:
    text = message.headers.one("Session-Expires")
    if text is None:
        return None
    valued = parse_valued(text)
    return number(valued.value, _MOST, "Session-Expires"), valued.params.get("refresher")
