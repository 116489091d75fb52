"""What may be told of an exception: its type and where it happened; its message only where the type vouches for it.

The message of a `KeyError`, of a database driver or of a validator repeats what somebody typed. Those of the operating
system and of `mcu.errors` do not.
"""

import ssl
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from mcu.errors import McuError
from mcu.telemetry.scrub import scrub_text

_VOUCHED_FOR = (McuError, OSError, ssl.SSLError, ImportError)
_FRAMES = 12  # the innermost; the outer ones are the event loop's
_CHAIN = 4


def message_of(error: BaseException) -> str | None:
    """What the exception says, or nothing where that may be somebody's words."""
    return scrub_text(str(error)) if isinstance(error, _VOUCHED_FOR) else None


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception, then those of a group or its causes: type, message where it may be told, `file:line function`."""
    told: list[dict[str, Any]] = []
    waiting = [error]
    while waiting and len(told) < _CHAIN:
        current = waiting.pop(0)
        told.append({"type": type(current).__qualname__, "at": _frames(current.__traceback__)})
        if said := message_of(current):
            told[-1]["says"] = said
        waiting += _beneath(current)
    return told


def _beneath(error: BaseException) -> Sequence[BaseException]:
    """What made it happen."""
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [] if cause is None else [cause]


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-_FRAMES:]]
