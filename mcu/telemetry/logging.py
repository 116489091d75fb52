"""The log: one line per event on standard error, JSON for machines or coloured text on a terminal.

Every line carries what is bound in its context: `request`, `meeting`, `room`, `leg`, `worker`. Every line goes through
the scrubber, also those of libraries, which log through the standard library.
"""

import faulthandler
import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

from mcu.telemetry.failures import describe
from mcu.telemetry.scrub import scrub, scrub_text
from mcu.telemetry.sentry import report_errors
from mcu.telemetry.writer import LineWriter

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

_IDS = ("request", "meeting", "room", "leg", "notice", "worker")  # our own random ids: never private


def configure_logging(level: Level = "info", format: Format = "auto", stream: TextIO | None = None) -> LineWriter:
    """Set up this process' log, once. Close what it returns to be sure that the last line is written."""
    target = stream or sys.stderr
    console = format == "console" or (format == "auto" and target.isatty())
    writer = LineWriter(target)
    structlog.configure(
        processors=_processors(console),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=writer),  # type: ignore[arg-type]  # it writes and flushes
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    if stream is None:
        _catch_what_nobody_caught()
        faulthandler.enable()  # a crash in C says where it was: files and lines, no values
    return writer


@contextmanager
def context(**ids: str) -> Iterator[None]:
    """Bind ids to every line that is logged inside, also by tasks that are begun there."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def _catch_what_nobody_caught() -> None:
    """Python would print the exception with its message, which may be somebody's words."""
    log = structlog.get_logger()

    def in_main(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not isinstance(error, KeyboardInterrupt):
            log.critical("uncaught", exc_info=error)

    def in_thread(args: "threading.ExceptHookArgs") -> None:
        log.critical("uncaught_in_thread", thread=args.thread.name if args.thread else None, exc_info=args.exc_value)

    def nowhere(args: "sys.UnraisableHookArgs") -> None:
        log.error("unraisable", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = in_main, in_thread, nowhere


def _processors(console: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        report_errors,
        _tell_failure,
        _scrub_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _tell_failure(_logger: object, _method: str, event: EventDict) -> EventDict:
    """`exc_info` becomes what may be told of it."""
    asked = event.pop("exc_info", None)
    error = asked if isinstance(asked, BaseException) else (asked[1] if isinstance(asked, tuple) else None)
    if error is None and asked:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = describe(error)
    return event


def _scrub_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    kept = {key: event.pop(key) for key in _IDS if isinstance(event.get(key), str)}
    failure = event.pop("exception", None)  # scrubbed where it was made; its file names have dots and lines
    clean = scrub(event)
    assert isinstance(clean, MutableMapping)
    clean.update(kept)
    if failure is not None:
        clean["exception"] = failure
    return clean


class _ToStructlog(logging.Handler):
    """What libraries log, on the same way out. The first line only: asyncio puts an exception's repr on the second."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            fields["exc_info"] = record.exc_info[1]
        try:
            event = record.getMessage().partition("\n")[0]
        except (TypeError, ValueError):
            event = record.msg if isinstance(record.msg, str) else "unreadable record"
        structlog.get_logger().log(record.levelno, scrub_text(event), **fields)
