"""Offers and answers as room systems and telephones make them (RFC 3264, 4568, 6184)."""

import base64
from collections.abc import Mapping

import pytest
from fingerprints import FINGERPRINT

from mcu.errors import Invalid, NotAcceptable
from mcu.protocol.sdp.crypto import SUITES
from mcu.protocol.sdp.description import Description, Media, Origin, parse
from mcu.protocol.sdp.exchange import (
    Kind,
    Ours,
    Ports,
    Stream,
    accepted,
    answer,
    by_ipv6,
    offer,
    offer_again,
    offer_anew,
)
from mcu.protocol.sdp.keying import Encryption

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
KEY_128 = base64.b64encode(bytes(range(30))).decode()
KEY_GCM = base64.b64encode(bytes(range(28))).decode()
CRYPTO = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_128}|2^31\r\n"
AUDIO = "m=audio 4000 RTP/SAVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n" + CRYPTO
H264_0 = "a=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42801f\r\n"
H264_1 = "a=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=42801f;packetization-mode=1;max-fs=8192\r\n"


def ours(encryption: Encryption = Encryption.REQUIRED, *kinds: Kind, held: bool = False) -> Ours:
    ports = {kind: Ports(30000 + 2 * n, 30001 + 2 * n) for n, kind in enumerate(kinds or tuple(Kind))}
    return Ours(
        address="198.51.100.2",
        ports=ports,
        encryption=encryption,
        fingerprint=FINGERPRINT,
        origin=Origin(5, 1, "198.51.100.2"),
        held=held,
    )


def answered(
    text: str, encryption: Encryption = Encryption.REQUIRED, *kinds: Kind, held: bool = False
) -> tuple[Description, dict[Kind, Stream]]:
    description, streams = answer(parse(HEAD + text), ours(encryption, *kinds, held=held))
    assert parse(str(description)) == description
    return description, {stream.kind: stream for stream in streams}


def test_a_telephone_is_answered_in_its_codec_with_keys_of_our_own() -> None:
    description, streams = answered(AUDIO)
    audio = streams[Kind.AUDIO]
    assert (audio.format.name, audio.format.payload_type, audio.dtmf) == ("pcma", 8, 101)
    assert (audio.address, audio.rtp_port, audio.rtcp_port) == ("192.0.2.7", 4000, 4001)
    assert audio.keying.keys is not None
    assert audio.keying.keys.theirs == bytes(range(30))
    assert audio.keying.keys.ours != audio.keying.keys.theirs
    (line,) = description.media
    assert (line.port, line.protocol, line.formats) == (30000, "RTP/SAVP", ("8", "101"))
    assert (
        line.value("crypto") == f"1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(audio.keying.keys.ours).decode()}"
    )


def test_the_best_codec_is_taken_whatever_the_order() -> None:
    text = AUDIO.replace("0 8 101", "0 9 96 101") + "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=0\r\n"
    description, streams = answered(text)
    assert (streams[Kind.AUDIO].format.name, description.media[0].formats) == ("opus", ("96", "101"))
    assert "96 opus/48000/2" in description.media[0].values("rtpmap")


def test_codecs_are_written_as_they_are_registered_for_some_compare_letter_by_letter() -> None:
    """Chromium takes `vp8` for something that it cannot encode, and sends no picture."""
    names = {
        one.split()[1].split("/")[0] for media in offer(ours()).description.media for one in media.values("rtpmap")
    }
    assert names == {"opus", "G722", "PCMA", "PCMU", "telephone-event", "H264", "VP8"}


def test_the_best_keys_are_taken_and_answered_with_their_tag() -> None:
    _, streams = answered(AUDIO + f"a=crypto:7 AEAD_AES_128_GCM inline:{KEY_GCM}\r\n")
    keys = streams[Kind.AUDIO].keying.keys
    assert keys is not None
    assert (keys.tag, keys.suite, len(keys.ours)) == (7, "AEAD_AES_128_GCM", 28)


REFUSED = {
    "no encryption": AUDIO.replace("RTP/SAVP", "RTP/AVP").replace(CRYPTO, ""),
    "an encrypted profile without a key": AUDIO.replace(CRYPTO, ""),
    "a tag of 32 bits": AUDIO.replace("SHA1_80", "SHA1_32"),
    "SRTP that does not encrypt": AUDIO.replace("|2^31", " UNENCRYPTED_SRTP"),
    "a suite that nobody knows": AUDIO.replace("AES_CM_128", "ROT_13"),
    "a key with a name": AUDIO.replace("|2^31", "|2^31|1:4"),
    "no codec in common": AUDIO.replace("0 8 101", "18"),
    "an address that is a name": AUDIO + "c=IN IP4 far.example\r\n",
    "an address of another family": AUDIO + "c=IN IP6 2001:db8::7\r\n",
    "an address of many": AUDIO + "c=IN IP4 224.2.1.1/127\r\n",
    "the address of all": AUDIO + "c=IN IP4 255.255.255.255\r\n",
    "no sound": "m=video 5000 RTP/SAVP 98\r\n" + H264_1 + CRYPTO,
    "sound that is gone": AUDIO.replace("audio 4000", "audio 0"),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_where_encryption_is_required_an_offer_is_488_that_has(text: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        answered(text)
    assert refused.value.sip == 488


@pytest.mark.parametrize("key", ["inline:short", f"inline:{KEY_128[:-4]}", f"file:{KEY_128}", f"inline:{KEY_128}|soon"])
def test_a_key_that_is_not_well_formed_is_400(key: str) -> None:
    with pytest.raises(Invalid):
        answered(AUDIO.replace(f"inline:{KEY_128}|2^31", key))


def test_where_encryption_is_only_offered_a_plain_telephone_is_taken_and_keys_still_used() -> None:
    plain = "m=audio 4000 RTP/AVP 8\r\n"
    assert answered(plain, Encryption.OFFERED)[1][Kind.AUDIO].keying.keys is None
    assert answered(AUDIO, Encryption.OFFERED)[1][Kind.AUDIO].keying.keys is not None
    with pytest.raises(NotAcceptable):  # who wants keys and has none that can be used is not heard in the clear
        answered(plain + CRYPTO.replace("SHA1_80", "SHA1_32"), Encryption.OFFERED)


def test_pictures_are_taken_in_mode_1_where_it_is_there_and_in_mode_0_where_it_is_not() -> None:
    video = "m=video 5000 RTP/SAVP 99 98\r\n" + H264_0 + H264_1 + CRYPTO
    description, streams = answered(AUDIO + video)
    assert streams[Kind.MAIN].format.payload_type == 98
    assert description.media[1].value("fmtp") == "98 profile-level-id=42801f;packetization-mode=1"
    only_0 = "m=video 5000 RTP/SAVP 99\r\n" + H264_0 + CRYPTO
    assert answered(AUDIO + only_0)[0].media[1].value("fmtp") == "99 profile-level-id=42801f"


def test_h264_goes_before_vp8_which_is_taken_alone() -> None:
    vp8 = "m=video 5000 RTP/SAVP 97 98\r\na=rtpmap:97 VP8/90000\r\n" + CRYPTO
    assert answered(AUDIO + vp8)[1][Kind.MAIN].format.name == "vp8"
    assert answered(AUDIO + vp8 + H264_1)[1][Kind.MAIN].format.name == "h264"


def test_what_the_other_side_takes_of_h264_is_its_level_or_more_where_it_says_so() -> None:
    video = "m=video 5000 RTP/SAVP 98\r\n" + H264_1.replace("42801f", "42800d") + CRYPTO
    limits = answered(AUDIO + video)[1][Kind.MAIN].limits
    assert (limits.macroblocks, limits.macroblocks_per_second, limits.bits_per_second) == (8192, 11880, 768_000)


def test_each_kind_is_taken_once_and_other_lines_are_answered_with_port_0() -> None:
    lines = (
        AUDIO
        + "m=video 5000 RTP/SAVP 98\r\n"
        + H264_1
        + CRYPTO
        + "m=video 5002 RTP/SAVP 98\r\n"
        + H264_1
        + CRYPTO
        + "a=content:slides\r\na=label:12\r\n"
        + "m=video 5004 RTP/SAVP 98\r\n"
        + H264_1
        + CRYPTO
        + "m=application 5006 UDP/BFCP *\r\n"
    )
    description, streams = answered(lines)
    assert [line.port for line in description.media] == [30000, 30002, 30004, 0, 0]
    assert (description.media[2].value("content"), description.media[2].value("label")) == ("slides", "12")
    assert set(streams) == set(Kind)


def test_a_kind_that_this_call_may_not_have_is_refused() -> None:
    video = "m=video 5000 RTP/SAVP 98\r\n" + H264_1 + CRYPTO
    description, _ = answered(AUDIO + video, Encryption.REQUIRED, Kind.AUDIO)
    assert [line.port for line in description.media] == [30000, 0]


@pytest.mark.parametrize(
    ("theirs", "held", "expected"),
    [
        ("sendrecv", False, "sendrecv"),
        ("sendonly", False, "recvonly"),
        ("recvonly", False, "sendonly"),
        ("inactive", False, "inactive"),
        ("sendrecv", True, "sendonly"),
        ("sendonly", True, "inactive"),
    ],
)
def test_hold_by_either_side_is_answered_as_it_must_be(theirs: str, held: bool, expected: str) -> None:
    description, streams = answered(AUDIO + f"a={theirs}\r\n", held=held)
    assert streams[Kind.AUDIO].direction == expected
    assert description.media[0].has(expected)


def test_reports_come_by_the_port_that_is_said() -> None:
    assert answered(AUDIO + "a=rtcp:4999\r\n")[1][Kind.AUDIO].rtcp_port == 4999
    description, streams = answered(AUDIO + "a=rtcp-mux\r\n")
    assert streams[Kind.AUDIO].rtcp_port == 4000
    assert description.media[0].has("rtcp-mux")


def test_what_is_not_understood_of_feedback_is_not_answered() -> None:
    video = (
        "m=video 5000 RTP/SAVP 98\r\n"
        + H264_1
        + CRYPTO
        + "a=rtcp-fb:* nack\r\na=rtcp-fb:98 ccm  fir\r\na=rtcp-fb:98 x\r\n"
    )
    description, streams = answered(AUDIO + video)
    assert streams[Kind.MAIN].feedback == {"nack", "ccm fir"}
    assert list(description.media[1].values("rtcp-fb")) == ["98 ccm fir", "98 nack"]


def test_no_key_is_shown_where_a_value_is_printed() -> None:
    description, streams = answered(AUDIO)
    shown = repr(streams)
    assert str(bytes(range(30))) not in shown
    assert "inline" not in shown
    assert description.media[0].has("crypto")
    assert "bytes" not in repr(offer(ours()).keys)


def test_an_offer_of_ours_has_every_codec_and_suite_and_is_answered_by_ourselves() -> None:
    mine, other = ours(), ours()
    offered = offer(mine)
    audio, video, slides = offered.description.media
    assert len(list(audio.values("crypto"))) == len(SUITES)
    assert slides.value("content") == "slides"
    assert video.formats == ("97", "98", "99")
    reply, theirs = answer(parse(str(offered.description)), other)
    found = accepted(offered, parse(str(reply)), mine)
    assert [(s.kind, s.format.name, s.direction) for s in found] == [
        (Kind.AUDIO, "opus", "sendrecv"),
        (Kind.MAIN, "h264", "sendrecv"),
        (Kind.SLIDES, "h264", "sendrecv"),
    ]
    for here, there in zip(found, theirs, strict=True):
        assert here.keying.keys is not None
        assert there.keying.keys is not None
        assert (here.keying.keys.ours, here.keying.keys.theirs) == (there.keying.keys.theirs, there.keying.keys.ours)


def reply_with(change: Mapping[str, object]) -> tuple[Stream, ...]:
    mine = ours()
    offered = offer(mine)
    reply, _ = answer(offered.description, ours())
    lines = [
        Media(**{**{n: getattr(reply.media[0], n) for n in Media.__dataclass_fields__}, **change}),
        *reply.media[1:],
    ]
    return accepted(offered, Description(origin=reply.origin, connection=reply.connection, media=tuple(lines)), mine)


def test_an_answer_without_sound_or_without_keys_is_not_acceptable() -> None:
    for change in ({"port": 0}, {"attributes": ()}, {"protocol": "RTP/AVP"}):
        with pytest.raises(NotAcceptable):
            reply_with(change)


def test_an_answer_with_a_key_that_was_not_offered_is_not_acceptable() -> None:
    other = parse(HEAD + AUDIO.replace("crypto:1 ", "crypto:9 "))
    with pytest.raises(NotAcceptable):
        reply_with({"attributes": other.media[0].attributes, "formats": ("8",)})


def test_an_answer_of_another_shape_than_the_offer_is_invalid() -> None:
    mine = ours()
    offered = offer(mine)
    with pytest.raises(Invalid):
        accepted(offered, parse(HEAD + AUDIO), mine)


def test_what_was_agreed_is_offered_again_by_other_ports_with_the_same_codec_and_keys() -> None:
    description, streams = answered(AUDIO + "m=video 5000 RTP/SAVP 98\r\n" + H264_1 + CRYPTO)
    elsewhere = Ours(
        address="198.51.100.9",
        ports={Kind.AUDIO: Ports(40000, 40001)},
        fingerprint=FINGERPRINT,
        origin=Origin(6, 1, "198.51.100.9"),
    )
    again = offer_again(description, elsewhere)
    audio, video = again.description.media
    assert (again.description.connection, audio.port, audio.value("rtcp"), video.port) == (
        "198.51.100.9",
        40000,
        "40001",
        0,
    )
    assert (again.description.origin.session, again.description.origin.version) == (5, 2)
    assert audio.formats == description.media[0].formats
    assert audio.value("crypto") == description.media[0].value("crypto")
    reply, _ = answer(again.description, ours(Encryption.REQUIRED, Kind.AUDIO))
    (stream,) = accepted(again, reply, elsewhere)
    before = streams[Kind.AUDIO].keying.keys
    assert stream.keying.keys is not None
    assert before is not None
    assert (stream.keying.keys.ours, stream.keying.keys.suite) == (before.ours, before.suite)


def test_in_a_session_in_which_another_spoke_our_codecs_and_keys_are_offered_in_its_lines() -> None:
    video = "m=video 4002 RTP/SAVP 99\r\n" + H264_0 + CRYPTO
    said = parse(HEAD + "m=application 9 UDP/BFCP *\r\n" + video + AUDIO + video)
    made = offer_anew(said, ours(Encryption.REQUIRED, Kind.AUDIO, Kind.MAIN))
    lines = made.description.media
    assert [(line.kind, line.port) for line in lines] == [
        ("application", 0),
        ("video", 30002),
        ("audio", 30000),
        ("video", 0),
    ]
    assert (made.description.origin.session, made.description.origin.version) == (1, 2)
    assert KEY_128 not in f"{lines[1]}{lines[2]}"
    assert set(made.keys) == {Kind.AUDIO, Kind.MAIN}


@pytest.mark.parametrize(
    ("origin", "session", "audio", "video", "six"),
    [
        ("IP6 2001:db8::2", "", "c=IN IP4 192.0.2.9", "c=IN IP6 2001:db8::1", False),
        ("IP4 host.example.com", "", "c=IN IP6 2001:db8::1", "c=IN IP4 192.0.2.9", True),
        ("IP4 192.0.2.9", "c=IN IP6 2001:db8::1", "", "", True),
        ("IP6 2001:db8::2", "c=IN IP6 ::", "", "", True),  # on hold
        ("IP6 2001:db8::2", "", "", "", False),  # and is refused
    ],
)
def test_the_sounds_address_says_which_family_a_call_is_of(
    origin: str, session: str, audio: str, video: str, six: bool
) -> None:
    lines = ["v=0", f"o=- 1 1 IN {origin}", "s=-", session, "t=0 0"]
    lines += ["m=audio 4000 RTP/AVP 0", audio, "m=video 4002 RTP/AVP 34", video]
    assert by_ipv6("\r\n".join(line for line in lines if line)) is six


def test_they_send_by_the_numbers_of_our_offer_and_we_by_those_of_their_answer() -> None:
    """RFC 3264, section 6.1."""
    mine = ours(Encryption.OFFERED, Kind.AUDIO, Kind.MAIN)
    mode_0 = "a=rtpmap:111 H264/90000\r\na=fmtp:111 profile-level-id=42e01f\r\n"
    reply = parse(
        HEAD
        + "m=audio 4000 RTP/AVP 120 97\r\na=rtpmap:120 opus/48000/2\r\na=rtpmap:97 telephone-event/8000\r\n"
        + "m=video 4002 RTP/AVP 111\r\n"
        + mode_0
    )
    audio, video = accepted(offer(mine), reply, mine)
    assert (audio.format.payload_type, audio.received, audio.dtmf) == (120, 96, 101)
    assert (video.format.payload_type, video.received) == (111, 98)


def test_an_answer_has_the_times_of_its_offer() -> None:
    """RFC 3264, section 6."""
    offered = parse((HEAD + AUDIO).replace("t=0 0", "t=3338481189 3370017201"))
    assert "\r\nt=3338481189 3370017201\r\n" in str(answer(offered, ours())[0])
    assert "\r\nt=0 0\r\n" in str(answer(parse((HEAD + AUDIO).replace("t=0 0", "t=soon")), ours())[0])


def test_a_screen_is_one_also_where_more_is_said_of_it() -> None:
    """RFC 4796, section 5."""
    slides = "m=video 4004 RTP/SAVP 98\r\na=content:alt, slides\r\n" + H264_1 + CRYPTO
    assert Kind.SLIDES in answered(AUDIO + slides)[1]


@pytest.mark.parametrize(
    ("said", "taken"), [("WSH=128", True), ("-FUTURE=1", True), ("KDR=1", False), ("FUTURE", False)]
)
def test_what_must_be_understood_of_a_key_is_and_what_need_not_is_let_be(said: str, taken: bool) -> None:
    """RFC 4568, section 6.3."""
    audio = AUDIO.replace("|2^31", f"|2^31 {said}")
    if taken:
        assert answered(audio)[1][Kind.AUDIO].keying.encrypts
    else:
        with pytest.raises(NotAcceptable):
            answered(audio)
