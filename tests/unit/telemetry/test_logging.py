"""The log: its form, its ids, and that nothing private reaches it by any way in."""

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from mcu.errors import Unavailable
from mcu.telemetry.logging import configure_logging, context
from mcu.telemetry.writer import QUEUE_LINES, LineWriter

NAME, PIN, PHONE = "Anna Canary", "583920", "+46701234567"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJsZWciOiJsZWdfMDEifQ.c2lnbmF0dXJlLW9mLWl0LWFsbA"
CANARIES = (NAME, PIN, PHONE, TOKEN)


class Log:
    """A configured log that can be read."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.writer = configure_logging("debug", "json", self.stream)

    @property
    def text(self) -> str:
        self.writer.close()
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log = Log()
    yield log
    log.writer.close()
    logging.captureWarnings(False)
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_time_level_event_and_the_ids_of_its_context(log: Log) -> None:
    with context(request="req_1", meeting="mtg_2"), context(leg="leg_3"):
        structlog.get_logger().info("leg_joined", codec="H264")
    structlog.get_logger().warning("outside")
    first, second = log.lines
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "leg_joined",
        "level": "info",
        "codec": "H264",
        "request": "req_1",
        "meeting": "mtg_2",
        "leg": "leg_3",
    }
    assert "leg" not in second


async def test_a_task_logs_with_the_ids_of_where_it_was_begun(log: Log) -> None:
    async def work() -> None:
        structlog.get_logger().info("worked")

    with context(room="room_1"):
        task = asyncio.create_task(work())
    await task
    assert log.lines[0]["room"] == "room_1"


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    writer = configure_logging("warning", "json", stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().error("loud")
    writer.close()
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
    structlog.reset_defaults()


def _raise_with(text: str) -> None:
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(f"bad: {text}") from error


@pytest.mark.parametrize("canary", CANARIES)
def test_no_way_into_the_log_lets_anything_private_through(log: Log, canary: str) -> None:
    logger = structlog.get_logger()
    logger.info("join", name=canary, pin=canary, phone=canary, token=canary)
    logger.info("nested", request_body={"participants": [{"display_name": canary}]})
    try:
        _raise_with(canary)
    except ValueError as error:
        logger.exception("failed")
        logger.error("failed_again", exc_info=error)
        logging.getLogger("aiohttp.server").error("Error handling request", exc_info=error)
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <exception=%r>", error)
    assert canary not in log.text
    assert len(log.lines) == 6


@pytest.mark.parametrize("canary", [PIN, PHONE, TOKEN])
def test_free_text_loses_what_looks_private(log: Log, canary: str) -> None:
    structlog.get_logger().info(f"got {canary}")
    logging.getLogger("aiosqlite").warning("got %s", canary)
    assert canary not in log.text
    assert len(log.lines) == 2


def test_an_exception_is_told_by_type_place_and_cause(log: Log) -> None:
    try:
        _raise_with("x")
    except ValueError:
        structlog.get_logger().exception("failed")
    told = log.lines[0]["exception"]
    assert [one["type"] for one in told] == ["ValueError", "KeyError"]
    assert "test_logging.py" in told[0]["at"][-1]
    assert told[0]["at"][-1].endswith("_raise_with")


def test_what_a_group_of_tasks_failed_by_is_told(log: Log) -> None:
    """A worker's end is one."""
    try:
        raise ExceptionGroup("of a task group", [KeyError("a name"), ValueError("a number")])
    except ExceptionGroup:
        structlog.get_logger().exception("failed")
    assert [told["type"] for told in log.lines[-1]["exception"]] == ["ExceptionGroup", "KeyError", "ValueError"]
    assert "a name" not in str(log.lines[-1])


def test_the_message_of_our_own_error_is_told(log: Log) -> None:
    try:
        raise Unavailable("no worker lives")
    except Unavailable:
        structlog.get_logger().exception("failed")
    assert log.lines[0]["exception"][0]["says"] == "no worker lives"


def test_a_warning_of_a_library_is_a_line_of_the_log(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert log.lines[0]["level"] == "warning"


class Stuck(io.StringIO):
    """A terminal that nobody reads, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.free.wait(10)
        return super().write(text)


def test_a_reader_that_stands_still_holds_nobody_up_and_what_is_lost_is_counted() -> None:
    stream = Stuck()
    writer = LineWriter(stream)
    begun = time.monotonic()
    for number in range(QUEUE_LINES + 100):
        writer.write(f'{{"line": {number}}}\n')
    assert time.monotonic() - begun < 1
    assert writer.dropped >= 99
    stream.free.set()
    writer.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[-1] == {"level": "warning", "event": "log_lines_dropped", "lines": writer.dropped}


_UNCAUGHT = """
import sys, threading
from mcu.telemetry.logging import configure_logging
configure_logging("info", "json")
def fail():
    raise KeyError("Anna Canary\\nAnna Canary")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_what_nobody_caught_is_a_line_of_the_log_without_its_words() -> None:
    run = subprocess.run([sys.executable, "-c", _UNCAUGHT], capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["uncaught_in_thread", "uncaught"]
    assert lines[0]["exception"][0]["type"] == "KeyError"
    assert "Anna" not in run.stderr
    assert run.returncode == 1


def test_a_crash_in_c_says_where_it_was() -> None:
    crash = "from mcu.telemetry.logging import configure_logging as c\nc()\nimport ctypes\nctypes.string_at(0)"
    run = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True, timeout=60)
    assert "Fatal Python error: Segmentation fault" in run.stderr
    assert 'File "<string>", line 4' in run.stderr
