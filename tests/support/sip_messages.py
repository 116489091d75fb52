"""SIP messages for tests, with what each must have."""

from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.responses import response_to

OURS = "SIP/2.0/UDP mcu.example:5060;branch=z9hG4bK{}"


def request(
    method: str = "INVITE", *, branch: str = "one", cseq: int = 1, tag: str = "theirs", to_tag: str = "", **fields: str
) -> Request:
    headers = {
        "Via": f"SIP/2.0/UDP phone.example:5060;branch=z9hG4bK{branch};rport",
        "Max-Forwards": "70",
        "From": f"<sip:anna@phone.example>;tag={tag}",
        "To": "<sip:482915370@mcu.example>" + (f";tag={to_tag}" if to_tag else ""),
        "Call-ID": "c1@phone.example",
        "CSeq": f"{cseq} {method}",
        "Contact": "<sip:anna@192.0.2.7:5060>",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return Request(method, "sip:482915370@mcu.example", headers=Headers(headers.items()))


def response(to: Request, status: int, *, tag: str | None = "ours", **fields: str) -> Response:
    return response_to(to, status, tag=tag, headers=[(name.replace("_", "-"), value) for name, value in fields.items()])
