"""Linphone as a room system without sound cards and screens: VP8, SRTP by SDES; its camera shows a still picture.

with linphone(tmp_path) as phone: phone.dial("sip:…")
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baresip import free_port

_SETTINGS = """[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
bind_address=127.0.0.1
contact=sip:linphone@127.0.0.1
media_encryption=srtp
media_encryption_mandatory=1
[video]
enabled=1
capture=1
display=0
automatically_initiate=1
device=StaticImage: Static picture
[video_codec_0]
mime=VP8
rate=90000
enabled=1
"""


class Linphone:
    def __init__(self, directory: Path, process: "subprocess.Popen[bytes]") -> None:
        self._directory, self._process = directory, process

    def dial(self, uri: str) -> None:
        self._say(f"call {uri}")

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    @property
    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")


@contextmanager
def linphone(directory: Path) -> Iterator[Linphone]:
    (directory / ".local/share/linphone").mkdir(parents=True)
    (directory / "linphonerc").write_text(_SETTINGS.format(port=free_port()))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["linphonec", "-C", "-c", "linphonerc"],
            cwd=directory,
            env={**os.environ, "HOME": str(directory)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    phone = Linphone(directory, process)
    phone._say("soundcard use files")
    phone._say("ipv6 disable")
    try:
        yield phone
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdin is not None
        process.stdin.close()
