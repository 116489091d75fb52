"""What was agreed, as the plane is told of it: a leg's streams with their payload types, extensions and SSRCs."""

from mcu.media._native import AUDIO, CAMERA, SCREEN, Plane
from mcu.media.messages import Source
from mcu.media.transport import simulcast
from mcu.media.transport.answer import LEVEL, MID, SEND_TIME, SEQUENCE, Agreed, Line, Ours, VideoLine

MID_MAX = 16  # bytes that fit in the one-byte header (RFC 8285 section 4.2)
NUMBERS = {Source.CAMERA: CAMERA, Source.SCREEN: SCREEN}  # of pictures, as the plane calls them
_EXTENSIONS = {  # as the plane calls them
    MID: "mid",
    LEVEL: "level",
    SEND_TIME: "send_time",
    SEQUENCE: "sequence",
    simulcast.RID: "rid",
    simulcast.REPAIRED: "repaired",
}


def add_streams(plane: Plane, leg: int, agreed: Agreed, ours: Ours, pixels_max: int) -> None:
    """Tells the plane of each line that was agreed on."""
    audio = agreed.audio
    plane.add_stream(
        leg,
        AUDIO,
        formats=[(audio.payload_type, "opus", 0)],
        mid=_mid(audio),
        ssrcs=audio.ssrcs,
        extensions=_ids(audio),
        sends=audio.sends,
        receives=audio.receives,
        ssrc=ours.audio_ssrc,
        cname=ours.cname,
    )
    for line in agreed.video:
        _add_video(plane, leg, line, ours, pixels_max)


def _add_video(plane: Plane, leg: int, line: VideoLine, ours: Ours, pixels_max: int) -> None:
    plane.add_stream(
        leg,
        NUMBERS[line.source],
        formats=[(line.payload_type, line.codec, line.rtx)],
        mid=_mid(line),
        ssrcs=line.ssrcs,
        extensions=_ids(line),
        sends=line.sends,
        receives=line.receives,
        nack="nack" in line.feedback,
        pli="nack pli" in line.feedback,
        fir="ccm fir" in line.feedback,
        tmmbr="ccm tmmbr" in line.feedback and "goog-remb" not in line.feedback,
        ssrc=ours.pictures[line.source].ssrc,
        rtx_ssrc=ours.pictures[line.source].rtx if line.rtx else 0,
        cname=ours.cname,
        pixels_max=pixels_max,
        rids=[layer.rid for layer in line.layers],
    )


def sources_of(agreed: Agreed) -> dict[int, str]:
    """The codec of each of the plane's sources, as figures name it."""
    return {AUDIO: "opus"} | {NUMBERS[line.source]: line.codec for line in agreed.video}


def layers_of(agreed: Agreed) -> dict[int, tuple[str, ...]]:
    """The names of the layers of each picture that is received, by the plane's number of it; "": no simulcast."""
    received = (line for line in agreed.video if line.receives)
    return {NUMBERS[line.source]: tuple(layer.rid for layer in line.layers) or ("",) for line in received}


def _mid(line: Line) -> str:
    return line.mid if len(line.mid.encode()) <= MID_MAX else ""


def _ids(line: Line) -> dict[str, int]:
    return {_EXTENSIONS[uri]: number for uri, number in line.extensions.items()}
