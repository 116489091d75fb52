"""Simulcast in SDP (RFC 8853, RFC 8851), which aiortc's classes do not know: read from an offer, written in the answer.

The far end sends, we receive. Taken are the first three streams of `a=simulcast:send`, each by the first of its
alternatives that is not paused and whose restrictions we can keep. Where fewer than two are left there is no simulcast:
the answer has none of it, and the far end sends one stream.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LAYERS_MAX = 3
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"  # RFC 8852
REPAIRED = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
_RID_LINE = re.compile(r"a=rid:([A-Za-z0-9_-]{1,16}) send(?: (\S+))? *", re.ASCII)  # 16 bytes fit in a one-byte header
_OURS_TO_KEEP = frozenset({"max-width", "max-height", "max-fps", "max-fs", "max-br", "max-pps", "max-bpp"})


class Layer(NamedTuple):
    """One stream of a simulcast."""

    rid: str
    restrictions: str = ""  # as they are answered


def sections(text: str) -> list[list[str]]:
    """The lines of each m-section of a description, in order."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("m="):
            found.append([])
        if found:
            found[-1].append(line)
    return found


def offered(section: Sequence[str], payload_type: int) -> tuple[Layer, ...]:
    """The layers to take of an m-section in which `payload_type` was chosen; none, or two and more."""
    layers = _by_rid(section, payload_type)
    found: dict[str, Layer] = {}
    for alternatives in _sent(section):
        rid = next((rid for rid in alternatives if rid in layers and rid not in found), None)
        if rid is not None:
            found[rid] = layers[rid]
    return tuple(found.values())[:LAYERS_MAX] if len(found) > 1 else ()


def _by_rid(section: Sequence[str], payload_type: int) -> dict[str, Layer]:
    matches = [match for line in section if (match := _RID_LINE.fullmatch(line))]
    names = [match[1] for match in matches]
    layers: dict[str, Layer] = {}
    for match in matches:
        restrictions = _kept(match[2] or "", payload_type)
        if restrictions is not None and names.count(match[1]) == 1:
            layers[match[1]] = Layer(match[1], restrictions)
    return layers


def _kept(restrictions: str, payload_type: int) -> str | None:
    """The restrictions as they are answered; None: a stream with them cannot be taken (RFC 8851 section 6.3)."""
    kept: list[str] = []
    for restriction in filter(None, restrictions.split(";")):
        name, _, value = restriction.partition("=")
        if name == "pt":
            if str(payload_type) not in value.split(","):
                return None
            kept.append(f"pt={payload_type}")
        elif name in _OURS_TO_KEEP:
            kept.append(restriction)
        else:
            return None
    return ";".join(kept)


def _sent(section: Sequence[str]) -> list[list[str]]:
    """Each stream of the simulcast, as its alternatives; those that are paused (~) are left out."""
    lines = [line.removeprefix("a=simulcast:").split() for line in section if line.startswith("a=simulcast:")]
    words = lines[0] if len(lines) == 1 else []
    sent = next((value for name, value in zip(words[::2], words[1::2], strict=False) if name == "send"), "")
    return [[rid for rid in stream.split(",") if not rid.startswith("~")] for stream in sent.split(";")]


def written(answer: str, taken: Mapping[int, Sequence[Layer]]) -> str:
    """An answer that also takes these layers of its m-sections."""
    lines: list[str] = []
    index = -1
    for line in [*answer.splitlines(), "m="]:
        if line.startswith("m="):
            lines += _lines(taken.get(index, ()))
            index += 1
        lines.append(line)
    return "\r\n".join(lines[:-1]) + "\r\n"


def _lines(layers: Sequence[Layer]) -> list[str]:
    if not layers:
        return []
    rids = [f"a=rid:{layer.rid} recv {layer.restrictions}".rstrip() for layer in layers]
    return [*rids, "a=simulcast:recv " + ";".join(layer.rid for layer in layers)]
