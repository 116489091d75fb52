"""What the formats of an m-line mean (RFC 8866, section 6.6; RFC 3551): codec, clock rate and parameters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mcu.protocol.sdp.description import Attribute, Media

STATIC: Final = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "13": "CN/8000", "34": "H263/90000"}  # RFC 3551
# As they are registered, and as they are written: Chromium makes no pictures for who answers `vp8` or `h264`.
REGISTERED: Final = {"pcmu": "PCMU", "pcma": "PCMA", "g722": "G722", "h264": "H264", "vp8": "VP8"}
_RTPMAP: Final = re.compile(r"([0-9]{1,3})\s+([^/\s]+)/([0-9]{1,6})(?:/([0-9]{1,2}))?\s*")
_FORMAT: Final = re.compile(r"([0-9]{1,3})\s+(.*)")


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type. Names in lower case, for they compare so."""

    payload_type: int
    name: str
    clock: int  # Hz, as RTP counts: 8000 for G.722, which samples at 16000 (RFC 3551, section 4.5.2)
    channels: int = 1
    params: Mapping[str, str] = field(default_factory=dict)  # of fmtp, names in lower case
    feedback: frozenset[str] = frozenset()  # of rtcp-fb

    @property
    def rtpmap(self) -> str:
        channels = f"/{self.channels}" if self.channels != 1 else ""
        return f"{self.payload_type} {REGISTERED.get(self.name, self.name)}/{self.clock}{channels}"

    def attributes(self) -> Iterator[Attribute]:
        """As they are written."""
        yield Attribute("rtpmap", self.rtpmap)
        if self.params:
            said = ";".join(f"{name}={value}" if value else name for name, value in self.params.items())
            yield Attribute("fmtp", f"{self.payload_type} {said}")
        yield from (Attribute("rtcp-fb", f"{self.payload_type} {kind}") for kind in sorted(self.feedback))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a receiver takes of a picture, in macroblocks of 16x16 pixels."""

    macroblocks_per_second: int
    macroblocks: int  # of a frame
    bits_per_second: int


def number(params: Mapping[str, str], name: str) -> int:
    """A parameter of fmtp that is a number; 0 where it is none, or too long to be one."""
    value = params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else 0


def formats(media: Media) -> list[Format]:
    """In the order in which they are preferred. A format without a meaning that is known is left out."""
    named = dict(_maps(media))
    params, feedback = _params(media), _feedback(media)
    found = []
    for number in dict.fromkeys(media.formats):
        map_ = named.get(number) or _RTPMAP.fullmatch(f"{number} {STATIC[number]}" if number in STATIC else "")
        if map_ is not None and int(number) < 128:
            said = feedback.get(number, frozenset()) | feedback.get("*", frozenset())
            channels = int(map_[4] or 1)
            found.append(Format(int(number), map_[2].lower(), int(map_[3]), channels, params.get(number, {}), said))
    return found


def _maps(media: Media) -> Iterator[tuple[str, re.Match[str]]]:
    for value in media.values("rtpmap"):
        if (found := _RTPMAP.fullmatch(value)) is not None:
            yield found[1], found


def _params(media: Media) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for value in media.values("fmtp"):
        if (line := _FORMAT.fullmatch(value)) is not None:
            pairs = (part.strip().partition("=") for part in line[2].split(";") if part.strip())
            found.setdefault(line[1], {name.lower(): said for name, _, said in pairs})
    return found


def _feedback(media: Media) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for value in media.values("rtcp-fb"):
        number, _, kind = value.partition(" ")
        found.setdefault(number, set()).add(" ".join(kind.lower().split()))
    return {number: frozenset(kinds) for number, kinds in found.items()}
