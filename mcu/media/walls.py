"""What a worker gives up once it has begun, for good: it decodes what strangers send, and a decoder may have a hole.

After `put_up` it starts no program and no process, writes to no file, opens no socket but UDP, looks into or signals no
other process, and has bounds on its memory and files. What media needs stays: threads, clocks, memory, the sockets that
it has, UDP ports of a leg's own, and reading files (fonts, modules that are loaded late).
"""

import os
import resource
import socket
import termios
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import structlog

from mcu.media.transport.options import MediaOptions
from mcu.net import seccomp
from mcu.net.seccomp import Call, Is

log = structlog.get_logger(__name__)

MEGABYTE: Final = 1 << 20
FILES: Final = 8192  # beside the ports of the range: a socket for each leg that comes by TCP (plane.h), and some
_PAGE = resource.getpagesize()
_CLONE_THREAD = 0x00010000  # sched.h
_WRITES = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_PR_SET_NAME = 15  # prctl.h: libraries name their threads

# Nobody but an intruder makes these in a media worker: it ends at once, and its rooms go on in another.
_KILLED = (
    *("execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd"),
    *(
        "bpf",
        "perf_event_open",
        "userfaultfd",
        "io_uring_setup",
        "keyctl",
        "add_key",
        "request_key",
        "acct",
        "quotactl",
    ),
    *(
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "unshare",
        "setns",
        "open_by_handle_at",
        "swapon",
        "swapoff",
        "reboot",
    ),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "personality", "iopl", "ioperm"),
    *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset"),
)
_ALLOWED = (
    # files that are there, read; descriptors that are open
    *("read", "readv", "pread64", "write", "writev", "close", "close_range", "dup", "dup2", "dup3", "lseek", "fcntl"),
    *("stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "readlink", "readlinkat", "getcwd"),
    *("getdents64", "access", "faccessat", "faccessat2", "fadvise64"),
    # waiting
    *("poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
    *("eventfd2", "pipe2", "timerfd_create", "timerfd_settime", "timerfd_gettime", "restart_syscall"),
    # memory
    *("mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "membarrier", "get_mempolicy"),
    # threads
    *(
        "futex",
        "set_robust_list",
        "get_robust_list",
        "rseq",
        "set_tid_address",
        "exit",
        "exit_group",
        "gettid",
        "getpid",
    ),
    *("getppid", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "getcpu"),
    *("sched_get_priority_max", "sched_get_priority_min", "getpriority"),
    # signals that come
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack"),
    # clocks, and what one is and has
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times", "getrusage"),
    *("getrlimit", "getrandom", "sysinfo", "uname", "getuid", "geteuid", "getgid", "getegid"),
    # the network, by the sockets that there are
    *("recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "accept", "accept4", "shutdown", "bind"),
    *("getsockname", "getpeername", "getsockopt", "setsockopt"),
)


def prepare() -> None:
    """Before the event loop is made: libuv would open an io_uring, through which calls go past the walls."""
    with suppress(OSError):  # `put_up` says so
        seccomp.refuse(["io_uring_setup"])


def put_up(options: MediaOptions) -> None:
    """The walls. Where the kernel has no seccomp the log says so, and the bounds hold alone."""
    _bound(resource.RLIMIT_CORE, 0)  # what was said would be in it
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_NOFILE, FILES + options.rtp_ports[1] - options.rtp_ports[0])
    # Threads reserve stacks that they do not use, and it takes a second to see what is used: see `memory_used_up`.
    _bound(resource.RLIMIT_DATA, 2 * options.memory_mb * MEGABYTE)
    try:
        seccomp.allow_only(_allowed(), _KILLED)
    except OSError as error:
        log.warning("no_seccomp", detail=str(error))


def memory_used_up(options: MediaOptions) -> bool:
    """Whether this process keeps more memory than it may."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * _PAGE
    return resident > options.memory_mb * MEGABYTE


def _bound(what: int, most: int) -> None:
    """Lower where the machine's own bound is lower; never to be raised again."""
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, bound))


def _allowed() -> Iterator[Call]:
    yield from ((name, ()) for name in _ALLOWED)
    yield "open", (Is(1, os.O_RDONLY, _WRITES),)
    yield "openat", (Is(2, os.O_RDONLY, _WRITES),)
    yield "clone", (Is(0, _CLONE_THREAD, _CLONE_THREAD),)  # clone3 cannot be looked into: the C library then takes this
    for family in (socket.AF_INET, socket.AF_INET6):
        yield "socket", (Is(0, family), Is(1, socket.SOCK_DGRAM, 0xF))
    yield "socketpair", (Is(0, socket.AF_UNIX),)  # uvloop, when it ends
    for request in (termios.FIONBIO, termios.FIONREAD, termios.FIOCLEX, termios.TCGETS):
        yield "ioctl", (Is(1, request),)
    for kill in ("kill", "tgkill"):  # itself, as abort(3) does
        yield kill, (Is(0, os.getpid()),)
    yield "prlimit64", (Is(0, 0), Is(2, 0))  # to ask, not to set
    yield "setpriority", (Is(0, os.PRIO_PROCESS), Is(1, 0))  # of the thread itself
    yield "prctl", (Is(0, _PR_SET_NAME),)
