"""What the answer to a call of ours means: to the room, to the next way, and whether a person gave it. Pure."""

from typing import Final

from mcu.conference.roster import Stage
from mcu.protocol.sip.grammar import Malformed, number
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.values import parse_valued

NEXT_WAY: Final = frozenset({408, 430, 500, 502, 503, 504})  # of a trunk that has not rung
TRY_S: Final = 5.0  # for the first word of a server, before the next is tried
_BUSY: Final = frozenset({486, 600})
_NO_ANSWER: Final = frozenset({408, 480, 487})
_UNREACHABLE: Final = frozenset({404, 410, 416, 430, 482, 483, 484, 485, 500, 501, 502, 503, 504, 505, 513, 604})
_FAILED: Final = frozenset({415, 420, 421, 488, 493, 606})  # the two sides do not fit


def stage_of(status: int, *, rang: bool) -> Stage:
    """What hosts see of a call that was not answered. Whoever is to be called elsewhere (3xx) is not called there."""
    if status in _BUSY:
        return Stage.BUSY
    if status in _NO_ANSWER and (rang or status == 480):
        return Stage.NO_ANSWER
    if status in _UNREACHABLE or status == 408:
        return Stage.UNREACHABLE
    return Stage.FAILED if status in _FAILED else Stage.REFUSED


def retry_after(message: Request | Response | None) -> float | None:
    """Seconds for which they want to be left alone (RFC 3261, section 20.33)."""
    text = None if message is None else message.headers.one("Retry-After")
    if text is None:
        return None
    try:
        return float(number(parse_valued(text.partition("(")[0].strip()).value, 2**31, "Retry-After"))
    except Malformed:
        return None


def is_automatic(response: Response, waited_s: float, person_s: float) -> bool:
    """Whether nobody may have taken the call: it says so (RFC 5373), or it was faster than a person can be.

    `waited_s`: from the first ring to the answer, or from the call where nothing rang.
    """
    said = (response.headers.one(name) or "" for name in ("Answer-Mode", "Priv-Answer-Mode"))
    if any(one.partition(";")[0].strip().lower() == "auto" for one in said):
        return True
    return "answermode" in response.tokens("Require") or _answers_after(response) or waited_s < person_s


def _answers_after(response: Response) -> bool:
    """As telephones that answer by themselves say it: `Alert-Info: <…>;info=alert-autoanswer`, `answer-after=0`."""
    said = " ".join([*response.headers.all("Alert-Info"), *response.headers.all("Call-Info")]).lower()
    return any(word in said for word in ("answer-after", "autoanswer", "auto-answer", "auto answer"))
