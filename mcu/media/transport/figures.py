"""What the plane counts of a leg, as `LegMedia`: totals since it connected, rates since they were last asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from mcu.ids import LegId
from mcu.media._native import AUDIO, CAMERA, SCREEN
from mcu.media.messages import LegMedia, LineStats, StreamStats

RATE_S = 1.0  # a rate is of at least so long, once the leg is that old
_RECEIVED = {AUDIO: "audio", CAMERA: "camera", SCREEN: "screen"}
_SENT = {AUDIO: "audio", CAMERA: "video", SCREEN: "content"}

_STATES: Final[tuple[Literal["steady", "filling", "losing", "silent"], ...]] = ("steady", "filling", "losing", "silent")

_Stream = Mapping[str, Any]  # the fields of `struct mcu_stream_stats`
_Key = tuple[int, bool, int]  # source, whether it is sent, layer


class Figures:
    """One leg's. Keeps what it was asked before, for the rates."""

    def __init__(self, codecs: Mapping[int, str], layers: Mapping[int, Sequence[str]], now: float) -> None:
        """`codecs`, and the names of received `layers`: by the plane's number of a source, of what is agreed."""
        self._codecs, self._layers = codecs, layers
        self._before: tuple[float, dict[_Key, _Stream]] = (now, {})
        self._latest = self._before

    def of(self, leg: LegId, profile: str, counted: Mapping[str, Any], now: float) -> LegMedia:
        """`counted`: the fields of `struct mcu_leg_stats`."""
        streams = {(stream["source"], stream["sending"], stream["layer"]): stream for stream in counted["streams"]}
        if now - self._latest[0] >= RATE_S:
            self._before = self._latest
        self._latest = (now, streams)
        rtt_ms = counted["rtt_ms"]
        return LegMedia(
            leg=leg,
            rtt_ms=round(rtt_ms, 2) if rtt_ms >= 0 else None,
            line=_line(counted["line"]),
            srtp_profile=profile,
            receiving=[
                self._stats(key, _RECEIVED[key[0]], now) for key in streams if key[0] in _RECEIVED and not key[1]
            ],
            sending=[self._stats(key, _SENT[key[0]], now) for key in streams if key[0] in _SENT and key[1]],
            dropped={reason: count for reason, count in counted["drops"].items() if count},
        )

    def _stats(self, key: _Key, media: str, now: float) -> StreamStats:
        since, earlier = self._before
        stream, before = self._latest[1][key], earlier.get(key, {})
        source, sending, layer = key
        seconds = max(now - since, 1e-3)
        return StreamStats(
            media=media,
            codec=self._codecs[source],
            layer="" if sending or source not in self._layers else self._layers[source][layer],
            chosen=stream["chosen"],
            packets=stream["packets"],
            bytes=stream["bytes"],
            lost=max(0, stream["lost"]),
            loss_percent=round(100 * stream["loss"], 2),
            jitter_ms=round(stream["jitter_ms"], 2),
            bitrate_bps=int(8 * (stream["bytes"] - before.get("bytes", 0)) / seconds),
            width=stream["width"],
            height=stream["height"],
            frame_rate=round((stream["frames"] - before.get("frames", 0)) / seconds, 1),
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
