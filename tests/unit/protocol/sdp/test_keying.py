"""How a line gets its keys: in the SDP or by DTLS, however they are mixed (RFC 5763, 8122, 8643, 8842)."""

import re
from dataclasses import replace

import pytest

from mcu.errors import Invalid, NotAcceptable
from mcu.protocol.sdp.description import Description, Origin, parse
from mcu.protocol.sdp.dtls import Association
from mcu.protocol.sdp.exchange import Kind, Ours, Ports, Stream, accepted, answer, offer, offer_again
from mcu.protocol.sdp.keying import Encryption

OURS = "sha-256 " + ":".join(["1F"] * 32)
SHA_256 = "sha-256 " + ":".join(["ab"] * 32)
SHA_1 = "sha-1 " + ":".join(["AB"] * 20)
TLS_ID = "theirs/of+20_characters"
CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n"
PRINT = f"a=fingerprint:{SHA_256}\r\n"
DTLS = f"{PRINT}a=setup:actpass\r\n"
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"


def ours(encryption: Encryption = Encryption.REQUIRED, *, by_dtls: bool = False, before: Stream | None = None) -> Ours:
    return Ours(
        address="198.51.100.2",
        ports={Kind.AUDIO: Ports(30000, 30001, "ours" * 8)},
        encryption=encryption,
        fingerprint=OURS,
        by_dtls=by_dtls,
        origin=Origin(5, 1, "198.51.100.2"),
        before={} if before is None else {Kind.AUDIO: before},
    )


def line(protocol: str, attributes: str, session: str = "", port: int = 4000) -> str:
    return f"{HEAD}{session}m=audio {port} {protocol} 0\r\n{attributes}"


def answered(
    text: str, encryption: Encryption = Encryption.REQUIRED, before: Stream | None = None
) -> tuple[Description, Stream]:
    description, (stream,) = answer(parse(text), ours(encryption, before=before))
    return description, stream


def association(stream: Stream) -> Association:
    assert stream.keying.dtls is not None
    return stream.keying.dtls


@pytest.mark.parametrize("protocol", ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/AVP"])
@pytest.mark.parametrize("where", ["media", "session"])
def test_a_fingerprint_is_taken_with_whatever_protocol_and_wherever_it_stands(protocol: str, where: str) -> None:
    text = line(protocol, DTLS) if where == "media" else line(protocol, "", DTLS)
    description, stream = answered(text)
    (media,) = description.media
    assert media.protocol == protocol
    assert media.value("fingerprint") == OURS
    assert (media.value("setup"), association(stream).role) == ("passive", "server")
    assert not media.has("crypto")


@pytest.mark.parametrize(
    ("theirs", "answer_", "role"),
    [
        ("a=setup:actpass\r\n", "passive", "server"),
        ("a=setup:active\r\n", "passive", "server"),
        ("a=setup:passive\r\n", "active", "client"),
        ("", "passive", "server"),  # RFC 4145, section 4.1
    ],
)
def test_we_wait_where_they_let_us(theirs: str, answer_: str, role: str) -> None:
    description, stream = answered(line("UDP/TLS/RTP/SAVP", PRINT + theirs))
    assert (description.media[0].value("setup"), association(stream).role) == (answer_, role)


MIXED = {
    "UDP/TLS/RTP/SAVPF": "dtls",
    "RTP/SAVP": "keys",
    "RTP/SAVPF": "keys",
    "RTP/AVP": "dtls",
    "RTP/AVPF": "dtls",
}


@pytest.mark.parametrize("protocol", MIXED)
@pytest.mark.parametrize("encryption", Encryption)
def test_of_both_the_protocol_says_which_and_best_effort_is_by_dtls(protocol: str, encryption: Encryption) -> None:
    description, stream = answered(line(protocol, CRYPTO + DTLS), encryption)
    assert description.media[0].has("crypto") is (MIXED[protocol] == "keys")
    assert description.media[0].has("fingerprint") is (MIXED[protocol] == "dtls")
    assert stream.keying.encrypts


def test_a_tls_id_is_answered_by_one_of_ours_and_where_there_is_none_by_none() -> None:
    assert answered(line("UDP/TLS/RTP/SAVP", DTLS + f"a=tls-id:{TLS_ID}\r\n"))[0].media[0].value("tls-id") == "ours" * 8
    assert not answered(line("UDP/TLS/RTP/SAVP", DTLS))[0].media[0].has("tls-id")


REFUSED = {
    "no fingerprint": line("UDP/TLS/RTP/SAVPF", "a=setup:actpass\r\n"),
    "keys where DTLS is said": line("UDP/TLS/RTP/SAVPF", CRYPTO),
    "a hash that is broken": line("UDP/TLS/RTP/SAVPF", f"a=fingerprint:{SHA_1}\r\na=setup:actpass\r\n"),
    "nobody who begins": line("UDP/TLS/RTP/SAVPF", f"{PRINT}a=setup:holdconn\r\n"),
    "a word that is none": line("UDP/TLS/RTP/SAVPF", f"{PRINT}a=setup:perhaps\r\n"),
    "best effort by a broken hash": line("RTP/AVP", f"a=fingerprint:{SHA_1}\r\na=setup:actpass\r\n"),
}


@pytest.mark.policy("S10")
@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_whatever_is_asked_for_an_offer_is_488_that_has(text: str, encryption: Encryption) -> None:
    with pytest.raises(NotAcceptable):
        answered(text, encryption)


@pytest.mark.parametrize(
    "broken",
    [
        "a=fingerprint:sha-256\r\n",
        "a=fingerprint:sha-256 AB:CD\r\n",
        f"a=fingerprint:{SHA_256}:00\r\n",
        f"a=fingerprint:{SHA_256.replace('ab', 'xy')}\r\n",
        f"{DTLS}a=tls-id:short\r\n",
    ],
)
def test_what_is_not_well_formed_is_no_offer(broken: str) -> None:
    with pytest.raises(Invalid):
        answered(line("UDP/TLS/RTP/SAVPF", broken))


def test_the_strong_hashes_of_many_are_believed() -> None:
    both = line("UDP/TLS/RTP/SAVP", f"a=fingerprint:{SHA_1}\r\n{DTLS}")
    assert [str(one) for one in association(answered(both)[1]).fingerprints] == ["sha-256 " + ":".join(["AB"] * 32)]


FIRST = line("UDP/TLS/RTP/SAVP", f"{DTLS}a=tls-id:{TLS_ID}\r\na=sendrecv\r\n")
SAME = {
    "the same again": FIRST,
    "a hold": FIRST.replace("sendrecv", "sendonly"),
    "a hold of RFC 2543": FIRST.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0"),
    "who says what was agreed": FIRST.replace("actpass", "active"),
    "another port": FIRST.replace("audio 4000", "audio 4002"),
}
OTHER = {
    "another fingerprint": FIRST.replace("ab:ab", "cd:cd", 1),
    "another tls-id": FIRST.replace(TLS_ID, TLS_ID + "2"),
    "the other role": FIRST.replace("actpass", "passive"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_an_association_goes_on_with(text: str) -> None:
    before = answered(FIRST)[1]
    assert association(answered(text, before=before)[1]) == association(before)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_another_association_follows_from(text: str) -> None:
    before = answered(FIRST)[1]
    assert association(answered(text, before=before)[1]) != association(before)


def test_without_a_tls_id_another_port_is_another_association_and_a_hold_is_not() -> None:
    first = re.sub(r"a=tls-id:.*\r\n", "", FIRST)
    before = answered(first)[1]
    assert association(answered(first.replace("audio 4000", "audio 4002"), before=before)[1]) != association(before)
    held = first.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0")
    assert association(answered(held, before=before)[1]) == association(before)


@pytest.mark.parametrize("role", ["active", "passive"])
def test_a_role_that_was_agreed_on_stays_where_they_leave_it_open(role: str) -> None:
    before = answered(FIRST.replace("actpass", role))[1]
    assert association(answered(FIRST, before=before)[1]) == association(before)


@pytest.mark.policy("S10")
def test_a_call_that_is_encrypted_stays_so_by_either_way() -> None:
    by_dtls, by_keys = answered(FIRST)[1], answered(line("RTP/SAVP", CRYPTO))[1]
    for before in (by_dtls, by_keys):
        with pytest.raises(NotAcceptable):
            answered(line("RTP/AVP", ""), Encryption.OFFERED, before)
        assert answered(FIRST, before=before)[1].keying.dtls
        assert answered(line("RTP/SAVP", CRYPTO), before=before)[1].keying.keys


@pytest.mark.policy("S10")
@pytest.mark.parametrize(("audio", "lines"), [(line("RTP/SAVP", CRYPTO), 1), (line("RTP/AVP", ""), 2)])
def test_a_call_that_is_encrypted_gets_no_picture_in_the_clear_beside_it(audio: str, lines: int) -> None:
    before = answered(audio, Encryption.OFFERED)[1]
    here = ours(Encryption.OFFERED, before=before)
    here = replace(here, ports={**here.ports, Kind.MAIN: Ports(30002, 30003)})
    _, streams = answer(parse(f"{audio}m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n"), here)
    assert len(streams) == lines


def test_our_offer_by_dtls_is_taken_in_either_role() -> None:
    made = offer(ours(by_dtls=True))
    (media,) = made.description.media
    assert (media.protocol, media.value("setup"), media.value("tls-id")) == (
        "UDP/TLS/RTP/SAVPF",
        "actpass",
        "ours" * 8,
    )
    assert media.has("rtcp-mux")
    assert not media.has("crypto")
    for setup, role in (("active", "server"), ("passive", "client"), ("actpass", "server")):
        text = line("UDP/TLS/RTP/SAVPF", f"{PRINT}a=setup:{setup}\r\na=rtcp-mux\r\n")
        (stream,) = accepted(made, parse(text), ours(by_dtls=True))
        assert (association(stream).role, stream.muxed) == (role, True)
    (apart,) = accepted(made, parse(line("UDP/TLS/RTP/SAVPF", DTLS)), ours(by_dtls=True))
    assert apart.rtcp_port == 4001


@pytest.mark.policy("S10")
@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("attributes", ["", CRYPTO, f"a=fingerprint:{SHA_1}\r\na=setup:active\r\n"])
def test_an_answer_to_it_without_a_fingerprint_is_no_answer(attributes: str, encryption: Encryption) -> None:
    made = offer(ours(by_dtls=True))
    with pytest.raises(NotAcceptable):
        accepted(made, parse(line("UDP/TLS/RTP/SAVPF", attributes)), ours(encryption))


@pytest.mark.policy("S10")
def test_what_was_best_effort_by_dtls_is_not_answered_in_the_clear_when_it_moves() -> None:
    said, _ = answered(line("RTP/AVP", DTLS), Encryption.OFFERED)
    again = offer_again(said, ours(Encryption.OFFERED))
    assert (again.description.media[0].value("setup"), again.description.origin.version) == ("actpass", 2)
    with pytest.raises(NotAcceptable):
        accepted(again, parse(line("RTP/AVP", "")), ours(Encryption.OFFERED))
