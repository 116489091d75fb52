"""Linphone as a room system without sound cards and screens: VP8, SRTP by SDES; its camera shows one colour.

with linphone(tmp_path, hertz=700, colour=RED) as phone: phone.dial("sip:…")
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from baresip import HEADER, free_port
from pictures import Colour, frame_of
from sound import record, tone

from mcu.media.seams import Samples

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
automatically_accept=1
device=StaticImage: Static picture
[video_codec_0]
mime=VP8
rate=90000
enabled=1
"""


class Linphone:
    def __init__(self, directory: Path, process: "subprocess.Popen[bytes]", uri: str) -> None:
        self.uri = uri  # by which it is called
        self._directory, self._process = directory, process

    def dial(self, uri: str) -> None:
        self._say(f"call {uri}")

    def accept(self) -> None:
        self._say("answer")

    def hang_up(self) -> None:
        self._say("terminate")

    @property
    def rings(self) -> bool:
        return "Receiving new incoming call" in self.log

    def heard(self) -> Samples:
        """All that it has played so far: 48 kHz mono."""
        frames = (self._directory / "heard.wav").read_bytes()[HEADER:]
        return np.frombuffer(frames[: len(frames) // 2 * 2], np.int16)

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    @property
    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")


@contextmanager
def linphone(directory: Path, *, hertz: float, colour: Colour) -> Iterator[Linphone]:
    (directory / ".local/share/linphone").mkdir(parents=True)
    port = free_port()
    (directory / "linphonerc").write_text(_SETTINGS.format(port=port))
    record(directory / "tone.wav", tone(hertz, 20 * 50))
    frame_of(colour).to_image().save(directory / "camera.jpg")  # type: ignore[no-untyped-call] # of PyAV
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["linphonec", "-C", "-c", "linphonerc"],
            cwd=directory,
            env={**os.environ, "HOME": str(directory)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    phone = Linphone(directory, process, f"sip:linphone@127.0.0.1:{port}")
    files = f"play {directory}/tone.wav", f"record {directory}/heard.wav", f"staticpic set {directory}/camera.jpg"
    for command in ("ipv6 disable", "soundcard use files", *files):
        phone._say(command)
    try:
        yield phone
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdin is not None
        process.stdin.close()
