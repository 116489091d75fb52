"""H.264 in SDP (RFC 6184, section 8): which profile and mode two sides share, and how much the other can take."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from mcu.protocol.sdp.codecs import Format, Limits, number

BASELINE: Final = 0x42
_PROFILES: Final = {0x42: "baseline", 0x4D: "main", 0x58: "extended", 0x64: "high"}
_PROFILE_LEVEL: Final = re.compile(r"[0-9a-fA-F]{6}")
_DEFAULT: Final = "420010"  # baseline, level 1: what a missing profile-level-id means (section 8.1)
_LEVELS: Final = {  # level_idc: macroblocks a second, in a frame, kbit/s (H.264, table A-1, baseline)
    9: (1485, 99, 128),  # 1b
    10: (1485, 99, 64),
    11: (3000, 396, 192),
    12: (6000, 396, 384),
    13: (11880, 396, 768),
    20: (11880, 396, 2000),
    21: (19800, 792, 4000),
    22: (20250, 1620, 4000),
    30: (40500, 1620, 10000),
    31: (108000, 3600, 14000),
    32: (216000, 5120, 20000),
    40: (245760, 8192, 20000),
    41: (245760, 8192, 50000),
    42: (522240, 8704, 50000),
    50: (589824, 22080, 135000),
    51: (983040, 36864, 240000),
    52: (2073600, 36864, 240000),
}
_CONSTRAINT_SET3: Final = 0x10


def mode(format_: Format) -> int:
    """0: each slice in a packet of its own; 1: aggregated and fragmented, in order. -1: not done here."""
    value = format_.params.get("packetization-mode", "0") or "0"
    return int(value) if value in ("0", "1") else -1


def is_usable(format_: Format) -> bool:
    """Constrained baseline, which all share, can be sent to any baseline, main or high decoder."""
    return mode(format_) >= 0 and _profile_level(format_.params)[0] in _PROFILES


def limits(params: Mapping[str, str]) -> Limits:
    """Of its level, or more where `max-…` says so (section 8.1). What is not a number does not widen the level."""
    _, constraints, level = _profile_level(params)
    if level == 11 and constraints & _CONSTRAINT_SET3:
        level = 9
    known = max((one for one in _LEVELS if one <= level), default=9)
    rate, size, kbits = _LEVELS[known]
    return Limits(
        max(rate, number(params, "max-mbps")),
        max(size, number(params, "max-fs")),
        max(kbits, number(params, "max-br")) * 1000,
    )


def within(limits: Limits) -> Limits:
    """The same or less, in steps of the levels: so those who take nearly the same can be sent the same."""
    rates, sizes = ({row[column] for row in _LEVELS.values()} for column in (0, 1))
    return Limits(
        max((rate for rate in rates if rate <= limits.macroblocks_per_second), default=limits.macroblocks_per_second),
        max((size for size in sizes if size <= limits.macroblocks), default=limits.macroblocks),
        limits.bits_per_second,
    )


def best(formats: Iterable[Format]) -> Format | None:
    """Mode 1 before mode 0, whose slices must fit in a packet each; baseline before others; else as they prefer."""
    usable = [format_ for format_ in formats if format_.name == "h264" and is_usable(format_)]
    return min(usable, key=lambda f: (-mode(f), _profile_level(f.params)[0] != BASELINE), default=None)


def answered(format_: Format, level: int) -> dict[str, str]:
    """Our fmtp: their profile and mode, which must be the same, and our own level (section 8.2.2)."""
    profile, constraints, theirs = _profile_level(format_.params)
    asymmetric = format_.params.get("level-asymmetry-allowed") == "1"
    said = {"profile-level-id": f"{profile:02x}{constraints:02x}{level if asymmetric else min(level, theirs):02x}"}
    if mode(format_):
        said["packetization-mode"] = "1"
    if asymmetric:
        said["level-asymmetry-allowed"] = "1"
    return said


def _profile_level(params: Mapping[str, str]) -> tuple[int, int, int]:
    """profile_idc, the constraint flags, level_idc."""
    text = params.get("profile-level-id", _DEFAULT)
    if not _PROFILE_LEVEL.fullmatch(text):
        text = _DEFAULT
    profile, constraints, level = bytes.fromhex(text)
    return profile, constraints, level
