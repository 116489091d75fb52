"""Crash reports: none without a DSN, and nothing private in any."""

import io
import json
import socket
from collections.abc import Iterator
from typing import ClassVar

import pytest
import sentry_sdk
import structlog
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from mcu.errors import Unavailable
from mcu.telemetry.logging import configure_logging
from mcu.telemetry.sentry import start_sentry

NAME, PIN, PHONE = "Anna Canary", "583920", "+46701234567"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJsZWciOiJsZWdfMDEifQ.c2lnbmF0dXJlLW9mLWl0LWFsbA"


class Captured(Transport):
    """Keeps what would be sent."""

    sent: ClassVar[list[bytes]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize())


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    Captured.sent.clear()
    writer = configure_logging("info", "json", io.StringIO())
    yield
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    writer.close()
    structlog.reset_defaults()


def start() -> None:
    start_sentry("https://key@sentry.invalid/1", environment="test", release="mcu@0", transport=Captured)


def fail_with(canary: str) -> None:
    local = {"pin": canary}
    try:
        raise KeyError(canary)
    except KeyError as error:
        raise ValueError(f"bad {local}") from error


def event() -> dict[str, object]:
    (sent,) = Captured.sent
    found: dict[str, object] = json.loads(sent.splitlines()[2])
    return found


@pytest.mark.parametrize("canary", [NAME, PIN, PHONE, TOKEN])
def test_nothing_private_is_in_a_report(canary: str) -> None:
    start()
    sentry_sdk.add_breadcrumb(message=canary)
    sentry_sdk.set_user({"username": canary})
    sentry_sdk.set_extra("payload", canary)
    sentry_sdk.set_context("request", {"url": f"https://x/j/1?pin={canary}", "data": canary})
    try:
        fail_with(canary)
    except ValueError:
        structlog.get_logger().exception("join_failed", leg="leg_1", name=canary)
    structlog.get_logger().error("no_exception", name=canary)
    assert len(Captured.sent) == 2
    assert canary.encode() not in b"".join(Captured.sent)


def test_a_report_says_type_place_and_ids() -> None:
    start()
    try:
        fail_with("x")
    except ValueError:
        structlog.get_logger().exception("join_failed", leg="leg_1", codec="H264")
    told = event()
    assert told["tags"] == {"leg": "leg_1", "event": "join_failed"}
    values = told["exception"]["values"]  # type: ignore[index]
    assert [value["type"] for value in values] == ["KeyError", "ValueError"]
    frame = values[-1]["stacktrace"]["frames"][-1]
    assert frame["function"] == "fail_with"
    assert set(frame) <= {"filename", "abs_path", "function", "module", "lineno", "in_app"}


def test_the_message_of_our_own_error_is_told() -> None:
    start()
    try:
        raise Unavailable("no worker lives")
    except Unavailable:
        structlog.get_logger().exception("failed")
    assert event()["exception"]["values"][-1]["value"] == "no worker lives"  # type: ignore[index]


def test_a_message_without_an_exception_loses_what_looks_private() -> None:
    start()
    structlog.get_logger().error(f"number {PHONE}")
    assert "message" in event()
    assert PHONE not in str(event())


def test_the_sdk_collects_as_little_as_it_can() -> None:
    start()
    options = sentry_sdk.get_client().options
    assert not options["send_default_pii"]
    assert not options["include_local_variables"]
    assert sentry_sdk.get_client().integrations == {}


def test_what_is_not_an_error_is_not_reported() -> None:
    start()
    structlog.get_logger().warning("late")
    assert Captured.sent == []


def test_without_a_dsn_nothing_is_set_up_and_no_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.invalid/1")

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    start_sentry(None, environment="test", release="mcu@0")
    structlog.get_logger().error("failed")
    assert not sentry_sdk.is_initialized()
