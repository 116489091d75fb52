"""Writes lines from a thread of its own, so that a slow terminal, disk or pipe never holds up the event loop.

The queue is bounded: when it is full a line is dropped and counted, and the count is written when there is room again.
"""

import atexit
import json
import queue
import threading
from typing import TextIO

QUEUE_LINES = 4096


class LineWriter:
    """A file for structlog's `WriteLogger`: `write` never waits."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE_LINES)
        self.dropped = 0
        self._told = 0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def flush(self) -> None:
        """Lines are flushed by the thread, each batch."""

    def close(self) -> None:
        """Write what waits, then end. Waits two seconds at most."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            try:
                self._lines.put(None, timeout=1)
            except queue.Full:
                return
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._put(line)
        self._put("")

    def _put(self, line: str) -> None:
        try:
            self._stream.write(line)
            if self._lines.empty():
                self._tell_dropped()
                self._stream.flush()
        except (OSError, ValueError):  # the reader is gone: there is nobody to tell
            self.dropped += 1

    def _tell_dropped(self) -> None:
        if self.dropped > self._told:
            now, self._told = self.dropped - self._told, self.dropped
            self._stream.write(json.dumps({"level": "warning", "event": "log_lines_dropped", "lines": now}) + "\n")
