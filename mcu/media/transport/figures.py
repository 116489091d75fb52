"""What the plane counts of a leg, as `LegMedia`: totals since it connected, rates of the last second."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from mcu.ids import LegId
from mcu.media._native import AUDIO, CAMERA, SCREEN
from mcu.media.messages import LegMedia, LineStats, StreamStats

_RECEIVED = {AUDIO: "audio", CAMERA: "camera", SCREEN: "screen"}
_SENT = {AUDIO: "audio", CAMERA: "video", SCREEN: "content"}

_STATES: Final[tuple[Literal["steady", "filling", "losing", "silent"], ...]] = ("steady", "filling", "losing", "silent")

_Stream = Mapping[str, Any]  # the fields of `struct mcu_stream_stats`


class Figures:
    """One leg's."""

    def __init__(self, codecs: Mapping[int, str], layers: Mapping[int, Sequence[str]]) -> None:
        """`codecs`, and the names of received `layers`: by the plane's number of a source, of what is agreed."""
        self._codecs, self._layers = codecs, layers

    def of(self, leg: LegId, profile: str, counted: Mapping[str, Any]) -> LegMedia:
        """`counted`: the fields of `struct mcu_leg_stats`."""
        rtt_ms = counted["rtt_ms"]
        return LegMedia(
            leg=leg,
            rtt_ms=round(rtt_ms, 2) if rtt_ms >= 0 else None,
            line=_line(counted["line"]),
            srtp_profile=profile,
            receiving=self._stats(counted["streams"], _RECEIVED, sending=False),
            sending=self._stats(counted["streams"], _SENT, sending=True),
            dropped={reason: count for reason, count in counted["drops"].items() if count},
        )

    def _stats(self, streams: Iterable[_Stream], names: Mapping[int, str], *, sending: bool) -> list[StreamStats]:
        return [
            self._stream(stream, names[stream["source"]])
            for stream in streams
            if stream["source"] in names and stream["sending"] == sending
        ]

    def _stream(self, stream: _Stream, media: str) -> StreamStats:
        source, of_layers = stream["source"], not stream["sending"] and stream["source"] in self._layers
        return StreamStats(
            media=media,
            codec=self._codecs[source],
            layer=self._layers[source][stream["layer"]] if of_layers else "",
            chosen=stream["chosen"],
            packets=stream["packets"],
            bytes=stream["bytes"],
            lost=max(0, stream["lost"]),
            loss_percent=round(100 * stream["loss"], 2),
            jitter_ms=round(stream["jitter_ms"], 2),
            bitrate_bps=stream["bits_per_second"],
            width=stream["width"],
            height=stream["height"],
            frame_rate=round(stream["frame_rate"], 1),
            concealed_ms=stream["concealed_ms"],
            recovered_ms=stream["recovered_ms"],
            delay_ms=stream["delay_ms"],
            nacks=stream["nacks"],
            resent=stream["resent"],
            keys_asked=stream["keys_asked"],
        )


def _line(line: Mapping[str, Any]) -> LineStats | None:
    if not line["bits_per_second"]:
        return None
    return LineStats(
        bits_per_second=line["bits_per_second"],
        pictures_bps=line["pictures"],
        loss_percent=round(100 * line["loss"], 2),
        rtt_ms=round(line["rtt_ms"], 2) if line["rtt_ms"] >= 0 else None,
        state=_STATES[line["state"]],
    )
