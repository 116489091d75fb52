"""A SIP telephone of another make, whose keys go in INFO: baresip-python, in a process of its own.

with python_phone("sip:…") as phone: phone.inform("123#")

What it says is a tone; `heard` is sample by sample what came to it. G.711, SRTP by SDES.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import numpy.typing as npt

RATE = 8_000  # Hz
PIECE = 160  # samples of 20 ms


class PythonPhone:
    """In its call."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._heard = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def inform(self, keys: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def heard(self) -> npt.NDArray[np.int16]:
        """All so far, at `RATE`."""
        whole = bytes(self._heard)
        return np.frombuffer(whole[: len(whole) // 2 * 2], np.int16)

    @property
    def closed(self) -> bool:
        """Whether its call is over: it ends then."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Hangs up."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while heard := os.read(self._process.stdout.fileno(), 100 * PIECE):
            self._heard += heard


@contextmanager
def python_phone(uri: str, hertz: float) -> Iterator[PythonPhone]:
    # -P: the package is called as our baresip.py beside this
    command = [sys.executable, "-P", __file__, uri, str(hertz)]
    phone = PythonPhone(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    try:
        yield phone
    finally:
        phone.close()


# -- in the process of its own ----------------------------------------------------------------------------------------


async def talk(uri: str, hertz: float) -> None:
    """Keys come from standard input, until that ends, or the call. What is heard goes to standard output."""
    from baresip import Account, CallState, Config, Runtime, UserAgent  # type: ignore[attr-defined]
    from baresip.errors import AudioRestarted

    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1"))
    account = Account("bo", "127.0.0.1", "", reg_interval=0, dtmf_mode="info", extra_params=("mediaenc=srtp-mand",))
    call = await (await UserAgent.create(runtime, account)).dial(uri)
    await call.wait_established()
    os.set_blocking(0, False)
    said, tone = 0, 8_000 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    while call.state is CallState.ESTABLISHED and (keys := asked()) is not None:
        piece = tone[said % RATE : said % RATE + PIECE].astype(np.int16).tobytes()
        with suppress(AudioRestarted):  # by a re-INVITE
            said += PIECE * (call.audio.write(piece) > 0)
            os.write(1, call.audio.read(100 * PIECE))
        if keys:
            await call.send_dtmf(keys)
        await asyncio.sleep(0.01)
    await runtime.close()


def asked() -> str | None:
    """What has come; None: nothing will."""
    try:
        return os.read(0, 100).decode() or None
    except BlockingIOError:
        return ""


if __name__ == "__main__":
    asyncio.run(talk(sys.argv[1], float(sys.argv[2])))
