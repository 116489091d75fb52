"""What the two sides of a call through us are told of each other."""

from mcu.protocol.sdp import relayed
from mcu.protocol.sdp.description import NOWHERE, Description, parse
from mcu.protocol.sdp.exchange import Ports
from mcu.protocol.sdp.relayed import Hop

KEY = "inline:" + "A" * 40
OFFER = f"""v=0
o=anna 7 3 IN IP4 10.0.0.5
s=-
c=IN IP4 10.0.0.5
a=ice-lite
t=0 0
m=audio 4000 RTP/SAVP 0
a=rtcp:4101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}
a=crypto:2 AES_CM_128_HMAC_SHA1_80 {KEY}
a=ice-ufrag:abcd
a=candidate:1 1 UDP 2130706431 10.0.0.5 4000 typ host
a=sendrecv
m=video 4002 RTP/SAVP 96
c=IN IP4 10.0.0.6
a=rtcp-mux
m=application 4004 TCP/BFCP *
"""


def offered() -> Description:
    return parse(OFFER)


def test_each_line_of_rtp_has_its_own_address_and_ports() -> None:
    assert relayed.hops(offered()) == {0: Hop("10.0.0.5", 4000, 4101), 1: Hop("10.0.0.6", 4002, 4003)}


def test_the_other_side_is_told_our_address_and_ports_the_keys_as_they_are_and_no_address_of_the_first() -> None:
    told = relayed.passed_on(offered(), "192.0.2.1", {0: Ports(50000, 50001), 1: Ports(50002, 50003)})
    text = str(told)
    assert "10.0.0." not in text
    assert "ice-" not in text
    assert "candidate" not in text
    assert [line.port for line in told.media] == [50000, 50002, 0]
    assert told.media[0].value("rtcp") == "50001"
    assert list(told.media[0].values("crypto")) == list(offered().media[0].values("crypto"))
    assert told.media[1].has("rtcp-mux")


def test_who_holds_by_the_address_of_nowhere_is_told_as_on_hold() -> None:
    held = parse(OFFER.replace("c=IN IP4 10.0.0.5", f"c=IN IP4 {NOWHERE}"))
    told = relayed.passed_on(held, "192.0.2.1", {0: Ports(50000, 50001)})
    assert told.direction_of(told.media[0]) == "sendonly"


def test_the_keys_that_were_agreed_are_those_of_one_tag() -> None:
    answer = parse(OFFER.replace(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\n", ""))
    pair = relayed.agreed(offered().media[0], answer.media[0])
    assert pair is not None
    assert [key.tag for key in pair] == [2, 2]
    assert relayed.agreed(offered().media[0], offered().media[0]) is None  # not decided yet
    assert relayed.agreed(offered().media[0], offered().media[1]) is None
