"""Which calls of the kernel a process may make from now on, all its threads, for good: seccomp(2), by libseccomp.

libseccomp is found at run time: it is on every Debian, for apt needs it. Linux only.
"""

import ctypes
import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

_LIBRARY = "libseccomp.so.2"
_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")
_NEEDED = {"kill_process", "errno", "allow"}
# seccomp.h of libseccomp
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.ENOSYS
_ATTRIBUTE_ALL_THREADS = 4
_MASKED_EQUAL = 7
_SAME: Final = 0xFFFFFFFFFFFFFFFF


class Is(NamedTuple):
    """An argument of a call, by its number from 0, whose bits below `mask` are `value`."""

    argument: int
    value: int
    mask: int = _SAME


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


Call = tuple[str, tuple[Is, ...]]  # its name, and what all must hold of its arguments
Rule = tuple[int, Call]  # an action, and for which


def problem() -> str | None:
    """Why calls cannot be refused here, or None."""
    try:
        _library()
    except OSError:
        return f"there is no {_LIBRARY}"
    try:
        available = set(_ACTIONS.read_text("ascii").split())
    except OSError:
        return "the kernel has no seccomp"
    return None if available >= _NEEDED else "the kernel's seccomp cannot end a process"


def allow_only(allowed: Iterable[Call], killed: Iterable[str]) -> None:
    """From now on a call in `killed` ends the process, and one that is not in `allowed` is refused as by `refuse`.

    A call may be in `allowed` more than once.

    It holds for every thread, also those that run already, and cannot be taken back. Raises `OSError` where the kernel
    or libseccomp will not; nothing is changed then.
    """
    rules = [(_KILL_PROCESS, (name, ())) for name in killed]
    _load(_REFUSE, [*rules, *((_ALLOW, call) for call in allowed)])


def refuse(names: Iterable[str]) -> None:
    """From now on these calls fail as on a kernel that does not have them (ENOSYS): libraries then go another way.

    All else is as in `allow_only`.
    """
    _load(_ALLOW, [(_REFUSE, (name, ())) for name in names])


def _load(otherwise: int, rules: Iterable[Rule]) -> None:
    library = _library()
    made = library.seccomp_init(otherwise)
    if not made:
        raise OSError(errno.ENOMEM, "seccomp_init")
    try:
        _check(library.seccomp_attr_set(made, _ATTRIBUTE_ALL_THREADS, 1), "seccomp_attr_set")
        for action, call in rules:
            _add(library, made, action, call)
        _check(library.seccomp_load(made), "seccomp_load")
    finally:
        library.seccomp_release(made)


def _add(library: ctypes.CDLL, rules: int, action: int, call: Call) -> None:
    name, conditions = call
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:  # not of this architecture
        return
    compared = (_Comparison * len(conditions))()
    for at, one in enumerate(conditions):
        compared[at] = _Comparison(one.argument, _MASKED_EQUAL, one.mask, one.value)
    _check(library.seccomp_rule_add_array(rules, action, number, len(conditions), compared), name)


def _check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint),
        ctypes.POINTER(_Comparison),
    ]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_release.restype = None
    return library
