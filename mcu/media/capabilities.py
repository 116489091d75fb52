"""What this machine has of what a media worker needs; asked by `mcu doctor`. Leaves all as it was."""

from importlib import import_module
from itertools import product

import av

from mcu.media.picture.masks import DEJAVU
from mcu.media.transport.addresses import bind_problem
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
    return [address for address in addresses if bind_problem(address)]


def port_problem(addresses: list[str], ports: list[int], *, tcp: bool = False) -> str | None:
    """The first of `ports` that cannot be had on one of `addresses` now, and why; `None` where all can."""
    for port, address in product(ports, addresses):
        problem = bind_problem(address, port, tcp=tcp)
        if problem:
            return f"{'TCP' if tcp else 'UDP'} port {port} on {address} cannot be had ({problem})"
    return None


def _has(library: str) -> bool:
    try:
        av.codec.Codec(library, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True
