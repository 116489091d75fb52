"""The real media worker, with a fault: at SIGUSR1 it does what an intruder would, DOES, and says how that went.

DOES=fork python -m faulty_worker …as mcu.media.worker…
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from mcu.media.worker import main
from mcu.net import seccomp

MEGABYTE = 1 << 20


def write() -> None:
    Path(os.environ["SOMEWHERE"]).write_text("seen", "ascii")


def hoard() -> None:
    """Without end, a little at a time."""

    def more() -> None:
        kept = list[bytes]()
        while True:
            kept.append(b"x" * (4 * MEGABYTE))
            time.sleep(0.02)

    threading.Thread(target=more, daemon=True).start()


def hoard_at_once() -> None:
    bytearray(1 << 34)


def look_into_the_parent() -> None:
    trace = ctypes.CDLL(None, use_errno=True).ptrace
    trace(16, os.getppid(), None, None)  # PTRACE_ATTACH


DOES: dict[str, Callable[[], object]] = {
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "trace": look_into_the_parent,
    "write": write,
    "remove": lambda: os.unlink(os.environ["SOMEWHERE"]),
    "fork": os.fork,
    "signal": lambda: os.kill(os.getppid(), 0),
    "go out": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "listen to all": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "raise its bounds": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)),
    "bind a port": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0)),
    "read": lambda: Path("/etc/passwd").read_bytes(),
    "hoard": hoard,
    "hoard at once": hoard_at_once,
}


def do(_number: int, _frame: FrameType | None) -> None:
    for name in os.environ["DOES"].split(","):
        try:
            DOES[name]()
        except (OSError, MemoryError) as error:
            went = type(error).__name__
        else:
            went = "done"
        sys.stdout.write(f"{name}: {went}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, do)
    if "WITHOUT_SECCOMP" in os.environ:
        seccomp._LIBRARY = "libseccomp-that-is-not-there.so"
    main()
