"""What the kernel is told of a process of ours. Linux only."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, however that happens and whatever we are doing then.

    Called by a child, first thing. Raises `OSError` where the kernel refuses, `SystemExit` when the parent is gone.
    """
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent or parent == 1:  # it died before the kernel knew
        raise SystemExit(1)
