"""What a worker process writes, as lines of our own log: limited in length and rate, and scrubbed there.

A line of JSON is a log line of the worker's. Any other is from a C library or a dying interpreter; of the last line of
a traceback only the type of the exception is kept, for its message may be somebody's words.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

LINE_BYTES = 16 * 1024  # the rest of a longer line is dropped
LINES_A_SECOND = 200  # more are dropped and counted

_LEVELS = ("debug", "info", "warning", "error", "critical")
_RAISED = re.compile(r"^(?!ImportError|ModuleNotFoundError|OSError)([\w.]*[A-Z]\w*): .*")


class LineSplitter:
    """Bytes in, whole lines out. Keeps at most `LINE_BYTES` of a line that has not ended."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[str]:
        *whole, rest = (self._rest + data).split(b"\n")
        if whole and self._skipping:
            whole, self._skipping = whole[1:], False
        if len(rest) > LINE_BYTES:
            if not self._skipping:
                whole.append(rest)
            rest, self._skipping = b"", True
        self._rest = rest
        return [line[:LINE_BYTES].decode("utf-8", "replace") for line in whole if line]


class WorkerOutput:
    """Logs one worker's lines. `now` gives monotonic seconds."""

    def __init__(self, worker: str, now: Callable[[], float]) -> None:
        self._worker = worker
        self._now = now
        self._lines = LineSplitter()
        self._second = 0
        self._written = 0
        self.dropped = 0

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            if self._within_rate():
                self._log(line)
            else:
                self.dropped += 1

    def close(self) -> None:
        """Say what was dropped."""
        if self.dropped:
            log.warning("worker_lines_dropped", worker=self._worker, lines=self.dropped)

    def _within_rate(self) -> bool:
        second = int(self._now())
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= LINES_A_SECOND

    def _log(self, line: str) -> None:
        fields = _as_fields(line)
        if fields is None:
            log.warning("worker_output", worker=self._worker, output=_RAISED.sub(r"\1", line))
            return
        fields.pop("timestamp", None)
        level, event = str(fields.pop("level", "info")), str(fields.pop("event"))
        getattr(log, level if level in _LEVELS else "info")(event, **{**fields, "worker": self._worker})


def _as_fields(line: str) -> dict[str, Any] | None:
    """A log line of the worker's own, or `None`."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and "event" in fields else None
