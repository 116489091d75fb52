"""RTP headers in C against aiortc's and our own in Python: the same of each packet, and each reads what the other
writes."""

import ctypes
from typing import Any

from aiortc import rtp as theirs
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from hypothesis import given
from hypothesis import strategies as st
from wire import RTP_HEADER_MAX, Extensions, Rtp, extend16, extend32, rtp_parse, rtp_write
from wire_twins import rtp as twin

from mcu.demo.taps import Unwrap

URIS = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "rid": "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "repaired": "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "send_time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "sequence": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
}
IDS = {name: number for number, name in enumerate(URIS, 1)}
OURS = Extensions(**IDS)
THEIRS = theirs.HeaderExtensionsMap()
THEIRS.configure(
    RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=IDS[n], uri=u) for n, u in URIS.items()])
)
names = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=16)


def parsed(data: bytes, *, encrypted: bool = False) -> Rtp | None:
    packet = Rtp()
    found = rtp_parse(ctypes.byref(packet), data, len(data), ctypes.byref(OURS), encrypted)
    return packet if found == 0 else None


def string(at: int | None, size: int) -> str | None:
    return ctypes.string_at(at, size).decode() if at else None


@st.composite
def packets(draw: st.DrawFn) -> theirs.RtpPacket:
    packet = theirs.RtpPacket(
        payload_type=draw(st.integers(0, 127)),
        marker=draw(st.integers(0, 1)),
        sequence_number=draw(st.integers(0, 65535)),
        timestamp=draw(st.integers(0, 2**32 - 1)),
        ssrc=draw(st.integers(0, 2**32 - 1)),
        payload=draw(st.binary(max_size=60)),
    )
    packet.csrc = draw(st.lists(st.integers(0, 2**32 - 1), max_size=15))
    packet.padding_size = draw(st.integers(0, 20))
    packet.extensions = theirs.HeaderExtensions(
        mid=draw(st.none() | names),
        rtp_stream_id=draw(st.none() | names),
        repaired_rtp_stream_id=draw(st.none() | names),
        audio_level=draw(st.none() | st.tuples(st.booleans(), st.integers(0, 127))),
        abs_send_time=draw(st.none() | st.integers(0, 2**24 - 1)),
        transport_sequence_number=draw(st.none() | st.integers(0, 65535)),
    )
    return packet


@given(packets())
def test_what_aiortc_writes_is_read(packet: theirs.RtpPacket) -> None:
    data = packet.serialize(THEIRS)
    ours, extensions = parsed(data), packet.extensions
    assert ours is not None
    assert (ours.payload_type, ours.marker, ours.sequence) == (
        packet.payload_type,
        packet.marker,
        packet.sequence_number,
    )
    assert (ours.timestamp, ours.ssrc) == (packet.timestamp, packet.ssrc)
    assert ctypes.string_at(ours.payload, ours.payload_size) == packet.payload
    assert string(ours.mid, ours.mid_size) == extensions.mid
    assert string(ours.rid, ours.rid_size) == extensions.rtp_stream_id
    assert string(ours.repaired, ours.repaired_size) == extensions.repaired_rtp_stream_id
    level = (ours.voice, ours.level) if ours.level >= 0 else None
    assert level == extensions.audio_level
    assert (ours.send_time if ours.has_send_time else None) == extensions.abs_send_time
    assert (ours.wide_sequence if ours.has_wide_sequence else None) == extensions.transport_sequence_number
    sealed = parsed(data, encrypted=True)
    assert sealed is not None
    assert sealed.payload_size == len(data) - ours.header_size


@given(packets())
def test_aiortc_reads_what_is_written(packet: theirs.RtpPacket) -> None:
    wanted = packet.extensions
    mid = (wanted.mid or "").encode()
    held = ctypes.create_string_buffer(mid)
    voice, level = wanted.audio_level or (False, -1)
    header = Rtp(
        payload_type=packet.payload_type,
        marker=bool(packet.marker),
        sequence=packet.sequence_number,
        timestamp=packet.timestamp,
        ssrc=packet.ssrc,
        mid=ctypes.cast(held, ctypes.c_void_p),
        mid_size=len(mid),
        level=level,
        voice=voice,
        has_send_time=wanted.abs_send_time is not None,
        send_time=wanted.abs_send_time or 0,
        has_wide_sequence=wanted.transport_sequence_number is not None,
        wide_sequence=wanted.transport_sequence_number or 0,
    )
    out = ctypes.create_string_buffer(RTP_HEADER_MAX)
    size = rtp_write(out, ctypes.byref(header), ctypes.byref(OURS))
    read = theirs.RtpPacket.parse(out.raw[:size] + packet.payload, THEIRS)
    assert read.payload == packet.payload
    assert (read.payload_type, read.marker, read.sequence_number) == (
        packet.payload_type,
        packet.marker,
        packet.sequence_number,
    )
    assert (read.timestamp, read.ssrc) == (packet.timestamp, packet.ssrc)
    wanted.rtp_stream_id = wanted.repaired_rtp_stream_id = None  # read only
    assert read.extensions == wanted


def from_twin(data: bytes) -> dict[str, Any] | None:
    """What the twin says of a packet, as `from_c` puts it."""
    try:
        packet = twin.parse(data)
    except twin.Malformed:
        return None
    least = {"send_time": 3, "sequence": 2}
    values: dict[str, bytes] = {}
    for number, value in twin.extensions(packet):
        name = next((name for name, known in IDS.items() if known == number), "")
        if len(value) >= least.get(name, 1) and not (name == "mid" and len(value) > 16):
            values[name] = value[: least.get(name, 1 if name == "level" else 256)]
    values.pop("", None)
    head = (packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc)
    return values | {"head": head, "payload": packet.payload}


def from_c(data: bytes) -> dict[str, Any] | None:
    packet = parsed(data)
    if packet is None:
        return None
    found: dict[str, Any] = {
        "head": (packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc),
        "payload": ctypes.string_at(packet.payload, packet.payload_size),
    }
    for name in ("mid", "rid", "repaired"):
        if getattr(packet, name):
            found[name] = ctypes.string_at(getattr(packet, name), getattr(packet, name + "_size"))
    if packet.level >= 0:
        found["level"] = bytes([packet.voice << 7 | packet.level])
    if packet.has_send_time:
        found["send_time"] = packet.send_time.to_bytes(3, "big")
    if packet.has_wide_sequence:
        found["sequence"] = packet.wide_sequence.to_bytes(2, "big")
    return found


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A header that is nearly right, and noise."""
    profile = draw(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0xABAC]))
    block = draw(st.binary(max_size=60))
    words = draw(st.sampled_from([len(block) // 4, (len(block) + 3) // 4, 0]) | st.integers(0, 20))
    first = 0x80 | draw(st.sampled_from([0x00, 0x10, 0x20, 0x30])) | draw(st.sampled_from([0, 0, 1, 15]))
    head = bytes([first]) + draw(st.binary(min_size=11, max_size=11))
    return head + profile.to_bytes(2, "big") + words.to_bytes(2, "big") + block + draw(st.binary(max_size=20))


@given(mangled() | st.binary(max_size=40))
def test_any_bytes_are_read_as_the_python_twin_reads_them(data: bytes) -> None:
    assert from_c(data) == from_twin(data)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_numbers_are_extended_as_the_python_twin_unwraps_them(numbers: list[int]) -> None:
    unwrap, highest = Unwrap(16), -1
    for number in numbers:
        want = unwrap(number)
        got = extend16(highest if highest < 0 else highest + 65536, number)  # a turn in front, as the twin has it
        got += 65536 if highest < 0 else 0
        if abs(got - highest - 65536) != 32768:  # just half a turn away: RFC 3711 and the twin choose differently
            assert got == want
        else:
            got = want
        highest = max(highest, got - 65536) if got >= 65536 else highest
        assert highest + 65536 == unwrap.highest


@given(st.integers(2**32, 2**48), st.integers(-(2**31) + 1, 2**31 - 1))
def test_timestamps_are_extended_to_the_nearest(reference: int, away: int) -> None:
    assert extend32(reference, (reference + away) % 2**32) == reference + away
