"""A real SIP telephone: baresip, driven by its keys and its control port, speaking a tone and keeping what it hears.

with telephone(tmp_path, hertz=700, transport="tcp", codec="PCMA/8000/1") as phone: phone.dial("sip:…")
"""

import json
import re
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mcu.media.seams import SAMPLE_RATE, Samples

START_S = 20.0
HEADER = 44  # bytes of a WAV file before its samples
KEY_S = 0.25  # between two keys: the first is let go of before
MODULES = Path("/usr/lib/baresip/modules")


class Telephone:
    """One that runs."""

    def __init__(self, directory: Path, process: "subprocess.Popen[bytes]", control: int, codec: str) -> None:
        self._directory, self._process = directory, process
        self._rate, self._channels = (int(part) for part in codec.split("/")[1:])
        self._control = _connected(control)

    def dial(self, uri: str) -> None:
        self._command("dial", uri)

    def hang_up(self) -> None:
        self._command("hangup")

    def press(self, keys: str) -> None:
        """As RFC 4733 events, one after the other."""
        assert self._process.stdin is not None
        for key in keys:
            self._process.stdin.write(key.encode())
            self._process.stdin.flush()
            time.sleep(KEY_S)

    @property
    def log(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", (self._directory / "log").read_text(errors="replace"))

    @property
    def closed(self) -> bool:
        """Whether its call is over."""
        return "terminated" in self.log or "session closed" in self.log

    def heard(self) -> Samples:
        """All that it has played so far: 48 kHz mono."""
        newest = max(self._directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        frames = newest.read_bytes()[HEADER:]  # the header is whole only when the file is closed
        samples = np.frombuffer(frames[: len(frames) // (2 * self._channels) * 2 * self._channels], np.int16)
        return samples.reshape(-1, self._channels)[:, 0].repeat(SAMPLE_RATE // self._rate)

    def _command(self, command: str, params: str = "") -> None:
        message = json.dumps({"command": command, "params": params})
        self._control.sendall(f"{len(message)}:{message},".encode())

    def close(self) -> None:
        self._control.close()
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdin is not None
        self._process.stdin.close()


@contextmanager
def telephone(
    directory: Path, *, hertz: float, transport: str = "udp", codec: str = "opus/48000/2", encryption: str = "srtp-mand"
) -> Iterator[Telephone]:
    """One that speaks a tone. `encryption`: baresip's `mediaenc`; "" for none."""
    directory.mkdir(parents=True)
    control = _free_port()
    _write_tone(directory / "tone.wav", hertz, codec)
    secret = f";mediaenc={encryption}" if encryption else ""
    account = f"<sip:anna@127.0.0.1;transport={transport}>;regint=0;audio_codecs={codec}{secret}\n"
    (directory / "accounts").write_text(account)
    (directory / "config").write_text(_config(directory, control))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["baresip", "-f", str(directory), "-v"], cwd=directory, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    phone = Telephone(directory, process, control, codec)
    try:
        yield phone
    finally:
        phone.close()


def _config(directory: Path, control: int) -> str:
    loaded = ("stdio", "g711", "g722", "opus", "srtp", "aufile", "sndfile")
    applications = ("account", "menu", "ctrl_tcp")
    lines = [
        "sip_listen 127.0.0.1:0",
        f"audio_source aufile,{directory}/tone.wav",
        f"audio_player aufile,{directory}/played.wav",
        f"audio_alert aufile,{directory}/alert.wav",
        f"snd_path {directory}",
        f"ctrl_tcp_listen 127.0.0.1:{control}",
        f"module_path {MODULES}",
        *(f"module {name}.so" for name in loaded),
        *(f"module_app {name}.so" for name in applications),
        "net_interface 127.0.0.1",
        "rtp_ports 20000-24000",
    ]
    return "\n".join([*lines, ""])


def _write_tone(path: Path, hertz: float, codec: str) -> None:
    """A minute of it, as the codec samples: baresip does not resample."""
    _, rate, channels = codec.split("/")
    tone = 8000 * np.sin(2 * np.pi * hertz * np.arange(60 * int(rate)) / int(rate))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(int(channels))
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(np.repeat(tone.astype(np.int16), int(channels)).tobytes())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _connected(port: int) -> socket.socket:
    until = time.monotonic() + START_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
