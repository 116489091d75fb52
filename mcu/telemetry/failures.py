"""What may be told of an exception: its type and where it happened; its message only where the type vouches for it.

The message of a `KeyError`, of a database driver or of a validator repeats what somebody typed. Those of the operating
system and of `mcu.errors` do not.
"""

import ssl
import traceback
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
    """The exception and its causes, innermost cause last: type, message where it may be told, `file:line function`."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < _CHAIN:
        told: dict[str, Any] = {"type": type(current).__qualname__, "at": _frames(current.__traceback__)}
        if said := message_of(current):
            told["says"] = said
        chain.append(told)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-_FRAMES:]]
