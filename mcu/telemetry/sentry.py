"""Crash reports to Sentry: off, and no connection made, without a DSN.

An event is built anew from what is known to be harmless (types, places in our code, ids, versions); whatever else the
SDK collected stays here. No local variables, request bodies, addresses, query strings or breadcrumbs.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from structlog.typing import EventDict

from mcu.telemetry.failures import message_of
from mcu.telemetry.scrub import scrub

if TYPE_CHECKING:
    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint

_KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "type")
_FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app")
_IDS = ("request", "meeting", "room", "leg", "worker")
_sdk: ModuleType | None = None  # once it is started: importing it is a tenth of what a process takes to start


def start_sentry(
    dsn: str | None, *, environment: str, release: str, transport: "type[Transport] | None" = None
) -> None:
    """Report errors that are logged from now on. Does nothing at all without a DSN."""
    if not dsn:
        return
    import sentry_sdk

    global _sdk
    _sdk = sentry_sdk
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        transport=transport,
        before_send=clean_event,
        before_breadcrumb=lambda _crumb, _hint: None,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_request_body_size="never",
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="",
        max_breadcrumbs=0,
    )


def report_errors(_logger: object, method: str, event: EventDict) -> EventDict:
    """A processor of the log: what is logged as an error is reported, with its exception and ids."""
    if event.get("level") not in {"error", "critical"} or _sdk is None or not _sdk.is_initialized():
        return event
    with _sdk.new_scope() as scope:
        for key in _IDS:
            if isinstance(event.get(key), str):
                scope.set_tag(key, event[key])
        failure = event.get("exc_info")
        if failure:
            scope.set_tag("event", str(event.get("event")))
            _sdk.capture_exception(None if failure is True else failure)
        else:
            _sdk.capture_message(str(event.get("event")), level="error")
    return event


def clean_event(event: "Event", hint: "Hint") -> "Event":
    """A new event of what is known to be harmless in `event`."""
    raw: dict[str, Any] = dict(event)
    clean: dict[str, Any] = {key: raw[key] for key in _KEPT if key in raw}
    tags = raw.get("tags") or {}
    clean["tags"] = {key: tags[key] for key in _IDS if key in tags}
    for key in ("message", "transaction"):
        if isinstance(raw.get(key), str):
            clean[key] = scrub(raw[key])
    if "event" in tags:
        clean["tags"]["event"] = scrub(tags["event"])
    errors = _exceptions_of(hint)
    values = (raw.get("exception") or {}).get("values") or []
    clean["exception"] = {"values": [_clean_exception(value, errors) for value in values]}
    return clean  # type: ignore[return-value]  # a TypedDict made key by key


def _exceptions_of(hint: "Hint") -> dict[str, BaseException]:
    """The exceptions of this event's chain, by type name."""
    error = (hint.get("exc_info") or (None, None, None))[1]
    found: dict[str, BaseException] = {}
    while error is not None and type(error).__name__ not in found:
        found[type(error).__name__] = error
        error = error.__cause__ or error.__context__
    return found


def _clean_exception(value: dict[str, Any], errors: dict[str, BaseException]) -> dict[str, Any]:
    error = errors.get(str(value.get("type")))
    frames = (value.get("stacktrace") or {}).get("frames") or []
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "value": (message_of(error) if error else None) or "",
        "stacktrace": {"frames": [{key: frame[key] for key in _FRAME if key in frame} for frame in frames]},
    }
