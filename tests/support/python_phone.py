"""A SIP telephone of another make, sample by sample and dot by dot: baresip-python, in a process of its own.

with python_phone("sip:…") as phone: phone.inform("123#"); phone.say(samples)

G.711, and VP8 if it has pictures; SRTP by SDES; its keys go in INFO. What it is not told to say is silence.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from mcu.media.seams import Samples

RATE = 8_000  # Hz
WIDTH, HEIGHT = 640, 360  # of what it shows, and at most of what it sees
FPS = 10


class PythonPhone:
    """In its call."""

    def __init__(self, process: "subprocess.Popen[bytes]", link: "Connection[Any, Any]") -> None:
        self._process, self._link = process, link
        self._heard = bytearray()
        self._seen: VideoFrame | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def inform(self, keys: str) -> None:
        self._link.send(("keys", keys))

    def say(self, samples: Samples) -> None:
        """At `RATE`, as soon as what it was told before is said."""
        self._link.send(("say", samples.tobytes()))

    def show(self, frame: VideoFrame) -> None:
        """From now on. It is `WIDTH` x `HEIGHT`."""
        self._link.send(("show", frame.to_ndarray(format="yuv420p").tobytes()))

    def heard(self) -> Samples:
        """All so far, at `RATE`."""
        return np.frombuffer(bytes(self._heard), np.int16)

    def seen(self) -> VideoFrame | None:
        """The latest picture; None: there was none."""
        return self._seen

    @property
    def closed(self) -> bool:
        """Whether its call is over: it ends then."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Hangs up."""
        with suppress(BrokenPipeError):
            self._link.send(("close", b""))
        self._process.wait(20)
        self._reader.join()
        self._link.close()

    def _read(self) -> None:
        with suppress(EOFError, ConnectionResetError):
            while True:
                heard, seen = self._link.recv()
                self._heard += heard
                if seen:
                    width, height, dots = seen
                    flat = np.frombuffer(dots, np.uint8).reshape(height * 3 // 2, width)
                    self._seen = VideoFrame.from_ndarray(flat, format="yuv420p")


@contextmanager
def python_phone(uri: str, *, pictures: bool = False) -> Iterator[PythonPhone]:
    ours, theirs = Pipe()
    # -P: the package is called as our baresip.py beside this
    command = [sys.executable, "-P", __file__, uri, str(theirs.fileno()), *(["pictures"] if pictures else [])]
    phone = PythonPhone(subprocess.Popen(command, pass_fds=[theirs.fileno()]), ours)
    theirs.close()
    try:
        yield phone
    finally:
        phone.close()


# -- in the process of its own ----------------------------------------------------------------------------------------


class Told:
    """What it is to do, as it was told last."""

    def __init__(self, link: "Connection[Any, Any]") -> None:
        self._link = link
        self.keys, self.say, self.show, self.close = "", b"", b"", False

    def listen(self) -> None:
        while self._link.poll():
            match self._link.recv():
                case "keys", keys:
                    self.keys += keys
                case "say", sound:
                    self.say += sound
                case "show", picture:
                    self.show = picture
                case "close", _:
                    self.close = True


async def talk(uri: str, link: "Connection[Any, Any]", *, pictures: bool) -> None:
    """Until it is to close, or the call is over."""
    from baresip import Account, CallState, Config, Runtime, UserAgent  # type: ignore[attr-defined]

    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1", video_size=(WIDTH, HEIGHT), video_fps=FPS))
    account = Account("bo", "127.0.0.1", "", reg_interval=0, dtmf_mode="info", extra_params=("mediaenc=srtp-mand",))
    call = await (await UserAgent.create(runtime, account)).dial(uri, video=pictures)
    await call.wait_established()
    told, turn = Told(link), 0
    while call.state is CallState.ESTABLISHED and not told.close:
        told.listen()
        turn += 1
        seen = look(call.video, told) if pictures and turn % (100 // FPS) == 0 else None
        link.send((speak(call.audio, told), seen))
        if told.keys:
            keys, told.keys = told.keys, ""
            await call.send_dtmf(keys)
        await asyncio.sleep(0.01)
    await runtime.close()


def speak(audio: Any, told: Told) -> bytes:
    """What was heard since."""
    from baresip.errors import AudioRestarted

    with suppress(AudioRestarted):  # by a re-INVITE
        told.say = told.say[audio.write(told.say) :]
        heard: bytes = audio.read(2 * RATE)
        return heard
    return b""


def look(video: Any, told: Told) -> tuple[int, int, bytes] | None:
    """What is seen now, if that is new."""
    from baresip.errors import VideoNotActive, VideoRestarted

    with suppress(VideoNotActive, VideoRestarted):
        if told.show:
            video.write_frame(told.show)
        if (seen := video.read_frame()) is not None:
            return seen.width, seen.height, seen.data
    return None


if __name__ == "__main__":
    asyncio.run(talk(sys.argv[1], Connection(int(sys.argv[2])), pictures="pictures" in sys.argv))
