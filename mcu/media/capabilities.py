"""What this machine has of what a media worker needs; asked by `mcu doctor`. Opens nothing and changes nothing."""

from importlib import import_module

import av

from mcu.media.picture.masks import DEJAVU
from mcu.media.transport.addresses import bindable, host_addresses
from mcu.net import seccomp

CODECS = {"libopus": "Opus", "libx264": "H.264", "libvpx": "VP8"}


def missing_codecs() -> list[str]:
    """The names of codecs that PyAV's FFmpeg lacks."""
    return [name for library, name in CODECS.items() if not _has(library)]


def extension_problem() -> str | None:
    """Why the C extension cannot be loaded, or `None`."""
    try:
        import_module("mcu.media._native")
    except ImportError as error:
        return str(error)
    return None


def walls_problem() -> str | None:
    """Why workers cannot give up the calls of the kernel that they do not need, or `None`."""
    return seccomp.problem()


def font_installed() -> bool:
    """Whether names in the picture are written in the font that they are designed for."""
    return DEJAVU.exists()


def unusable_addresses(addresses: tuple[str, ...]) -> list[str]:
    """Those of `addresses` that no UDP socket can be bound to here."""
    return [address for address in addresses if not bindable(address)]


def bound_addresses(configured: tuple[str, ...]) -> list[str]:
    """Where media is taken."""
    return list(configured) or host_addresses()


def taken_ports(addresses: list[str], ports: range) -> list[int]:
    """Those of `ports` that cannot be had on one of `addresses` now."""
    return [port for port in ports if not all(bindable(address, port) for address in addresses)]


def _has(library: str) -> bool:
    try:
        av.codec.Codec(library, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True
