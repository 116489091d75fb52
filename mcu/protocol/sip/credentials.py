"""What a request needs where the other side asks who sends it (RFC 3261, sections 22.2 and 22.3)."""

from collections.abc import Callable
from typing import Final

from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.values import CSeq, parse_credentials

ASKED: Final = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


def credentials(request: Request, response: Response, answerer: Answerer | None) -> tuple[str, str] | None:
    """The field that answers what it was refused for; None where there is no more to say. Raises `Malformed`."""
    asked, answered = ASKED[response.status]
    challenges = [parse_credentials(text) for text in response.headers.all(asked)]
    if answerer is None or not answerer.challenged(challenges):
        return None
    made = answerer.answer(request.method, request.target)
    return None if made is None else (answered, made)


def once_more(
    request: Request, response: Response | int, answerer: Answerer | None, number: Callable[[], int], via: str
) -> Request | None:
    """One of a call that stands, with what it was refused for; None where it was not for that. `number`: its CSeq."""
    if isinstance(response, int) or response.status not in ASKED or answerer is None:
        return None
    answerer.begin()
    try:
        said = credentials(request, response, answerer)
    except Malformed:
        return None
    if said is None:
        return None
    cseq = CSeq(number(), request.method)
    return request.with_(request.headers.with_("CSeq", str(cseq)).with_("Via", via).with_(*said))


def given(request: Request) -> list[tuple[str, str]]:
    """Those that it has: the ACK of a 2xx has the same (section 13.2.2.4)."""
    names = [answered.lower() for _, answered in ASKED.values()]
    return [(name, value) for name, value in request.headers if name.lower() in names]
