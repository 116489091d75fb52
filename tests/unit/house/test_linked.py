"""What the C extension is linked to is what a distributor is told of."""

import re
import subprocess
from pathlib import Path

import pytest

from mcu.media import _native

ROOT = Path(__file__).parents[3]
LIBRARIES = {  # by soname: Debian's package, and what NOTICE calls it
    "libopus.so.0": ("libopus0", "libopus"),
    "libspandsp.so.2": ("libspandsp2", "spandsp"),
    "libcrypto.so.3": ("libssl3", "OpenSSL"),
    "libvpx.so.7": ("libvpx7", "libvpx"),
    "libx264.so.164": ("libx264-164", "libx264"),
    "libyuv.so.0": ("libyuv0", "libyuv"),
}
OF_EVERY_PROGRAM = re.compile(r"lib[cm]\.so\.6|ld-linux.*")
AT_RUN_TIME = ("libseccomp2", "libseccomp")  # mcu/net/seccomp.py


def linked() -> set[str]:
    dynamic = subprocess.run(["readelf", "-d", _native.__file__], check=True, capture_output=True, text=True).stdout
    return {name for name in re.findall(r"NEEDED.*\[(.+)\]", dynamic) if not OF_EVERY_PROGRAM.fullmatch(name)}


def test_every_library_is_known() -> None:
    assert linked() == LIBRARIES.keys()


@pytest.mark.parametrize(("package", "called"), [*LIBRARIES.values(), AT_RUN_TIME])
def test_a_library_is_in_the_image_in_the_readme_and_in_the_notice(package: str, called: str) -> None:
    image = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert package in image
    assert package in (ROOT / "README.md").read_text().partition("`make wheel`")[2]
    own = (ROOT / "NOTICE").read_text().partition("\nav, ")[0]
    assert called in own
    assert "libsrtp" not in own
