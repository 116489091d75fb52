"""`mcu serve`: the control process and its media workers, until it is told to stop."""

from typing import Annotated, Any

import structlog
import typer
import uvloop

from mcu.cli.common import ConfigOption, settings_or_exit
from mcu.errors import McuError
from mcu.telemetry.logging import configure_logging
from mcu.telemetry.sentry import start_sentry


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of server.port.")] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    from mcu.app import server  # here, for it loads everything, which no other command needs

    over: dict[str, Any] = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings_or_exit(config, {"server": over} if over else None)
    writer = configure_logging(settings.logging.level, settings.logging.format)
    dsn = settings.sentry.dsn.get_secret_value() if settings.sentry.dsn else None
    start_sentry(dsn, environment=settings.sentry.environment, release=server.release())
    try:
        uvloop.run(server.serve(settings))
    except McuError:
        raise
    except Exception:
        structlog.get_logger().exception("server_failed")
        raise
    finally:
        writer.close()
