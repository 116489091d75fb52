"""What this machine has of what a media worker needs; asked by `mcu doctor`. Opens nothing and changes nothing."""

import socket
from contextlib import closing
from importlib import import_module

import av

from mcu.media.picture.masks import DEJAVU
from mcu.media.transport.ice import host_addresses

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


def font_installed() -> bool:
    """Whether names in the picture are written in the font that they are designed for."""
    return DEJAVU.exists()


def unusable_addresses(addresses: tuple[str, ...]) -> list[str]:
    """Those of `addresses` that no UDP socket can be bound to here."""
    return [address for address in addresses if not _bindable(address)]


def offered_addresses(configured: tuple[str, ...]) -> list[str]:
    """Where browsers are told to send media."""
    return list(configured) or host_addresses()


def _has(library: str) -> bool:
    try:
        av.codec.Codec(library, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _bindable(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True
