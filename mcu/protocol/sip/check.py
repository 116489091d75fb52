"""Whether a message may be acted upon at all (RFC 3261, sections 8.1.3, 8.2 and 16.3).

What a request must have before anybody looks at its meaning is here, in the order in which it is refused.
"""

from collections.abc import Collection

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import VERSION, Message, Request, Response, content_length
from mcu.protocol.sip.uri import OtherUri, SipUri
from mcu.protocol.sip.values import parse_valued


def check_request(request: Request) -> None:
    """Raises `Malformed` with the status to answer: 400, 416 or 505."""
    if request.version.upper() != VERSION:
        raise Malformed(f"this server speaks {VERSION} only", 505 if request.version.startswith("SIP/") else 400)
    _check_fields(request)
    if request.cseq.method != request.method:
        raise Malformed("CSeq names another method")
    if request.method != "INVITE" and "Replaces" in request.headers:
        raise Malformed("an INVITE alone takes another call's place")  # RFC 3891, section 3
    _check_target(request)
    request.max_forwards  # noqa: B018 # is read, so that it is right


def _check_target(request: Request) -> None:
    uri = request.uri
    if isinstance(uri, OtherUri):
        raise Malformed("this server follows sip, sips and tel URIs", 416)
    if isinstance(uri, SipUri) and uri.headers:
        raise Malformed("a Request-URI has no headers")


def check_response(response: Response) -> None:
    """Raises `Malformed` for one that is thrown away: nobody is told (section 8.1.3)."""
    if response.status < 100:
        raise Malformed("a response's status is from 100 to 699")
    _check_fields(response)
    if len(response.vias) != 1:
        raise Malformed("a response has come to the wrong place")


def _check_fields(message: Message) -> None:
    size = content_length(message.headers)
    if size is not None and size > len(message.body):
        raise Malformed("the body is shorter than Content-Length says")
    if not message.vias:
        raise Malformed("Via is missing")
    message.from_, message.to, message.call_id, message.cseq, message.content_type  # noqa: B018 # are read: they are right
    message.contacts  # noqa: B018


def is_read(request: Request) -> bool:
    """Whether what it says of a session is in words that are (section 8.2.3)."""
    if request.method not in ("INVITE", "UPDATE") or not request.body:
        return True
    said = request.content_type
    encodings = {one.lower() for one in request.headers.listed("Content-Encoding")}
    return (said is None or said.value == "application/sdp") and encodings <= {"identity"}


def is_answered_in_sdp(request: Request) -> bool:
    """Whether they take an answer in the only words that there are for it here (section 20.1)."""
    if request.method not in ("INVITE", "UPDATE") or "Accept" not in request.headers:
        return True
    taken = {parse_valued(one).value.lower().replace(" ", "") for one in request.headers.listed("Accept")}
    return not taken.isdisjoint({"application/sdp", "application/*", "*/*"})


def unsupported(request: Request, supported: Collection[str]) -> frozenset[str]:
    """What it requires and is not here: the Unsupported of a 420 (section 8.2.2.3)."""
    return request.tokens("Require") - frozenset(supported)
