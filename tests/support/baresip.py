"""A real SIP telephone: baresip, driven by its keys and its control port, speaking a tone and keeping what it hears.

with telephone(tmp_path, hertz=700, transport="tcp", codec="PCMA/8000/1") as phone: phone.dial("sip:…")

With a `Camera` it is a room system, which shows one colour and takes pictures of what it sees.
"""

import json
import re
import secrets
import socket
import subprocess
import time
import wave
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from pictures import Colour, colour_at, frame_of, near

from benchmarks.cable import Cable
from mcu.media.seams import SAMPLE_RATE, Samples

START_S = 20.0
HEADER = 44  # bytes of a WAV file before its samples
KEY_S = 0.25  # between two keys: the first is let go of before
CAMERA_SIZE, CAMERA_S = (640, 360), 20
_GIVEN: deque[int] = deque(maxlen=100)  # the last ports that somebody was told of
MODULES = Path("/usr/lib/baresip/modules")

Wave = npt.NDArray[np.float64]


class Telephone:
    """One that runs."""

    def __init__(
        self, directory: Path, process: "subprocess.Popen[bytes]", control: tuple[str, int], codec: str, uri: str
    ) -> None:
        self.uri = uri  # by which it is called
        self._directory, self._process = directory, process
        self._rate, self._channels = (int(part) for part in codec.split("/")[1:])
        self._control = _connected(control)
        self._looks = 0

    def dial(self, uri: str) -> None:
        self._command("dial", uri)

    def accept(self) -> None:
        """The call that rings."""
        self._command("accept")

    def transfer(self, uri: str) -> None:
        """Who it talks to is to call there."""
        self._command("transfer", uri)

    def hang_up(self) -> None:
        """Or refuse what rings, as one who is busy."""
        self._command("hangup")

    def hold(self) -> None:
        self._command("hold")

    def resume(self) -> None:
        self._command("resume")

    def press(self, keys: str) -> None:
        """As RFC 4733 events, one after the other."""
        assert self._process.stdin is not None
        for key in keys:
            self._process.stdin.write(key.encode())
            self._process.stdin.flush()
            time.sleep(KEY_S)

    def sees(self, within: float = 5.0) -> VideoFrame | None:
        """What comes to its screen next; None: nothing does. What it was asked for last is first, also if in vain."""
        taken = self._directory / f"seen-{self._looks}.png"
        self._command("snapshot_recv", taken.name)  # a path may have 100 characters
        until = time.monotonic() + within
        while time.monotonic() < until:
            with (
                suppress(OSError, av.FFmpegError, StopIteration),
                av.open(str(taken)) as file,
            ):  # it may be half written
                seen = next(file.decode(video=0)).reformat(format="yuv420p")
                self._looks += 1
                return seen
            time.sleep(0.05)
        return None

    def dialogs(self) -> list[tuple[str, str, str]]:
        """Of the calls that it made and that were answered, in order: Call-ID, their tag, its own. It is `traced`."""
        found = re.findall(r"^SIP/2\.0 200 .*?\r?\n\r?\n", self.log, re.DOTALL | re.MULTILINE)
        answers = [one for one in found if re.search(r"^CSeq: \d+ INVITE", one, re.MULTILINE)]
        named = r"^{}:.*?{}([^\s;>]+)"
        parts = (("Call-ID", r"\s"), ("To", "tag="), ("From", "tag="))
        dialogs = [[re.search(named.format(*part), one, re.MULTILINE) for part in parts] for one in answers]
        return list(dict.fromkeys((a[1], b[1], c[1]) for a, b, c in dialogs if a and b and c))

    @property
    def log(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", (self._directory / "log").read_text(errors="replace"))

    @property
    def rings(self) -> bool:
        return "Incoming call from" in self.log

    @property
    def talks(self) -> bool:
        """Whether a call of its has been taken."""
        return "Call established" in self.log

    @property
    def closed(self) -> bool:
        """Whether a call of its is over."""
        return "terminated" in self.log or "session closed" in self.log

    @property
    def hung_up(self) -> int:
        """How many calls of its the other side has ended with BYE."""
        return self.log.count("session closed: Connection reset by peer")

    @property
    def plays(self) -> bool:
        """Whether a second of what it hears is there."""
        written = [path.stat().st_size for path in self._directory.glob("dump-*-dec.wav")]
        return max(written, default=0) > 2 * self._rate * self._channels

    def heard(self) -> Samples:
        """All that it has played so far: 48 kHz mono."""
        return played(self._directory, self._rate, self._channels)

    def _command(self, command: str, params: str = "") -> None:
        message = json.dumps({"command": command, "params": params})
        self._control.sendall(f"{len(message)}:{message},".encode())

    def vanish(self) -> None:
        """`kill -9`."""
        self._process.kill()

    def close(self) -> None:
        self._control.close()
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdin is not None
        self._process.stdin.close()


def played(directory: Path, rate: int, channels: int) -> Samples:
    """What its module `sndfile` has written there in the latest call: 48 kHz mono."""
    written = sorted(directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
    if not written:
        return np.zeros(0, np.int16)
    frames = written[-1].read_bytes()[HEADER:]  # the header is whole only when the file is closed
    samples = np.frombuffer(frames[: len(frames) // (2 * channels) * 2 * channels], np.int16)
    return samples.reshape(-1, channels)[:, 0].repeat(SAMPLE_RATE // rate)


def shows(frame: VideoFrame | None, colours: Sequence[Colour]) -> bool:
    """Whether each of these (Y, U, V) fills a tile of it."""
    if frame is None:
        return False
    places = [(x, y) for x in range(40, frame.width, 80) for y in range(40, frame.height, 40)]
    found = [colour_at(frame, *place) for place in places]
    return all(any(near(one, colour, 12) for one in found) for colour in colours)


@dataclass(frozen=True)
class Camera:
    """Of a room system."""

    colour: Colour
    codec: str = "h264"  # or vp8


@contextmanager
def telephone(  # noqa: PLR0913 - the settings of a telephone
    directory: Path,
    *,
    hertz: float,
    transport: str = "udp",
    codec: str = "opus/48000/2",
    encryption: str = "srtp-mand",
    account: str = "anna@127.0.0.1",
    parameters: str = "regint=0",
    camera: Camera | None = None,
    port: int = 0,
    certificate: Sequence[Path] = (),
    settings: str = "",
    at: str = "",
    sings: str = "",
    traced: bool = False,
    within: Cable | None = None,
) -> Iterator[Telephone]:
    """One that speaks a tone. `encryption`: baresip's `mediaenc`; "" for none. `parameters`: more of its account.

    It is `at` its own address, or that of its account. `port` 0: one that is free. `certificate`: what it shows in TLS,
    and its key. `settings`: more lines of its configuration. `sings`: keys, as their tones, before that; a blank is a
    pause. `traced`: its log has every message. `within`: the network that it is in, if not this machine's.
    """
    directory.mkdir(parents=True)
    control, port = ("127.0.0.1" if within is None else within.there, free_port()), port or free_port()
    user, _, where = account.partition("@")
    address = where.partition("]")[0] + "]" if where.startswith("[") else where.partition(":")[0]
    address = at or address
    _write_sound(directory / "tone.wav", codec, hertz, sings)
    secret = f";mediaenc={encryption}" if encryption else ""
    picture = f";video_codecs={camera.codec}" if camera is not None else ""
    line = f"<sip:{account};transport={transport}>;{parameters};audio_codecs={codec}{picture}{secret}\n"
    (directory / "accounts").write_text(line)
    config = _config(directory, control, f"{address}:{port}", camera) + settings
    if certificate:
        (directory / "shown.pem").write_text("".join(one.read_text() for one in certificate))
        config += f"sip_certificate {directory / 'shown.pem'}\n"
    (directory / "config").write_text(config)
    flags = [*(["-s"] if traced else []), *(["-6"] if "[" in address else [])]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(["ip", "netns", "exec", within.name] if within is not None else []),
                "baresip",
                "-f",
                str(directory),
                "-v",
                *flags,
            ],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    uri = f"sip:{user}@{address}:{port + (transport == 'tls')};transport={transport}"  # it has TLS at the port after
    phone = Telephone(directory, process, control, codec, uri)
    try:
        yield phone
    finally:
        phone.close()


def _config(directory: Path, control: tuple[str, int], where: str, camera: Camera | None) -> str:
    loaded = ("stdio", "g711", "g722", "opus", "srtp", "dtls_srtp", "ice", "aufile", "sndfile")
    applications = ("account", "menu", "ctrl_tcp")
    lines = [
        f"sip_listen {where}",
        f"audio_source aufile,{directory}/tone.wav",
        f"audio_player aufile,{directory}/played.wav",
        f"audio_alert aufile,{directory}/alert.wav",
        f"snd_path {directory}",
        f"ctrl_tcp_listen {control[0]}:{control[1]}",
        f"module_path {MODULES}",
        *(f"module {name}.so" for name in loaded),
        *(f"module_app {name}.so" for name in applications),
        "module_tmp uuid.so",
        f"net_interface {where.rpartition(':')[0].strip('[]')}",
        "rtp_ports 20000-24000",
        *(_with_camera(directory, camera) if camera is not None else ()),
    ]
    return "\n".join([*lines, ""])


def _with_camera(directory: Path, camera: Camera) -> list[str]:
    """Its picture comes from a file; that of the others goes past `snapshot` to a screen that nobody sees."""
    film = directory / "camera.mkv"
    with av.open(str(film), "w") as file:
        stream = file.add_stream("mpeg4", rate=15)
        stream.width, stream.height = CAMERA_SIZE
        for _ in range(CAMERA_S * 15):
            file.mux(stream.encode(frame_of(camera.colour, *CAMERA_SIZE)))
        file.mux(stream.encode())
    return [
        *(f"module {name}.so" for name in ("avcodec", "vp8", "avformat", "swscale", "fakevideo", "snapshot")),
        f"video_source avformat,{film}",
        "video_display fakevideo,nil",
        f"video_size {CAMERA_SIZE[0]}x{CAMERA_SIZE[1]}",
        "video_fps 15",
        "video_bitrate 500000",
        "avcodec_h264enc libx264",
        "avcodec_h264dec h264",
    ]


def _write_sound(path: Path, codec: str, hertz: float, keys: str) -> None:
    """These keys, 100 ms each, then a minute of the tone, as the codec samples: baresip does not resample."""
    _, rate, channels = codec.split("/")
    pieces = [*(_sung(key, int(rate)) for key in keys), 8000 * _sine(hertz, 60 * int(rate), int(rate))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(int(channels))
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(np.repeat(np.concatenate(pieces).astype(np.int16), int(channels)).tobytes())


def _sung(key: str, rate: int) -> Wave:
    """ITU-T Q.23, and as long a pause; of a blank, a second's."""
    if key == " ":
        return np.zeros(rate)
    row, column = divmod("123A456B789C*0#D".index(key), 4)
    pair = _sine((697, 770, 852, 941)[row], rate // 10, rate) + _sine(
        (1209, 1336, 1477, 1633)[column], rate // 10, rate
    )
    return np.concatenate([4000 * pair, np.zeros(rate // 10)])


def _sine(hertz: float, samples: int, rate: int) -> Wave:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate)


def free_port(host: str = "127.0.0.1") -> int:
    """None of those that the system gives to whoever connects: it is still free when its owner listens.

    And nobody has the one after it: baresip, told of one, listens for TLS there. Who was given one has it, though it
    may not listen yet.
    """
    while True:
        port = 30_000 + 2 * secrets.randbelow(1_350)
        if port in _GIVEN:
            continue
        with socket.socket() as found, socket.socket() as after, suppress(OSError):
            found.bind((host, port))
            after.bind((host, port + 1))
            _GIVEN.append(port)
            return port


def _connected(to: tuple[str, int]) -> socket.socket:
    until = time.monotonic() + START_S
    while True:
        try:
            return socket.create_connection(to)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
