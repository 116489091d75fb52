"""The line by which a screen's right is asked for, in offers and answers (RFC 8856)."""

import pytest
from fingerprints import FINGERPRINT

from mcu.errors import NotAcceptable
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.sdp import exchange, floor
from mcu.protocol.sdp.description import Description, Media, Origin, parse
from mcu.protocol.sdp.exchange import Kind, Ours, Ports
from mcu.protocol.sdp.floor import Taken, Terms, Theirs
from mcu.protocol.sdp.keying import Encryption

TERMS = Terms(Ids(conference=1234, user=7), 5070)
SLIDES = "m=video 5002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=content:slides\r\n"
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
ROOM_SYSTEM = (
    f"{HEAD}m=application 5070 UDP/BFCP *\r\na=floorctrl:c-s\r\na=confid:1\r\na=userid:2\r\na=floorid:2 mstrm:12\r\n"
    f"{SLIDES}a=label:12\r\n"
)


def ours() -> Ours:
    ports = {kind: Ports(40_000 + 2 * at, 40_001 + 2 * at) for at, kind in enumerate(Kind)}
    return Ours(
        address="192.0.2.1",
        fingerprint="",
        ports=ports,
        encryption=Encryption.OFFERED,
        origin=Origin(1, 1, "192.0.2.1"),
    )


def answered(offer: str, terms: Terms = TERMS) -> tuple[Description, Taken | None]:
    """As the media's answer has the other lines."""
    reply, _ = exchange.answer(parse(offer), ours())
    return floor.answered(parse(offer), reply, terms)


def line(said: Description) -> Media:
    [found] = [media for media in said.media if media.kind == "application"]
    return found


def test_a_system_is_told_where_and_who_it_is_and_which_line_the_floor_is_of() -> None:
    said, taken = answered(ROOM_SYSTEM)
    found = line(parse(str(said)))
    assert [media.kind for media in said.media] == ["audio", "application", "video"]
    assert (found.port, found.protocol, found.formats) == (5070, "UDP/BFCP", ("*",))
    assert [found.value(name) for name in ("floorctrl", "confid", "userid", "floorid", "bfcpver")] == [
        *("s-only", "1234", "7", "1 mstrm:12", "2")
    ]
    assert said.media[2].value("label") == "12"
    assert taken == Taken("UDP/BFCP", ("192.0.2.7", 5070))


def test_slides_without_a_label_get_one() -> None:
    said, _ = answered(ROOM_SYSTEM.replace("a=label:12\r\n", ""))
    assert line(said).value("floorid") == f"1 mstrm:{said.media[2].value('label')}"


def test_a_system_that_connects_is_waited_for() -> None:
    by_tcp = ROOM_SYSTEM.replace("UDP/BFCP *", "TCP/BFCP *\r\na=setup:actpass\r\na=connection:existing")
    said, taken = answered(by_tcp)
    found = line(said)
    assert [found.value(name) for name in ("setup", "connection", "bfcpver")] == ["passive", "existing", "1"]
    assert taken == Taken("TCP/BFCP", ("192.0.2.7", 5070))


def test_with_a_certificate_tls_is_taken_and_the_certificate_named() -> None:
    by_tls = ROOM_SYSTEM.replace("UDP/BFCP *", "TCP/TLS/BFCP *\r\na=setup:active\r\na=fingerprint:sha-256 01:02")
    said, taken = answered(by_tls, Terms(TERMS.ids, 5070, 5071, "sha-256 AB:CD"))
    found = line(said)
    assert (found.port, found.protocol, found.value("fingerprint")) == (5071, "TCP/TLS/BFCP", "sha-256 AB:CD")
    assert (found.value("setup"), taken) == ("passive", Taken("TCP/TLS/BFCP", ("192.0.2.7", 5070)))


OURS = Terms(TERMS.ids, 5070, own="sha-256 AB:CD", tls_id="0123456789abcdef0123", peer="192.0.2.7")


@pytest.mark.parametrize(("setup", "role"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")])
def test_dtls_is_taken_by_their_certificate_and_ours(setup: str, role: str) -> None:
    by_dtls = f"UDP/TLS/BFCP *\r\na=setup:{setup}\r\na=fingerprint:{FINGERPRINT}"
    said, taken = answered(ROOM_SYSTEM.replace("UDP/BFCP *", by_dtls), OURS)
    found = line(said)
    assert (found.port, found.protocol, found.value("fingerprint")) == (5070, "UDP/TLS/BFCP", "sha-256 AB:CD")
    assert [found.value(name) for name in ("setup", "tls-id", "bfcpver")] == [role, "0123456789abcdef0123", "2"]
    assert taken is not None
    assert taken.association is not None
    assert (taken.address, taken.begins) == (("192.0.2.7", 5070), role == "active")
    assert [str(one) for one in taken.association.fingerprints] == [FINGERPRINT]
    again, _ = floor.offered(said, OURS, taken)
    assert line(again).value("setup") == "actpass"


@pytest.mark.parametrize("protocol", ["TCP/BFCP", "TCP/TLS/BFCP"])
def test_who_waits_is_connected_to_where_its_signalling_comes_from_and_nowhere_else(protocol: str) -> None:
    waits = f"{protocol} *\r\na=setup:passive\r\na=fingerprint:{FINGERPRINT}"
    said, taken = answered(ROOM_SYSTEM.replace("UDP/BFCP *", waits), OURS)
    assert (line(said).port, line(said).value("setup")) == (9, "active")
    assert taken is not None
    assert (taken.address, taken.begins, taken.association is None) == (("192.0.2.7", 5070), True, protocol[4] == "B")
    again, _ = floor.offered(said, OURS, taken)
    assert line(again).value("setup") == "active"
    inside = ROOM_SYSTEM.replace("UDP/BFCP *", f"{waits}\r\nc=IN IP4 10.0.0.1")
    for elsewhere in (inside, ROOM_SYSTEM.replace("5070 UDP/BFCP *", f"25 {waits}")):
        said, taken = answered(elsewhere, OURS)
        assert (line(said).port, taken) == (0, None)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("UDP/BFCP *", "UDP/BFCP *\r\na=bfcpver:1"),
        ("UDP/BFCP *", "TCP/BFCP *\r\na=setup:passive"),
        ("UDP/BFCP *", "TCP/TLS/BFCP *\r\na=setup:passive"),
        ("UDP/BFCP *", "UDP/TLS/BFCP *"),
        ("UDP/BFCP *", "TCP/TLS/BFCP *"),
        ("application 5070", "application 0"),
        ("a=content:slides", "a=content:main"),
        ("video 5002", "video 0"),
    ],
    ids=[
        *("another version", "waits elsewhere", "waits without a certificate", "DTLS without one"),
        *("TLS", "refused", "no slides", "slides refused"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_and_the_call_goes_on(former: str, now: str) -> None:
    said, taken = answered(ROOM_SYSTEM.replace(former, now))
    assert (line(said).port, taken) == (0, None)
    assert said.media[0].port


SERVER = ROOM_SYSTEM.replace("c-s", "s-only").replace("a=floorid:2", "a=floorid:1 mstrm:11\r\na=floorid:2")
AT_THEIRS = Theirs(Ids(conference=1, user=2), 2)


def test_who_will_be_the_server_alone_has_us_as_its_client_by_its_own_numbers() -> None:
    said, taken = answered(SERVER)
    found = line(parse(str(said)))
    assert (found.port, found.protocol) == (5070, "UDP/BFCP")
    assert [found.value(name) for name in ("floorctrl", "bfcpver", "confid", "userid", "floorid")] == [
        *("c-only", "2", None, None, None)
    ]
    assert taken == Taken("UDP/BFCP", ("192.0.2.7", 5070), AT_THEIRS)
    again, _ = floor.offered(said, TERMS, taken)
    assert line(again).value("floorctrl") == "c-only"
    unsaid = parse(SERVER.replace("a=floorctrl:s-only\r\n", ""))
    assert floor.accepted(again, unsaid, TERMS) == taken


@pytest.mark.parametrize("setup", ["passive", "actpass"])
@pytest.mark.parametrize("protocol", ["TCP/BFCP", "TCP/TLS/BFCP"])
def test_a_server_of_theirs_is_connected_to(protocol: str, setup: str) -> None:
    waits = f"{protocol} *\r\na=setup:{setup}\r\na=fingerprint:{FINGERPRINT}"
    said, taken = answered(SERVER.replace("UDP/BFCP *", waits), OURS)
    assert (line(said).port, line(said).value("setup")) == (9, "active")
    assert taken is not None
    assert (taken.address, taken.begins, taken.theirs) == (("192.0.2.7", 5070), True, AT_THEIRS)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("a=confid:1\r\n", ""),
        ("a=confid:1", "a=confid:4294967296"),
        ("a=userid:2\r\n", ""),
        ("a=userid:2", "a=userid:-2"),
        ("a=floorid:1 mstrm:11\r\na=floorid:2 mstrm:12\r\n", "a=floorid:\r\n"),
        ("application 5070", "application 53"),
        ("UDP/BFCP *", "TCP/BFCP *\r\na=setup:active"),
        ("UDP/BFCP *", "TCP/BFCP *\r\na=setup:passive\r\nc=IN IP4 10.0.0.1"),
    ],
)
def test_a_server_whose_floor_is_not_named_or_not_to_be_asked_has_no_client(former: str, now: str) -> None:
    said, taken = answered(SERVER.replace(former, now), OURS)
    assert (line(said).port, taken) == (0, None)


def test_the_floors_line_takes_nothing_from_what_the_policy_asks_of_media() -> None:
    with pytest.raises(NotAcceptable):
        exchange.answer(
            parse(ROOM_SYSTEM), Ours(address="192.0.2.1", fingerprint="", ports=ours().ports, origin=ours().origin)
        )


def test_our_offer_has_the_line_after_the_medias_own_and_its_answer_is_read_without_it() -> None:
    offered = exchange.offer(ours())
    said, added = floor.offered(offered.description, TERMS)
    assert added == 3
    assert line(said).value("floorid") == f"1 mstrm:{said.media[2].value('label')}"
    reply, _ = exchange.answer(said, ours())
    theirs = str(reply).replace("m=application 0 UDP/BFCP *", "m=application 6000 UDP/BFCP *\r\na=floorctrl:c-only")
    assert floor.accepted(said, parse(theirs), TERMS) == Taken("UDP/BFCP", ("192.0.2.1", 6000))
    streams = exchange.accepted(offered, floor.without(parse(theirs), added), ours())
    assert [stream.kind for stream in streams] == list(Kind)


@pytest.mark.parametrize("answer", ["m=application 0 UDP/BFCP *", "m=application 6000 TCP/BFCP *", ""])
def test_an_answer_without_it_is_one_of_a_telephone(answer: str) -> None:
    said, added = floor.offered(exchange.offer(ours()).description, TERMS)
    assert added is not None
    reply, _ = exchange.answer(said, ours())
    theirs = parse(str(reply).replace("m=application 0 UDP/BFCP *\r\n", answer and f"{answer}\r\n"))
    assert floor.accepted(said, theirs, TERMS) is None


def test_what_is_offered_again_has_the_line_where_it_was() -> None:
    said, _ = answered(ROOM_SYSTEM)
    again = exchange.offer_again(said, ours()).description
    assert again.media[1].port == 0
    filled, added = floor.offered(again, TERMS)
    assert (added, filled.media[1].port, len(filled.media)) == (None, 5070, 3)


def test_an_offer_of_sound_has_no_floor() -> None:
    sound = Ours(
        address="192.0.2.1", fingerprint="", ports={Kind.AUDIO: Ports(4000, 4001)}, origin=Origin(1, 1, "192.0.2.1")
    )
    said = exchange.offer(sound).description
    assert floor.offered(said, TERMS) == (said, None)
