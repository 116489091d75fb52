"""SDP is read and written line by line; what is not whole is refused with what is wrong, never with the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.errors import Invalid
from mcu.protocol.sdp.description import Attribute, Description, Media, Origin, parse

words = st.text("abcXYZ019-_./", min_size=1, max_size=8)
addresses = st.sampled_from(["192.0.2.1", "2001:db8::1"])
attributes = st.lists(st.builds(Attribute, words, st.none() | words), max_size=4).map(tuple)
bandwidths = st.lists(st.tuples(st.sampled_from(["AS", "TIAS"]), st.integers(0, 9_999_999)), max_size=2).map(tuple)
shared = {"connection": st.none() | addresses, "bandwidths": bandwidths, "attributes": attributes}
media = st.builds(
    Media,
    kind=st.sampled_from(["audio", "video", "application"]),
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVP", "UDP/BFCP"]),
    formats=st.lists(words, min_size=1, max_size=4).map(tuple),
    **shared,
)
origins = st.builds(Origin, st.integers(0, 2**63), st.integers(0, 2**63), addresses, words)
descriptions = st.builds(Description, origin=origins, media=st.lists(media, max_size=3).map(tuple), **shared)

BARE = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"


@given(descriptions)
def test_what_is_written_is_read_back(description: Description) -> None:
    assert parse(str(description)) == description


def test_lines_may_end_without_a_carriage_return_and_have_values_of_any_kind() -> None:
    description = parse(
        BARE.replace("\r\n", "\n") + "m=audio 4000/2 rtp/avp 0 8 \nk=clear:x\nb=X-YZ:9\nb=later\na=ptime:20\n"
    )
    (line,) = description.media
    assert (line.port, line.protocol, line.formats, line.value("ptime")) == (4000, "RTP/AVP", ("0", "8"), "20")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        "o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n",
        BARE + "hello\r\n",
        BARE + "m=audio x RTP/AVP 0\r\n",
        BARE + "m=audio 70000 RTP/AVP 0\r\n",
        BARE + "m=audio 4000 RTP/AVP\r\n",
        BARE + "c=IN IP5 here\r\n",
        BARE.replace("o=- 1 1 IN IP4 192.0.2.1\r\n", ""),
        BARE.replace("1 1 IN", "one 1 IN"),
        BARE + "m=audio 4000 RTP/AVP 0\r\n" * 17,
        BARE + "a=x\r\n" * 1000,
        BARE + "a=" + "x" * 65536,
    ],
)
def test_sdp_is_refused_that_is_not_whole(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def direction(*lines: str, session: str = "") -> str:
    description = parse(BARE + session + "m=audio 4000 RTP/AVP 0\r\n" + "".join(f"{line}\r\n" for line in lines))
    return description.direction_of(description.media[0])


def test_a_direction_is_the_medias_own_or_the_sessions_or_both_ways() -> None:
    at = "c=IN IP4 192.0.2.1"
    assert direction(at) == "sendrecv"
    assert direction(at, session="a=recvonly\r\n") == "recvonly"
    assert direction(at, "a=inactive", session="a=recvonly\r\n") == "inactive"


def test_to_the_address_of_nowhere_nothing_is_sent() -> None:
    assert direction("c=IN IP4 0.0.0.0") == "sendonly"
    assert direction("c=IN IP6 ::") == "sendonly"
    assert direction("c=IN IP4 0.0.0.0", "a=recvonly") == "inactive"
    later = parse(BARE + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\n")  # of a browser
    assert later.direction_of(later.media[0]) == "sendrecv"


def test_a_media_has_the_address_of_the_session_unless_it_says_another() -> None:
    description = parse(
        BARE + "c=IN IP4 192.0.2.5\r\nm=audio 1 RTP/AVP 0\r\nm=video 2 RTP/AVP 9\r\nc=IN IP6 2001:db8::7\r\n"
    )
    assert [description.address_of(one) for one in description.media] == ["192.0.2.5", "2001:db8::7"]
    nowhere = parse(BARE + "m=audio 1 RTP/AVP 0\r\n")
    with pytest.raises(Invalid):
        nowhere.address_of(nowhere.media[0])


def test_a_limit_in_bits_goes_before_one_in_kilobits() -> None:
    both = parse(BARE + "b=AS:512\r\nb=TIAS:384000\r\n")
    assert both.bits_per_second == 384_000
    assert parse(BARE + "b=AS:512\r\n").bits_per_second == 512_000
    assert parse(BARE).bits_per_second is None
