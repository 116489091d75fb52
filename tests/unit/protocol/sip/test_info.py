"""Keys in INFO, and the number that calls."""

import pytest

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.identity import calling_number
from mcu.protocol.sip.info import key_of
from mcu.protocol.sip.message import Request, read


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ("From: <sip:+46701234567@gw.example>;tag=1\r\n", "+46701234567"),
        ('From: <sip:anna@gw.example>;tag=1\r\nP-Asserted-Identity: "A" <tel:+46701234568>\r\n', "+46701234568"),
        ("From: <sip:+1@x>;tag=1\r\nP-Asserted-Identity: rubbish>, <sip:+46701234569@gw>\r\n", "+46701234569"),
        ("From: <sip:0701234567@gw.example>;tag=1\r\n", ""),
        ("", ""),
    ],
)
def test_the_number_that_calls_is_what_whoever_passes_it_on_vouches_for(headers: str, number: str) -> None:
    message = read(f"INVITE sip:a@b SIP/2.0\r\n{headers}Content-Length: 0\r\n\r\n".encode())
    assert isinstance(message, Request)
    assert calling_number(message) == number


def info(content_type: str, body: bytes) -> Request:
    head = f"INFO sip:a@b SIP/2.0\r\nContent-Length: {len(body)}\r\n"
    message = read((head + (f"Content-Type: {content_type}\r\n" if content_type else "") + "\r\n").encode() + body)
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("content_type", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250", "*"),
        ("application/dtmf-relay", b"Duration=160\nsignal=11\n", "#"),
        ("Application/DTMF-Relay;x=y", b"Signal=d\r\n", "D"),
        ("application/dtmf", b"#", "#"),
        ("application/dtmf", b"10\r\n", "*"),
        ("application/dtmf", b"Signal=7\r\n", "7"),
    ],
)
def test_a_key_is_found_however_it_is_written(content_type: str, body: bytes, key: str) -> None:
    assert key_of(info(content_type, body)) == key


@pytest.mark.parametrize("content_type", ["", "application/media_control+xml", "text/plain"])
def test_what_is_about_something_else_is_no_key(content_type: str) -> None:
    assert key_of(info(content_type, b"Signal=5")) is None


@pytest.mark.parametrize("body", [b"", b"Signal=\r\n", b"Signal=16", b"Signal=flash", b"Duration=5", b"55 6", b"\xff"])
@pytest.mark.parametrize("content_type", ["application/dtmf-relay", "application/dtmf"])
def test_a_body_that_names_no_key_is_malformed(content_type: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        key_of(info(content_type, body))
