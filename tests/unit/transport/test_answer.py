"""Offers: what Chromium and aiortc write is answered as RFC 8829 says; what nobody should write is refused by name."""

import re
import time
from contextlib import suppress

import msgspec
import pytest
from aiortc import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription
from hypothesis import given
from hypothesis import strategies as st
from offers import CHROMIUM, CHROMIUM_MDNS, OURS

from mcu.errors import Invalid
from mcu.media.messages import Source
from mcu.media.transport import answer as sdp


def answered(offer: str) -> SessionDescription:
    session, agreed = sdp.agree(offer)
    return SessionDescription.parse(sdp.write(session, agreed, OURS))


AGREED = sdp.agree(CHROMIUM)[1]


def lines_of(answer: SessionDescription) -> list[tuple[str, str, str | None, bool]]:
    return [(line.kind, line.rtp.muxId, line.direction, line.port != 0) for line in answer.media]


def without(offer: str, *starts: str) -> str:
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith(starts)) + "\r\n"


def test_each_line_of_a_browsers_offer_is_taken_for_what_it_is() -> None:
    answer = answered(CHROMIUM_MDNS)
    assert lines_of(answer) == [
        ("audio", "0", "sendrecv", True),
        ("video", "1", "sendrecv", True),
        ("video", "2", "recvonly", True),
        ("application", "3", "inactive", False),
    ]
    assert [str(group) for group in answer.group] == ["BUNDLE 0 1 2"]


def feedback(line: MediaDescription) -> list[set[str]]:
    return [{said.type for said in codec.rtcpFeedback} for codec in line.rtp.codecs]


def test_what_arrives_is_reported_for_all_streams_where_the_offer_can() -> None:
    audio, video, *_ = answered(CHROMIUM).media
    assert {ext.uri: ext.id for line in (audio, video) for ext in line.rtp.headerExtensions}[sdp.SEQUENCE] == 3
    assert "transport-cc" in feedback(audio)[0]
    assert {"transport-cc", "goog-remb"} <= feedback(video)[0]  # REMB: ours caps what it sends
    assert sdp.SEND_TIME not in {ext.uri for ext in video.rtp.headerExtensions}  # one of the two is enough


@pytest.mark.parametrize("missing", [f"a=extmap:3 {sdp.SEQUENCE}", "a=rtcp-fb:"])
def test_without_the_number_or_its_feedback_there_is_neither(missing: str) -> None:
    lines = [line for line in CHROMIUM.splitlines() if not (line.startswith(missing) and "transport" in line)]
    audio, video, *_ = answered("\r\n".join(lines) + "\r\n").media
    for line in (audio, video):
        assert sdp.SEQUENCE not in {ext.uri for ext in line.rtp.headerExtensions}
        assert not any("transport-cc" in said for said in feedback(line))
    assert sdp.SEND_TIME in {ext.uri for ext in video.rtp.headerExtensions}


def test_pictures_that_would_be_repeated_byte_for_byte_have_no_number() -> None:
    _, video, *_ = answered(without(CHROMIUM, "a=fmtp:109 apt=108")).media  # its RTX
    assert sdp.SEQUENCE not in {ext.uri for ext in video.rtp.headerExtensions}
    assert "transport-cc" not in feedback(video)[0]


def test_sound_is_mono_opus_with_forward_error_correction() -> None:
    audio = answered(CHROMIUM).media[0]
    assert [(codec.name, codec.payloadType, codec.clockRate) for codec in audio.rtp.codecs] == [("opus", 111, 48000)]
    assert audio.rtp.codecs[0].parameters == {"minptime": 10, "useinbandfec": 1}


def test_we_are_an_ice_lite_agent() -> None:
    session, agreed = sdp.agree(CHROMIUM)
    assert "a=ice-lite" in sdp.write(session, agreed, OURS).partition("m=")[0].splitlines()


def test_lost_pictures_come_again_in_a_stream_of_their_own_both_ways() -> None:
    _, agreed = sdp.agree(CHROMIUM)
    assert [line.rtx for line in agreed.video] == [109, 109]
    camera = answered(CHROMIUM).media[1]
    assert [(codec.name, codec.payloadType, codec.parameters.get("apt")) for codec in camera.rtp.codecs] == [
        ("H264", 108, None),
        ("rtx", 109, 108),
    ]
    assert [str(group) for group in camera.ssrc_group] == ["FID 11 12"]


def test_without_retransmission_in_the_offer_there_is_none_in_the_answer() -> None:
    camera = answered(CHROMIUM.replace("rtx/90000", "xtr/90000")).media[1]
    assert [codec.name for codec in camera.rtp.codecs] == ["H264"]
    assert ([ssrc.ssrc for ssrc in camera.ssrc], camera.ssrc_group) == ([11], [])


def test_h264_constrained_baseline_in_mode_1_is_preferred() -> None:
    _, agreed = sdp.agree(CHROMIUM)
    assert [(line.codec, line.payload_type, line.source) for line in agreed.video] == [
        ("H264", 108, Source.CAMERA),
        ("H264", 108, Source.SCREEN),
    ]
    codec = answered(CHROMIUM).media[1].rtp.codecs[0]
    assert codec.parameters["profile-level-id"] == "42e01f"
    assert str(codec.parameters["packetization-mode"]) == "1"
    assert [(f.type, f.parameter) for f in codec.rtcpFeedback] == [
        ("nack", None),
        ("nack", "pli"),
        ("ccm", "fir"),
        ("goog-remb", None),
        ("transport-cc", None),
    ]


def test_h264_in_mode_0_is_taken_where_there_is_neither_mode_1_nor_vp8() -> None:
    mode_0 = CHROMIUM.replace("packetization-mode=1", "packetization-mode=0")
    assert sdp.agree(mode_0)[1].video[0].codec == "VP8"
    only = mode_0.replace("VP8/90000", "AV2/90000")
    assert sdp.agree(only)[1].video[0].codec == "H264/0"
    assert str(answered(only).media[1].rtp.codecs[0].parameters["packetization-mode"]) == "0"


def test_vp8_is_taken_where_there_is_no_h264() -> None:
    offer = CHROMIUM.replace("H264/90000", "H265/90000")
    _, agreed = sdp.agree(offer)
    assert agreed.video[0].codec == "VP8"


def test_a_line_whose_codecs_we_do_not_have_is_refused_and_the_call_is_not() -> None:
    offer = CHROMIUM.replace("H264/90000", "H265/90000").replace("VP8/90000", "AV2/90000")
    session, agreed = sdp.agree(offer)
    assert agreed.video == ()
    assert [line.port for line in SessionDescription.parse(sdp.write(session, agreed, OURS)).media] == [9, 0, 0]


def test_only_extensions_that_were_offered_and_that_we_use_are_answered() -> None:
    media = answered(CHROMIUM).media
    assert {extension.uri for extension in media[0].rtp.headerExtensions} == {sdp.LEVEL, sdp.MID, sdp.SEQUENCE}
    assert {extension.uri for extension in media[1].rtp.headerExtensions} == {sdp.SEQUENCE, sdp.MID}


def test_a_telephone_may_be_asked_for_less_by_tmmbr() -> None:
    offer = CHROMIUM.replace("a=rtcp-fb:108 goog-remb", "a=rtcp-fb:108 ccm tmmbr")
    codec = answered(offer).media[1].rtp.codecs[0]
    assert ("ccm", "tmmbr") in [(f.type, f.parameter) for f in codec.rtcpFeedback]


def test_feedback_that_was_not_offered_is_not_answered() -> None:
    codec = (
        answered(without(CHROMIUM, "a=rtcp-fb:108 ccm", "a=rtcp-fb:108 goog", "a=rtcp-fb:108 transport"))
        .media[1]
        .rtp.codecs[0]
    )
    assert [(f.type, f.parameter) for f in codec.rtcpFeedback] == [("nack", None), ("nack", "pli")]


@pytest.mark.parametrize(
    ("theirs", "audio", "video"),
    [("sendrecv", "sendrecv", "sendrecv"), ("sendonly", "recvonly", "recvonly"), ("recvonly", "sendonly", "sendonly")],
)
def test_directions_are_answered_from_our_side(theirs: str, audio: str, video: str) -> None:
    answer = answered(CHROMIUM.replace("a=sendrecv", f"a={theirs}"))
    assert [line.direction for line in answer.media] == [audio, video, "recvonly"]


@pytest.mark.parametrize(("theirs", "ours"), [("actpass", "server"), ("active", "server"), ("passive", "client")])
def test_we_are_dtls_server_wherever_we_may_for_the_server_picks_the_profile(theirs: str, ours: str) -> None:
    offer = CHROMIUM.replace("a=setup:actpass", f"a=setup:{theirs}")
    assert sdp.agree(offer)[1].role == ours
    assert {media.dtls.role for media in answered(offer).media if media.dtls} == {ours}


def test_our_streams_are_named_where_we_send_and_nowhere_else() -> None:
    named: list[list[int]] = [[s.ssrc for s in line.ssrc] for line in answered(CHROMIUM).media]
    assert named == [[10], [11, 12], []]


def test_a_bundle_only_line_has_port_0_and_is_taken() -> None:
    offer = CHROMIUM.replace("m=video 9 ", "m=video 0 ")
    assert [line.port for line in answered(offer).media] == [9, 9, 9]


def test_without_a_bundle_only_the_first_line_is_taken() -> None:
    answer = answered(without(CHROMIUM, "a=group:"))
    assert [line.port for line in answer.media] == [9, 0, 0]
    assert answer.group == []


def test_one_address_that_proves_nothing_is_not_read() -> None:
    offer = CHROMIUM.replace("a=candidate:", "a=candidate:nonsense ")
    assert sdp.agree(offer)[1].audio.payload_type == 111


FRESH = without(CHROMIUM, "a=ice-ufrag", "a=ice-pwd").replace(
    "a=mid:", "a=ice-ufrag:new4\r\na=ice-pwd:" + "n" * 24 + "\r\na=mid:"
)


def test_a_restart_changes_the_credentials_of_the_answer_and_nothing_else() -> None:
    session, agreed = sdp.agree(CHROMIUM)
    assert sdp.restarted(FRESH, agreed) == sdp.Credentials("new4", "n" * 24)
    answer = sdp.write(session, agreed, OURS)
    again = sdp.with_credentials(answer, sdp.Credentials("other", "p" * 48))
    lines = list(zip(answer.splitlines(), again.splitlines(), strict=True))
    changed = {new for old, new in lines if old != new}
    assert changed == {"a=ice-ufrag:other", "a=ice-pwd:" + "p" * 48}


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (CHROMIUM, "of before"),
        (FRESH.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:"), "other fingerprints"),
        ("hello", "begin with v=0"),
    ],
)
def test_a_restart_that_restarts_nothing_or_is_of_another_session_is_refused(offer: str, reason: str) -> None:
    _, agreed = sdp.agree(CHROMIUM)
    with pytest.raises(Invalid, match=reason):
        sdp.restarted(offer, agreed)


BAD = {
    "": "begin with v=0",
    "hello": "begin with v=0",
    "v=0\r\n": "no media",
    "v=0\r\nm=audio\r\n": "well-formed",
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 72\r\n": "well-formed",
    without(CHROMIUM, "a=rtpmap:111"): "well-formed",
    CHROMIUM.replace("opus/48000", "speex/48000"): "Opus",
    without(CHROMIUM, "a=rtcp-mux"): "rtcp-mux",
    without(CHROMIUM, "a=ice-ufrag"): "ICE credentials",
    without(CHROMIUM, "a=ice-pwd"): "ICE credentials",
    without(CHROMIUM, "a=fingerprint"): "fingerprint",
    without(CHROMIUM, "a=setup"): "fingerprint or role",
    CHROMIUM.replace("sha-256", "sha-1"): "SHA-256",
    CHROMIUM.replace("a=setup:actpass", "a=setup:holdconn"): "well-formed",
    CHROMIUM.replace("t=0 0", "t=0 0\r\na=ice-lite"): "ICE-lite",
    CHROMIUM.replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 7"): "no media",
    CHROMIUM + "a=x\r\n" * 2000: "lines",
    CHROMIUM + "a=" + "x" * 70_000: "characters",
    "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 17: "media",
}


@pytest.mark.parametrize(("offer", "reason"), BAD.items(), ids=range(len(BAD)))
def test_an_offer_that_cannot_be_is_refused_and_told_why(offer: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        sdp.agree(offer)


@given(st.text(max_size=300), st.integers(0, len(CHROMIUM)), st.integers(0, 40))
def test_a_damaged_offer_is_read_or_refused_and_never_raises_anything_else(noise: str, at: int, cut: int) -> None:
    for offer in ("v=0\r\n" + noise, CHROMIUM[:at] + noise + CHROMIUM[at + cut :]):
        try:
            session, agreed = sdp.agree(offer)
        except Invalid:
            continue
        assert sdp.write(session, agreed, OURS).startswith("v=0")
        with suppress(Invalid):
            sdp.restarted(offer, AGREED)


def cost(offer: str) -> float:
    def once() -> float:
        began = time.process_time()
        sdp.agree(offer)
        return time.process_time() - began

    return min(once() for _ in range(5))


def test_the_worst_offer_costs_little_more_than_a_browsers() -> None:
    codecs = "".join(f"a=rtpmap:{number} x/90000\r\na=rtcp-fb:* nack\r\n" for number in range(340))
    assert cost(CHROMIUM + codecs) < 25 * cost(CHROMIUM)


def test_a_candidate_with_a_false_greeting_is_only_for_browsers_that_do_not_refuse_it() -> None:
    kinds = [("udp", None), ("tcp", "passive"), ("ssltcp", None)]
    made = [RTCIceCandidate(1, k, "192.0.2.1", 4000, 1, k, "host", tcpType=tcp) for k, tcp in kinds]
    for origin, offered in (("-", ["udp", "tcp", "ssltcp"]), ("mozilla...THIS_IS_SDPARTA-99.0", ["udp", "tcp"])):
        session, agreed = sdp.agree(CHROMIUM.replace("o=-", f"o={origin}"))
        answer = sdp.write(session, agreed, msgspec.structs.replace(OURS, candidates=made))
        first = answer.split("m=")[1]
        assert re.findall(r"a=candidate:\w+ 1 (\w+) ", first) == offered
        assert "tcp 1 192.0.2.1 4000 typ host tcptype passive" in first
