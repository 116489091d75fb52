"""What the kernel is told of a process of ours. Linux only."""

import contextlib
import ctypes
import os
import signal

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # prctl(2)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, however that happens and whatever we are doing then.

    Called by a child, first thing. Raises `OSError` where the kernel refuses, `SystemExit` when the parent dies
    meanwhile. A parent that had died before is not noticed; process 1 may be the parent (in a container it is).
    """
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the kernel knew
        raise SystemExit(1)


def name_thread(name: str) -> None:
    """Name the calling thread, for `top -H` and debuggers: up to 15 ASCII characters. More are cut off."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def hurry() -> None:
    """Have the calling thread, and those that it starts from now on, run before other processes' threads.

    Where we may: root, CAP_SYS_NICE, or systemd's `LimitNICE=-11`. Elsewhere all is as it was.
    """
    _be_as_nice_as(-11)


def give_way() -> None:
    """Have the calling thread run when others have nothing more urgent to do. Everybody may."""
    _be_as_nice_as(5)


def _be_as_nice_as(nice: int) -> None:
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)  # on Linux: of the calling thread
