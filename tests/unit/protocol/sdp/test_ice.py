"""ICE in SDP (RFC 8839): the far end checks, we are the lite side, and where nobody would check there is none."""

import pytest
from fingerprints import FINGERPRINT

from mcu.errors import Invalid
from mcu.protocol.sdp.description import Description, Origin, parse
from mcu.protocol.sdp.exchange import Kind, Ours, Ports, Stream, accepted, answer, offer, offer_again
from mcu.protocol.sdp.ice import Credentials

OURS = Credentials("oursours", "ours" * 6)
CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n"
ICE = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef012345\r\n"
HOST = (
    "a=candidate:1 1 UDP 2130706431 192.0.2.7 4000 typ host\r\n"
    "a=candidate:1 2 UDP 2130706430 192.0.2.7 4001 typ host\r\n"
)
DTLS = f"a=fingerprint:{FINGERPRINT}\r\na=setup:active\r\n"


def ours(*, by_dtls: bool = False, ports: Ports | None = None) -> Ours:
    return Ours(
        address="198.51.100.2",
        ports={Kind.AUDIO: ports or Ports(30000, 30001, "ours" * 8, OURS)},
        fingerprint="sha-256 CD",
        by_dtls=by_dtls,
        origin=Origin(5, 1, "198.51.100.2"),
    )


def line(attributes: str, session: str = "", *, protocol: str = "RTP/SAVP") -> str:
    head = f"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n{session}"
    return f"{head}m=audio 4000 {protocol} 0\r\n{attributes}"


def answered(attributes: str, session: str = "") -> tuple[Description, Stream]:
    description, (stream,) = answer(parse(line(CRYPTO + attributes, session)), ours())
    return description, stream


@pytest.mark.parametrize("session", ["", ICE])
def test_who_would_check_is_answered_with_a_port_for_each_component(session: str) -> None:
    description, stream = answered(("" if session else ICE) + HOST, session)
    (media,) = description.media
    assert stream.ice == Credentials("abcd", "0123456789abcdef012345")
    assert description.has("ice-lite")
    assert (media.value("ice-ufrag"), media.value("ice-pwd")) == (OURS.ufrag, OURS.password)
    assert list(media.values("candidate")) == [
        "1 1 UDP 2130706431 198.51.100.2 30000 typ host",
        "1 2 UDP 2130706430 198.51.100.2 30001 typ host",
    ]
    assert len(list(answered(ICE + HOST + "a=rtcp-mux\r\n")[0].media[0].values("candidate"))) == 1


@pytest.mark.parametrize(
    ("attributes", "session"),
    [
        ("", ""),
        (HOST, ""),
        ("a=ice-ufrag:abcd\r\n" + HOST, ""),
        (ICE + HOST, "a=ice-lite\r\n"),
        (ICE + HOST.replace("4000", "4002"), ""),
        (ICE + HOST.replace("UDP", "TCP"), ""),
        (ICE, ""),
    ],
)
def test_where_nobody_would_check_or_something_has_rewritten_it_there_is_none(attributes: str, session: str) -> None:
    description, stream = answered(attributes, session)
    assert stream.ice is None
    assert not description.has("ice-lite")
    assert not description.media[0].has("candidate")
    rewritten = "a=ice-ufrag" in attributes and ICE + HOST not in attributes
    assert description.media[0].has("ice-mismatch") is (rewritten and HOST not in attributes)


@pytest.mark.parametrize(
    "broken", [ICE.replace("abcd", "abc"), ICE.replace("012345\r", "\r"), ICE.replace("abcd", "ab:d")]
)
def test_credentials_that_are_too_short_or_odd_are_no_offer(broken: str) -> None:
    with pytest.raises(Invalid):
        answered(broken + HOST)


def test_our_offer_by_dtls_may_be_checked_and_is_where_it_says_where_it_is_not() -> None:
    made = offer(ours(by_dtls=True))
    assert made.description.has("ice-lite")
    assert len(list(made.description.media[0].values("candidate"))) == 2
    for attributes, checked in ((ICE + HOST, True), ("", False)):
        text = line(DTLS + attributes, protocol="UDP/TLS/RTP/SAVPF")
        (stream,) = accepted(made, parse(text), ours(by_dtls=True))
        assert (stream.ice is not None) is checked
    assert not offer(ours()).description.media[0].has("candidate")


def test_what_moves_is_checked_at_its_new_ports_with_new_credentials() -> None:
    said, _ = answered(ICE + HOST)
    again = offer_again(said, ours(ports=Ports(40000, 40001, "new!" * 8, Credentials("newnewnew", "new0" * 6))))
    media = again.description.media[0]
    assert (media.value("ice-ufrag"), media.value("ice-pwd")) == ("newnewnew", "new0" * 6)
    assert [one.split()[5] for one in media.values("candidate")] == ["40000", "40001"]


def test_a_password_is_in_no_log() -> None:
    assert "0123456789" not in repr(answered(ICE + HOST)[1])
