"""Responses to a request, and what each status is called (RFC 3261, sections 8.2.6 and 21)."""

from collections.abc import Iterable
from typing import Final

from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response

REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    430: "Flow Failed",
    439: "First Hop Lacks Outbound Support",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
_KEPT: Final = ("Via", "From", "To", "Call-ID", "CSeq")


def response_to(
    request: Request,
    status: int,
    *,
    tag: str | None = None,
    reason: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """A response with the fields it must have. `tag` goes to To, where that has none and the status is not 100.

    It does not read what it copies, so that a request that is malformed can be answered.
    """
    copied = _LOWER | {"timestamp"} if status == 100 else _LOWER  # section 8.2.6.1
    kept = [(name, value) for name, value in request.headers if name.lower() in copied]
    if tag is not None and status > 100:
        kept = [(name, _tagged(value, tag) if name.lower() == "to" else value) for name, value in kept]
    begins = 100 < status < 300 and request.method != "REGISTER"  # to which a registrar records no route (10.3)
    recorded = [(n, v) for n, v in request.headers if n.lower() == "record-route"] if begins else []
    text = REASONS.get(status, "") if reason is None else reason
    return Response(status, text, headers=Headers([*kept, *recorded, *headers]), body=body)


def _tagged(value: str, tag: str) -> str:
    lower = value.rpartition(">")[2].lower().replace(" ", "").replace("\t", "")
    return value if ";tag=" in lower else f"{value};tag={tag}"


_LOWER: Final = frozenset(name.lower() for name in _KEPT)
