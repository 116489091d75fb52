"""STUN as the keep-alive of a flow: the vectors of RFC 5769, sections 2.2 and 2.3, without what is signed there."""

import pytest

from mcu.protocol.sip.keepalive import answer

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
ASKED = bytes.fromhex("000100002112a442") + TRANSACTION


@pytest.mark.parametrize(
    ("host", "value"),
    [
        ("192.0.2.1", "0001a147e112a643"),
        ("2001:db8:1234:5678:11:2233:4455:6677", "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"),
    ],
)
def test_who_asks_is_told_its_address(host: str, value: str) -> None:
    data = answer(ASKED, host, 32853)
    assert data is not None
    assert data[:4].hex() == f"0101{len(value) // 2 + 4:04x}"
    assert data[4:20] == bytes.fromhex("2112a442") + TRANSACTION
    assert data[20:].hex() == f"0020{len(value) // 2:04x}{value}"


@pytest.mark.parametrize("data", [b"", ASKED[:19], ASKED + b"x", b"\x01" + ASKED[1:], b"OPTIONS sip:a SIP/2.0\r\n\r\n"])
def test_what_is_no_binding_request_is_not_answered(data: bytes) -> None:
    assert answer(data, "192.0.2.1", 5060) is None
