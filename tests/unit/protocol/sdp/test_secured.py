"""What is passed on between two others is encrypted, or is not passed on (policy S10)."""

import pytest
from fingerprints import FINGERPRINT

from mcu.protocol.sdp.description import Origin, parse
from mcu.protocol.sdp.exchange import Kind, Ours, Ports, answer
from mcu.protocol.sdp.keying import Encryption
from mcu.protocol.sdp.secured import is_keyed, is_secured

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
KEY = "inline:" + "A" * 40
GOOD = f"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"


@pytest.mark.parametrize(
    ("media", "secured"),
    [
        (GOOD, True),
        (GOOD + "m=video 0 RTP/AVP 96\r\n", True),
        (GOOD + "m=application 5000 UDP/BFCP *\r\n", True),
        ("a=fingerprint:sha-256 00\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", True),
        (GOOD + "m=video 4002 RTP/AVP 96\r\n", False),
        (GOOD + "m=text 4002 RTP/AVP 98\r\n", False),
        ("m=audio 4000 RTP/AVP 0\r\n", False),
        ("m=audio 4000 RTP/SAVP 0\r\n", False),
        (f"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n", False),
        (f"m=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n", False),
    ],
)
def test_a_line_that_is_taken_must_have_keys(media: str, secured: bool) -> None:
    assert is_secured((HEAD + media).encode()) is secured


@pytest.mark.parametrize("body", [b"", b"\xff", b"no SDP"])
def test_what_cannot_be_read_is_not_passed_on(body: bytes) -> None:
    assert not is_secured(body)


BEST_EFFORT = f"m=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"


@pytest.mark.parametrize(
    ("offered", "keyed"),
    [
        (GOOD, True),
        (BEST_EFFORT, True),
        (f"a=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\nm=audio 4000 RTP/AVP 0\r\n", True),
        (BEST_EFFORT + "m=image 4002 udptl t38\r\n", True),  # refused
        ("m=audio 4000 RTP/AVP 0\r\n", False),
        (BEST_EFFORT + "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n", False),
    ],
)
def test_of_what_we_answered_the_keys_count_and_not_the_profile(offered: str, *, keyed: bool) -> None:
    ours = Ours(
        address="198.51.100.2",
        ports={Kind.AUDIO: Ports(30000, 30001), Kind.MAIN: Ports(30002, 30003)},
        encryption=Encryption.OFFERED,
        fingerprint=FINGERPRINT,
        origin=Origin(5, 1, "198.51.100.2"),
    )
    said, _ = answer(parse(HEAD + offered), ours)
    assert is_keyed(str(said)) is keyed
